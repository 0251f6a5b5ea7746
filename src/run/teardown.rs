//! What must be true before everything of an environment is removed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Refusal;
use crate::engine::{Backups, Obstacle};
use crate::names;
use crate::plan::{Action, Observations, Plan};
use crate::resource::Seen;
use crate::state::State;

/// What stands for, and what against, a removal that a record alone does not account for: nothing but settings and AWS tell
/// what it is.
#[derive(Debug, Clone, Default)]
pub struct Removal {
    /// The environment's full name, as `student-records-dev`.
    pub name: String,
    /// Whether anything was recorded.
    pub recorded: bool,
    /// The nodes that no record tells of.
    pub found: Vec<String>,
    /// Whether settings are in force that say the environment is not protected: a file, or the defaults of `dev`.
    pub unprotected: bool,
    /// The nodes whose objects AWS guards against deletion.
    pub guarded: Vec<String>,
    /// What the person has typed as the name.
    pub confirmed: Option<String>,
}

impl Removal {
    /// A guard that stands in AWS is heeded whatever is recorded: a record may be a part, and of other settings.
    ///
    /// # Errors
    /// Where the name must be typed, and was not.
    pub fn allow(&self) -> Result<(), Refusal> {
        if self.confirmed.as_deref() == Some(self.name.as_str()) {
            return Ok(());
        }
        let hint = format!("if all of it is really to go, add --confirm {}; or name the state's directory", self.name);
        let unknown = match (self.recorded, self.found.is_empty()) {
            (false, _) => format!("nothing is recorded of {}, and ", self.name),
            (true, false) => format!("no record of {} tells of {}, and ", self.name, self.found.join(", ")),
            (true, true) => String::new(),
        };
        if !self.guarded.is_empty() {
            let text = format!("{unknown}AWS guards {} against deletion; nothing was changed", self.guarded.join(", "));
            return Err(Refusal::new(text, hint));
        }
        if !unknown.is_empty() && !self.unprotected {
            let text = format!("{unknown}no settings say that it is not protected; nothing was changed");
            return Err(Refusal::new(text, hint));
        }
        Ok(())
    }
}

/// The nodes whose live objects are guarded against deletion.
pub fn guarded(seen: &Observations) -> Vec<String> {
    let is_guarded = |seen: &Seen| seen.live.get("deletion_protection").and_then(Value::as_bool) == Some(true);
    let nodes = seen.iter().filter(|(_, seen)| seen.as_ref().is_some_and(is_guarded));
    nodes.map(|(name, _)| name.clone()).collect()
}

/// Refuses to begin what could not be ended.
///
/// # Errors
/// Names every obstacle.
pub fn refuse_obstacles(obstacles: &[Obstacle]) -> Result<(), Refusal> {
    if obstacles.is_empty() {
        return Ok(());
    }
    let line = |obstacle: &Obstacle| format!("\n  {} ({}) is held by {}", obstacle.node, obstacle.kind, obstacle.by);
    let lines: String = obstacles.iter().map(line).collect();
    Err(Refusal::new(
        format!("others have made what would stop this half-way; nothing was changed{lines}"),
        "remove these, or have them removed by who made them; then run it again",
    ))
}

/// The fields by which specs ask for a last snapshot or copy, and what they say where none is asked for.
const LAST_COPIES: [(&str, Value); 2] = [("final_snapshot", Value::Bool(false)), ("last_copy_role", Value::Null)];

/// Lets the named nodes go without a last snapshot or copy, whatever was recorded of them.
///
/// # Errors
/// A name that no node has, or one of a node that leaves none.
pub fn skip_final_snapshots(state: &mut State, named: &[String]) -> Result<(), Refusal> {
    for name in named {
        let Some(node) = state.nodes.get_mut(name) else {
            let meant = names::suggestion(name, state.nodes.keys().map(String::as_str));
            let text = format!("--skip-final-snapshot: there is no node {name}{meant}");
            return Err(Refusal::new(text, "`tapctl state list` lists them"));
        };
        let asks = |(field, _): &(&str, Value)| node.spec.get(field).is_some_and(|asked| !asked.is_null());
        match LAST_COPIES.into_iter().find(asks) {
            Some((field, none)) => node.spec[field] = none,
            None => {
                let text = format!("--skip-final-snapshot: {name} ({}) leaves no last snapshot", node.kind);
                return Err(Refusal::new(text, "leave it out"));
            }
        }
    }
    Ok(())
}

