//! What an apply or a destroy would do. Pure: from the stack, the state and what was seen, to a list of steps.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::diff::Diff;
use crate::error::Result;
use crate::resource::{Facts, OutOfReach, Phase, Replace, Seen};
use crate::stack::{self, Entry, Stack};
use crate::state::{NodeState, Progress, State, base_name};

/// What AWS said of each node: absent from the map where the node could not be looked for yet, because what it would be
/// found by does not exist yet either.
pub type Observations = BTreeMap<String, Option<Seen>>;

/// Why a node that is ready is resumed: no run has recorded its outputs yet.
pub const NOT_SEEN_READY: &str = "an earlier run did not see it ready";

/// What to do with one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// It is as it should be.
    Keep,
    /// It does not exist.
    Create,
    /// It exists and is ours, but the state does not know it; differences, if any, are made to go away.
    Adopt {
        /// What differs.
        diff: Diff,
        /// How it ended, where it ended badly: it is asked to try again.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It differs in fields that change in place.
    Update {
        /// What differs.
        diff: Diff,
    },
    /// It must be made anew.
    Replace {
        /// What differs.
        diff: Diff,
        /// Why an update will not do.
        reason: String,
    },
    /// An earlier run did not see it become ready; waiting goes on.
    Resume {
        /// What AWS calls its status, or [`NOT_SEEN_READY`].
        reason: String,
        /// What differs.
        diff: Diff,
    },
    /// It is a second object with the node's tags, beside the one that stays: it is removed.
    Duplicate {
        /// The one that stays.
        of: String,
    },
    /// It is no longer in the stack.
    Delete,
    /// It is no longer in the stack, and is gone already or is not ours to remove.
    Forget,
}

impl Action {
    /// The word for tables and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Create => "create",
            Action::Adopt { .. } => "adopt",
            Action::Update { .. } => "update",
            Action::Replace { .. } => "replace",
            Action::Resume { .. } => "resume",
            Action::Duplicate { .. } => "duplicate",
            Action::Delete => "delete",
            Action::Forget => "forget",
        }
    }

    /// The differences it is about.
    pub fn diff(&self) -> Option<&Diff> {
        match self {
            Action::Adopt { diff, .. }
            | Action::Update { diff }
            | Action::Replace { diff, .. }
            | Action::Resume { diff, .. } => Some(diff),
            Action::Keep | Action::Create | Action::Duplicate { .. } | Action::Delete | Action::Forget => None,
        }
    }

    /// Whether there is an object afterwards that was not this node's before.
    pub fn makes(&self) -> bool {
        matches!(self, Action::Create | Action::Adopt { .. } | Action::Replace { .. })
    }

    /// Whether the object is lost by it.
    pub fn destroys(&self) -> bool {
        matches!(self, Action::Delete | Action::Replace { .. } | Action::Duplicate { .. })
    }
}

/// One node's part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The node's name.
    pub node: String,
    /// The kind's name.
    pub kind: String,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
    /// AWS's identifier, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Losing the object loses data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stateful: bool,
    /// What is lost with the object, though it holds no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precious: Option<&'static str>,
    /// What it will be, where it is made or taken over. What only the apply will know is a reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// Which comes first where the action is a replacement.
    #[serde(skip)]
    pub replace: Replace,
    /// AWS refuses to remove the object while others stand in it.
    #[serde(skip)]
    pub ground: bool,
    /// Why what stands is out of service for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage: Option<String>,
    /// What the stack wants of it and AWS would refuse.
    #[serde(skip)]
    pub refused: Option<OutOfReach>,
}

impl Step {
    /// Whether the object goes before any successor comes.
    pub fn goes_first(&self) -> bool {
        match self.action {
            Action::Delete => true,
            Action::Replace { .. } => self.replace == Replace::DeleteFirst,
            _ => false,
        }
    }
}

/// Every node of the stack and of the state, dependencies first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether nothing needs doing.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// The steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::Keep)
    }

    /// The part of it that is about these nodes.
    pub fn only(mut self, nodes: &BTreeSet<String>) -> Plan {
        self.steps.retain(|step| nodes.contains(&step.node));
        self
    }

    /// The duplicates that it shows.
    pub fn duplicates(&self) -> BTreeSet<String> {
        let steps = self.steps.iter().filter(|step| matches!(step.action, Action::Duplicate { .. }));
        steps.filter_map(|step| step.id.clone()).collect()
    }

    /// What is planned for a node.
    pub fn action(&self, node: &str) -> Option<&Action> {
        self.steps.iter().find(|step| step.node == node).map(|step| &step.action)
    }

    /// How many steps do this.
    pub fn count(&self, word: &str) -> usize {
        self.steps.iter().filter(|step| step.action.word() == word).count()
    }
}

