//! Snapshots that a cache could be restored from. Those that ElastiCache took by itself go with the group; those that
//! people took stay.

use aws_sdk_elasticache::types::{ReplicationGroup as CacheGroup, Snapshot};
use jiff::Timestamp;

use super::tags_of;
use crate::resources::kms::key;
use crate::resources::named::find;
use crate::resources::prelude::*;
use crate::resources::values::{taken, text};

/// What ElastiCache calls a snapshot that it took by itself.
const AUTOMATED: &str = "automated";

/// Those of the group of this name or of a member of it, and those that carry the node's tags. Of a group without shards of
/// its own, snapshots tell the member only.
pub(super) async fn of_group(cx: &Cx<'_>, name: &str) -> Result<Vec<Backup>> {
    let tagged = index::list(cx, "elasticache", "snapshot:", index::by_rest).await?;
    let is_tagged =
        |id: Option<&str>| tagged.iter().any(|one| one.node == cx.owner.node && Some(one.id.as_str()) == id);
    let ask = cx.elasticache.describe_snapshots();
    let all: Vec<Snapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let mut found = Vec::new();
    for one in &all {
        let of_member = one.cache_cluster_id().is_some_and(|member| is_member(name, member));
        if one.replication_group_id() == Some(name) || of_member || is_tagged(one.snapshot_name()) {
            found.push(backup(cx, one).await?);
        }
    }
    Ok(found)
}

/// The snapshot of this name. Of one that is being taken AWS may not tell the tags yet.
pub(super) async fn find_snapshot(cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
    let ask = cx.elasticache.describe_snapshots().snapshot_name(name);
    let Some(found) = ask.send().await.if_present()?.and_then(|answer| answer.snapshots?.pop()) else {
        return Ok(None);
    };
    let tags = tags_of(cx, found.arn().unwrap_or_default()).await.if_present()?;
    let told = backup(cx, &found).await?;
    match tags {
        Some(tags) if cx.owner.owns(&tags) => Ok(Some(told)),
        None if told.unready.is_some() => Ok(Some(told)),
        _ => Err(taken(name)),
    }
}

/// The member that a snapshot is taken of: a group without shards of its own is copied by way of one ("Taking manual
/// backups", Amazon ElastiCache User Guide). AWS has chosen a replica for those of the nights.
pub(super) async fn source(cx: &Cx<'_>, group: &str) -> Result<String> {
    let found = find::<CacheGroup>(cx, group, Some(group)).await?;
    let member = found.as_ref().and_then(|group| group.snapshotting_cluster_id().or(last_member(group)));
    member.map(str::to_owned).ok_or_else(|| Fault::unexpected("AWS tells no member of the group"))
}

fn last_member(group: &CacheGroup) -> Option<&str> {
    group.member_clusters().last().map(String::as_str)
}

/// Snapshots that carry the environment's tags: those that people have had taken stay, whatever becomes of their group.
pub(super) async fn kept(cx: &Cx<'_>) -> Result<Vec<Found>> {
    let snapshots = index::list(cx, "elasticache", "snapshot:", index::by_rest).await?;
    let why = || Some("a snapshot, until it is deleted".to_owned());
    Ok(snapshots.into_iter().map(|found| Found { kept: why(), ..found }).collect())
}

/// Members are named after their group, a hyphen and at least three digits behind.
fn is_member(group: &str, member: &str) -> bool {
    let number = member.strip_prefix(group).and_then(|rest| rest.strip_prefix('-'));
    !group.is_empty() && number.is_some_and(|number| number.len() >= 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

async fn backup(cx: &Cx<'_>, snapshot: &Snapshot) -> Result<Backup> {
    let unready = snapshot.snapshot_status().filter(|status| *status != "available").map(str::to_owned);
    let status = unready.as_ref().map(|status| format!(", {status}")).unwrap_or_default();
    let taken = snapshot.node_snapshots().iter().filter_map(|node| node.snapshot_create_time()).max();
    let size = snapshot.node_snapshots().iter().find_map(|node| node.cache_size());
    Ok(Backup {
        id: text(snapshot.snapshot_name()),
        what: format!("{} snapshot of {}{status}", text(snapshot.snapshot_source()), text(snapshot.engine_version())),
        taken: taken.and_then(|taken| Timestamp::from_second(taken.secs()).ok()),
        size: size.map(str::to_owned),
        key: key::of_backup(cx, snapshot.kms_key_id()).await?,
        unready,
        goes_along: snapshot.snapshot_source() == Some(AUTOMATED),
        ..Backup::default()
    })
}

#[cfg(test)]
mod tests {
    use super::is_member;

    #[test]
    fn a_member_is_known_by_its_groups_name() {
        assert!(is_member("student-redis-dev", "student-redis-dev-002"));
        assert!(is_member("student-redis-dev", "student-redis-dev-1000"));
        for other in ["student-redis-dev", "student-redis-dev-2", "student-redis-dev-b-002", "student-redis-de-002"] {
            assert!(!is_member("student-redis-dev", other), "{other}");
        }
        assert!(!is_member("", "-002"));
    }
}
