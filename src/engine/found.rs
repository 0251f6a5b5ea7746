//! What is ours in AWS and stands in no record, and a record made of it, so that it is removed by the same walk.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::observe::{Scope, observe};
use super::ownership::judge;
use super::report::NodeFailure;
use crate::error::{Class, Fault, Result};
use crate::plan::Observations;
use crate::resource::{Cx, Facts, Found, GoesWith, Holder, Owner, Phase, Seen, TAG_NODE};
use crate::stack::Stack;
use crate::state::{NodeState, Progress, State, base_name};

/// An object that is ours, by its tags or by what it is a part of, and in no record.
#[derive(Debug, Clone, Serialize)]
pub struct Unrecorded {
    /// The node it was made for.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// AWS's identifier.
    pub id: String,
    /// Losing it loses data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stateful: bool,
    /// What AWS says of it.
    #[serde(skip)]
    pub seen: Seen,
}

/// What AWS keeps for a while of an object that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The node it was made for.
    pub node: String,
    /// AWS's identifier.
    pub id: String,
    /// What it is, and for how long.
    pub why: String,
}

/// What the kinds' own lists tell, beyond what is known.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Ours, and in no record.
    pub unrecorded: Vec<Unrecorded>,
    /// What was removed, and is kept for a while.
    pub kept: Vec<Kept>,
}

/// Something of others that stands in the way of a removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The node that it holds.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// What it is, with its id.
    pub by: String,
}

pub(super) type Failures = Vec<NodeFailure>;

/// Asks every kind for all that is this stack's and environment's, and leaves out what is recorded and what was seen for
/// a node of the stack.
///
/// # Errors
/// Every kind that could not be asked, and every object that could not be read.
pub async fn inventory<C: 'static>(
    scope: &Scope<'_, C>,
    stack: Option<&Stack>,
    state: &State,
    seen: &Observations,
) -> Result<Inventory, Failures> {
    let known = known(stack, state, seen);
    let lists = scope.kinds.names().map(|name| async move {
        let owner = state.owner("", "");
        let listed = match scope.kinds.get(name) {
            Ok(kind) => kind.list(Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass }).await,
            Err(fault) => Err(fault),
        };
        listed.map(|found| (name, found)).map_err(|fault| NodeFailure::new("-", name, "list", fault))
    });
    let lists: Vec<_> = stream::iter(lists).buffered(scope.parallelism.max(1)).collect().await;
    let mut found = Vec::new();
    for (kind, all) in all_or_failures(lists)? {
        let new = all.into_iter().filter(|one| one.kept.is_some() || !known.contains(&(kind, one.id.as_str())));
        found.extend(new.map(|one| (kind, one)));
    }
    let looks = found.into_iter().map(|(kind, found)| examine(scope, state, kind, found));
    let looks: Vec<_> = stream::iter(looks).buffered(scope.parallelism.max(1)).collect().await;
    let mut inventory = Inventory::default();
    for looked in all_or_failures(looks)? {
        match looked {
            Some(Looked::Stands(object)) => inventory.unrecorded.push(*object),
            Some(Looked::Kept(kept)) => inventory.kept.push(kept),
            None => {}
        }
    }
    Ok(inventory)
}

pub(super) fn all_or_failures<T>(results: Vec<Result<T, NodeFailure>>) -> Result<Vec<T>, Failures> {
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => all.push(one),
            Err(failure) if failure.fault.class == Class::Credentials => return Err(vec![failure]),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(all) } else { Err(failures) }
}

