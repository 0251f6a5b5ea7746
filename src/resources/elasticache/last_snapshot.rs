//! The last snapshot of a cache. Without one nothing is left of it: "Automatic cache snapshots are not retained" (Amazon
//! ElastiCache User Guide, "Deleting a replication group").

use jiff::Timestamp;

use crate::resources::last_snapshot::{Snapshots, Taken, delete_with};
use crate::resources::prelude::*;
use crate::resources::values::text;

/// The account's snapshots of caches.
struct All<'a>(&'a Cx<'a>);

impl Snapshots for All<'_> {
    /// No status of ElastiCache's says that one has failed.
    async fn find(&self, name: &str) -> Result<Option<Taken>> {
        let found = self.0.elasticache.describe_snapshots().snapshot_name(name).send().await.if_present()?;
        let found = found.and_then(|answer| answer.snapshots?.pop());
        Ok(found.map(|one| Taken { status: text(one.snapshot_status()), ours: false }))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        self.0.elasticache.delete_snapshot().snapshot_name(name).send().await.if_present()?;
        Ok(())
    }
}

/// Asks AWS to delete a group with a last snapshot, whose name `ask` gets. `made` tells when it was made, as AWS does.
pub(super) async fn delete(
    cx: &Cx<'_>,
    group: &str,
    made: Option<&str>,
    ask: impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    let name = name(group, made.unwrap_or_default());
    let name = name.ok_or_else(|| Fault::unexpected("AWS does not tell when the group was made"))?;
    delete_with(&All(cx), &name, ask).await
}

/// A name that no earlier group of this name can have used.
fn name(group: &str, made: &str) -> Option<String> {
    let made: Timestamp = made.parse().ok()?;
    Some(format!("{group}-final-{:x}", made.as_second()))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn it_is_named_after_this_very_group() {
        assert_eq!(name("student-redis-prod", "2026-11-28T20:05:31Z").unwrap(), "student-redis-prod-final-6b0b340b");
        assert_ne!(name("a", "2026-11-28T20:05:31Z"), name("a", "2026-11-28T20:05:32Z"));
        assert_eq!(name("a", ""), None);
    }
}
