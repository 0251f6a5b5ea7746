//! Copies of a database beside the one that serves, restored from a snapshot or to a point in time: to look at data as they
//! were, and to show that a backup can be read. A copy is two nodes like any other, a cluster and one instance, with the
//! settings of the one that it is a copy of as they were recorded; nobody is led to it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::primitives::DateTime;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::{Aws, IfPresent};
use crate::error::{Fault, Result};
use crate::resource::{Resource, TAG_NODE, Tags};
use crate::resources::rds::{DbCluster, DbInstance, Origin};
use crate::stack::{Entry, Stack};
use crate::state::{NodeState, State};

/// What a copy is to begin with, as a person says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The data of the snapshot with this identifier.
    Snapshot(String),
    /// The data as they were then; none: the latest that AWS can.
    Moment(Option<Timestamp>),
}

/// Where the data of a copy come from, and the version that they were written with.
struct Source {
    origin: Origin,
    version: String,
}

/// The names of the nodes that are the copy of this one: the cluster, and its instance.
pub fn names(node: &str) -> [String; 2] {
    [format!("{node}-copy"), format!("{node}-copy-instance")]
}

/// Adds the copies that are recorded, as they were recorded: what the settings ask for says nothing of them.
pub fn keep(stack: &mut Stack, state: &State) {
    let is_copy = |node: &&NodeState| node.kind == DbCluster::KIND && !node.spec["restored_from"].is_null();
    let clusters =
        state.nodes.iter().filter(|(_, node)| is_copy(node)).map(|(name, node)| (name, node, DbCluster::KIND));
    let names: BTreeSet<&str> = clusters.clone().filter_map(|(_, node, _)| node.spec["name"].as_str()).collect();
    let member = |node: &NodeState| node.spec["cluster_identifier"].as_str().is_some_and(|name| names.contains(name));
    let members = state.nodes.iter().filter(|(_, node)| node.kind == DbInstance::KIND && member(node));
    let members = members.map(|(name, node)| (name, node, DbInstance::KIND));
    let copies: BTreeMap<String, Entry> =
        clusters.chain(members).map(|(name, node, kind)| (name.clone(), recorded(kind, node))).collect();
    if let Some(end) = stack.turn.as_mut().and_then(|turn| turn.end.as_mut()) {
        end.nodes.extend(copies.clone());
    }
    stack.nodes.extend(copies);
}

fn recorded(kind: &'static str, node: &NodeState) -> Entry {
    Entry { kind, spec: node.spec.clone(), edges: node.edges.clone() }
}

/// The nodes of a copy of `node`, one that is begun already or a new one.
///
/// # Errors
/// Where the node is no cluster that is recorded, where another copy of it stands, and where AWS has no such data.
pub async fn of(aws: &Aws, state: &State, node: &str, wish: &Wish) -> Result<BTreeMap<String, Entry>> {
    let Some(own) = state.nodes.get(node).filter(|own| own.kind == DbCluster::KIND && own.id.is_some()) else {
        return Err(Fault::invalid(format!(
            "{node} is no recorded Aurora cluster: copies are made of those alone so far"
        )));
    };
    let source = source(aws, own, wish).await?;
    let [cluster, instance] = names(node);
    if let Some(other) = state.nodes.get(&cluster) {
        refuse_another(node, other, &source.origin)?;
    }
    let name = format!("{}-copy", text(&own.spec["name"]));
    let mut spec = own.spec.clone();
    spec["name"] = json!(name);
    spec["engine_version"] = json!(source.version);
    spec["restored_from"] = json!(source.origin);
    // Its logs would be in a group that RDS makes for itself, and its data stand in what it was restored from.
    (spec["log_exports"], spec["log_group"], spec["final_snapshot"]) = (json!([]), Value::Null, json!(false));
    let cluster_entry = Entry { kind: DbCluster::KIND, spec: tagged(spec, &cluster, &name)?, edges: own.edges.clone() };
    let member = member(state, own)?;
    let mut spec = member.spec.clone();
    let member_name = format!("{name}-1");
    (spec["name"], spec["cluster_identifier"]) = (json!(member_name), json!(name));
    let mut edges = member.edges.clone();
    edges.remove(node);
    edges.insert(cluster.clone());
    let instance_entry = Entry { kind: DbInstance::KIND, spec: tagged(spec, &instance, &member_name)?, edges };
    Ok([(cluster, cluster_entry), (instance, instance_entry)].into())
}

/// A recorded instance of a cluster, as a pattern for one of its copy.
fn member<'a>(state: &'a State, cluster: &NodeState) -> Result<&'a NodeState> {
    let is_member =
        |node: &&NodeState| node.kind == DbInstance::KIND && node.spec["cluster_identifier"] == cluster.spec["name"];
    let missing = || Fault::invalid("no instance of this cluster is recorded; run `tapctl apply` first");
    state.nodes.values().find(is_member).ok_or_else(missing)
}

