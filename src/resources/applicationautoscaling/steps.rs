//! Scaling in steps: the further a metric is from an alarm's threshold, the larger the step.

use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, MetricAggregationType, StepAdjustment, StepScalingPolicyConfiguration,
};
use serde::{Deserialize, Serialize};

use super::scaling_policy::built;
use crate::error::Result;

/// Changes the number of tasks by how far a metric is from an alarm's threshold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepScaling {
    /// What the adjustments are: `ChangeInCapacity`, `PercentChangeInCapacity` or `ExactCapacity`.
    pub adjustment_type: String,
    /// Seconds after a step until the next.
    pub cooldown_seconds: i32,
    /// The steps from the lowest to the highest, each beginning where the last one ends; at most 20.
    pub steps: Vec<Step>,
    /// How the alarm's data points become one value: `Average`, `Minimum` or `Maximum`.
    pub metric_aggregation: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where it begins, as a difference to the threshold. `None`: as low as it gets.
    pub lower: Option<f64>,
    /// Where it ends, as a difference to the threshold. `None`: as high as it gets.
    pub upper: Option<f64>,
    /// By how many tasks, or by how many percent; or how many tasks there shall be.
    pub adjustment: i32,
}

impl StepScaling {
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let kinds = ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"];
        if !kinds.contains(&self.adjustment_type.as_str()) {
            return Err(format!("adjustment_type is {:?}; AWS allows {}", self.adjustment_type, kinds.join(", ")));
        }
        if !["Average", "Minimum", "Maximum"].contains(&self.metric_aggregation.as_str()) {
            let given = &self.metric_aggregation;
            return Err(format!("metric_aggregation is {given:?}; AWS allows Average, Minimum, Maximum"));
        }
        if self.cooldown_seconds < 0 {
            return Err("cooldown_seconds is negative; AWS allows 0 or more".to_owned());
        }
        if !(1..=20).contains(&self.steps.len()) {
            return Err(format!("steps has {}; AWS allows 1-20", self.steps.len()));
        }
        let apart = |pair: &[Step]| pair[0].upper.is_none() || pair[0].upper != pair[1].lower;
        let upside_down = |step: &Step| step.lower.zip(step.upper).is_some_and(|(lower, upper)| lower >= upper);
        if self.steps.windows(2).any(apart) || self.steps.iter().any(upside_down) {
            return Err("steps must rise, and each begin where the last one ends".to_owned());
        }
        match self.steps.as_slice() {
            [Step { lower: None, upper: None, .. }] => Err("steps has one without a bound; AWS wants one".to_owned()),
            _ => Ok(()),
        }
    }

    pub(super) fn configuration(&self) -> Result<StepScalingPolicyConfiguration> {
        let step = |step: &Step| {
            let bounds = StepAdjustment::builder()
                .set_metric_interval_lower_bound(step.lower)
                .set_metric_interval_upper_bound(step.upper);
            built(bounds.scaling_adjustment(step.adjustment).build())
        };
        Ok(StepScalingPolicyConfiguration::builder()
            .adjustment_type(AdjustmentType::from(self.adjustment_type.as_str()))
            .cooldown(self.cooldown_seconds)
            .metric_aggregation_type(MetricAggregationType::from(self.metric_aggregation.as_str()))
            .set_step_adjustments(Some(self.steps.iter().map(step).collect::<Result<_>>()?))
            .build())
    }

    pub(super) fn live(steps: &StepScalingPolicyConfiguration) -> Self {
        let step = |step: &StepAdjustment| Step {
            lower: step.metric_interval_lower_bound(),
            upper: step.metric_interval_upper_bound(),
            adjustment: step.scaling_adjustment(),
        };
        let mut live: Vec<Step> = steps.step_adjustments().iter().map(step).collect();
        let start = |step: &Step| step.lower.unwrap_or(f64::NEG_INFINITY);
        live.sort_by(|one, other| start(one).total_cmp(&start(other)));
        StepScaling {
            adjustment_type: steps.adjustment_type().map_or("", AdjustmentType::as_str).to_owned(),
            cooldown_seconds: steps.cooldown().unwrap_or_default(),
            steps: live,
            // AWS's own choice where none was made.
            metric_aggregation: steps.metric_aggregation_type().map_or("Average", |kind| kind.as_str()).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(bounds: &[(Option<f64>, Option<f64>)]) -> StepScaling {
        let step = |(lower, upper): &(Option<f64>, Option<f64>)| Step { lower: *lower, upper: *upper, adjustment: 1 };
        StepScaling {
            adjustment_type: "ChangeInCapacity".to_owned(),
            cooldown_seconds: 60,
            steps: bounds.iter().map(step).collect(),
            metric_aggregation: "Maximum".to_owned(),
        }
    }

    #[test]
    fn steps_rise_without_gaps() {
        for good in [&[(Some(0.0), None)][..], &[(None, Some(0.0)), (Some(0.0), Some(10.0)), (Some(10.0), None)]] {
            assert_eq!(steps(good).check(), Ok(()));
        }
        for bad in [
            &[][..],
            &[(None, None)],
            &[(Some(5.0), Some(5.0))],
            &[(Some(0.0), Some(10.0)), (Some(20.0), None)],
            &[(Some(0.0), None), (Some(10.0), None)],
            &[(Some(10.0), None), (Some(0.0), Some(10.0))],
        ] {
            assert!(steps(bad).check().is_err(), "{bad:?}");
        }
    }
}
