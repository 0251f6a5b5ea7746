//! Snapshots that a cache could be restored from. Those that ElastiCache took by itself go with the group; those that
//! people took stay.

use aws_sdk_elasticache::types::Snapshot;
use jiff::Timestamp;

use crate::resources::kms::key;
use crate::resources::prelude::*;
use crate::resources::values::text;

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
