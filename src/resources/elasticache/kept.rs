//! What outlives the caches that it is of, and can be read with its key only.

use std::rc::Rc;

use aws_sdk_elasticache::types::Snapshot;

use crate::resources::prelude::*;
use crate::resources::values::text;

/// What ElastiCache calls the source of snapshots that it did not take by itself: those of people, and last ones. The others
/// go with their cache.
const OF_PEOPLE: &str = "user";
/// What such a snapshot says of itself.
const MANUAL: &str = "manual";

/// The snapshots that would be lost with the key of this id, in a few words each. All keys of a pass share the read.
pub(in crate::resources) async fn under_key(cx: &Cx<'_>, key_id: &str) -> Result<Vec<String>> {
    let all: Rc<Vec<Snapshot>> = cx.pass.shared("elasticache.lasting-snapshots", || lasting(cx)).await?;
    let under = |one: &&Snapshot| one.kms_key_id().and_then(|key| key.rsplit('/').next()) == Some(key_id);
    let words = |one: &Snapshot| format!("the snapshot {}", text(one.snapshot_name()));
    Ok(all.iter().filter(under).map(words).collect())
}

async fn lasting(cx: &Cx<'_>) -> Result<Vec<Snapshot>> {
    let ask = cx.elasticache.describe_snapshots().snapshot_source(OF_PEOPLE);
    let all: Vec<Snapshot> = ask.into_paginator().items().send().collect::<Result<_, _>>().await?;
    let lasts = |one: &Snapshot| one.snapshot_source() == Some(MANUAL) && one.snapshot_status() != Some("failed");
    Ok(all.into_iter().filter(lasts).collect())
}