/// The one decision about a node that is in the stack. The plan shows it, and the engine makes it again with what it
/// sees at that moment.
pub fn decide(facts: &Facts, want: &Value, recorded: Option<&NodeState>, seen: Option<&Seen>) -> Action {
    let Some(seen) = seen else { return Action::Create };
    let diff = facts.diff(want, &seen.live);
    let immutable: Vec<&str> = diff.immutable().map(|change| change.path.as_str()).collect();
    match &seen.phase {
        Phase::Deleting => return Action::Replace { diff, reason: "it is being deleted".into() },
        Phase::Failed(reason) if facts.recreate_failed => {
            return Action::Replace { reason: format!("it failed: {reason}"), diff };
        }
        _ => {}
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
        let refused = now.filter(|_| other.is_none()).and_then(|now| (facts.out_of_reach)(&want, &now.live));
        let mut step = Step {
            node: name.clone(),
            kind: entry.kind.into(),
            id,
            stateful: (facts.stateful && !never_was(&facts, now)) || other.is_some_and(|other| other.stateful),
            precious: match other {
                Some(other) => other.precious,
                None => facts.precious.filter(|_| now.is_some() && !never_was(&facts, now)),
            },
            spec: action.makes().then_some(want),
            action,
            replace,
            ground: other.unwrap_or(facts).ground,
            outage: None,
            refused,
        };
        step.outage = now.and_then(|now| outage(&step, &facts, now));
        steps.push(step);
        steps.extend(duplicates(name, &facts, recorded, now));
    }
    steps.extend(leaving(state, &|name| stack.nodes.contains_key(name), seen, facts)?);
    Ok(Plan { steps })
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
    facts.recreate_failed && now.is_some_and(|now| matches!(now.phase, Phase::Failed(_)))
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
        steps.push(Step {
            node: name.clone(),
            kind: node.kind.clone(),
            action,
            id: node.id.clone(),
            stateful: facts.stateful,
            precious: facts.precious,
            spec: None,
            replace: facts.replace,
            ground: facts.ground,
            outage: None,
            refused: None,
        });
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
        now.duplicates.iter().map(move |id| Step {
            node: node.to_owned(),
            kind: facts.kind.to_owned(),
            action: Action::Duplicate { of: now.id.clone() },
            id: Some(id.clone()),
            stateful: facts.stateful,
            precious: facts.precious,
            spec: None,
            replace: facts.replace,
            ground: facts.ground,
            outage: None,
            refused: None,
        })
    })
}

/// What nodes may be told of the outputs of others while planning.
#[derive(Default)]
struct Known {
    outputs: BTreeMap<String, Value>,
    /// Of what is replaced: what its successor will have again.
    of_successors: BTreeMap<String, Value>,
}

impl Known {
    /// The outputs that are not interrupted either.
    fn for_good(&self, node: &str) -> Option<Value> {
        self.outputs.get(node).cloned()
    }

    /// The outputs as they will be after the apply.
    fn by_the_end(&self, node: &str) -> Option<Value> {
        self.outputs.get(node).or_else(|| self.of_successors.get(node)).cloned()
    }

    fn learn(
        &mut self,
        name: &str,
        facts: &Facts,
        action: &Action,
        want: &Value,
        recorded: Option<&NodeState>,
        now: Option<&Seen>,
    ) {
        let foretold = || recorded.and_then(|node| foretold(facts, want, node));
        let (into, outputs) = match action {
            Action::Create => (&mut self.outputs, foretold()),
            Action::Replace { .. } => (&mut self.of_successors, foretold()),
            _ => (&mut self.outputs, now.and_then(|now| outputs_that_last(facts, action, now))),
        };
        into.extend(outputs.map(|outputs| (name.to_owned(), outputs)));
    }
}

/// The outputs that an object made anew will have as the recorded one had them.
fn foretold(facts: &Facts, want: &Value, recorded: &NodeState) -> Option<Value> {
    let same = |field: &&str| want.get(*field) == recorded.spec.get(*field);
    if recorded.kind != facts.kind || !facts.immutable.iter().all(same) {
        return None;
    }
    let last = |field: &&&str| !facts.volatile.contains(*field) || facts.diff(want, &recorded.spec).is_empty();
    let again = facts.foretold.iter().filter(last);
    let outputs = again.map(|field| Some(((*field).to_owned(), recorded.outputs.get(*field)?.clone())));
    outputs.collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
}

/// The outputs other nodes may count on while planning: none of an object that goes, and not those that the planned
/// update may change.
fn outputs_that_last(facts: &Facts, action: &Action, now: &Seen) -> Option<Value> {
    if action.destroys() {
        return None;
    }
    let mut outputs = now.outputs.clone();
    let changes = action.diff().is_some_and(|diff| diff.changes.iter().any(|change| !change.path.starts_with("tags")));
    if let (true, Some(fields)) = (changes, outputs.as_object_mut()) {
        facts.volatile.iter().for_each(|field| drop(fields.remove(*field)));
    }
    Some(outputs)
}

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
