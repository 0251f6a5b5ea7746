//! What can never be gone back on must be meant, by name.

use super::Refusal;
use crate::plan::{Plan, Step};
use crate::state::base_name;

/// Refuses a plan that changes for good what nobody has named.
///
/// # Errors
/// Names every node, how it would change, and the flags that allow it.
pub fn refuse(plan: &Plan, allowed: &[String]) -> Result<(), Refusal> {
    let named = |step: &Step| allowed.iter().any(|name| name == base_name(&step.node));
    let unnamed = plan.steps.iter().filter(|step| !named(step));
    let steps: Vec<(&Step, &str)> = unnamed.filter_map(|step| Some((step, step.one_way.as_deref()?))).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = steps.iter().map(|(step, how)| format!("{} {how}", step.node)).collect();
    let flags: Vec<String> = steps.iter().map(|(step, _)| format!("--allow-major {}", base_name(&step.node))).collect();
    Err(Refusal::new(
        format!("this plan would take {}, and AWS never goes back; nothing was changed", told.join(", ")),
        format!("if that is meant, add {}", flags.join(" ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    #[test]
    fn a_leap_is_made_only_by_name() {
        let step = |node: &str| Step {
            one_way: Some("from 16.11 to 17.5".to_owned()),
            ..Step::of(node, "t.db", Action::Update { diff: Default::default() })
        };
        let plan = Plan { steps: vec![step("db"), step("other@3"), Step::of("net", "t.net", Action::Keep)] };
        let refused = refuse(&plan, &["db".to_owned()]).unwrap_err();
        assert_eq!(
            refused.text,
            "this plan would take other@3 from 16.11 to 17.5, and AWS never goes back; nothing was changed"
        );
        assert_eq!(refused.hint, "if that is meant, add --allow-major other");
        assert_eq!(refuse(&plan, &["db".to_owned(), "other".to_owned()]), Ok(()));
    }
}
