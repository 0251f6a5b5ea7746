//! Which nodes a run is about, as a person names them.

use std::collections::BTreeSet;

use super::Refusal;
use crate::names;
use crate::plan::select;
use crate::stack::Stack;
use crate::state::State;

/// The nodes that are left of `--target` and `--exclude`.
///
/// # Errors
/// A name that no node has, and a choice that leaves nothing.
pub fn choose(
    stack: &Stack,
    state: &State,
    targets: &[String],
    excluded: &[String],
) -> Result<BTreeSet<String>, Refusal> {
    known("--target", targets, stack, state)?;
    known("--exclude", excluded, stack, state)?;
    let chosen = select(stack, state, targets, excluded).map_err(|name| unknown("--target", &name, stack, state))?;
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let flags = |flag: &str, names: &[String]| names.iter().map(|name| format!("{flag} {name}")).collect::<Vec<_>>();
    let given = [flags("--target", targets), flags("--exclude", excluded)].concat().join(" ");
    Err(Refusal::new(
        format!("{given} leaves no node: each is excluded, stands on what is, or is still used by what is left alone"),
        "leave one of them out; `tapctl plan --json` lists every node",
    ))
}

/// Refuses names that no node has, as a flag gives them.
///
/// # Errors
/// The first such name.
pub fn known(flag: &str, names: &[String], stack: &Stack, state: &State) -> Result<(), Refusal> {
    let is_node = |name: &String| stack.nodes.contains_key(name) || state.nodes.contains_key(name);
    match names.iter().find(|name| !is_node(name)) {
        Some(name) => Err(unknown(flag, name, stack, state)),
        None => Ok(()),
    }
}

fn unknown(flag: &str, name: &str, stack: &Stack, state: &State) -> Refusal {
    let nodes = stack.nodes.keys().chain(state.nodes.keys()).map(String::as_str);
    let meant = names::suggestion(name, nodes);
    Refusal::new(format!("{flag}: there is no node {name}{meant}"), "`tapctl plan --json` lists every node")
}