/// Every object that is recorded, or was seen for a node, by kind and id.
fn known<'a>(stack: Option<&'a Stack>, state: &'a State, seen: &'a Observations) -> BTreeSet<(&'a str, &'a str)> {
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    known.extend(state.nodes.values().filter_map(|node| Some((node.kind.as_str(), node.id.as_deref()?))));
    for (name, seen) in seen.iter().filter_map(|(name, seen)| Some((name, seen.as_ref()?))) {
        let entry = stack.and_then(|stack| stack.nodes.get(name)).map(|entry| entry.kind);
        let kind = entry.or_else(|| state.nodes.get(name).map(|node| node.kind.as_str()));
        let ids = [&seen.id].into_iter().chain(&seen.duplicates).map(String::as_str);
        known.extend(kind.into_iter().flat_map(|kind| ids.clone().map(move |id| (kind, id))));
    }
    known
}

enum Looked {
    Stands(Box<Unrecorded>),
    Kept(Kept),
}

/// Looks at what a list names: lists lag, so it may be gone, or somebody else's by now.
async fn examine<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    kind_name: &str,
    found: Found,
) -> Result<Option<Looked>, NodeFailure> {
    let Found { node, id, kept } = found;
    if let Some(why) = kept {
        return Ok(Some(Looked::Kept(Kept { node, id, why })));
    }
    let owner = state.owner(&node, "");
    let look = async {
        let kind = scope.kinds.get(kind_name)?;
        let spec = kind.blank(&Value::Null)?;
        let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        match kind.observe(cx(), &spec, Some(&id)).await? {
            Some(seen) => {
                // A list that goes by what it is a part of does not know what its own tags say.
                let node = node_of(&seen).unwrap_or_else(|| node.clone());
                if is_others(&state.owner(&node, ""), &kind.facts(), &seen) {
                    return Ok(None);
                }
                let (kind, stateful) = (kind_name.to_owned(), kind.facts().stateful);
                Ok(Some(Looked::Stands(Box::new(Unrecorded { node, kind, id: id.clone(), stateful, seen }))))
            }
            None => {
                let why = kind.kept(cx(), &id).await?;
                Ok(why.map(|why| Looked::Kept(Kept { node: node.clone(), id: id.clone(), why })))
            }
        }
    };
    look.await.map_err(|fault: Fault| NodeFailure::new(&node, kind_name, "observe", fault))
}

/// The node that its tags name.
fn node_of(seen: &Seen) -> Option<String> {
    Some(seen.live.get("tags")?.get(TAG_NODE)?.as_str()?.to_owned())
}

/// Whether its tags say that it is another's, or leave it open. What has none is ours as what it is a part of is.
fn is_others(owner: &Owner, facts: &Facts, seen: &Seen) -> bool {
    seen.live.get("tags").is_some_and(|tags| !tags.is_null()) && judge(owner, facts, None, seen).is_err()
}

/// A record made of what AWS shows.
#[derive(Debug)]
pub struct Recovered {
    /// The state with all that was found.
    pub state: State,
    /// What AWS says of each of its nodes.
    pub seen: Observations,
    /// The nodes that no record told of.
    pub found: BTreeSet<String>,
    /// The nodes that stand for what AWS has put into ours by itself.
    pub lodgers: BTreeSet<String>,
    /// What AWS keeps for a while of what was removed.
    pub kept: Vec<Kept>,
}

