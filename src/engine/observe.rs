//! Reading AWS: what a plan, a status and a drift check stand on. Nothing here writes.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::ownership::{admit, judge};
use super::report::{Drifted, Event, NodeFailure, Repair, Reporter};
use crate::diff::Diff;
use crate::error::{Class, Result};
use crate::plan::{Observations, decide, lost_in_place};
use crate::resource::{Cx, Kind, Kinds, Owner, Pass, Phase, Queued, Replace, Seen};
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
    /// The nodes to read, with all they depend on. `None`: all.
    pub only: Option<&'a BTreeSet<String>>,
    /// Sees how far it has come.
    pub reporter: &'a dyn Reporter,
}

struct Target<'a> {
    name: &'a str,
    kind: &'a str,
    /// The record that tells the id.
    recorded: Option<&'a NodeState>,
    /// What was asked for last, where that is all there is to search by: a create that was never answered goes by the
    /// spec of that call, whatever the stack says by now.
    asked: Option<&'a Value>,
    /// What the stack wants, once that is known.
    want: Option<Value>,
    /// Whether what the stack wants is not known yet, so that it cannot be searched for.
    blind: bool,
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
    let mut open: BTreeSet<&str> = state.nodes.keys().map(String::as_str).collect();
    open.extend(stack.iter().flat_map(|stack| stack.nodes.keys().map(String::as_str)));
    open.retain(|name| scope.only.is_none_or(|only| only.contains(*name)));
    let nodes = open.len();
    scope.reporter.event(Event::Read { done: 0, nodes });
    let seen = observe_all(scope, stack, state, open).await;
    scope.reporter.event(Event::Read { done: nodes, nodes });
    seen
}

async fn observe_all<C: 'static>(
    scope: &Scope<'_, C>,
    stack: Option<&Stack>,
    state: &State,
    mut open: BTreeSet<&str>,
) -> Result<Observations, Vec<NodeFailure>> {
    let (mut seen, mut failures) = (Observations::new(), Vec::new());
    let nodes = open.len();
    let mut missed: BTreeSet<&str> = BTreeSet::new();
    loop {
        let targets = open.iter().filter_map(|name| target(name, stack, state, &seen));
        let wave: Vec<Target> = targets.filter(|target| !(target.blind && missed.contains(target.name))).collect();
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
            scope.reporter.event(Event::Read { done: seen.len().min(nodes.saturating_sub(1)), nodes });
            match found {
                // Its id leads nowhere any more; what its name or tags lead to must still be seen.
                Ok(None) if target.blind => drop((open.insert(target.name), missed.insert(target.name))),
                Ok(found) => drop(seen.insert(target.name.to_owned(), found)),
                Err(fault) => {
                    let failure = NodeFailure::new(target.name, target.kind, "observe", fault);
                    if failure.fault.class == Class::Credentials {
                        return Err(vec![failure]);
                    }
                    failures.push(failure);
                }
            }
        }
    }
    if failures.is_empty() {
        for found in strangers(scope, stack, state, &open, &seen).await {
            match found {
                Ok((name, adopted)) => drop(seen.insert(name, Some(adopted))),
                Err(failure) => failures.push(failure),
            }
        }
    }
    failures.sort_by(|a, b| a.node.cmp(&b.node));
    if failures.is_empty() { Ok(seen) } else { Err(failures) }
}

/// Objects of others that have the names of nodes still `open`: a name is often known before all that a spec refers to,
/// and to meet a stranger half-way through a run would leave half a system behind. Those that are to be adopted are told
/// as they are, so that a plan shows what that changes of them. All else, errors too, waits until it is the node's turn.
async fn strangers<C: 'static>(
    scope: &Scope<'_, C>,
    stack: Option<&Stack>,
    state: &State,
    open: &BTreeSet<&str>,
    seen: &Observations,
) -> Vec<Result<(String, Seen), NodeFailure>> {
    let outputs = |node: &str| seen.get(node).and_then(Option::as_ref).map(|seen| seen.outputs.clone());
    let entries = open.iter().filter_map(|name| Some((*name, stack?.nodes.get(*name)?)));
    let looks = entries.filter(|(name, _)| !state.nodes.contains_key(*name)).map(|(name, entry)| async move {
        let kind = scope.kinds.get(entry.kind).ok()?;
        let want = stack::resolve(&entry.spec, &outputs);
        let owner = state.owner(name, "");
        let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        let found = kind.observe(cx, &want, None).await.ok()??;
        if state.knows(entry.kind, &found.id, name) {
            return None;
        }
        admit(&owner, &kind.facts(), None, found.clone(), false).err()?;
        let adopted = admit(&owner, &kind.facts(), None, found, scope.adopt);
        let failed = |fault| NodeFailure::new(name, entry.kind, "observe", fault);
        Some(adopted.map(|seen| (name.to_owned(), seen)).map_err(failed))
    });
    let found = stream::iter(looks).buffer_unordered(scope.parallelism.max(1));
    found.filter_map(|stranger| async move { stranger }).collect().await
}

