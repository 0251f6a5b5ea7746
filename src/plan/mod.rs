//! What an apply or a destroy would do. Pure: from the stack, the state and what was seen, to a list of steps.

mod graph;
mod outputs;
mod shortened;
mod steps;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::graph::{Edges, in_turn, order, select};
pub use self::shortened::lost_in_place;
pub use self::steps::{Action, NOT_SEEN_READY, Plan, Step};

use self::outputs::Known;
use self::steps::GONE;
use crate::diff::Diff;
use crate::error::Result;
use crate::resource::{Facts, OutOfReach, Owner, Phase, Replace, Seen};
use crate::stack::{self, Entry, Stack};
use crate::state::{NodeState, Progress, State};

/// What AWS said of each node: absent from the map where the node could not be looked for yet, because what it would be
/// found by does not exist yet either.
pub type Observations = BTreeMap<String, Option<Seen>>;

/// The one decision about a node that is in the stack. The plan shows it, and the engine makes it again with what it
/// sees at that moment.
pub fn decide(facts: &Facts, want: &Value, recorded: Option<&NodeState>, seen: Option<&Seen>) -> Action {
    let Some(seen) = seen else { return absent(facts, recorded) };
    let diff = facts.diff(want, &seen.live);
    let immutable: Vec<&str> = diff.immutable().map(|change| change.path.as_str()).collect();
    if seen.phase == Phase::Deleting {
        return Action::Replace { diff, reason: "it is being deleted".into() };
    }
    if let Some(reason) = facts.never_was(&seen.phase) {
        return Action::Replace { reason: format!("it failed: {reason}"), diff };
    }
    if !immutable.is_empty() {
        let reason = format!("{} cannot change in place", immutable.join(", "));
        return Action::Replace { diff, reason };
    }
    if recorded.is_none_or(|node| node.id.as_deref() != Some(seen.id.as_str())) {
        let reason = if let Phase::Failed(reason) = &seen.phase { Some(reason.clone()) } else { None };
        return Action::Adopt { diff, reason };
    }
    match &seen.phase {
        Phase::Pending(reason) | Phase::Failed(reason) => Action::Resume { reason: reason.clone(), diff },
        _ if !diff.is_empty() => Action::Update { diff },
        // Its outputs are not recorded yet.
        _ if recorded.is_some_and(|node| node.progress != Progress::Ready) => {
            Action::Resume { reason: NOT_SEEN_READY.into(), diff }
        }
        _ => Action::Keep,
    }
}

/// What becomes of a node of which AWS has nothing: what held data is never replaced by an empty one unasked.
fn absent(facts: &Facts, recorded: Option<&NodeState>) -> Action {
    let had_data = |node: &NodeState| facts.stateful && node.kind == facts.kind && node.was_ready();
    match recorded.is_some_and(had_data) {
        true => Action::Lost { reason: GONE.to_owned() },
        false => Action::Create,
    }
}

