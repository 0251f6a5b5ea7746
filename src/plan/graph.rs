//! The order of nodes, and the choice of some of them, by their edges.

use std::collections::{BTreeMap, BTreeSet};

use crate::stack::{Entry, Stack};
use crate::state::{NodeState, State, base_name};

/// Something with edges to other named things.
pub trait Edges {
    /// The names it depends on.
    fn edges(&self) -> &BTreeSet<String>;
}

impl Edges for Entry {
    fn edges(&self) -> &BTreeSet<String> {
        &self.edges
    }
}

impl Edges for NodeState {
    fn edges(&self) -> &BTreeSet<String> {
        &self.edges
    }
}

/// Names with dependencies first; among those free to go, alphabetically. Edges to what is not there are ignored: the
/// object they pointed at is gone.
pub fn order<T: Edges>(nodes: &BTreeMap<String, T>) -> Vec<&String> {
    fn visit<'a, T: Edges>(
        name: &'a String,
        nodes: &'a BTreeMap<String, T>,
        done: &mut BTreeSet<&'a str>,
        order: &mut Vec<&'a String>,
    ) {
        if !done.insert(name) {
            return;
        }
        for edge in nodes[name].edges() {
            if let Some((edge, _)) = nodes.get_key_value(edge) {
                visit(edge, nodes, done, order);
            }
        }
        order.push(name);
    }
    let (mut done, mut order) = (BTreeSet::new(), Vec::new());
    for name in nodes.keys() {
        visit(name, nodes, &mut done, &mut order);
    }
    order
}

/// Narrows a stack to some of its nodes: `targets` with all they depend on (all if empty), without `excluded` and all
/// that depends on those. Recorded nodes outside the selection are left alone.
///
/// # Errors
/// Names the first target or exclusion that is no node.
pub fn select(
    stack: &Stack,
    state: &State,
    targets: &[String],
    excluded: &[String],
) -> Result<BTreeSet<String>, String> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, node) in &state.nodes {
        edges.entry(name).or_default().extend(node.edges.iter().map(String::as_str));
    }
    for (name, node) in &stack.nodes {
        edges.entry(name).or_default().extend(node.edges.iter().map(String::as_str));
    }
    if let Some(unknown) = targets.iter().chain(excluded).find(|name| !edges.contains_key(name.as_str())) {
        return Err(unknown.clone());
    }
    let mut chosen: BTreeSet<String> = edges.keys().map(|&name| name.to_owned()).collect();
    if !targets.is_empty() {
        chosen = closure(targets, &|name| edges.get(name).into_iter().flatten().copied().collect());
    }
    let out = closure(excluded, &|name| {
        edges.iter().filter(|(_, to)| to.contains(base_name(name))).map(|(&from, _)| from).collect()
    });
    let mut chosen = &chosen - &out;
    chosen.retain(|name| !out.contains(base_name(name)));
    spare_what_is_used(stack, state, &mut chosen);
    Ok(chosen)
}

/// Which of the chosen nodes have their turn now.
pub fn in_turn(stack: &Stack, state: &State, chosen: &BTreeSet<String>) -> BTreeSet<String> {
    let Some(turn) = &stack.turn else { return chosen.clone() };
    let targets: Vec<String> = turn.target.iter().filter(|node| stack.nodes.contains_key(*node)).cloned().collect();
    let mut now = select(stack, state, &targets, &[]).unwrap_or_default();
    now.retain(|node| chosen.contains(node) && !turn.exclude.iter().any(|other| other == base_name(node)));
    spare_what_is_used(stack, state, &mut now);
    now
}

/// What leaves the stack stays as long as something stands on it that is left alone.
fn spare_what_is_used(stack: &Stack, state: &State, chosen: &mut BTreeSet<String>) {
    loop {
        let used = |name: &str| {
            let mut others = state.nodes.iter().filter(|(other, _)| !chosen.contains(*other));
            others.any(|(_, node)| node.edges.contains(base_name(name)))
        };
        let leaving = |name: &&String| state.nodes.contains_key(*name) && !stack.nodes.contains_key(*name);
        let spared: Vec<String> = chosen.iter().filter(leaving).filter(|name| used(name)).cloned().collect();
        if spared.is_empty() {
            return;
        }
        chosen.retain(|name| !spared.contains(name));
    }
}

fn closure<'a>(start: &'a [String], next: &dyn Fn(&str) -> Vec<&'a str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = start.to_vec();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(next(&name).into_iter().map(str::to_owned));
        }
    }
    found
}
