//! Stores that are gone. An empty one in their place would be taken for them, so none is made before a person has named
//! the node.

use std::collections::BTreeSet;

use super::Refusal;
use crate::engine::Backups;
use crate::error::Result;
use crate::plan::{Action, Observations, Plan, Step};
use crate::resource::{Backup, Facts};
use crate::state::{Progress, State};

/// Gives up the named nodes that are lost, of those that a run is about: they are made anew, as if they had been asked to
/// go. A run that is killed before it has made them goes on with that. All others are left as they are.
///
/// # Errors
/// Where the state has a kind this version does not know.
pub fn give_up(
    state: &mut State,
    named: &[String],
    chosen: &BTreeSet<String>,
    seen: &Observations,
    facts: &dyn Fn(&str) -> Result<Facts>,
) -> Result<()> {
    for name in named.iter().filter(|name| chosen.contains(*name)) {
        let is_gone = seen.get(name).and_then(Option::as_ref).is_none();
        let Some(node) = state.nodes.get_mut(name).filter(|node| is_gone && node.was_ready()) else { continue };
        if facts(&node.kind)?.stateful {
            node.progress = Progress::Deleting;
        }
    }
    Ok(())
}

/// Refuses to make an empty store in the place of one that is lost.
///
/// # Errors
/// Names every lost node, what it could be restored from, and the ways on.
pub fn refuse(plan: &Plan, state: &State, backups: &Backups) -> std::result::Result<(), Refusal> {
    let lost: Vec<&Step> = plan.steps.iter().filter(|step| matches!(step.action, Action::Lost { .. })).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let nodes: Vec<String> = lost.iter().map(|step| called(step)).collect();
    let (was, its) = if lost.len() == 1 { ("was", "its") } else { ("were", "their") };
    let lines: String = lost.iter().map(|step| format!("\n  {}", restorable(&step.node, backups))).collect();
    let flags: Vec<String> = lost.iter().map(|step| format!("--recreate {}", step.node)).collect();
    let forget: Vec<String> =
        lost.iter().map(|step| format!("`tapctl state rm --env {} {}`", state.env, step.node)).collect();
    Err(Refusal::new(
        format!(
            "{} {was} ready and can be found no more, {its} data neither; nothing was changed{lines}",
            nodes.join(", ")
        ),
        format!(
            "to have it made anew without that data, add {}; to have it forgotten: {}",
            flags.join(" "),
            forget.join(", ")
        ),
    ))
}

/// What a person should know of the stores that a plan would make empty, or finds gone.
pub fn remarks(plan: &Plan, backups: &Backups) -> Vec<String> {
    let empty = plan.steps.iter().filter(|step| step.stateful && step.action == Action::Create);
    let empty = empty.filter(|step| backups.contains_key(&step.node));
    let lost = plan.steps.iter().filter(|step| matches!(step.action, Action::Lost { .. }));
    let empty = empty.map(|step| format!("{} would be made empty; {}", step.node, restorable(&step.node, backups)));
    let lost = lost.map(|step| format!("{} is lost; {}", step.node, restorable(&step.node, backups)));
    lost.chain(empty).collect()
}

/// The same of nodes that are known to be gone.
pub fn of_lost<'a>(nodes: impl IntoIterator<Item = &'a str>, backups: &Backups) -> Vec<String> {
    nodes.into_iter().map(|node| format!("{node} is lost; {}", restorable(node, backups))).collect()
}

fn called(step: &Step) -> String {
    step.id.as_ref().map_or_else(|| step.node.clone(), |id| format!("{} {id}", step.node))
}

fn restorable(node: &str, backups: &Backups) -> String {
    let found: Vec<String> = backups.get(node).into_iter().flatten().map(Backup::to_string).collect();
    match found.is_empty() {
        true => format!("nothing was found that {node} could be restored from"),
        false => format!("{node} could be restored from {}", found.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(node: &str, action: Action, id: Option<&str>) -> Step {
        Step { id: id.map(str::to_owned), stateful: true, ..Step::of(node, "t.k", action) }
    }

    fn backup(id: &str, second: i64) -> Backup {
        let taken = jiff::Timestamp::from_second(second).ok();
        Backup { id: id.to_owned(), what: "manual snapshot, 16.9".to_owned(), taken, ..Backup::default() }
    }

    #[test]
    fn what_is_lost_is_named_with_what_there_is_to_restore_and_the_ways_on() {
        let lost = || Action::Lost { reason: "it is gone".to_owned() };
        let state = State::new("student-records", "prod", "123456789012", "us-east-1");
        let backups: Backups = [("db".to_owned(), vec![backup("db-final-ab", 20), backup("db-before", 10)])].into();
        let plan = Plan { steps: vec![step("db", lost(), Some("student-prod")), step("kept", Action::Keep, None)] };
        insta::assert_snapshot!(refuse(&plan, &state, &backups).unwrap_err(), @"
        db student-prod was ready and can be found no more, its data neither; nothing was changed
          db could be restored from db-final-ab (manual snapshot, 16.9, taken 1970-01-01T00:00:20Z), db-before (manual snapshot, 16.9, taken 1970-01-01T00:00:10Z)
        hint: to have it made anew without that data, add --recreate db; to have it forgotten: `tapctl state rm --env prod db`
        ");
        let plan = Plan { steps: vec![step("db", lost(), None), step("files", lost(), Some("fs-1"))] };
        insta::assert_snapshot!(refuse(&plan, &state, &backups).unwrap_err(), @"
        db, files fs-1 were ready and can be found no more, their data neither; nothing was changed
          db could be restored from db-final-ab (manual snapshot, 16.9, taken 1970-01-01T00:00:20Z), db-before (manual snapshot, 16.9, taken 1970-01-01T00:00:10Z)
          nothing was found that files could be restored from
        hint: to have it made anew without that data, add --recreate db --recreate files; to have it forgotten: `tapctl state rm --env prod db`, `tapctl state rm --env prod files`
        ");
        assert_eq!(refuse(&Plan { steps: vec![step("db", Action::Create, None)] }, &state, &backups), Ok(()));
    }

    #[test]
    fn what_is_made_empty_is_told_where_it_could_be_restored() {
        let backups: Backups = [("db".to_owned(), vec![backup("db-final-ab", 20)])].into();
        let plan = Plan { steps: vec![step("db", Action::Create, None), step("new", Action::Create, None)] };
        assert_eq!(
            remarks(&plan, &backups),
            [
                "db would be made empty; db could be restored from db-final-ab (manual snapshot, 16.9, taken 1970-01-01T00:00:20Z)"
            ]
        );
    }
}
