//! What a database could be restored from: the time that its automated backups reach back, and snapshots. What RDS took by
//! itself goes with the database; the last snapshot and those that people took stay.

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{
    DbCluster as RdsCluster, DbClusterAutomatedBackup, DbClusterSnapshot, DbInstanceAutomatedBackup, DbSnapshot,
    Filter, RestoreWindow, Tag,
};
use jiff::Timestamp;

use super::from_rds;
use crate::resources::kms::key;
use crate::resources::named::find;
use crate::resources::prelude::*;
use crate::resources::values::{taken, text};

/// What RDS calls a snapshot that it took by itself.
const AUTOMATED: &str = "automated";

/// Those of this cluster identifier, and those that carry the node's tags.
pub(super) async fn of_cluster(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_cluster_snapshots();
    let all: Vec<DbClusterSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let mut found: Vec<Backup> = reach_of_cluster(cx, name).await?.into_iter().collect();
    found.extend(retained_of_clusters(cx, name).await?);
    for one in &all {
        if one.db_cluster_identifier() == Some(name) || is_ours(cx, one.tag_list()) {
            found.push(cluster_snapshot(cx, one).await?);
        }
    }
    Ok(found)
}

/// Those of this instance identifier, and those that carry the node's tags.
pub(super) async fn of_instance(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_snapshots();
    let all: Vec<DbSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let mut found: Vec<Backup> = reach_of_instances(cx, name).await?;
    for one in &all {
        if one.db_instance_identifier() == Some(name) || is_ours(cx, one.tag_list()) {
            found.push(snapshot(cx, one).await?);
        }
    }
    Ok(found)
}

/// The snapshot of a cluster that has this name.
pub(super) async fn find_cluster_snapshot(cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
    let ask = cx.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
    let found = ask.send().await.if_present()?.and_then(|answer| answer.db_cluster_snapshots?.pop());
    match found {
        Some(one) if is_ours(cx, one.tag_list()) => cluster_snapshot(cx, &one).await.map(Some),
        Some(_) => Err(taken(name)),
        None => Ok(None),
    }
}

/// The snapshot of an instance on its own that has this name.
pub(super) async fn find_snapshot(cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
    let ask = cx.rds.describe_db_snapshots().db_snapshot_identifier(name);
    let found = ask.send().await.if_present()?.and_then(|answer| answer.db_snapshots?.pop());
    match found {
        Some(one) if is_ours(cx, one.tag_list()) => snapshot(cx, &one).await.map(Some),
        Some(_) => Err(taken(name)),
        None => Ok(None),
    }
}

/// How far back the cluster can be brought, where it stands.
async fn reach_of_cluster(cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
    let Some(cluster) = find::<RdsCluster>(cx, name, None).await? else { return Ok(None) };
    let span = (cluster.earliest_restorable_time(), cluster.latest_restorable_time());
    reach(cx, name, cluster.engine_version(), cluster.kms_key_id(), span).await
}

/// The same of clusters that were deleted without their automated backups: those of this identifier, and those that carry
/// the node's tags.
async fn retained_of_clusters(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_cluster_automated_backups().filters(only(RETAINED));
    let all: Vec<DbClusterAutomatedBackup> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let mut found = Vec::new();
    for one in all.iter().filter(|one| one.status() == Some(RETAINED)) {
        if one.db_cluster_identifier() == Some(name) || is_ours(cx, one.tag_list()) {
            let id = text(one.db_cluster_resource_id());
            let span = span(one.restore_window());
            found.extend(reach(cx, &id, one.engine_version(), one.kms_key_id(), span).await?.map(retained));
        }
    }
    Ok(found)
}

/// How far back an instance on its own can be brought, of which only its automated backups tell the beginning: of the one
/// that stands, and of those that were deleted without them.
async fn reach_of_instances(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let ask = cx.rds.describe_db_instance_automated_backups();
    let all: Vec<DbInstanceAutomatedBackup> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let mut found = Vec::new();
    for one in &all {
        let is_of_name = one.db_instance_identifier() == Some(name);
        let (version, key, span) = (one.engine_version(), one.kms_key_id(), span(one.restore_window()));
        match one.status() {
            Some(ACTIVE) if is_of_name => found.extend(reach(cx, name, version, key, span).await?),
            Some(RETAINED) if is_of_name || is_ours(cx, one.tag_list()) => {
                let id = text(one.dbi_resource_id());
                found.extend(reach(cx, &id, version, key, span).await?.map(retained));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// What RDS says of automated backups of what stands, and of those that were to stay when that was deleted.
const ACTIVE: &str = "active";
const RETAINED: &str = "retained";

fn only(status: &str) -> Filter {
    Filter::builder().name("status").values(status).build()
}

fn span(window: Option<&RestoreWindow>) -> (Option<&DateTime>, Option<&DateTime>) {
    (window.and_then(RestoreWindow::earliest_time), window.and_then(RestoreWindow::latest_time))
}

/// It stays without its database, until it is too old.
fn retained(backup: Backup) -> Backup {
    Backup { what: format!("{}, kept", backup.what), goes_along: false, ..backup }
}

async fn reach(
    cx: &Cx<'_>,
    id: &str,
    version: Option<&str>,
    key: Option<&str>,
    span: (Option<&DateTime>, Option<&DateTime>),
) -> Result<Option<Backup>> {
    let (Some(since), Some(taken)) = (span.0.and_then(timestamp), span.1.and_then(timestamp)) else { return Ok(None) };
    Ok(Some(Backup {
        id: id.to_owned(),
        what: format!("any second, {}", text(version)),
        taken: Some(taken),
        since: Some(since),
        key: key::of_backup(cx, key).await?,
        goes_along: true,
        ..Backup::default()
    }))
}

async fn cluster_snapshot(cx: &Cx<'_>, one: &DbClusterSnapshot) -> Result<Backup> {
    Ok(Backup {
        id: text(one.db_cluster_snapshot_identifier()),
        taken: one.snapshot_create_time().and_then(timestamp),
        size: one.allocated_storage().map(size),
        key: key::of_backup(cx, one.kms_key_id()).await?,
        ..told(one.snapshot_type(), one.engine_version(), one.status())
    })
}

async fn snapshot(cx: &Cx<'_>, one: &DbSnapshot) -> Result<Backup> {
    Ok(Backup {
        id: text(one.db_snapshot_identifier()),
        taken: one.snapshot_create_time().and_then(timestamp),
        size: one.allocated_storage().map(size),
        key: key::of_backup(cx, one.kms_key_id()).await?,
        ..told(one.snapshot_type(), one.engine_version(), one.status())
    })
}

fn is_ours(cx: &Cx<'_>, tags: &[Tag]) -> bool {
    cx.owner.owns(&from_rds(tags))
}

/// `manual snapshot of 16.9`, and its status where it cannot be restored from yet.
fn told(kind: Option<&str>, version: Option<&str>, status: Option<&str>) -> Backup {
    let unready = status.filter(|status| *status != "available").map(str::to_owned);
    let status = unready.as_ref().map(|status| format!(", {status}")).unwrap_or_default();
    Backup {
        what: format!("{} snapshot of {}{status}", text(kind), text(version)),
        unready,
        goes_along: kind == Some(AUTOMATED),
        ..Backup::default()
    }
}

fn size(gib: i32) -> String {
    format!("{gib} GiB")
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