/// Plans what makes AWS like the stack. `facts` tells a kind's constants.
///
/// # Errors
/// Where the state has a kind this version does not know.
pub fn plan(stack: &Stack, state: &State, seen: &Observations, facts: &dyn Fn(&str) -> Result<Facts>) -> Result<Plan> {
    let mut steps: Vec<Step> = Vec::new();
    let mut known = Known::default();
    for name in order(&stack.nodes) {
        let entry = &stack.nodes[name];
        let recorded = state.nodes.get(name);
        let other = match recorded.filter(|node| node.kind != entry.kind) {
            Some(node) => Some(facts(&node.kind)?),
            None => None,
        };
        let ground = ground_that_goes_first(entry, recorded, &steps);
        let facts = facts(entry.kind)?;
        let now = seen.get(name).and_then(Option::as_ref);
        let (want, decided) = wanted(entry, &facts, &known, recorded, now)?;
        let falls = stands_on_what_goes_first(entry, recorded, &steps);
        let action = match other {
            // Two kinds share no names, so the old object can wait until its users have moved.
            Some(other) => Action::Replace { diff: Diff::default(), reason: format!("it was a {}", other.kind) },
            // What a create that was never seen through has made, visible or not, holds what must go.
            None if falls && now.is_none() && recorded.is_some_and(|node| node.progress == Progress::Pending) => {
                Action::Replace { diff: Diff::default(), reason: "an earlier run may have made it".into() }
            }
            None => decided,
        };
        let action = match ground {
            Some(ground) if now.is_some() => goes_with(ground, action),
            _ => action,
        };
        let replace = match other {
            _ if falls => Replace::DeleteFirst,
            Some(_) => Replace::CreateFirst,
            None => facts.replace,
        };
        known.learn(name, &facts, &action, &want, recorded, now);
        let id = now.map(|now| now.id.clone()).or_else(|| recorded.and_then(|node| node.id.clone()));
        let refused = now.filter(|_| other.is_none()).and_then(|now| refused(&facts, &want, recorded, now));
        let lost = |now| lost_in_place(&action, &facts, &want, recorded, now, &state.owner(name, ""));
        let loses = now.and_then(lost);
        let one_way = now.filter(|_| other.is_none()).and_then(|now| (facts.one_way)(&want, &now.live));
        let mut step = Step {
            id,
            stateful: (facts.stateful && !never_was(&facts, now)) || other.is_some_and(|other| other.stateful),
            precious: match other {
                Some(other) => other.precious,
                None => facts.precious.filter(|_| now.is_some() && !never_was(&facts, now)),
            },
            spec: action.makes().then_some(want),
            alters: action.alters(),
            replace,
            ground: other.unwrap_or(facts).ground,
            loses,
            one_way,
            refused,
            ..Step::of(name.clone(), entry.kind, action)
        };
        step.outage = now.and_then(|now| outage(&step, &facts, now));
        steps.push(step);
        steps.extend(duplicates(name, &facts, recorded, now));
    }
    let mut leaving = leaving(state, &|name| stack.nodes.contains_key(name), seen, facts)?;
    let lodges = |step: &&mut Step| {
        let (node, now) = (state.nodes.get(&step.node), seen.get(&step.node).and_then(Option::as_ref));
        node.zip(now).is_some_and(|(node, now)| is_lodger(node, &state.owner(&step.node, ""), now))
    };
    leaving.iter_mut().filter(lodges).for_each(|step| step.action = Action::Forget);
    steps.extend(leaving);
    Ok(Plan { steps })
}

/// Whether a record is of what AWS put there by itself, as a destroy that did not come to its end leaves it: nobody here
/// has made it or taken it over. While what it stands in stays, so does it.
pub fn is_lodger(node: &NodeState, owner: &Owner, now: &Seen) -> bool {
    let tags = now.live.get("tags").and_then(|tags| serde_json::from_value(tags.clone()).ok());
    node.created.is_none() && node.attempt.is_none() && tags.is_some_and(|tags| !owner.owns_any(&tags))
}

/// What a node should be, as far as that is known, and what makes it so.
fn wanted(
    entry: &Entry,
    facts: &Facts,
    known: &Known,
    recorded: Option<&NodeState>,
    now: Option<&Seen>,
) -> Result<(Value, Action)> {
    let resolved = |outputs: &dyn Fn(&str) -> Option<Value>| {
        let want = (facts.canonical)(&stack::resolve(&entry.spec, &outputs))?;
        let action = decide(facts, &want, recorded, now);
        Ok((want, action))
    };
    let first = resolved(&|node| known.for_good(node))?;
    // What must go because of what it stands on must go; all else sees the successor under the same name.
    if first.1.destroys() { Ok(first) } else { resolved(&|node| known.by_the_end(node)) }
}

/// Whether an object must be made anew because it never came to be: there is nothing in it to lose.
fn never_was(facts: &Facts, now: Option<&Seen>) -> bool {
    now.is_some_and(|now| facts.never_was(&now.phase).is_some())
}

/// What the stack wants of an object that AWS would refuse: of what is live, or of what was asked for last.
fn refused(facts: &Facts, want: &Value, recorded: Option<&NodeState>, now: &Seen) -> Option<OutOfReach> {
    let recorded = recorded.filter(|node| node.id.as_deref() == Some(now.id.as_str()));
    let asked_last = || recorded.and_then(|node| (facts.takes_back)(want, &node.spec));
    (facts.out_of_reach)(want, &now.live).or_else(asked_last)
}

