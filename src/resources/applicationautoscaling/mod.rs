//! Application Auto Scaling, for ECS services. Its writes make or overwrite; deregistering a target takes its policies.

pub mod scalable_target;
pub mod scaling_policy;
mod steps;

pub use scalable_target::ScalableTarget;
pub use scaling_policy::ScalingPolicy;
pub use steps::{Step, StepScaling};

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<ScalableTarget>().with::<ScalingPolicy>()
}
