//! A CloudWatch alarm on one metric. Its state is what it watches, not what it is, and is left alone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::{AlarmType, ComparisonOperator, Dimension, MetricAlarm, Statistic};

use super::{read_tags, retag, to_cloudwatch};
use crate::resources::prelude::*;
use crate::resources::values::{check_one_of, check_range, check_text, known, outs, text};

/// What CloudWatch itself calculates; percentiles are another parameter.
const STATISTICS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
const COMPARISONS: [&str; 4] =
    ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanOrEqualToThreshold", "LessThanThreshold"];
const MISSING_DATA: [&str; 4] = ["breaching", "ignore", "missing", "notBreaching"];
/// Most actions for one state.
const MOST_ACTIONS: usize = 5;
const MOST_DIMENSIONS: usize = 30;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// An alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name, 1-255 characters.
    pub name: String,
    /// What it means and what to do; at most 1024 characters.
    pub description: String,
    /// The namespace of the metric, as `AWS/ECS`.
    pub namespace: String,
    /// The metric.
    pub metric_name: Out<String>,
    /// Of what.
    pub dimensions: BTreeMap<String, Out<String>>,
    /// `Average`, `Maximum`, `Minimum`, `SampleCount`, `Sum`, or a percentile as `p95`.
    pub statistic: String,
    /// Seconds that one value is made of: 10, 20, 30 or a multiple of 60.
    pub period_seconds: i32,
    /// How many of the latest values are looked at.
    pub evaluation_periods: i32,
    /// How many of them must be beyond the threshold.
    pub datapoints_to_alarm: i32,
    /// In the unit of the metric.
    pub threshold: f64,
    /// `GreaterThanThreshold` and the like.
    pub comparison: String,
    /// `breaching`, `ignore`, `missing` or `notBreaching`.
    pub treat_missing_data: String,
    /// Whether it does anything when it goes off. People switch this off and forget.
    pub actions_enabled: bool,
    /// ARNs of what is told when it goes off; at most five.
    pub alarm_actions: BTreeSet<Out<String>>,
    /// ARNs of what is told when all is well again; at most five.
    pub ok_actions: BTreeSet<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmOutputs {
    /// Its name.
    pub alarm_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Alarm> {
    /// Its name, known once it exists.
    pub fn alarm_name(&self) -> Out<String> {
        self.out("alarm_name")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Alarm {
    type Cloud = Aws;
    type Outputs = AlarmOutputs;
    const KIND: &'static str = "cloudwatch.alarm";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const FORETOLD: &'static [&'static str] = &["alarm_name", "arn"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_text("name", &self.name, 1, 255, |c| !c.is_control())?;
        check_text("description", &self.description, 0, 1024, |_| true)?;
        check_text("namespace", &self.namespace, 1, 255, |_| true)?;
        if self.namespace.starts_with(':') {
            return Err(format!("namespace is {:?}; AWS allows no colon first", self.namespace));
        }
        check_one_of("comparison", &self.comparison, &COMPARISONS)?;
        check_one_of("treat_missing_data", &self.treat_missing_data, &MISSING_DATA)?;
        if !STATISTICS.contains(&self.statistic.as_str()) && !is_percentile(&self.statistic) {
            let allowed = STATISTICS.join(", ");
            return Err(format!("statistic is {:?}; AWS allows {allowed} and p0-p100", self.statistic));
        }
        if !self.threshold.is_finite() {
            return Err(format!("threshold is {}; AWS allows numbers", self.threshold));
        }
        if self.dimensions.len() > MOST_DIMENSIONS {
            return Err(format!("dimensions are {}; AWS allows {MOST_DIMENSIONS}", self.dimensions.len()));
        }
        if let Some(many) = [&self.alarm_actions, &self.ok_actions].iter().find(|set| set.len() > MOST_ACTIONS) {
            return Err(format!("actions are {} for one state; AWS allows {MOST_ACTIONS}", many.len()));
        }
        self.check_periods()
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let kin = family(name);
        let all = cx.pass.shared(&format!("cloudwatch.alarms {kin}"), || alarms(cx, kin)).await?;
        let Some(found) = all.iter().find(|alarm| alarm.alarm_name() == Some(name)) else { return Ok(None) };
        let arn = found.alarm_arn().always("alarm ARN")?.to_owned();
        let Some(tags) = read_tags(cx, &arn).await.if_present()? else { return Ok(None) };
        let live = Alarm { tags, ..live(found) };
        Ok(Some(Observed::ready(name, live, AlarmOutputs { alarm_name: name.to_owned(), arn })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        self.put(cx, Some(&self.tags)).await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.changes.iter().any(|change| change.field() != "tags") {
            self.put(cx, None).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.cloudwatch.delete_alarms().alarm_names(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "cloudwatch", "alarm:", index::by_rest).await
    }
}

impl Alarm {
    fn check_periods(&self) -> std::result::Result<(), String> {
        let period = self.period_seconds;
        if ![10, 20, 30].contains(&period) && (period < 60 || period % 60 != 0) {
            return Err(format!("period_seconds is {period}; AWS allows 10, 20, 30 and multiples of 60"));
        }
        check_range("datapoints_to_alarm", self.datapoints_to_alarm, 1, self.evaluation_periods)?;
        let span = i64::from(period) * i64::from(self.evaluation_periods);
        let longest = if i64::from(period) < HOUR { DAY } else { 7 * DAY };
        match span <= longest {
            true => Ok(()),
            false => {
                Err(format!("evaluation_periods of period_seconds are {span} seconds together; AWS allows {longest}"))
            }
        }
    }

    async fn put(&self, cx: &Cx<'_>, tags: Option<&Tags>) -> Result<()> {
        let percentile = is_percentile(&self.statistic);
        let plain = Some(Statistic::from(self.statistic.as_str())).filter(|_| !percentile);
        let dimensions =
            self.dimensions.iter().map(|(name, value)| Ok(Dimension::builder().name(name).value(value.get()?).build()));
        cx.cloudwatch
            .put_metric_alarm()
            .alarm_name(&self.name)
            .alarm_description(&self.description)
            .namespace(&self.namespace)
            .metric_name(self.metric_name.get()?)
            .set_dimensions(Some(dimensions.collect::<Result<_>>()?))
            .set_statistic(plain)
            .set_extended_statistic(Some(self.statistic.clone()).filter(|_| percentile))
            .period(self.period_seconds)
            .evaluation_periods(self.evaluation_periods)
            .datapoints_to_alarm(self.datapoints_to_alarm)
            .threshold(self.threshold)
            .comparison_operator(ComparisonOperator::from(self.comparison.as_str()))
            .treat_missing_data(&self.treat_missing_data)
            .actions_enabled(self.actions_enabled)
            .set_alarm_actions(Some(known(&self.alarm_actions)?))
            .set_ok_actions(Some(known(&self.ok_actions)?))
            .set_tags(tags.map(to_cloudwatch))
            .send()
            .await?;
        Ok(())
    }
}

/// The alarm without its tags. One on an expression has neither metric nor period.
fn live(alarm: &MetricAlarm) -> Alarm {
    let dimension = |found: &Dimension| (text(found.name()), text(found.value()).into());
    let actions = |arns: &[String]| outs(arns.iter().map(String::as_str));
    let statistic = alarm.statistic().map(Statistic::as_str).or(alarm.extended_statistic());
    Alarm {
        name: text(alarm.alarm_name()),
        description: text(alarm.alarm_description()),
        namespace: text(alarm.namespace()),
        metric_name: text(alarm.metric_name()).into(),
        dimensions: alarm.dimensions().iter().map(dimension).collect(),
        statistic: text(statistic),
        period_seconds: alarm.period().unwrap_or_default(),
        evaluation_periods: alarm.evaluation_periods().unwrap_or_default(),
        // AWS leaves out what is the same as the number of periods.
        datapoints_to_alarm: alarm.datapoints_to_alarm().or(alarm.evaluation_periods()).unwrap_or_default(),
        threshold: alarm.threshold().unwrap_or_default(),
        comparison: text(alarm.comparison_operator().map(ComparisonOperator::as_str)),
        treat_missing_data: alarm.treat_missing_data().unwrap_or("missing").to_owned(),
        actions_enabled: alarm.actions_enabled().unwrap_or_default(),
        alarm_actions: actions(alarm.alarm_actions()),
        ok_actions: actions(alarm.ok_actions()),
        tags: Tags::new(),
    }
}

/// `p95`, `p99.9`.
fn is_percentile(statistic: &str) -> bool {
    let Some(number) = statistic.strip_prefix('p') else { return false };
    let digits = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    digits && number.parse::<f64>().is_ok_and(|percent| percent <= 100.0)
}

/// The beginning that the names of a stack's alarms have in common, so that one call lists them all.
fn family(name: &str) -> &str {
    name.split_inclusive('-').next().unwrap_or(name)
}

async fn alarms(cx: &Cx<'_>, prefix: &str) -> Result<Vec<MetricAlarm>> {
    let ask = cx.cloudwatch.describe_alarms().alarm_name_prefix(prefix).alarm_types(AlarmType::MetricAlarm);
    let mut pages = ask.max_records(100).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page?.metric_alarms.unwrap_or_default());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm() -> Alarm {
        Alarm {
            name: "student-api-5xx-dev".into(),
            description: String::new(),
            namespace: "AWS/ApiGateway".into(),
            metric_name: "5XXError".into(),
            dimensions: BTreeMap::new(),
            statistic: "p95".into(),
            period_seconds: 300,
            evaluation_periods: 3,
            datapoints_to_alarm: 2,
            threshold: 1.0,
            comparison: "GreaterThanThreshold".into(),
            treat_missing_data: "notBreaching".into(),
            actions_enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        assert_eq!(alarm().check(), Ok(()));
        assert_eq!(Alarm { period_seconds: 86_400, evaluation_periods: 7, ..alarm() }.check(), Ok(()));
        for wrong in [
            Alarm { name: String::new(), ..alarm() },
            Alarm { namespace: ":x".into(), ..alarm() },
            Alarm { statistic: "p101".into(), ..alarm() },
            Alarm { statistic: "Median".into(), ..alarm() },
            Alarm { period_seconds: 90, ..alarm() },
            Alarm { datapoints_to_alarm: 4, ..alarm() },
            Alarm { datapoints_to_alarm: 0, ..alarm() },
            Alarm { evaluation_periods: 289, ..alarm() },
            Alarm { threshold: f64::NAN, ..alarm() },
            Alarm { comparison: "AboveThreshold".into(), ..alarm() },
            Alarm { treat_missing_data: "none".into(), ..alarm() },
            Alarm { ok_actions: outs(["a", "b", "c", "d", "e", "f"]), ..alarm() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn percentiles_are_told_from_statistics() {
        assert!(["p95", "p99.9", "p0", "p100"].iter().all(|statistic| is_percentile(statistic)));
        assert!(!["Average", "p", "p-1", "p1e1", "pinf", "tm95"].iter().any(|statistic| is_percentile(statistic)));
    }

    #[test]
    fn alarms_of_one_stack_share_a_read() {
        assert_eq!(family("student-api-5xx-dev"), "student-");
        assert_eq!(family("plain"), "plain");
    }
}
