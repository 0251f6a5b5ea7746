//! What a run would lose for good: an apply removes or replaces it only where it was named.

use super::Refusal;
use crate::plan::{Action, Plan, Step};
use crate::state::base_name;

/// What a person has let go by name.
#[derive(Debug, Clone, Default)]
pub struct Allowed<'a> {
    /// Nodes whose data may be lost.
    pub data: &'a [String],
    /// Nodes of which may be lost what holds no data and yet cannot be had again.
    pub precious: &'a [String],
}

/// Refuses a plan that loses what nobody has named.
///
/// # Errors
/// Names every node that would be lost, what is lost with it, and the flags that allow it.
pub fn refuse(plan: &Plan, allowed: &Allowed<'_>) -> Result<(), Refusal> {
    let named = |names: &[String], step: &Step| names.iter().any(|name| name == base_name(&step.node));
    let data: Vec<&Step> = lost(plan, |step| step.stateful).filter(|step| !named(allowed.data, step)).collect();
    let precious: Vec<&Step> =
        lost(plan, |step| step.precious.is_some()).filter(|step| !named(allowed.precious, step)).collect();
    let part: Vec<&Step> =
        plan.steps.iter().filter(|step| step.loses.is_some() && !named(allowed.data, step)).collect();
    if data.is_empty() && part.is_empty() && precious.is_empty() {
        return Ok(());
    }
    let of_data = data.iter().map(|step| whose(step)).collect::<Vec<_>>().join(", ");
    let mut parts = if data.is_empty() { Vec::new() } else { vec![format!("the data of {of_data}")] };
    parts.extend(part.iter().filter_map(|step| Some(format!("{} of {}", step.loses.as_ref()?, step.node))));
    parts.extend(words(&precious));
    let flag = |flag: &'static str| move |step: &&Step| format!("{flag} {}", base_name(&step.node));
    let flags =
        data.iter().chain(&part).map(flag("--allow-data-loss")).chain(precious.iter().map(flag("--allow-loss")));
    let mut flags: Vec<String> = flags.collect();
    flags.dedup();
    Err(Refusal::new(
        format!("this plan would lose {}; nothing was changed", listed(&parts)),
        format!("if that is meant, add {}", flags.join(" ")),
    ))
}

/// What a plan loses that holds no data and yet cannot be had again, a few words for each sort: `the logs of a, b`.
pub fn precious(plan: &Plan) -> Vec<String> {
    words(&lost(plan, |step| step.precious.is_some()).collect::<Vec<_>>())
}

fn lost(plan: &Plan, which: impl Fn(&Step) -> bool) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(move |step| step.action.destroys() && which(step))
}

fn words(steps: &[&Step]) -> Vec<String> {
    let mut sorts: Vec<(&str, Vec<String>)> = Vec::new();
    for step in steps {
        let Some(what) = step.precious else { continue };
        match sorts.iter_mut().find(|(sort, _)| *sort == what) {
            Some((_, nodes)) => nodes.push(whose(step)),
            None => sorts.push((what, vec![whose(step)])),
        }
    }
    sorts.into_iter().map(|(what, nodes)| format!("{what} of {}", nodes.join(", "))).collect()
}

/// What it is lost of.
fn whose(step: &Step) -> String {
    match (&step.action, &step.id) {
        (Action::Duplicate { of }, Some(id)) => format!("{id}, a duplicate of {} {of}", step.node),
        _ => step.node.clone(),
    }
}

fn listed(parts: &[String]) -> String {
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(node: &str, action: Action, stateful: bool, precious: Option<&'static str>) -> Step {
        Step { stateful, precious, ..Step::of(node, "t.k", action) }
    }

    fn plan() -> Plan {
        let replace = || Action::Replace { diff: Default::default(), reason: String::new() };
        Plan {
            steps: vec![
                step("db", replace(), true, None),
                step("logs-a", Action::Delete, false, Some("the logs")),
                step("api@7", Action::Delete, false, Some("the URL")),
                step("logs-b", replace(), false, Some("the logs")),
                step("kept", Action::Keep, true, None),
                step("gone", Action::Forget, false, Some("the key")),
            ],
        }
    }

    #[test]
    fn what_is_lost_is_named_with_the_flag_that_allows_it() {
        let refused = refuse(&plan(), &Allowed::default()).unwrap_err();
        assert_eq!(
            refused.text,
            "this plan would lose the data of db, the logs of logs-a, logs-b and the URL of api@7; nothing was changed"
        );
        assert_eq!(
            refused.hint,
            "if that is meant, add --allow-data-loss db --allow-loss logs-a --allow-loss api --allow-loss logs-b"
        );
    }

    #[test]
    fn each_flag_is_for_its_own_kind_of_loss() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let all = names(&["db", "logs-a", "logs-b", "api"]);
        let (data, precious) = (names(&["db"]), names(&["logs-a", "logs-b", "api"]));
        assert_eq!(refuse(&plan(), &Allowed { data: &data, precious: &precious }), Ok(()));
        let refused = refuse(&plan(), &Allowed { data: &all, precious: &[] }).unwrap_err();
        assert!(refused.text.contains("lose the logs of logs-a, logs-b and the URL of api@7;"), "{refused}");
        assert!(refuse(&plan(), &Allowed { data: &[], precious: &all }).is_err());
    }

    #[test]
    fn what_a_shorter_retention_removes_is_data_too() {
        let shorter = |node: &str, what: &str| Step {
            loses: Some(what.to_owned()),
            ..step(node, Action::Update { diff: Default::default() }, false, None)
        };
        let steps =
            vec![shorter("stream", "records older than 24 hours"), shorter("log-group", "logs older than 7 days")];
        let refused = refuse(&Plan { steps: steps.clone() }, &Allowed::default()).unwrap_err();
        assert_eq!(
            refused.text,
            "this plan would lose records older than 24 hours of stream and logs older than 7 days of log-group; nothing \
             was changed"
        );
        assert_eq!(refused.hint, "if that is meant, add --allow-data-loss stream --allow-data-loss log-group");
        let both = ["stream".to_owned(), "log-group".to_owned()];
        assert_eq!(refuse(&Plan { steps }, &Allowed { data: &both, precious: &[] }), Ok(()));
    }

    #[test]
    fn what_is_precious_is_told_by_sort() {
        assert_eq!(precious(&plan()), ["the logs of logs-a, logs-b", "the URL of api@7"]);
    }
}