/// Adds to a state what is ours and in no record: where nothing is recorded, first all that the stack leads to, found as
/// an apply would find it; then what the lists tell. The specs are those of the live objects, and what depends on what is
/// told by the stack or, where that does not know an object, by the ids and ARNs in its spec.
///
/// # Errors
/// Everything that could not be read.
pub async fn recover<C: 'static>(
    scope: &Scope<'_, C>,
    stack: Option<&Stack>,
    state: &State,
    seen: Observations,
) -> Result<Recovered, Failures> {
    let mut all = Recovered::of(state.clone(), seen);
    all.set_aside_what_goes_already(scope).await?;
    if let Some(stack) = stack.filter(|_| state.nodes.is_empty()) {
        all.take_what_the_stack_leads_to(scope, stack).await?;
    }
    let inventory = inventory(scope, None, &all.state, &all.seen).await?;
    all.kept.extend(inventory.kept);
    all.kept.sort_by(|one, other| (&one.node, &one.id).cmp(&(&other.node, &other.id)));
    all.kept.dedup_by(|one, other| one.id == other.id);
    let mut listed: Vec<String> = inventory.unrecorded.into_iter().map(|object| all.take(object)).collect();
    listed.extend(all.take_lodgers(scope).await?);
    link(&mut all.state, &listed);
    // What is shared stands whether or not this environment was ever there, and what a service made is no proof of it.
    let is_own = |name: &String| {
        let kind = all.state.nodes.get(name).and_then(|node| scope.kinds.get(&node.kind).ok());
        let unchosen = all.seen.get(name).and_then(Option::as_ref).is_some_and(|seen| seen.unchosen);
        kind.is_some_and(|kind| !kind.facts().shared) && !unchosen
    };
    if state.nodes.is_empty() && !all.found.iter().any(is_own) {
        all.state.nodes.clear();
        all.found.clear();
        all.seen.clear();
    }
    Ok(all)
}

impl Recovered {
    /// What is recorded, and was seen of it.
    pub fn of(state: State, seen: Observations) -> Recovered {
        Recovered { state, seen, found: BTreeSet::new(), lodgers: BTreeSet::new(), kept: Vec::new() }
    }

    /// What is recorded and AWS only keeps for a while is not removed a second time.
    async fn set_aside_what_goes_already<C: 'static>(&mut self, scope: &Scope<'_, C>) -> Result<(), Failures> {
        for (name, node) in &self.state.nodes {
            let Some(Some(seen)) = self.seen.get(name) else { continue };
            let Phase::Failed(why) = &seen.phase else { continue };
            if by_id(scope, &self.state, &node.kind, name, seen).await?.is_none() {
                self.kept.push(Kept { node: name.clone(), id: seen.id.clone(), why: why.clone() });
                self.seen.insert(name.clone(), None);
            }
        }
        Ok(())
    }

    async fn take_what_the_stack_leads_to<C: 'static>(
        &mut self,
        scope: &Scope<'_, C>,
        stack: &Stack,
    ) -> Result<(), Failures> {
        let seen = observe_ours(scope, stack, &self.state).await?;
        for (name, seen) in seen.into_iter().filter_map(|(name, seen)| Some((name, seen?))) {
            let Some(entry) = stack.nodes.get(&name) else { continue };
            if let Phase::Failed(why) = &seen.phase
                && by_id(scope, &self.state, entry.kind, &name, &seen).await?.is_none()
            {
                self.kept.push(Kept { node: name, id: seen.id, why: why.clone() });
                continue;
            }
            let node = as_found(entry.kind, &seen, entry.edges.clone());
            self.state.nodes.insert(name.clone(), node);
            self.found.insert(name.clone());
            self.seen.insert(name, Some(seen));
        }
        Ok(())
    }

    /// Takes up an object under its node's name or, where that is taken, beside it. Tells the name.
    pub(super) fn take(&mut self, object: Unrecorded) -> String {
        let Unrecorded { node, kind, seen, .. } = object;
        let beside = (1..).map(|at| format!("{node}@found-{at}"));
        let name = [node.clone()].into_iter().chain(beside).find(|name| !self.state.nodes.contains_key(name));
        let name = name.unwrap_or(node);
        self.state.nodes.insert(name.clone(), as_found(&kind, &seen, BTreeSet::new()));
        self.found.insert(name.clone());
        self.seen.insert(name.clone(), Some(seen));
        name
    }
}

fn as_found(kind: &str, seen: &Seen, edges: BTreeSet<String>) -> NodeState {
    NodeState {
        kind: kind.to_owned(),
        spec: seen.live.clone(),
        edges,
        id: Some(seen.id.clone()),
        identity: seen.identity.clone(),
        outputs: seen.outputs.clone(),
        progress: Progress::Ready,
        attempt: None,
        created: None,
    }
}

