//! Snapshots that a database could be restored from. Those that RDS took by itself go with the database; the last one and
//! those that people took stay.

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use jiff::Timestamp;

use super::from_rds;
use crate::resources::prelude::*;
use crate::resources::values::text;

/// Those of this cluster identifier, and those that carry the node's tags.
pub(super) async fn of_cluster(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_cluster_snapshots();
    let all: Vec<DbClusterSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let ours = |one: &&DbClusterSnapshot| one.db_cluster_identifier() == Some(name) || is_ours(cx, one.tag_list());
    let backup = |one: &DbClusterSnapshot| Backup {
        id: text(one.db_cluster_snapshot_identifier()),
        what: told(one.snapshot_type(), one.engine_version(), one.status()),
        taken: one.snapshot_create_time().and_then(timestamp),
    };
    Ok(all.iter().filter(ours).map(backup).collect())
}

/// Those of this instance identifier, and those that carry the node's tags.
pub(super) async fn of_instance(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_snapshots();
    let all: Vec<DbSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let ours = |one: &&DbSnapshot| one.db_instance_identifier() == Some(name) || is_ours(cx, one.tag_list());
    let backup = |one: &DbSnapshot| Backup {
        id: text(one.db_snapshot_identifier()),
        what: told(one.snapshot_type(), one.engine_version(), one.status()),
        taken: one.snapshot_create_time().and_then(timestamp),
    };
    Ok(all.iter().filter(ours).map(backup).collect())
}

fn is_ours(cx: &Cx<'_>, tags: &[Tag]) -> bool {
    cx.owner.owns(&from_rds(tags))
}

/// `manual snapshot of 16.9`, and its status where it cannot be restored from yet.
fn told(kind: Option<&str>, version: Option<&str>, status: Option<&str>) -> String {
    let status = status.filter(|status| *status != "available").map(|status| format!(", {status}"));
    format!("{} snapshot of {}{}", text(kind), text(version), status.unwrap_or_default())
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