/// The node, if enough is known to look for it.
fn target<'a>(name: &'a str, stack: Option<&'a Stack>, state: &'a State, seen: &Observations) -> Option<Target<'a>> {
    let recorded = state.nodes.get(name);
    let entry = stack.and_then(|stack| stack.nodes.get(name));
    let kind = entry.map(|entry| entry.kind).or_else(|| recorded.map(|node| node.kind.as_str()))?;
    let recorded = recorded.filter(|node| node.kind == kind);
    let outputs = |node: &str| seen.get(node).and_then(Option::as_ref).map(|seen| seen.outputs.clone());
    let want = entry.map(|entry| stack::resolve(&entry.spec, &outputs));
    let blind = want.as_ref().is_some_and(|want| !stack::is_resolved(want));
    let asked = recorded.filter(|node| node.id.is_none() || entry.is_none()).map(|node| &node.spec);
    let want = want.filter(stack::is_resolved);
    let recorded = recorded.filter(|node| node.id.is_some());
    let enough = recorded.is_some() || asked.is_some() || want.is_some();
    enough.then_some(Target { name, kind, recorded, asked, want, blind })
}

async fn look<C: 'static>(scope: &Scope<'_, C>, state: &State, target: &Target<'_>) -> Result<Option<Seen>> {
    let kind = scope.kinds.get(target.kind)?;
    let facts = kind.facts();
    let owner = state.owner(target.name, "");
    let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    if let Some((node, id)) = target.recorded.and_then(|node| Some((node, node.id.as_deref()?)))
        && let Some(seen) = kind.observe(cx(), asking(kind, node, target), Some(id)).await?
    {
        let mut seen = admit(&owner, &facts, Some(node), seen, scope.adopt)?;
        if facts.twins && base_name(target.name) == target.name {
            let known = |other: &str| other == id || state.knows(target.kind, other, target.name);
            seen.duplicates = twins(kind, cx, &node.spec, &owner, &known).await?;
        }
        return Ok(Some(seen));
    }
    // Of an object on its way out only the id counts: by name and tags its successor would be found.
    if base_name(target.name) != target.name {
        return Ok(None);
    }
    let known = |id: &str| state.knows(target.kind, id, target.name);
    if let Some(asked) = target.asked
        && let Some(found) = find(kind, cx, asked, &known).await?
        && let Ok(found) = admit(&owner, &facts, None, found, false)
    {
        return Ok(Some(found));
    }
    let Some(want) = &target.want else { return Ok(None) };
    match find(kind, cx, want, &known).await? {
        Some(found) => admit(&owner, &facts, None, found, scope.adopt).map(Some),
        None => Ok(None),
    }
}

/// Further objects with the tags of a node whose own is recorded: as two runs make them that have two states.
async fn twins<'a, C: 'a>(
    kind: &'a dyn Kind<C>,
    cx: impl Fn() -> Cx<'a, C>,
    spec: &'a Value,
    owner: &Owner,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let found = match kind.observe(cx(), spec, None).await {
        // A search may need more permissions than a look by id; it is an extra here.
        Err(fault) if fault.class == Class::Denied => None,
        found => found?,
    };
    let Some(found) = found else { return Ok(Vec::new()) };
    let ids = found.duplicates.into_iter().chain([found.id]).filter(|id| !known(id));
    let mut twins = Vec::new();
    for id in ids {
        let other = kind.observe(cx(), spec, Some(&id)).await?;
        let stays = |other: &Seen| other.phase != Phase::Deleting && judge(owner, &kind.facts(), None, other).is_ok();
        twins.extend(other.filter(stays).map(|other| other.id));
    }
    twins.sort();
    Ok(twins)
}

/// The spec to look with for a recorded object: that of its record or, where another version wrote that in a form of its
/// own, what the stack wants.
fn asking<'a, C>(kind: &dyn Kind<C>, node: &'a NodeState, target: &'a Target<'_>) -> &'a Value {
    match &target.want {
        Some(want) if kind.legible(&node.spec).is_none() => want,
        _ => &node.spec,
    }
}

