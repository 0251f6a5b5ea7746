//! Recovery points that files could be restored from. AWS Backup keeps them after the file system is gone.

use aws_sdk_backup::types::{RecoveryPointByResource, RecoveryPointStatus};
use jiff::Timestamp;

use crate::resources::kms::key;
use crate::resources::prelude::*;
use crate::resources::values::text;

/// Those of the file system that has this creation token, and those that carry the node's tags: AWS Backup gives a recovery
/// point the tags of what it is a copy of. Of those whose file system is gone the tags alone are known.
pub(super) async fn of_file_system(cx: &Cx<'_>, token: &str) -> Result<Vec<Backup>> {
    let mut found = Vec::new();
    for point in points(cx, token).await? {
        found.push(backup(cx, &point).await?);
    }
    let tagged = index::list(cx, "backup", "recovery-point:", index::by_rest).await?;
    let is_new = |id: &str| !found.iter().any(|known| known.id == id);
    let rest = tagged.into_iter().filter(|point| point.node == cx.owner.node && is_new(&point.id));
    let rest: Vec<Backup> =
        rest.map(|point| Backup { id: point.id, what: WHAT.to_owned(), ..Backup::default() }).collect();
    found.extend(rest);
    Ok(found)
}

const WHAT: &str = "recovery point";

/// The recovery points of a file system that stands.
async fn points(cx: &Cx<'_>, token: &str) -> Result<Vec<RecoveryPointByResource>> {
    if token.is_empty() {
        return Ok(Vec::new());
    }
    let Some(answer) = cx.efs.describe_file_systems().creation_token(token).send().await.if_present()? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for arn in answer.file_systems().iter().filter_map(|files| files.file_system_arn()) {
        let ask = cx.backup.list_recovery_points_by_resource().resource_arn(arn);
        let all = ask.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
        found.extend(all.if_present()?.unwrap_or_default());
    }
    Ok(found)
}

async fn backup(cx: &Cx<'_>, point: &RecoveryPointByResource) -> Result<Backup> {
    let arn = text(point.recovery_point_arn());
    let is_whole = |status: &RecoveryPointStatus| {
        matches!(status, RecoveryPointStatus::Completed | RecoveryPointStatus::Available)
    };
    Ok(Backup {
        id: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        what: format!("{WHAT} in {}", text(point.backup_vault_name())),
        taken: point.creation_date().and_then(|date| Timestamp::from_second(date.secs()).ok()),
        size: point.backup_size_bytes().map(size),
        key: key::of_backup(cx, point.encryption_key_arn()).await?,
        unready: point.status().filter(|status| !is_whole(status)).map(|status| status.as_str().to_lowercase()),
        ..Backup::default()
    })
}

/// Bytes, in the largest unit of which there is one.
fn size(bytes: i64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_told_in_the_largest_unit_that_it_fills() {
        for (bytes, told) in [(6144, "6 KiB"), (5 << 30, "5 GiB"), (3_000_000, "2 MiB"), (12, "12 B"), (0, "0 B")] {
            assert_eq!(size(bytes), told);
        }
    }
}
