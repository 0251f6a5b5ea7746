//! Reading AWS: what a plan, a status and a drift check stand on. Nothing here writes.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::report::{Drifted, NodeFailure};
use crate::diff::Diff;
use crate::error::{Class, Fault, Result};
use crate::plan::Observations;
use crate::resource::{Cx, Kind, Kinds, Owner, Pass, Phase, Seen, Tags};
use crate::stack::{self, Stack};
use crate::state::{NodeState, State, base_name};

/// What to read, and with what.
pub struct Scope<'a, C> {
    /// The clients.
    pub cloud: &'a C,
    /// The kinds.
    pub kinds: &'a Kinds<C>,
    /// The reads shared among all nodes.
    pub pass: &'a Pass,
    /// How many nodes may be read at once.
    pub parallelism: usize,
    /// Whether objects with our names but not our tags may be taken over.
    pub adopt: bool,
}

struct Target<'a> {
    name: &'a str,
    kind: &'a str,
    /// What it should be, resolved as far as is known.
    want: Option<Value>,
    recorded: Option<&'a NodeState>,
}

/// Looks at every node of the stack and of the state. Nodes with a known id are read at once; the others are looked for
/// as soon as what they refer to is known, and are left out of the answer where it never is.
///
/// # Errors
/// Every node that could not be read, or that is somebody else's.
pub async fn observe<C: 'static>(
    scope: &Scope<'_, C>,
    stack: Option<&Stack>,
    state: &State,
) -> Result<Observations, Vec<NodeFailure>> {
    let (mut seen, mut failures) = (Observations::new(), Vec::new());
    let mut open: BTreeSet<&str> = state.nodes.keys().map(String::as_str).collect();
    open.extend(stack.iter().flat_map(|stack| stack.nodes.keys().map(String::as_str)));
    loop {
        let wave: Vec<Target> = open.iter().filter_map(|name| ready(name, stack, state, &seen)).collect();
        if wave.is_empty() {
            break;
        }
        open.retain(|name| !wave.iter().any(|target| target.name == *name));
        let looks = wave.into_iter().map(|target| async move {
            let found = look(scope, state, &target).await;
            (target, found)
        });
        let mut answers = stream::iter(looks).buffer_unordered(scope.parallelism.max(1));
        while let Some((target, found)) = answers.next().await {
            match found {
                Ok(found) => drop(seen.insert(target.name.to_owned(), found)),
                Err(fault) => failures.push(NodeFailure::new(target.name, target.kind, "observe", fault)),
            }
        }
    }
    if failures.is_empty() { Ok(seen) } else { Err(failures) }
}

/// The node, if enough is known to look for it.
fn ready<'a>(name: &'a str, stack: Option<&'a Stack>, state: &'a State, seen: &Observations) -> Option<Target<'a>> {
    let recorded = state.nodes.get(name);
    let entry = stack.and_then(|stack| stack.nodes.get(name));
    let outputs = |node: &str| seen.get(node).and_then(Option::as_ref).map(|seen| seen.outputs.clone());
    let want = match entry {
        Some(entry) => Some(stack::resolve(&entry.spec, &outputs)),
        None => recorded.map(|node| node.spec.clone()),
    };
    let want = want.filter(stack::is_resolved);
    let has_id = recorded.is_some_and(|node| node.id.is_some());
    let kind = entry.map(|entry| entry.kind).or_else(|| recorded.map(|node| node.kind.as_str()))?;
    (has_id || want.is_some()).then_some(Target { name, kind, want, recorded })
}

async fn look<C: 'static>(scope: &Scope<'_, C>, state: &State, target: &Target<'_>) -> Result<Option<Seen>> {
    let kind = scope.kinds.get(target.kind)?;
    let owner = owner(state, target.name, "");
    let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    if let Some((node, id)) = target.recorded.and_then(|node| Some((node, node.id.as_deref()?)))
        && node.kind == target.kind
        && let Some(seen) = kind.observe(cx(), &node.spec, Some(id)).await?
    {
        return Ok(Some(seen));
    }
    // Of an object on its way out only the id counts: by name and tags its successor would be found.
    let Some(want) = target.want.as_ref().filter(|_| base_name(target.name) == target.name) else { return Ok(None) };
    let found = kind.observe(cx(), want, None).await?;
    let found = found.and_then(|found| not_recorded_elsewhere(state, target.name, target.kind, found));
    match found {
        Some(found) => owned(kind, &owner, found, scope.adopt).map(Some),
        None => Ok(None),
    }
}

pub(super) fn owner(state: &State, node: &str, attempt: &str) -> Owner {
    Owner {
        stack: state.stack.clone(),
        env: state.env.clone(),
        node: base_name(node).to_owned(),
        attempt: attempt.to_owned(),
    }
}

/// The object found for a node, unless it is the one its predecessor still holds.
pub(super) fn not_recorded_elsewhere(state: &State, node: &str, kind: &str, mut found: Seen) -> Option<Seen> {
    found.duplicates.retain(|id| !state.knows(kind, id, node));
    (!state.knows(kind, &found.id, node)).then_some(found)
}

/// The object found for a node, unless it is somebody else's.
pub(super) fn owned<C>(kind: &dyn Kind<C>, owner: &Owner, found: Seen, adopt: bool) -> Result<Seen> {
    let reason = match found.live.get("tags").map(|tags| serde_json::from_value::<Tags>(tags.clone())) {
        Some(Ok(tags)) if !owner.owns(&tags) => Some("it does not carry this node's ownership tags".to_owned()),
        _ => found.foreign.clone(),
    };
    match reason {
        Some(reason) if !adopt && !kind.facts().shared => {
            let name = found.outputs.get("arn").and_then(Value::as_str).unwrap_or(&found.id);
            Err(Fault::new(Class::Exists, "Foreign", format!("{name} exists and is not ours: {reason}")))
        }
        _ => Ok(found),
    }
}

/// What is not as it was left: live against the recorded desire, for every recorded node.
///
/// # Errors
/// Every node that could not be read.
pub async fn drift<C: 'static>(scope: &Scope<'_, C>, state: &State) -> Result<Vec<Drifted>, Vec<NodeFailure>> {
    let seen = observe(scope, None, state).await?;
    let mut drifted = Vec::new();
    for (name, node) in &state.nodes {
        let facts = match scope.kinds.get(&node.kind) {
            Ok(kind) => kind.facts(),
            Err(fault) => return Err(vec![NodeFailure::new(name, &node.kind, "observe", fault)]),
        };
        let found = seen.get(name).and_then(Option::as_ref);
        let changes = found.map(|found| Diff::between(&node.spec, &found.live, facts.immutable)).unwrap_or_default();
        let status = found.and_then(|found| match &found.phase {
            Phase::Ready => None,
            Phase::Pending(reason) => Some(format!("pending: {reason}")),
            Phase::Deleting => Some("deleting".to_owned()),
            Phase::Failed(reason) => Some(format!("failed: {reason}")),
        });
        if found.is_none() || status.is_some() || !changes.is_empty() {
            let (id, missing) = (node.id.clone(), found.is_none());
            drifted.push(Drifted { node: name.clone(), kind: node.kind.clone(), id, missing, status, changes });
        }
    }
    Ok(drifted)
}