/// Refuses to begin a removal that AWS would never make: of a store that is to leave a last copy, and cannot any more. Of
/// each, by name, why.
///
/// # Errors
/// Names each with the newest backup that stays, and how it goes without another.
pub fn refuse_unpreservable(stuck: &[(String, String)], backups: &Backups) -> Result<(), Refusal> {
    if stuck.is_empty() {
        return Ok(());
    }
    let stays = |node: &str| backups.get(node).into_iter().flatten().find(|backup| !backup.goes_along);
    let newest = |node: &str| match stays(node) {
        Some(backup) => format!("the newest backup is {backup}"),
        None => "no backup of it was found".to_owned(),
    };
    let line = |(node, why): &(String, String)| format!("{node}: {why}; {}", newest(node));
    let flags: Vec<String> = stuck.iter().map(|(node, _)| format!("--skip-final-snapshot {node}")).collect();
    Err(Refusal::new(
        format!("{}; nothing was changed", stuck.iter().map(line).collect::<Vec<_>>().join("\n")),
        format!("mend it first; or, if its data may go as it is, add {}", flags.join(" ")),
    ))
}

/// The nodes whose data goes with a plan.
pub fn stores(plan: &Plan) -> Vec<&str> {
    let stores = plan.steps.iter().filter(|step| step.stateful && step.action == Action::Delete);
    stores.map(|step| step.node.as_str()).collect()
}

