//! Snapshots that a cache could be restored from. Those that ElastiCache took by itself go with the group; those that
//! people took stay.

use aws_sdk_elasticache::types::Snapshot;
use jiff::Timestamp;

use crate::resources::prelude::*;
use crate::resources::values::text;

/// Those of the group of this name, and those that carry the node's tags.
pub(super) async fn of_group(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let tagged = index::list(cx, "elasticache", "snapshot:", index::by_rest).await?;
    let is_tagged =
        |id: Option<&str>| tagged.iter().any(|one| one.node == cx.owner.node && Some(one.id.as_str()) == id);
    let ask = cx.elasticache.describe_snapshots();
    let all: Vec<Snapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let ours = |one: &&Snapshot| one.replication_group_id() == Some(name) || is_tagged(one.snapshot_name());
    Ok(all.iter().filter(ours).map(backup).collect())
}

fn backup(snapshot: &Snapshot) -> Backup {
    let status = snapshot.snapshot_status().filter(|status| *status != "available");
    let status = status.map(|status| format!(", {status}")).unwrap_or_default();
    let taken = snapshot.node_snapshots().iter().filter_map(|node| node.snapshot_create_time()).max();
    Backup {
        id: text(snapshot.snapshot_name()),
        what: format!("{} snapshot of {}{status}", text(snapshot.snapshot_source()), text(snapshot.engine_version())),
        taken: taken.and_then(|taken| Timestamp::from_second(taken.secs()).ok()),
    }
}
