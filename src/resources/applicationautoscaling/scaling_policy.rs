//! A scaling policy. It has no tags: its name within its scalable target is its key, and a put overwrites it whole. For
//! one that tracks a target AWS keeps two alarms, which go with it; one that goes in steps acts when an alarm names it.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, MetricDimension, MetricStatistic, MetricType, PolicyType,
    PredefinedMetricSpecification, ScalableDimension, ScalingPolicy as AasPolicy, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};
use serde_json::{Value, json};

pub use super::steps::{Step, StepScaling};
use crate::resources::prelude::*;

/// When and how the number of a service's tasks changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScalingPolicy {
    /// The name: 1-256 printable characters.
    pub name: String,
    /// The scalable target: `service/CLUSTER/SERVICE`.
    pub resource_id: Out<String>,
    /// When and how.
    #[serde(flatten)]
    pub scaling: Scaling,
}

/// When and how it scales.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scaling {
    /// So that a metric stays near a value.
    TargetTracking(TargetTracking),
    /// By how far a metric is from the threshold of the alarm that calls the policy.
    Step(StepScaling),
}

/// Keeps a metric near a value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetTracking {
    /// What it watches.
    pub metric: Metric,
    /// The value it keeps the metric near.
    pub target_value: f64,
    /// Seconds after scaling in until it may scale in again.
    pub scale_in_cooldown_seconds: i32,
    /// Seconds after scaling out until it may scale out again.
    pub scale_out_cooldown_seconds: i32,
}

/// What a policy watches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Metric {
    /// A metric Application Auto Scaling knows by name.
    Predefined {
        /// `ECSServiceAverageCPUUtilization`, `ECSServiceAverageMemoryUtilization` or `ALBRequestCountPerTarget`.
        name: String,
        /// For `ALBRequestCountPerTarget`: `app/NAME/ID/targetgroup/NAME/ID`. The group must be attached to the
        /// service already.
        label: Option<Out<String>>,
    },
    /// Any CloudWatch metric that falls as tasks are added.
    Custom {
        /// The metric's namespace, as `AWS/Kinesis`.
        namespace: String,
        /// The metric's name.
        name: String,
        /// `Average`, `Minimum`, `Maximum`, `SampleCount` or `Sum`.
        statistic: String,
        /// Its dimensions.
        dimensions: BTreeMap<String, Out<String>>,
    },
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScalingPolicyOutputs {
    /// The ARN.
    pub arn: String,
}

