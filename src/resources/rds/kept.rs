//! What outlives the databases that it is of, and can be read with its key only: snapshots that people took, last ones, those
//! of AWS Backup, and the automated backups that were to stay when their database was deleted.

use std::rc::Rc;

use aws_sdk_rds::types::{DbClusterAutomatedBackup, DbClusterSnapshot, DbInstanceAutomatedBackup, DbSnapshot, Filter};

use crate::resources::prelude::*;
use crate::resources::values::text;

/// The types of snapshots that do not go with their database.
const TYPES: [&str; 2] = ["manual", "awsbackup"];
const RETAINED: &str = "retained";

/// What stays, in a few words for people, with the ARN of the key that opens it.
struct Lasting {
    key: String,
    words: String,
}

impl Lasting {
    /// What is not encrypted needs no key, and what failed nobody can read.
    fn of(key: Option<&str>, status: Option<&str>, words: String) -> Option<Lasting> {
        let key = key.filter(|_| status != Some("failed"))?;
        Some(Lasting { key: key.to_owned(), words })
    }
}

/// What would be lost with the key of this id, in a few words each. All keys of a pass share the reads.
pub(in crate::resources) async fn under_key(cx: &Cx<'_>, key_id: &str) -> Result<Vec<String>> {
    let all: Rc<Vec<Lasting>> = cx.pass.shared("rds.kept-copies", || copies(cx)).await?;
    let under = |copy: &&Lasting| copy.key.rsplit('/').next() == Some(key_id);
    Ok(all.iter().filter(under).map(|copy| copy.words.clone()).collect())
}

async fn copies(cx: &Cx<'_>) -> Result<Vec<Lasting>> {
    let mut copies = Vec::new();
    for kind in TYPES {
        copies.extend(cluster_snapshots(cx, kind).await?);
        copies.extend(snapshots(cx, kind).await?);
    }
    copies.extend(backups_of_clusters(cx).await?);
    copies.extend(backups_of_instances(cx).await?);
    Ok(copies)
}

async fn cluster_snapshots(cx: &Cx<'_>, kind: &str) -> Result<Vec<Lasting>> {
    let ask = cx.rds.describe_db_cluster_snapshots().snapshot_type(kind);
    let all: Vec<DbClusterSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let lasting = all.iter().filter(|one| one.snapshot_type() == Some(kind));
    let copy = |one: &DbClusterSnapshot| {
        let words = format!("the snapshot {}", text(one.db_cluster_snapshot_identifier()));
        Lasting::of(one.kms_key_id(), one.status(), words)
    };
    Ok(lasting.filter_map(copy).collect())
}

async fn snapshots(cx: &Cx<'_>, kind: &str) -> Result<Vec<Lasting>> {
    let ask = cx.rds.describe_db_snapshots().snapshot_type(kind);
    let all: Vec<DbSnapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let lasting = all.iter().filter(|one| one.snapshot_type() == Some(kind));
    let copy = |one: &DbSnapshot| {
        let words = format!("the snapshot {}", text(one.db_snapshot_identifier()));
        Lasting::of(one.kms_key_id(), one.status(), words)
    };
    Ok(lasting.filter_map(copy).collect())
}

async fn backups_of_clusters(cx: &Cx<'_>) -> Result<Vec<Lasting>> {
    let ask = cx.rds.describe_db_cluster_automated_backups().filters(only_retained());
    let all: Vec<DbClusterAutomatedBackup> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let copy = |one: &DbClusterAutomatedBackup| {
        let words = backups_of(one.db_cluster_identifier(), one.db_cluster_resource_id());
        Lasting::of(one.kms_key_id(), one.status(), words)
    };
    Ok(all.iter().filter_map(copy).collect())
}

async fn backups_of_instances(cx: &Cx<'_>) -> Result<Vec<Lasting>> {
    let ask = cx.rds.describe_db_instance_automated_backups().filters(only_retained());
    let all: Vec<DbInstanceAutomatedBackup> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let copy = |one: &DbInstanceAutomatedBackup| {
        let words = backups_of(one.db_instance_identifier(), one.dbi_resource_id());
        Lasting::of(one.kms_key_id(), one.status(), words)
    };
    Ok(all.iter().filter_map(copy).collect())
}

/// Without it those of what stands would be among them, and go with that.
fn only_retained() -> Filter {
    Filter::builder().name("status").values(RETAINED).build()
}

/// They go by the resource id, and end by themselves.
fn backups_of(name: Option<&str>, resource_id: Option<&str>) -> String {
    format!("the automated backups of {} ({})", text(name), text(resource_id))
}

#[cfg(test)]
mod tests {
    use super::Lasting;

    #[test]
    fn only_what_a_key_opens_needs_it() {
        let copy = |key, status| Lasting::of(key, status, "the snapshot a".to_owned()).is_some();
        assert!(copy(Some("arn:aws:kms:us-east-1:1:key/k"), Some("creating")));
        assert!(!copy(None, Some("available")) && !copy(Some("k"), Some("failed")));
    }
}
