//! How many vCPUs Fargate lets the account run at once. CloudWatch tells it beside what is in use, so where tasks have run of
//! late it need not be guessed.

use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use serde_json::Value;

use crate::aws::Aws;
use crate::error::Result;
use crate::plan::{Action, Plan};
use crate::resource::Resource;
use crate::resources::ecs::Service;
use crate::stack::{Entry, Stack};

/// What Fargate counts on-demand tasks under. ECS Developer Guide, "AWS Fargate usage metrics".
const COUNTED: [(&str, &str); 4] =
    [("Service", "Fargate"), ("Type", "Resource"), ("Resource", "vCPU"), ("Class", "Standard/OnDemand")];
/// How far back is looked, and over how many seconds each value is taken.
const LATELY: Duration = Duration::from_secs(3600);
const PERIOD: i32 = 300;
/// What a vCPU has of the units in which tasks are sized.
const UNITS: f64 = 1024.0;

/// What the account may run at once, and what it ran when AWS last counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Room {
    most: f64,
    used: f64,
}

/// The vCPUs of the tasks that a plan starts with.
pub(super) fn needed(stack: &Stack, plan: &Plan) -> f64 {
    let made = plan.steps.iter().filter(|step| step.kind == Service::KIND && step.action == Action::Create);
    let services = made.filter_map(|step| stack.nodes.get(&step.node));
    services.filter_map(|service| cores(stack, service)).sum()
}

fn cores(stack: &Stack, service: &Entry) -> Option<f64> {
    let task = service.spec["task_definition"]["$ref"].as_str()?.split('.').next()?;
    let units = stack.nodes.get(task)?.spec.get("cpu").and_then(Value::as_f64)?;
    Some(service.spec["desired_count"].as_f64()? * units / UNITS)
}

/// `None` where nothing has run of late: AWS counts nothing then, and tells no quota.
pub(super) async fn room(aws: &Aws) -> Result<Option<Room>> {
    let dimension = |(name, value)| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder().namespace("AWS/Usage").metric_name("ResourceCount");
    let metric = metric.set_dimensions(Some(COUNTED.map(dimension).into())).build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Maximum").build();
    let used = MetricDataQuery::builder().id("used").metric_stat(stat).build();
    let most = MetricDataQuery::builder().id("most").expression("SERVICE_QUOTA(used)").build();
    let now = aws.now();
    let ask = aws.cloudwatch.get_metric_data().metric_data_queries(used).metric_data_queries(most);
    let ask = ask.start_time(DateTime::from(now - LATELY)).end_time(DateTime::from(now));
    let answer = ask.send().await?;
    // Of each the newest value comes first.
    let value = |id: &str| {
        let mut results = answer.metric_data_results().iter();
        results.find(|result| result.id() == Some(id))?.values().first().copied()
    };
    Ok(value("most").zip(value("used")).map(|(most, used)| Room { most, used }))
}

impl Room {
    /// Why so many can never start.
    pub(super) fn shortfall(self, needed: f64) -> Option<String> {
        let Room { most, .. } = self;
        (needed > most).then(|| format!("{needed} vCPUs of Fargate are needed, and the account may run {most} at once"))
    }

    /// What is worth a remark. It is no reason to refuse: what was counted may have stopped since.
    pub(super) fn remark(self, needed: f64) -> Option<String> {
        let Room { most, used } = self;
        (used + needed > most).then(|| {
            format!(
                "{needed} vCPUs of Fargate are needed, and {used} of at most {most} were in use when AWS last counted: tasks \
                 beyond that do not start"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_start_is_refused_and_what_may_not_is_remarked() {
        let room = Room { most: 6.0, used: 5.0 };
        assert_eq!(room.shortfall(6.0), None);
        assert!(room.shortfall(6.25).is_some_and(|text| text.contains("6.25 vCPUs")));
        assert!(room.remark(1.5).is_some_and(|text| text.contains("5 of at most 6 were in use")));
        assert_eq!(room.remark(1.0), None);
    }
}
