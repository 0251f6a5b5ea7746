//! What would be out of service for a while must be meant.

use super::Refusal;
use crate::plan::{Plan, Step};

/// Refuses a plan that takes something out of service, unless a person has allowed that.
pub fn refuse(plan: &Plan, allowed: bool) -> Option<Refusal> {
    let told = |step: &Step| step.outage.as_ref().map(|why| format!("{} ({why})", step.node));
    let outages: Vec<String> = plan.steps.iter().filter_map(told).collect();
    if allowed || outages.is_empty() {
        return None;
    }
    Some(Refusal::new(
        format!("this plan would interrupt {}; nothing was changed", outages.join(", ")),
        "if that is meant, add --allow-outage",
    ))
}
