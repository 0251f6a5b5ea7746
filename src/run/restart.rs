//! What must be restarted for all of its settings to be in force: who is told of it, and what a person means who names it.

use std::collections::BTreeSet;

use super::Refusal;
use crate::engine::Awaiting;
use crate::names;
use crate::plan::Observations;
use crate::state::{State, base_name, dependents};

/// What a person should know of what awaits a restart, a sentence each.
pub fn remarks(awaiting: &[Awaiting]) -> Vec<String> {
    let told = |Awaiting { node, restart }: &Awaiting| {
        format!(
            "{node} needs a restart: until then {} are not in force; `tapctl restart {node}` does it, or apply --allow-restart",
            restart.what
        )
    };
    awaiting.iter().map(told).collect()
}

/// The nodes of what was seen, in the order in which they are restarted: what leads others comes last.
pub fn in_turn(seen: &Observations) -> Vec<String> {
    let there = seen.iter().filter_map(|(node, seen)| Some((seen.as_ref()?.besides.leads, node.clone())));
    let mut all: Vec<(bool, String)> = there.collect();
    all.sort();
    all.into_iter().map(|(_, node)| node).collect()
}

/// The nodes that are meant by these names: each one itself or, where it is none that can be restarted, those that stand on
/// it, as the members of a cluster.
///
/// # Errors
/// A name that no node has, and one that leads to nothing that can be restarted.
pub fn meant(named: &[String], state: &State, restarts: &dyn Fn(&str) -> bool) -> Result<BTreeSet<String>, Refusal> {
    let can = |name: &str| state.nodes.get(name).is_some_and(|node| restarts(&node.kind)) && base_name(name) == name;
    let all: Vec<&str> = state.nodes.keys().map(String::as_str).filter(|name| can(name)).collect();
    let hint = match all.is_empty() {
        true => "nothing that is recorded can be restarted".to_owned(),
        false => format!("what can be restarted: {}", all.join(", ")),
    };
    let mut meant = BTreeSet::new();
    for name in named {
        if !state.nodes.contains_key(name) {
            let near = names::suggestion(name, state.nodes.keys().map(String::as_str));
            return Err(Refusal::new(format!("there is no node {name}{near}"), hint));
        }
        let members = dependents(name, state).filter(|user| can(user)).cloned();
        let of_name: Vec<String> = if can(name) { vec![name.clone()] } else { members.collect() };
        if of_name.is_empty() {
            return Err(Refusal::new(format!("{name} cannot be restarted"), hint));
        }
        meant.extend(of_name);
    }
    Ok(meant)
}
