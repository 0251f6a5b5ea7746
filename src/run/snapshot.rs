//! What a person must say before a snapshot is taken, and what it is called.

use jiff::Timestamp;

use super::Refusal;
use crate::engine::{SNAPSHOT, Snapshot};
use crate::error::Result as Answer;
use crate::names;
use crate::resource::{Facts, WayBack};
use crate::state::{NodeState, State};

/// What a snapshot's tag says of why it was taken, where a person has asked for it.
const BY_HAND: &str = "asked for with tapctl snapshot";
/// The longest name that any snapshot may be given here: AWS allows 63 characters to those of clusters (API reference,
/// CreateDBClusterSnapshot).
pub const LONGEST: usize = 63;

/// What names of snapshots may be.
pub const ALLOWED: &str = "1-63 lower-case letters, digits and single hyphens, a letter first and no hyphen last";

/// Whether AWS takes a name for a snapshot as it is: it writes all names in lower case.
pub fn is_name(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let edges = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-') && !name.contains("--");
    letters && edges && name.len() <= LONGEST
}

/// The snapshot of this node to take: the one that is under way, else one of the name that was given, else of one after the
/// object and the time.
///
/// # Errors
/// A node that is not recorded, is not there yet or of which AWS takes none; a name that is too long for it; another name
/// than that of one that is under way.
pub fn of(
    node: &str,
    name: Option<&str>,
    state: &State,
    facts: &dyn Fn(&str) -> Answer<Facts>,
    now: Timestamp,
) -> Result<Snapshot, Refusal> {
    let (recorded, id) = recorded(node, state)?;
    let longest = longest(node, recorded, facts)?;
    if let Some(under_way) = Snapshot::under_way(state).filter(|one| one.node == node) {
        return match name.filter(|name| *name != under_way.name) {
            None => Ok(under_way),
            Some(_) => Err(Refusal::new(
                format!("the snapshot {} of {node} is under way; nothing was changed", under_way.name),
                "leave out --name to see it to its end; then take another",
            )),
        };
    }
    if let Some(other) = state.operation.as_ref().filter(|operation| operation.verb != SNAPSHOT) {
        let text = format!("a {} is under way since {:.0}; nothing was changed", other.verb, other.since);
        return Err(Refusal::new(text, format!("see it to its end with `tapctl {}`", other.verb)));
    }
    if let Some(name) = name.filter(|name| name.len() > longest) {
        let text = format!("--name {name} has {} characters; AWS allows {longest} to a snapshot of {node}", name.len());
        return Err(Refusal::new(text, "give it a shorter one"));
    }
    let name = name.map_or_else(|| name_of(id, now, longest), str::to_owned);
    Ok(Snapshot { node: node.to_owned(), name, reason: BY_HAND.to_owned() })
}

/// What a snapshot is of is known by the record only.
pub fn nothing_recorded(stack: &str, env: &str) -> Refusal {
    Refusal::new(
        format!("nothing is recorded for {stack} {env}"),
        "run apply first, or name the directory of the state with --state-dir",
    )
}

fn recorded<'a>(node: &str, state: &'a State) -> Result<(&'a NodeState, &'a str), Refusal> {
    if state.nodes.is_empty() {
        return Err(nothing_recorded(&state.stack, &state.env));
    }
    let Some(recorded) = state.nodes.get(node) else {
        let meant = names::suggestion(node, state.nodes.keys().map(String::as_str));
        return Err(Refusal::new(
            format!("there is no node {node} in the state{meant}"),
            "`tapctl state list` lists them",
        ));
    };
    match &recorded.id {
        Some(id) => Ok((recorded, id)),
        None => Err(Refusal::new(format!("{node} is {}", recorded.progress.as_str()), "run `tapctl apply` first")),
    }
}

/// The longest name that AWS allows to a snapshot of this node, where it takes one when asked to.
fn longest(node: &str, recorded: &NodeState, facts: &dyn Fn(&str) -> Answer<Facts>) -> Result<usize, Refusal> {
    let refused = |why: &str| {
        let text = format!("AWS takes no snapshot of {node} ({}) when asked to: {why}", recorded.kind);
        Refusal::new(text, "`tapctl backups` shows what there is to go back to")
    };
    let facts = facts(&recorded.kind).map_err(|fault| refused(&fault.message))?;
    match (facts.snapshots, facts.way_back) {
        (Some(longest), _) => Ok(longest.min(LONGEST)),
        (None, WayBack::NoData) => Err(refused("it holds no data of its own")),
        (None, WayBack::Backups) => Err(refused("AWS Backup copies it by itself, every night")),
        (None, WayBack::Otherwise(words)) => Err(refused(words)),
    }
}

/// The object's name and the time; of a long one only the beginning.
fn name_of(id: &str, now: Timestamp, longest: usize) -> String {
    let time = now.strftime("-%Y%m%d-%H%M%S").to_string();
    let room = longest.saturating_sub(time.len());
    let start: String = id.chars().take(room).collect();
    format!("{}{time}", start.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_takes() {
        for name in ["a", "before-2", &"a".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "-a", "a-", "a--b", "A", "a_b", "a.b", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_of_its_own_is_one_that_aws_takes() {
        let now = Timestamp::from_second(1_797_033_600).unwrap();
        assert_eq!(name_of("student-redis-dev", now, 63), "student-redis-dev-20261212-000000");
        let cut = name_of("student-redis-abcdefghijklmn", now, 40);
        assert_eq!(cut, "student-redis-abcdefghij-20261212-000000");
        assert!(is_name(&name_of("student-redis-abcdefghi-jk", now, 40)));
    }
}
