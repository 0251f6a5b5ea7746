//! A target tracking policy. It has no tags: its name within its scalable target is its key, and a put overwrites it
//! whole. AWS keeps two alarms for it, which go with it.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, MetricDimension, MetricStatistic, MetricType, PolicyType,
    PredefinedMetricSpecification, ScalableDimension, ScalingPolicy as AasPolicy, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};

use crate::resources::prelude::*;

/// A policy that keeps a metric near a value by changing the number of a service's tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScalingPolicy {
    /// The name: 1-256 printable characters.
    pub name: String,
    /// The scalable target: `service/CLUSTER/SERVICE`.
    pub resource_id: Out<String>,
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
    const IMMUTABLE: &'static [&'static str] = &["name", "resource_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 120);

    fn check(&self) -> std::result::Result<(), String> {
        let printable = self.name.chars().all(|c| !c.is_control());
        // `|` and `:` would make our id and AWS's ARN ambiguous.
        if !(1..=256).contains(&self.name.len()) || !printable || self.name.contains(['|', ':']) {
            return Err(format!("name is {:?}; allowed are 1-256 printable characters but | and :", self.name));
        }
        if !self.target_value.is_finite() || self.target_value <= 0.0 {
            return Err(format!("target_value is {}; AWS wants more than 0", self.target_value));
        }
        if self.scale_in_cooldown_seconds < 0 || self.scale_out_cooldown_seconds < 0 {
            return Err("a cooldown is negative; AWS allows 0 or more seconds".into());
        }
        self.metric.check()
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
}

impl ScalingPolicy {
    async fn put(&self, cx: &Cx<'_>) -> Result<()> {
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
        cx.autoscaling
            .put_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(self.resource_id.get()?)
            .policy_name(&self.name)
            .policy_type(PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(built(tracking.build())?)
            .send()
            .await?;
        Ok(())
    }

    fn seen(&self, policy: &AasPolicy) -> Observed<Self> {
        let tracking = policy.target_tracking_scaling_policy_configuration();
        let live = ScalingPolicy {
            name: policy.policy_name().to_owned(),
            resource_id: policy.resource_id().into(),
            metric: tracking.and_then(metric).unwrap_or_else(|| self.metric.clone()),
            target_value: tracking.map(|tracking| tracking.target_value()).unwrap_or_default(),
            scale_in_cooldown_seconds: tracking.and_then(|tracking| tracking.scale_in_cooldown()).unwrap_or_default(),
            scale_out_cooldown_seconds: tracking.and_then(|tracking| tracking.scale_out_cooldown()).unwrap_or_default(),
        };
        let id = format!("{}|{}", policy.resource_id(), policy.policy_name());
        let outputs = ScalingPolicyOutputs { arn: policy.policy_arn().to_owned() };
        let mut observed = Observed::ready(id, live, outputs);
        if policy.policy_type() != &PolicyType::TargetTrackingScaling {
            observed.foreign = Some(format!("it is a {} policy", policy.policy_type().as_str()));
        }
        observed
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
fn built<T>(result: Result<T, aws_sdk_applicationautoscaling::error::BuildError>) -> Result<T> {
    result.map_err(|error| Fault::invalid(error.to_string()))
}
