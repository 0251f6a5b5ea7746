//! What could be restored in place of what is gone, or is to be made without data; and what there is to go back to of
//! everything that holds data.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::found::{Failures, all_or_failures};
use super::observe::Scope;
use super::report::NodeFailure;
use crate::error::Result;
use crate::plan::{Action, Plan};
use crate::resource::{Backup, Cx, Found, WayBack};
use crate::state::{NodeState, State, base_name};

/// By node, the newest first. A node without any is not there.
pub type Backups = BTreeMap<String, Vec<Backup>>;

/// A node that is asked for, with its kind and its spec.
pub type Bare<'a> = (&'a str, &'a str, &'a Value);

/// What there is to go back to of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// The node.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// Whether nothing of it is left but this: it was destroyed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// How one can go back.
    #[serde(rename = "instead", serialize_with = "instead", skip_serializing_if = "has_backups")]
    pub way_back: WayBack,
    /// The newest first.
    pub backups: Vec<Backup>,
}

fn has_backups(way_back: &WayBack) -> bool {
    !matches!(way_back, WayBack::Otherwise(_))
}

fn instead<S: Serializer>(way_back: &WayBack, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match way_back {
        WayBack::Otherwise(words) => serializer.serialize_str(words),
        WayBack::NoData | WayBack::Backups => serializer.serialize_none(),
    }
}

/// The stores that a plan finds gone, or would make empty.
pub fn without_data<'a>(plan: &'a Plan, state: &'a State) -> Vec<Bare<'a>> {
    let bare = plan.steps.iter().filter(|step| step.stateful);
    let bare = bare.filter(|step| matches!(step.action, Action::Create | Action::Lost { .. }));
    let spec = |node: &str| state.nodes.get(node).map(|node| &node.spec);
    bare.filter_map(|step| Some((step.node.as_str(), step.kind.as_str(), step.spec.as_ref().or(spec(&step.node))?)))
        .collect()
}