/// What an object's id leads to that a search has found.
async fn by_id<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    kind: &str,
    node: &str,
    seen: &Seen,
) -> Result<Option<Seen>, Failures> {
    let owner = state.owner(node, "");
    let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    let look = async { scope.kinds.get(kind)?.observe(cx, &seen.live, Some(&seen.id)).await };
    look.await.map_err(|fault| vec![NodeFailure::new(node, kind, "observe", fault)])
}

/// What the stack leads to and is ours. What others have made under our names is left alone, and with it is all that can
/// only be found by way of it.
async fn observe_ours<C: 'static>(
    scope: &Scope<'_, C>,
    stack: &Stack,
    state: &State,
) -> Result<Observations, Failures> {
    let mut nodes: BTreeSet<String> = stack.nodes.keys().cloned().collect();
    loop {
        let scope = Scope { only: Some(&nodes), adopt: false, ..*scope };
        let failures = match observe(&scope, Some(stack), state).await {
            Ok(seen) => return Ok(seen),
            Err(failures) => failures,
        };
        let others: BTreeSet<String> =
            failures.iter().filter(is_of_others).map(|failure| failure.node.clone()).collect();
        if others.len() < failures.len() {
            return Err(failures.into_iter().filter(|failure| !is_of_others(&failure)).collect());
        }
        nodes.retain(|node| !others.contains(node));
    }
}

fn is_of_others(failure: &&NodeFailure) -> bool {
    failure.fault.class == Class::Exists
}

/// Gives the objects of which only lists told their edges, and others the edges to them.
fn link(state: &mut State, listed: &[String]) {
    let names: BTreeMap<String, Vec<String>> =
        state.nodes.iter().map(|(name, node)| (name.clone(), identifiers(node))).collect();
    let texts: BTreeMap<String, BTreeSet<String>> =
        state.nodes.iter().map(|(name, node)| (name.clone(), texts(&node.spec))).collect();
    for (user, said) in &texts {
        for (used, ids) in names.iter().filter(|(used, _)| listed.contains(user) || listed.contains(*used)) {
            let edge = base_name(used);
            if edge != base_name(user) && ids.iter().any(|id| said.contains(id)) && !stands_on(state, used, user) {
                state.nodes.entry(user.clone()).and_modify(|node| _ = node.edges.insert(edge.to_owned()));
            }
        }
    }
}

/// What other specs call an object by: its id, and what it gives out under the name of an id or an ARN.
fn identifiers(node: &NodeState) -> Vec<String> {
    let outputs = node.outputs.as_object().into_iter().flatten();
    let named = outputs.filter(|(field, _)| field.ends_with("arn") || field.ends_with("id"));
    let given = named.filter_map(|(_, value)| value.as_str().map(str::to_owned));
    node.id.iter().cloned().chain(given).filter(|id| !id.is_empty()).collect()
}