impl Node<ScalingPolicy> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for ScalingPolicy {
    type Cloud = Aws;
    type Outputs = ScalingPolicyOutputs;
    const KIND: &'static str = "applicationautoscaling.scaling_policy";
    const PARENT: Option<&'static str> = Some("applicationautoscaling.scalable_target");
    const IMMUTABLE: &'static [&'static str] = &["name", "resource_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 120);

    fn check(&self) -> std::result::Result<(), String> {
        let printable = self.name.chars().all(|c| !c.is_control());
        // `|` and `:` would make our id and AWS's ARN ambiguous.
        if !(1..=256).contains(&self.name.len()) || !printable || self.name.contains(['|', ':']) {
            return Err(format!("name is {:?}; allowed are 1-256 printable characters but | and :", self.name));
        }
        match &self.scaling {
            Scaling::TargetTracking(tracking) => tracking.check(),
            Scaling::Step(steps) => steps.check(),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let known = self.resource_id.known().map(|resource| (resource.as_str(), self.name.as_str()));
        let Some((resource, name)) = id.map_or(known, |id| id.split_once('|')) else { return Ok(None) };
        let answer = cx
            .autoscaling
            .describe_scaling_policies()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource)
            .policy_names(name)
            .send()
            .await
            .if_present()?;
        let policies = answer.and_then(|answer| answer.scaling_policies).unwrap_or_default();
        Ok(policies.first().map(|policy| self.seen(policy)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        self.put(cx).await?;
        Ok(format!("{}|{}", self.resource_id.get()?, self.name))
    }

    async fn update(&self, cx: &Cx<'_>, _observed: &Observed<Self>, _diff: &Diff) -> Result<()> {
        self.put(cx).await
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let Some((resource, name)) = observed.id.split_once('|') else { return Ok(()) };
        cx.autoscaling
            .delete_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource)
            .policy_name(name)
            .send()
            .await
            .if_present()?;
        Ok(())
    }

    fn careful() -> Value {
        json!({
            "name": "", "resource_id": "", "metric": { "type": "predefined", "name": "", "label": null },
            "target_value": 0.0, "scale_in_cooldown_seconds": 0, "scale_out_cooldown_seconds": 0,
        })
    }
}

impl ScalingPolicy {
    async fn put(&self, cx: &Cx<'_>) -> Result<()> {
        let ask = cx
            .autoscaling
            .put_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(self.resource_id.get()?)
            .policy_name(&self.name);
        let ask = match &self.scaling {
            Scaling::TargetTracking(tracking) => ask
                .policy_type(PolicyType::TargetTrackingScaling)
                .target_tracking_scaling_policy_configuration(tracking.configuration()?),
            Scaling::Step(steps) => {
                ask.policy_type(PolicyType::StepScaling).step_scaling_policy_configuration(steps.configuration()?)
            }
        };
        ask.send().await?;
        Ok(())
    }

    fn seen(&self, policy: &AasPolicy) -> Observed<Self> {
        let tracking = policy.target_tracking_scaling_policy_configuration();
        let steps = policy.step_scaling_policy_configuration();
        let scaling = match (tracking, steps) {
            (Some(tracking), _) => self.tracking(tracking).map(Scaling::TargetTracking),
            (None, Some(steps)) => Some(Scaling::Step(StepScaling::live(steps))),
            (None, None) => None,
        };
        let id = format!("{}|{}", policy.resource_id(), policy.policy_name());
        let known = scaling.is_some();
        let live = ScalingPolicy {
            name: policy.policy_name().to_owned(),
            resource_id: policy.resource_id().into(),
            scaling: scaling.unwrap_or_else(|| self.scaling.clone()),
        };
        let mut observed = Observed::ready(id, live, ScalingPolicyOutputs { arn: policy.policy_arn().to_owned() });
        if !known {
            observed.foreign = Some(format!("it is a {} policy", policy.policy_type().as_str()));
        }
        observed
    }

    /// A metric that no spec can name stands as the wanted one: its other fields tell the difference.
    fn tracking(&self, live: &TargetTrackingScalingPolicyConfiguration) -> Option<TargetTracking> {
        let wanted = match &self.scaling {
            Scaling::TargetTracking(tracking) => Some(tracking.metric.clone()),
            Scaling::Step(_) => None,
        };
        Some(TargetTracking {
            metric: metric(live).or(wanted)?,
            target_value: live.target_value(),
            scale_in_cooldown_seconds: live.scale_in_cooldown().unwrap_or_default(),
            scale_out_cooldown_seconds: live.scale_out_cooldown().unwrap_or_default(),
        })
    }
}

impl TargetTracking {
    fn check(&self) -> std::result::Result<(), String> {
        if !self.target_value.is_finite() || self.target_value <= 0.0 {
            return Err(format!("target_value is {}; AWS wants more than 0", self.target_value));
        }
        if self.scale_in_cooldown_seconds < 0 || self.scale_out_cooldown_seconds < 0 {
            return Err("a cooldown is negative; AWS allows 0 or more seconds".into());
        }
        self.metric.check()
    }

    fn configuration(&self) -> Result<TargetTrackingScalingPolicyConfiguration> {
        let tracking = TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(self.target_value)
            .scale_in_cooldown(self.scale_in_cooldown_seconds)
            .scale_out_cooldown(self.scale_out_cooldown_seconds)
            .disable_scale_in(false);
        let tracking = match &self.metric {
            Metric::Predefined { name, label } => tracking.predefined_metric_specification(predefined(name, label)?),
            Metric::Custom { namespace, name, statistic, dimensions } => {
                let metric = CustomizedMetricSpecification::builder().namespace(namespace).metric_name(name);
                let metric = metric.statistic(MetricStatistic::from(statistic.as_str()));
                let dimensions = dimensions.iter().map(dimension).collect::<Result<_>>()?;
                tracking.customized_metric_specification(metric.set_dimensions(Some(dimensions)).build())
            }
        };
        built(tracking.build())
    }
}

impl Metric {
    fn check(&self) -> std::result::Result<(), String> {
        match self {
            Metric::Predefined { name, label } => match (name.as_str(), label) {
                ("ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization", None)
                | ("ALBRequestCountPerTarget", Some(_)) => Ok(()),
                ("ALBRequestCountPerTarget", None) => Err("metric ALBRequestCountPerTarget needs a label".into()),
                (_, Some(_)) => Err(format!("metric {name} takes no label")),
                _ => Err(format!(
                    "metric is {name:?}; allowed are ECSServiceAverageCPUUtilization, \
                     ECSServiceAverageMemoryUtilization, ALBRequestCountPerTarget"
                )),
            },
            Metric::Custom { statistic, .. } => {
                match ["Average", "Minimum", "Maximum", "SampleCount", "Sum"].contains(&statistic.as_str()) {
                    true => Ok(()),
                    false => Err(format!(
                        "statistic is {statistic:?}; AWS allows Average, Minimum, Maximum, SampleCount, Sum"
                    )),
                }
            }
        }
    }
}

fn predefined(name: &str, label: &Option<Out<String>>) -> Result<PredefinedMetricSpecification> {
    let label = label.as_ref().map(|label| label.get().cloned()).transpose()?;
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(MetricType::from(name));
    built(metric.set_resource_label(label).build())
}

fn dimension((name, value): (&String, &Out<String>)) -> Result<MetricDimension> {
    built(MetricDimension::builder().name(name).value(value.get()?).build())
}

fn metric(tracking: &TargetTrackingScalingPolicyConfiguration) -> Option<Metric> {
    if let Some(metric) = tracking.predefined_metric_specification() {
        let name = metric.predefined_metric_type().as_str().to_owned();
        return Some(Metric::Predefined { name, label: metric.resource_label().map(Out::from) });
    }
    let metric = tracking.customized_metric_specification()?;
    let dimensions = metric.dimensions().iter().map(|each| (each.name().to_owned(), each.value().into()));
    Some(Metric::Custom {
        namespace: metric.namespace().unwrap_or_default().to_owned(),
        name: metric.metric_name().unwrap_or_default().to_owned(),
        statistic: metric.statistic().map_or("", |statistic| statistic.as_str()).to_owned(),
        dimensions: dimensions.collect(),
    })
}

/// What a builder of the SDK gave; it only fails on a required field that was not set.
pub(super) fn built<T>(result: Result<T, aws_sdk_applicationautoscaling::error::BuildError>) -> Result<T> {
    result.map_err(|error| Fault::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(scaling: Scaling) -> ScalingPolicy {
        ScalingPolicy { name: "cpu".to_owned(), resource_id: "service/c/s".into(), scaling }
    }

    #[test]
    fn the_spec_of_target_tracking_is_what_it_was_before_there_were_steps() {
        let metric = Metric::Predefined { name: "ECSServiceAverageCPUUtilization".to_owned(), label: None };
        let tracking = TargetTracking {
            metric,
            target_value: 60.0,
            scale_in_cooldown_seconds: 300,
            scale_out_cooldown_seconds: 60,
        };
        let spec = json!({
            "name": "cpu",
            "resource_id": "service/c/s",
            "metric": { "type": "predefined", "name": "ECSServiceAverageCPUUtilization", "label": null },
            "target_value": 60.0,
            "scale_in_cooldown_seconds": 300,
            "scale_out_cooldown_seconds": 60,
        });
        assert_eq!(json!(policy(Scaling::TargetTracking(tracking))), spec);
        let read: ScalingPolicy = serde_json::from_value(spec.clone()).unwrap();
        assert_eq!(json!(read), spec);
        let steps = StepScaling {
            adjustment_type: "ChangeInCapacity".to_owned(),
            cooldown_seconds: 60,
            steps: vec![Step { lower: Some(0.0), upper: None, adjustment: 1 }],
            metric_aggregation: "Maximum".to_owned(),
        };
        let spec = json!(policy(Scaling::Step(steps)));
        assert_eq!(json!(serde_json::from_value::<ScalingPolicy>(spec.clone()).unwrap()), spec);
    }
}