fn refuse_another(node: &str, other: &NodeState, origin: &Origin) -> Result<()> {
    match other.spec["restored_from"] == json!(origin) {
        true => Ok(()),
        false => Err(Fault::invalid(format!("there is another copy of {node} already"))
            .with_advice(format!("remove it first: `tapctl restore {node} --drop`"))),
    }
}

/// The spec with the ownership tags of this node, and a name of its own.
fn tagged(mut spec: Value, node: &str, name: &str) -> Result<Value> {
    let mut tags: Tags = serde_json::from_value(spec["tags"].clone())
        .map_err(|error| Fault::unexpected(format!("the recorded tags cannot be read: {error}")))?;
    tags.extend([(TAG_NODE.to_owned(), node.to_owned()), ("Name".to_owned(), name.to_owned())]);
    spec["tags"] = json!(tags);
    Ok(spec)
}

async fn source(aws: &Aws, cluster: &NodeState, wish: &Wish) -> Result<Source> {
    let source = match wish {
        Wish::Snapshot(id) => snapshot(aws, cluster, id).await?,
        Wish::Moment(at) => moment(aws, cluster, *at).await?,
    };
    let (major, recorded) = (major(&source.version), text(&cluster.spec["engine_version"]));
    match major == self::major(recorded) {
        true => Ok(source),
        false => Err(Fault::invalid(format!(
            "those data are of version {}, and the parameter group of this cluster is for {recorded}",
            source.version
        ))),
    }
}

async fn snapshot(aws: &Aws, cluster: &NodeState, id: &str) -> Result<Source> {
    let ask = aws.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(id);
    let answer = ask.send().await.if_present()?;
    let found = answer.and_then(|answer| answer.db_cluster_snapshots.unwrap_or_default().pop());
    let name = text(&cluster.spec["name"]);
    let Some(found) = found.filter(|found| found.db_cluster_identifier() == Some(name)) else {
        return Err(Fault::invalid(format!("there is no snapshot {id} of {name}")));
    };
    match found.status() {
        Some("available") => Ok(Source {
            origin: Origin::Snapshot { id: id.to_owned() },
            version: found.engine_version().unwrap_or_default().to_owned(),
        }),
        status => Err(Fault::invalid(format!("the snapshot {id} is {}", status.unwrap_or("of no known status")))),
    }
}

/// How far back and how near to now a cluster can be restored, and its version.
struct Window {
    earliest: Option<DateTime>,
    latest: Option<DateTime>,
    version: Option<String>,
}

async fn moment(aws: &Aws, cluster: &NodeState, at: Option<Timestamp>) -> Result<Source> {
    let Some(resource) = cluster.outputs["resource_id"].as_str() else {
        return Err(Fault::invalid("the resource id of this cluster is not recorded; run `tapctl apply` first"));
    };
    let Some(window) = window(aws, cluster, resource).await? else {
        return Err(Fault::invalid("AWS has no automated backups of this cluster any more")
            .with_advice("name a snapshot that is there: --snapshot ID"));
    };
    let (earliest, latest) = (window.earliest.as_ref().and_then(stamp), window.latest.as_ref().and_then(stamp));
    let outside =
        |at: &Timestamp| latest.is_none_or(|latest| *at > latest) || earliest.is_some_and(|first| *at < first);
    if let Some(at) = at.filter(outside) {
        let told = |time: Option<Timestamp>| time.map_or_else(|| "nowhere".to_owned(), |time| format!("{time:.0}"));
        return Err(Fault::invalid(format!(
            "AWS can restore this cluster from {} to {}, and not to {at:.0}",
            told(earliest),
            told(latest)
        )));
    }
    let origin = Origin::Moment { cluster: resource.to_owned(), at };
    Ok(Source { origin, version: window.version.unwrap_or_default() })
}

/// Of the cluster itself, or of the backups that it left when it was deleted.
async fn window(aws: &Aws, cluster: &NodeState, resource: &str) -> Result<Option<Window>> {
    let ask = aws.rds.describe_db_clusters().set_db_cluster_identifier(cluster.id.clone());
    let live = ask.send().await.if_present()?.and_then(|answer| answer.db_clusters.unwrap_or_default().pop());
    if let Some(live) = live.filter(|live| live.db_cluster_resource_id() == Some(resource)) {
        let (earliest, latest) = (live.earliest_restorable_time, live.latest_restorable_time);
        return Ok(Some(Window { earliest, latest, version: live.engine_version }));
    }
    let ask = aws.rds.describe_db_cluster_automated_backups().db_cluster_resource_id(resource);
    let answer = ask.send().await.if_present()?;
    let kept = answer.and_then(|answer| answer.db_cluster_automated_backups.unwrap_or_default().pop());
    Ok(kept.map(|kept| {
        let window = kept.restore_window.as_ref();
        let earliest = window.and_then(|window| window.earliest_time);
        Window { earliest, latest: window.and_then(|window| window.latest_time), version: kept.engine_version }
    }))
}

fn stamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}
