//! Alarms, how people hear of them, and the page that shows what they watch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::builder::{Builder, short_hash};
use super::policy::{allow, by, document, when};
use crate::resource::Tags;
use crate::resources::cloudwatch::{Alarm, Dashboard};
use crate::resources::kms::Key;
use crate::resources::sns::{Subscription, Topic};
use crate::stack::{Node, Out};

/// More than the threshold is wrong.
pub(super) const ABOVE: &str = "GreaterThanThreshold";
/// Less than the threshold is.
pub(super) const BELOW: &str = "LessThanThreshold";

/// Where nothing happens nothing is measured, and all is well.
pub(super) const SILENCE_IS_WELL: &str = "notBreaching";
/// What is measured all the time is missing because what it measures is.
pub(super) const SILENCE_IS_WRONG: &str = "breaching";
/// It says nothing: the alarm stays as it was.
pub(super) const SILENCE_SAYS_NOTHING: &str = "ignore";

const MINUTE: i32 = 60;

/// What an alarm looks at, and from when on it wakes people.
pub(super) struct Watch {
    /// What its name ends in.
    pub thing: String,
    /// What is wrong when it goes off.
    pub description: &'static str,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: Out<String>,
    /// Of what.
    pub dimensions: BTreeMap<String, Out<String>>,
    /// How the values of a period become one.
    pub statistic: &'static str,
    /// On which side of the threshold something is wrong.
    pub comparison: &'static str,
    /// Beyond this it is.
    pub threshold: f64,
    /// Seconds in a period.
    pub period: i32,
    /// How many of the latest periods are looked at.
    pub periods: i32,
    /// In how many of them it must be.
    pub points: i32,
    /// What a period without a value counts as.
    pub silence: &'static str,
}

impl Builder<'_> {
    /// The topic that alarms speak to, and those who listen.
    pub fn alarm_topic(&mut self, key: &Node<Key>) -> Node<Topic> {
        let name = self.name("alarms");
        let arn = self.place.arn("sns", &name);
        let alarms = self.place.arn("cloudwatch", "alarm:*");
        let publish = allow("AlarmsPublish", &["sns:Publish"], &[arn.as_str().into()]);
        let publish = when(
            by(publish, json!({ "Service": "cloudwatch.amazonaws.com" })),
            json!({
                "StringEquals": { "aws:SourceAccount": self.place.account },
                "ArnLike": { "aws:SourceArn": alarms },
            }),
        );
        let topic = Topic { name, kms_key_id: key.key_id(), policy: document([publish]), tags: Tags::new() };
        let topic = self.stack.add("alarm-topic", topic);
        for address in &self.config.monitoring.alarm_emails {
            let mail = Subscription { topic_arn: topic.arn(), protocol: "email".into(), endpoint: address.clone() };
            // Numbers would move all that follow when one leaves the list.
            self.stack.add(format!("alarm-mail-{}", short_hash(address)), mail);
        }
        topic
    }

    /// Wakes people.
    pub fn alarm(&mut self, watch: Watch, topic: &Node<Topic>) {
        let actions = BTreeSet::from([topic.arn()]);
        let alarm = Alarm {
            name: self.name(&watch.thing),
            description: self.describe(watch.description),
            namespace: watch.namespace,
            metric_name: watch.metric,
            dimensions: watch.dimensions,
            statistic: watch.statistic.to_owned(),
            period_seconds: watch.period,
            evaluation_periods: watch.periods,
            datapoints_to_alarm: watch.points,
            threshold: watch.threshold,
            comparison: watch.comparison.into(),
            treat_missing_data: watch.silence.into(),
            actions_enabled: true,
            alarm_actions: actions.clone(),
            ok_actions: actions,
            tags: Tags::new(),
        };
        self.stack.add(format!("alarm-{}", watch.thing), alarm);
    }

    /// A graph for each thing that is watched, with its threshold, three in a row.
    pub fn dashboard(&mut self, thing: &str, watches: &[Watch]) {
        let widgets: Vec<Value> = watches.iter().enumerate().map(|(index, watch)| self.widget(index, watch)).collect();
        let dashboard = Dashboard { name: self.name(thing), body: json!({ "widgets": widgets }), tags: Tags::new() };
        self.stack.add("dashboard", dashboard);
    }

    fn widget(&self, index: usize, watch: &Watch) -> Value {
        let mut metric = vec![json!(watch.namespace), watch.metric.json()];
        metric.extend(watch.dimensions.iter().flat_map(|(name, value)| [json!(name), value.json()]));
        json!({
            "type": "metric",
            "x": index % 3 * 8,
            "y": index / 3 * 6,
            "width": 8,
            "height": 6,
            "properties": {
                "title": watch.thing,
                "region": self.place.region,
                "view": "timeSeries",
                "stat": watch.statistic,
                "period": watch.period,
                "metrics": [metric],
                "annotations": { "horizontal": [{ "label": watch.description, "value": watch.threshold }] },
            },
        })
    }
}

/// A watch for too much of a metric, for so many minutes in a row.
#[allow(clippy::too_many_arguments, reason = "a row of a table")]
pub(super) fn watch(
    thing: &str,
    description: &'static str,
    namespace: &str,
    metric: &str,
    dimensions: &BTreeMap<String, Out<String>>,
    statistic: &'static str,
    threshold: f64,
    minutes: i32,
) -> Watch {
    Watch {
        thing: thing.to_owned(),
        description,
        namespace: namespace.to_owned(),
        metric: metric.into(),
        dimensions: dimensions.clone(),
        statistic,
        comparison: ABOVE,
        threshold,
        period: MINUTE,
        periods: minutes,
        points: minutes,
        silence: SILENCE_IS_WELL,
    }
}

/// A watch for tasks that do not run. Where none does, Container Insights measures nothing.
pub(super) fn tasks_missing(service: &BTreeMap<String, Out<String>>, fewest: i32) -> Watch {
    let missing = watch(
        "tasks-missing",
        "Fewer tasks run than the service must have",
        "ECS/ContainerInsights",
        "RunningTaskCount",
        service,
        "Minimum",
        f64::from(fewest),
        5,
    );
    Watch { comparison: BELOW, silence: SILENCE_IS_WRONG, ..missing }
}

/// The stream's own watches: for records that cannot get in and, where something is to read it, for nobody reading.
pub(super) fn of_stream(stream: &BTreeMap<String, Out<String>>, readers: bool) -> Vec<Watch> {
    let watch = |thing, description, metric, statistic, threshold, minutes| {
        watch(thing, description, "AWS/Kinesis", metric, stream, statistic, threshold, minutes)
    };
    let refused = watch("stream-refused", "Records do not get into the stream", "PutRecord.Success", "Average", 0.9, 5);
    // The age of records is measured when they are read: where nobody reads, it is not.
    let unread = watch("stream-unread", "Nobody reads the stream", "GetRecords.Success", "SampleCount", 1.0, 10);
    let mut watches = vec![
        watch(
            "stream-throttled",
            "Records are turned away, the shards are full",
            "WriteProvisionedThroughputExceeded",
            "Sum",
            0.0,
            5,
        ),
        Watch { comparison: BELOW, ..refused },
    ];
    if readers {
        watches.push(Watch { comparison: BELOW, silence: SILENCE_IS_WRONG, ..unread });
    }
    watches
}

/// Dimensions by name.
pub(super) fn dimensions<const N: usize>(all: [(&str, Out<String>); N]) -> BTreeMap<String, Out<String>> {
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
