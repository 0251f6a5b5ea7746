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
    /// How the values of a minute become one.
    pub statistic: &'static str,
    /// On which side of the threshold something is wrong.
    pub comparison: &'static str,
    /// Beyond this it is.
    pub threshold: f64,
    /// For how many minutes in a row it must be.
    pub minutes: i32,
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
            period_seconds: 60,
            evaluation_periods: watch.minutes,
            datapoints_to_alarm: watch.minutes,
            threshold: watch.threshold,
            comparison: watch.comparison.into(),
            // Where nothing happens nothing is measured.
            treat_missing_data: "notBreaching".into(),
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
                "period": 60,
                "metrics": [metric],
                "annotations": { "horizontal": [{ "label": watch.description, "value": watch.threshold }] },
            },
        })
    }
}

/// A watch for too much of a metric.
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
        minutes,
    }
}

/// Dimensions by name.
pub(super) fn dimensions<const N: usize>(all: [(&str, Out<String>); N]) -> BTreeMap<String, Out<String>> {
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
