//! Whether there is a young way back to what an environment holds.

use jiff::{SignedDuration, Timestamp};

use super::Refusal;
use crate::engine::Holding;
use crate::names;
use crate::resource::WayBack;
use crate::state::State;

/// Those that stand and have backups, of which one should be young: databases, caches and files.
pub fn backed_up(holdings: &[Holding]) -> impl Iterator<Item = &Holding> {
    holdings.iter().filter(|one| one.way_back == WayBack::Backups && !one.gone)
}

/// Those of them of which no backup leads back to a moment that is no longer ago than this, with their newest one that can
/// be restored from.
pub fn without_young(holdings: &[Holding], longest: SignedDuration, now: Timestamp) -> Vec<&Holding> {
    let is_old = |one: &&Holding| !one.backups.iter().any(|backup| backup.leads_back_within(longest, now));
    backed_up(holdings).filter(is_old).collect()
}

/// Refuses a node of which nothing is known, or that holds no data.
///
/// # Errors
/// What is wrong with the name, and what may have been meant.
pub fn check_node(node: &str, holdings: &[Holding], state: &State) -> Result<(), Refusal> {
    if holdings.iter().any(|one| one.node == node) {
        return Ok(());
    }
    let text = match state.nodes.get(node) {
        Some(known) => format!("{node} ({}) holds no data", known.kind),
        None => format!("there is no node {node}{}", names::suggestion(node, state.nodes.keys().map(String::as_str))),
    };
    Err(Refusal::new(text, "`tapctl backups` without a node lists all that hold data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Backup;

    fn holding(node: &str, gone: bool, way_back: WayBack, taken: &[i64]) -> Holding {
        let backup = |second: &i64| Backup { taken: Timestamp::from_second(*second).ok(), ..Backup::default() };
        let (node, kind) = (node.to_owned(), "t.store".to_owned());
        Holding { node, kind, gone, way_back, backups: taken.iter().map(backup).collect() }
    }

    #[test]
    fn of_what_stands_and_is_backed_up_one_way_back_must_be_young() {
        let all = [
            holding("young", false, WayBack::Backups, &[10, 95]),
            holding("old", false, WayBack::Backups, &[10]),
            holding("bare", false, WayBack::Backups, &[]),
            holding("gone", true, WayBack::Backups, &[10]),
            holding("stream", false, WayBack::Otherwise("none"), &[]),
        ];
        let now = Timestamp::from_second(100).unwrap();
        let old = without_young(&all, SignedDuration::from_secs(10), now);
        assert_eq!(old.iter().map(|one| one.node.as_str()).collect::<Vec<_>>(), ["old", "bare"]);
        assert_eq!(backed_up(&all).count(), 3);
    }

    #[test]
    fn a_name_that_leads_to_nothing_is_told_why() {
        let mut state = State::new("student-records", "dev", "123456789012", "us-east-1");
        let node = serde_json::json!({ "kind": "ec2.vpc", "spec": {}, "edges": [], "progress": "ready" });
        state.nodes.insert("vpc".to_owned(), serde_json::from_value(node).unwrap());
        let all = [holding("cache", false, WayBack::Backups, &[])];
        assert_eq!(check_node("cache", &all, &state), Ok(()));
        insta::assert_snapshot!(check_node("vpc", &all, &state).unwrap_err(), @"
        vpc (ec2.vpc) holds no data
        hint: `tapctl backups` without a node lists all that hold data
        ");
        insta::assert_snapshot!(check_node("vpcc", &all, &state).unwrap_err(), @"
        there is no node vpcc; did you mean vpc?
        hint: `tapctl backups` without a node lists all that hold data
        ");
    }
}