/// What a search finds for a node, apart from what is recorded under another name, as its predecessor is.
///
/// Of several, the kind names the first. One that is on its way out gives way to one that stays; and where a replacement
/// is made before the old one goes, the one that is as wanted is that replacement.
pub(super) async fn find<'a, C: 'a>(
    kind: &'a dyn Kind<C>,
    cx: impl Fn() -> Cx<'a, C>,
    want: &'a Value,
    known: &dyn Fn(&str) -> bool,
) -> Result<Option<Seen>> {
    let Some(mut first) = kind.observe(cx(), want, None).await? else { return Ok(None) };
    let others: Vec<String> = std::mem::take(&mut first.duplicates).into_iter().filter(|id| !known(id)).collect();
    if others.is_empty() {
        return Ok((!known(&first.id)).then_some(first));
    }
    let mut all = Vec::new();
    for id in &others {
        all.extend(kind.observe(cx(), want, Some(id)).await?);
    }
    if !known(&first.id) {
        all.insert(0, first);
    }
    let rank = |seen: &Seen| {
        let differs = !kind.facts().diff(want, &seen.live).is_empty();
        (seen.phase == Phase::Deleting, kind.facts().replace == Replace::CreateFirst && differs)
    };
    let Some(best) = (0..all.len()).min_by_key(|at| rank(&all[*at])) else { return Ok(None) };
    let mut best = all.swap_remove(best);
    best.duplicates = all.into_iter().filter(|seen| seen.phase != Phase::Deleting).map(|seen| seen.id).collect();
    Ok(Some(best))
}

/// What is not as it was left: live against the recorded desire, for every recorded node.
///
/// # Errors
/// Every node that could not be read.
pub async fn drift<C: 'static>(scope: &Scope<'_, C>, state: &State) -> Result<Vec<Drifted>, Vec<NodeFailure>> {
    drift_of(scope, state, &observe(scope, None, state).await?)
}

/// The same from what was seen of every recorded node.
///
/// # Errors
/// Where the state has a kind this version does not know.
pub fn drift_of<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    seen: &Observations,
) -> Result<Vec<Drifted>, Vec<NodeFailure>> {
    let mut drifted = Vec::new();
    for (name, node) in &state.nodes {
        let kind = match scope.kinds.get(&node.kind) {
            Ok(kind) => kind,
            Err(fault) => return Err(vec![NodeFailure::new(name, &node.kind, "observe", fault)]),
        };
        let facts = kind.facts();
        let found = seen.get(name).and_then(Option::as_ref);
        let changes = found.map(|found| since_recorded(kind, node, found)).unwrap_or_default();
        let status = found.and_then(|found| match &found.phase {
            Phase::Ready => None,
            Phase::Pending(reason) => Some(format!("pending: {reason}")),
            Phase::Deleting => Some("deleting".to_owned()),
            Phase::Failed(reason) => Some(format!("failed: {reason}")),
        });
        let duplicates = found.map(|found| found.duplicates.clone()).unwrap_or_default();
        let awaits_restart = found.and_then(|found| Some(found.besides.restart.as_ref()?.what.clone()));
        let differs = found.is_none() || status.is_some() || !changes.is_empty() || !duplicates.is_empty();
        let queued: Vec<String> =
            found.map(|found| found.besides.queued.iter().map(Queued::words).collect()).unwrap_or_default();
        if differs || awaits_restart.is_some() || !queued.is_empty() {
            let (id, missing) = (node.id.clone(), found.is_none());
            let action = decide(&facts, &node.spec, Some(node), found);
            let lost = |found| lost_in_place(&action, &facts, &node.spec, Some(node), found, &state.owner(name, ""));
            let repair = match (differs, &awaits_restart) {
                (true, _) => Repair::by(&action, &facts, &node.spec, found, found.and_then(lost)),
                (false, Some(_)) => Repair::Restarts,
                (false, None) => Repair::Waiting,
            };
            let (node, kind) = (name.clone(), node.kind.clone());
            drifted.push(Drifted {
                node,
                kind,
                id,
                missing,
                status,
                awaits_restart,
                queued,
                changes,
                duplicates,
                repair,
            });
        }
    }
    Ok(drifted)
}

/// What differs from the record. Of one that another version wrote in a form of its own, only what both forms have is
/// compared.
fn since_recorded<C>(kind: &dyn Kind<C>, node: &NodeState, found: &Seen) -> Diff {
    let legible = kind.legible(&node.spec);
    let mut diff = kind.facts().diff(legible.as_ref().unwrap_or(&node.spec), &found.live);
    if legible.is_none() {
        diff.changes.retain(|change| std::mem::discriminant(&change.want) == std::mem::discriminant(&change.live));
    }
    diff
}