/// Asks AWS what each of these nodes could be restored from. Nothing is written.
///
/// # Errors
/// Every node of which that could not be asked.
pub async fn backups<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    nodes: Vec<Bare<'_>>,
) -> Result<Backups, Failures> {
    let asks = nodes.into_iter().map(|(name, kind, spec)| async move {
        let owner = state.owner(name, "");
        let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        let ask = async { scope.kinds.get(kind)?.backups(cx, spec).await };
        let found = ask.await.map_err(|fault| NodeFailure::new(name, kind, VERB, fault))?;
        Ok((name.to_owned(), Backup::newest_first(found)))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    Ok(all_or_failures(asked)?.into_iter().filter(|(_, found)| !found.is_empty()).collect())
}

const VERB: &str = "list backups";

/// Asks AWS what there is to go back to of everything that holds data: of what is recorded, of what stands in no record and
/// carries the environment's tags, and of what is gone and left something. By node; with `only`, of that one. Nothing is
/// written.
///
/// # Errors
/// Every node of which that could not be asked.
pub async fn holdings<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    only: Option<&str>,
) -> Result<Vec<Holding>, Failures> {
    let is_wanted = |node: &str| only.is_none_or(|only| only == node);
    let recorded = state.nodes.iter().filter(|(name, _)| base_name(name) == name.as_str() && is_wanted(name));
    let asks = recorded.map(|(name, node)| async move {
        of_recorded(scope, state, name, node).await.map_err(|fault| NodeFailure::new(name, &node.kind, VERB, fault))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    let mut all: Vec<Holding> = all_or_failures(asked)?.into_iter().flatten().collect();
    let unrecorded = unrecorded(scope, state).await?;
    let asks = unrecorded.into_iter().filter(|(_, node, _)| is_wanted(node)).map(|(kind, node, ids)| async move {
        let asked = of_unrecorded(scope, state, kind, &node, &ids).await;
        asked.map_err(|fault| NodeFailure::new(&node, kind, VERB, fault))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    all.extend(all_or_failures(asked)?.into_iter().flatten());
    all.sort_by(|one, other| (one.gone, &one.node).cmp(&(other.gone, &other.node)));
    Ok(all)
}

async fn of_recorded<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    name: &str,
    node: &NodeState,
) -> Result<Option<Holding>> {
    let kind = scope.kinds.get(&node.kind)?;
    let owner = state.owner(name, "");
    let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    let way_back = kind.facts().way_back;
    let backups = match way_back {
        WayBack::NoData => return Ok(None),
        WayBack::Backups => kind.backups(cx(), &node.spec).await?,
        WayBack::Otherwise(_) => {
            kept(kind.kept(cx(), node.id.as_deref().unwrap_or_default()), node.id.as_deref()).await?
        }
    };
    Ok(Some(holding(name, &node.kind, false, way_back, backups)))
}

fn holding(node: &str, kind: &str, gone: bool, way_back: WayBack, backups: Vec<Backup>) -> Holding {
    let backups = Backup::newest_first(backups);
    Holding { node: node.to_owned(), kind: kind.to_owned(), gone, way_back, backups }
}

/// What AWS keeps of an object for who asks by its id, as a backup.
async fn kept(ask: impl Future<Output = Result<Option<String>>>, id: Option<&str>) -> Result<Vec<Backup>> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let why = ask.await?;
    Ok(why.map(|what| Backup { id: id.to_owned(), what, ..Backup::default() }).into_iter().collect())
}

/// By kind, the nodes that are in no record, with the ids that the kind's list tells of them.
async fn unrecorded<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
) -> Result<Vec<(&'static str, String, BTreeSet<String>)>, Failures> {
    let holds = |name: &&'static str| scope.kinds.get(name).is_ok_and(|kind| kind.facts().way_back != WayBack::NoData);
    let lists = scope.kinds.names().filter(holds).map(|name| async move {
        let owner = state.owner("", "");
        let listed = match scope.kinds.get(name) {
            Ok(kind) => kind.list(Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass }).await,
            Err(fault) => Err(fault),
        };
        listed.map(|found| (name, found)).map_err(|fault| NodeFailure::new("-", name, VERB, fault))
    });
    let lists: Vec<_> = stream::iter(lists).buffered(scope.parallelism.max(1)).collect().await;
    let mut nodes: BTreeMap<(&'static str, String), BTreeSet<String>> = BTreeMap::new();
    for (kind, found) in all_or_failures(lists)? {
        for Found { node, id, kept } in found.into_iter().filter(|one| !state.nodes.contains_key(&one.node)) {
            // What is only kept is no id to look at.
            nodes.entry((kind, node)).or_default().extend(kept.is_none().then_some(id));
        }
    }
    Ok(nodes.into_iter().map(|((kind, node), ids)| (kind, node, ids)).collect())
}

/// Lists lag: what they name may be gone, and may have left nothing.
async fn of_unrecorded<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    kind_name: &str,
    node: &str,
    ids: &BTreeSet<String>,
) -> Result<Option<Holding>> {
    let kind = scope.kinds.get(kind_name)?;
    let owner = state.owner(node, "");
    let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    let (blank, way_back) = (kind.blank(&Value::Null)?, kind.facts().way_back);
    let mut live = None;
    let mut backups = Vec::new();
    for id in ids.iter().map(String::as_str) {
        match kind.observe(cx(), &blank, Some(id)).await? {
            Some(seen) => live = Some(seen.live),
            None if way_back != WayBack::Backups => backups.extend(kept(kind.kept(cx(), id), Some(id)).await?),
            None => {}
        }
    }
    if way_back == WayBack::Backups {
        backups = kind.backups(cx(), live.as_ref().unwrap_or(&blank)).await?;
    }
    let gone = live.is_none();
    Ok((!gone || !backups.is_empty()).then(|| holding(node, kind_name, gone, way_back, backups)))
}