/// What the node stands in, now as before, and what must go before its successor comes: AWS refuses that while the node's
/// object is there, so this object has nowhere to move to in time.
fn ground_that_goes_first<'a>(entry: &Entry, recorded: Option<&NodeState>, steps: &'a [Step]) -> Option<&'a str> {
    let stands = |node: &String| entry.edges.contains(node) && recorded.is_some_and(|it| it.edges.contains(node));
    steps.iter().find(|step| step.ground && step.goes_first() && stands(&step.node)).map(|step| step.node.as_str())
}

/// Why the step takes what stands out of service. What is not ready serves nobody.
fn outage(step: &Step, facts: &Facts, now: &Seen) -> Option<String> {
    if now.phase != Phase::Ready {
        return None;
    }
    if step.action.destroys() {
        return match step.goes_first() {
            true => facts.serves.then(|| "it is gone until its successor stands".to_owned()),
            false => facts.empty_at_first.then(|| "its successor is empty until its users have moved there".to_owned()),
        };
    }
    let changed = |field: &&str| step.action.diff().is_some_and(|diff| diff.has(field));
    let field = facts.interrupts.iter().copied().find(|field| changed(field))?;
    Some(format!("a change of {field} interrupts it"))
}

/// What would have stayed is replaced along with what it stands in.
fn goes_with(ground: &str, action: Action) -> Action {
    let diff = match action {
        Action::Keep => Diff::default(),
        Action::Update { diff } | Action::Adopt { diff, .. } | Action::Resume { diff, .. } => diff,
        other => return other,
    };
    Action::Replace { diff, reason: format!("it stands in {ground}, which must go first") }
}

/// Whether a replacement must let the old object go first because what it stands on must.
fn stands_on_what_goes_first(entry: &Entry, recorded: Option<&NodeState>, steps: &[Step]) -> bool {
    let goes_first = |step: &Step| {
        step.goes_first()
            && (entry.edges.contains(&step.node) || recorded.is_some_and(|node| node.edges.contains(&step.node)))
    };
    steps.iter().any(goes_first)
}

/// Plans the removal of everything recorded, dependents first.
///
/// # Errors
/// Where the state has a kind this version does not know.
pub fn plan_destroy(state: &State, seen: &Observations, facts: &dyn Fn(&str) -> Result<Facts>) -> Result<Plan> {
    Ok(Plan { steps: leaving(state, &|_| false, seen, facts)? })
}

fn leaving(
    state: &State,
    stays: &dyn Fn(&str) -> bool,
    seen: &Observations,
    facts: &dyn Fn(&str) -> Result<Facts>,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for name in order(&state.nodes).into_iter().rev().filter(|name| !stays(name)) {
        let node = &state.nodes[name];
        let facts = facts(&node.kind)?;
        let gone = facts.shared || matches!(seen.get(name), Some(None));
        let action = if gone { Action::Forget } else { Action::Delete };
        steps.push(removal(name, &facts, action, node.id.clone()));
        steps.extend(duplicates(name, &facts, Some(node), seen.get(name).and_then(Option::as_ref)));
    }
    Ok(steps)
}

/// The removal of what has a node's tags beside the object that stays. What a create without an answer made is this
/// state's own doing, and is cleared away without a word.
fn duplicates<'a>(
    node: &'a str,
    facts: &'a Facts,
    recorded: Option<&NodeState>,
    now: Option<&'a Seen>,
) -> impl Iterator<Item = Step> + 'a {
    let own = recorded.is_some_and(|node| node.id.is_none() && node.attempt.is_some());
    let now = now.filter(|_| !own).into_iter();
    now.flat_map(move |now| {
        let duplicate = || Action::Duplicate { of: now.id.clone() };
        now.duplicates.iter().map(move |id| removal(node, facts, duplicate(), Some(id.clone())))
    })
}

/// The step of an object that goes, or is forgotten.
fn removal(node: &str, facts: &Facts, action: Action, id: Option<String>) -> Step {
    Step {
        id,
        stateful: facts.stateful,
        precious: facts.precious,
        replace: facts.replace,
        ground: facts.ground,
        ..Step::of(node, facts.kind, action)
    }
}