/// What a person is asked before everything goes, the data of these stores with it, and what AWS has put there by itself.
pub fn question(state: &State, stores: &[&str], lodgers: &BTreeSet<String>) -> String {
    let data = match stores.is_empty() {
        true => String::new(),
        false => format!(", with the data of {}", stores.join(", ")),
    };
    let id = |name: &String| state.nodes.get(name).and_then(|node| node.id.clone()).unwrap_or_default();
    let lodgers: Vec<String> = lodgers.iter().map(|name| format!("{name} {}", id(name))).collect();
    let lodgers = match lodgers.is_empty() {
        true => String::new(),
        false => format!(", and what AWS has put there by itself ({})", lodgers.join(", ")),
    };
    format!("Remove {} {} in account {}, {}{data}{lodgers}?", state.stack, state.env, state.account, state.region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_record_only_who_is_known_to_be_unprotected_goes_without_its_name() {
        let base = Removal { name: "student-records-dev".into(), unprotected: true, ..Removal::default() };
        assert_eq!(base.allow(), Ok(()));
        let unknown = Removal { unprotected: false, ..base.clone() };
        assert!(unknown.allow().unwrap_err().text.contains("no settings say"));
        let guarded = Removal { guarded: vec!["db-cluster".into()], ..base };
        assert!(guarded.allow().unwrap_err().text.contains("AWS guards db-cluster"));
        assert!(Removal { confirmed: Some("student-records-de".into()), ..guarded.clone() }.allow().is_err());
        assert_eq!(Removal { confirmed: Some("student-records-dev".into()), ..guarded }.allow(), Ok(()));
    }

    #[test]
    fn a_record_of_a_part_speaks_for_that_part_only() {
        let name = "student-records-live";
        let base = Removal { name: name.into(), recorded: true, ..Removal::default() };
        assert_eq!(base.allow(), Ok(()));
        let part = Removal { found: vec!["vpc".into(), "cache".into()], ..base.clone() };
        assert_eq!(Removal { unprotected: true, ..part.clone() }.allow(), Ok(()));
        insta::assert_snapshot!(part.allow().unwrap_err(), @r"
        no record of student-records-live tells of vpc, cache, and no settings say that it is not protected; nothing was changed
        hint: if all of it is really to go, add --confirm student-records-live; or name the state's directory
        ");
        let guarded = Removal { guarded: vec!["db-cluster".into()], unprotected: true, ..base };
        insta::assert_snapshot!(guarded.allow().unwrap_err(), @r"
        AWS guards db-cluster against deletion; nothing was changed
        hint: if all of it is really to go, add --confirm student-records-live; or name the state's directory
        ");
        assert_eq!(Removal { confirmed: Some(name.into()), ..guarded }.allow(), Ok(()));
    }

    fn state_of(spec: Value) -> State {
        let mut state = State::new("student-records", "prod", "123456789012", "us-east-1");
        let node = serde_json::json!({ "kind": "t.store", "spec": spec, "edges": [], "progress": "ready" });
        state.nodes.insert("db".to_owned(), serde_json::from_value(node).unwrap());
        state
    }

    #[test]
    fn a_last_snapshot_is_left_out_only_where_one_would_be_taken_and_by_name() {
        let named = |name: &str| vec![name.to_owned()];
        let mut state = state_of(serde_json::json!({ "final_snapshot": true, "size": 1 }));
        assert_eq!(skip_final_snapshots(&mut state, &named("db")), Ok(()));
        assert_eq!(state.nodes["db"].spec, serde_json::json!({ "final_snapshot": false, "size": 1 }));
        insta::assert_snapshot!(skip_final_snapshots(&mut state, &named("bd")).unwrap_err(), @"
        --skip-final-snapshot: there is no node bd; did you mean db?
        hint: `tapctl state list` lists them
        ");
        let mut state = state_of(serde_json::json!({ "last_copy_role": "arn", "size": 1 }));
        assert_eq!(skip_final_snapshots(&mut state, &named("db")), Ok(()));
        assert_eq!(state.nodes["db"].spec, serde_json::json!({ "last_copy_role": null, "size": 1 }));
        let mut state = state_of(serde_json::json!({ "size": 1, "last_copy_role": null }));
        insta::assert_snapshot!(skip_final_snapshots(&mut state, &named("db")).unwrap_err(), @"
        --skip-final-snapshot: db (t.store) leaves no last snapshot
        hint: leave it out
        ");
    }

    #[test]
    fn what_can_leave_no_last_copy_is_told_before_anything_goes() {
        assert_eq!(refuse_unpreservable(&[], &Backups::new()), Ok(()));
        let stuck = [("db".to_owned(), "AWS takes no last snapshot of it while it is failed".to_owned())];
        insta::assert_snapshot!(refuse_unpreservable(&stuck, &Backups::new()).unwrap_err(), @"
        db: AWS takes no last snapshot of it while it is failed; no backup of it was found; nothing was changed
        hint: mend it first; or, if its data may go as it is, add --skip-final-snapshot db
        ");
        let backup = |id: &str, goes_along| {
            let (id, what) = (id.to_owned(), "manual snapshot of 16.9".to_owned());
            crate::resource::Backup { id, what, goes_along, ..crate::resource::Backup::default() }
        };
        let backups: Backups = [("db".to_owned(), vec![backup("rds:db-2", true), backup("db-1", false)])].into();
        insta::assert_snapshot!(refuse_unpreservable(&stuck, &backups).unwrap_err(), @"
        db: AWS takes no last snapshot of it while it is failed; the newest backup is db-1 (manual snapshot of 16.9); nothing was changed
        hint: mend it first; or, if its data may go as it is, add --skip-final-snapshot db
        ");
    }

    #[test]
    fn the_question_names_what_goes_and_whose_data() {
        let state = State::new("student-records", "dev", "123456789012", "us-east-1");
        insta::assert_snapshot!(
            question(&state, &["db-cluster", "file-system"], &BTreeSet::new()),
            @"Remove student-records dev in account 123456789012, us-east-1, with the data of db-cluster, file-system?"
        );
        let lodgers = ["guardduty-endpoint".to_owned()].into();
        insta::assert_snapshot!(
            question(&state, &[], &lodgers),
            @"Remove student-records dev in account 123456789012, us-east-1, and what AWS has put there by itself (guardduty-endpoint )?"
        );
    }
}