/// Every text in a spec but for its own name and its tags.
fn texts(spec: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => _ = found.insert(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| walk(field, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let fields = spec.as_object().into_iter().flatten();
    fields
        .filter(|(field, _)| !["name", "tags"].contains(&field.as_str()))
        .for_each(|(_, value)| walk(value, &mut found));
    found
}

/// Whether an object stands on another, near or far.
fn stands_on(state: &State, user: &str, used: &str) -> bool {
    let mut open = vec![base_name(user).to_owned()];
    let mut done = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next == base_name(used) {
            return true;
        }
        if done.insert(next.clone()) {
            let same = state.nodes.iter().filter(|(name, _)| base_name(name) == next);
            open.extend(same.flat_map(|(_, node)| node.edges.iter().cloned()));
        }
    }
    false
}

/// What others have made that stands in the way of removing what is recorded: what goes with an object that is recorded
/// or `ours` goes by itself, and is left out.
///
/// # Errors
/// Every node whose holders could not be asked for.
pub async fn obstacles<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    seen: &Observations,
    ours: &[Unrecorded],
) -> Result<Vec<Obstacle>, Failures> {
    let recorded = state.nodes.values().filter_map(|node| node.id.as_deref());
    // Of a create that was never answered only the look tells the id.
    let looked = seen.values().flatten().flat_map(|seen| std::iter::once(&seen.id).chain(&seen.duplicates));
    let found = looked.chain(ours.iter().map(|object| &object.id)).map(String::as_str);
    let ids: Vec<&str> = recorded.chain(found).collect();
    let standing = state.nodes.iter().filter_map(|(name, node)| Some((name, node, seen.get(name)?.as_ref()?)));
    let asks = standing.map(|(name, node, seen)| async move {
        let owner = state.owner(name, "");
        let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        let held = async {
            let kind = scope.kinds.get(&node.kind)?;
            if kind.facts().shared { Ok(Vec::new()) } else { kind.blockers(cx, &node.spec, seen).await }
        };
        held.await
            .map(|held| (name, node, held))
            .map_err(|fault| NodeFailure::new(name, &node.kind, "look ahead", fault))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    let (mut obstacles, mut told) = (Vec::new(), BTreeSet::new());
    for (name, node, held) in all_or_failures(asked)? {
        for holder in held.into_iter().filter(|holder| stays(holder, &ids)) {
            let what = if let GoesWith::Object(id) = &holder.goes { id } else { &holder.words };
            if told.insert(what.clone()) {
                obstacles.push(Obstacle { node: name.clone(), kind: node.kind.clone(), by: holder.words });
            }
        }
    }
    Ok(obstacles)
}

fn stays(holder: &Holder, ids: &[&str]) -> bool {
    match &holder.goes {
        GoesWith::Nothing => true,
        GoesWith::Unknown => false,
        GoesWith::Object(object) => !ids.contains(&object.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::Besides;

    fn node(kind: &str, id: &str, spec: Value, outputs: Value) -> NodeState {
        let seen = Seen {
            id: id.into(),
            live: spec,
            outputs,
            phase: Phase::Ready,
            foreign: None,
            duplicates: Vec::new(),
            identity: None,
            unchosen: false,
            besides: Besides::default(),
        };
        as_found(kind, &seen, BTreeSet::new())
    }

    #[test]
    fn what_depends_on_what_is_told_by_ids_and_arns_and_never_goes_round() {
        let mut state = State::new("shop", "dev", "123456789012", "us-east-1");
        let nodes = [
            ("vpc", node("ec2.vpc", "vpc-1", json!({"cidr": "10.0.0.0/16"}), json!({"vpc_id": "vpc-1"}))),
            ("subnet@found-1", node("ec2.subnet", "subnet-1", json!({"vpc_id": "vpc-1"}), json!({"zone": "a"}))),
            ("key", node("kms.key", "k-1", json!({"policy": {"x": "arn:role"}}), json!({"arn": "arn:key"}))),
            ("role", node("iam.role", "r", json!({"policies": ["arn:key"]}), json!({"arn": "arn:role"}))),
            ("disk", node("t.disk", "d", json!({"in": ["subnet-1"], "tags": {"x": "vpc-1"}}), json!({}))),
        ];
        state.nodes.extend(nodes.map(|(name, node)| (name.to_owned(), node)));
        let all: Vec<String> = state.nodes.keys().cloned().collect();
        link(&mut state, &all);
        let edges = |name: &str| state.nodes[name].edges.iter().cloned().collect::<Vec<_>>();
        assert_eq!(edges("subnet@found-1"), ["vpc"]);
        assert_eq!(edges("disk"), ["subnet"]);
        assert_eq!(edges("vpc"), Vec::<String>::new());
        assert_eq!(edges("key").len() + edges("role").len(), 1, "each names the other");
    }
}
