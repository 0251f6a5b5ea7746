//! Amazon RDS and Aurora. Its names are stored in lower case; it takes no client tokens, so names are what finds an
//! object again.

mod backups;
pub mod db_cluster;
pub mod db_cluster_parameter_group;
pub mod db_instance;
pub mod db_parameter_group;
pub mod db_proxy;
pub mod db_proxy_target;
pub mod db_subnet_group;
pub mod failover;
pub(super) mod kept;
mod last_snapshot;
mod managed;
mod parameters;
mod power;
mod queue;
pub mod restored;
mod rotation;
mod rules;
mod settled;
pub mod standalone_db_instance;
mod storage;

pub use db_cluster::DbCluster;
pub use db_cluster_parameter_group::DbClusterParameterGroup;
pub use db_instance::DbInstance;
pub use db_parameter_group::DbParameterGroup;
pub use db_proxy::DbProxy;
pub use db_proxy_target::DbProxyTarget;
pub use db_subnet_group::DbSubnetGroup;
pub use restored::Origin;
pub use standalone_db_instance::StandaloneDbInstance;

use std::collections::BTreeSet;

use aws_sdk_rds::types::{
    CloudwatchLogsExportConfiguration, DbCluster as RdsCluster, DbInstance as RdsInstance, SourceType, Tag,
};

use super::named::Named;
use crate::aws::{Aws, Cx, index, tags};
use crate::error::Result;
use crate::resource::{Found, Kinds, Phase, TAG_NODE, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds
        .with::<DbCluster>()
        .with::<DbClusterParameterGroup>()
        .with::<DbInstance>()
        .with::<DbParameterGroup>()
        .with::<DbProxy>()
        .with::<DbProxyTarget>()
        .with::<DbSubnetGroup>()
        .with::<StandaloneDbInstance>()
}

fn from_rds(tags: &[Tag]) -> Tags {
    tags::read(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

fn to_rds(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// An object whose Describe call gives its tags.
trait Tagged: Named {
    fn tags(&self) -> &[Tag];
}

impl Tagged for RdsCluster {
    fn tags(&self) -> &[Tag] {
        self.tag_list()
    }
}

impl Tagged for RdsInstance {
    fn tags(&self) -> &[Tag] {
        self.tag_list()
    }
}

/// Every object of this stack, environment and region that this is true of.
async fn list<T: Tagged>(cx: &Cx<'_>, holds: impl Fn(&T) -> bool) -> Result<Vec<Found>> {
    let all = cx.pass.shared(T::LIST, || T::describe(cx, None)).await?;
    let found = |object: &T| {
        let tags = from_rds(object.tags());
        let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags))?;
        Some(Found::new(node, object.name()?))
    };
    Ok(all.iter().filter(|object| holds(object)).filter_map(found).collect())
}

/// Snapshots that stay: those that were taken when what they are of was deleted, and those that were asked for. The name of
/// one that RDS made by itself has a colon.
async fn kept_snapshots(cx: &Cx<'_>, kind: &str) -> Result<Vec<Found>> {
    let snapshots = index::list(cx, "rds", kind, index::by_rest).await?;
    let why = |id: &str| if id.contains("-final-") { "a last snapshot" } else { "a snapshot" };
    let kept = |one: Found| Found { kept: Some(format!("{}, until it is deleted", why(&one.id))), ..one };
    Ok(snapshots.into_iter().map(kept).collect())
}

/// The tags of an object whose Describe call does not give them.
async fn tags_of(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    let answer = cx.rds.list_tags_for_resource().resource_name(arn).send().await?;
    Ok(from_rds(answer.tag_list()))
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.rds.remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.rds.add_tags_to_resource().resource_name(arn).set_tags(Some(to_rds(&set))).send().await?;
    }
    Ok(())
}

/// Fields that AWS is told when a database is deleted, and not before.
const ASKED_AT_THE_END: [&str; 2] = ["final_snapshot", "keep_automated_backups"];

/// What it is called that deletion protection is being taken off: no error of AWS's.
const UNPROTECTING: &str = "Unprotecting";

/// What turns the logs that are exported into those that should be.
fn log_changes(want: &BTreeSet<String>, live: &BTreeSet<String>) -> CloudwatchLogsExportConfiguration {
    CloudwatchLogsExportConfiguration::builder()
        .set_enable_log_types(Some(want.difference(live).cloned().collect()))
        .set_disable_log_types(Some(live.difference(want).cloned().collect()))
        .build()
}

/// What AWS does by itself with a database that is in full use, every night or for hours. Amazon Aurora User Guide,
/// "Viewing DB cluster status"; Amazon RDS User Guide, "Viewing DB instance status".
const IN_USE: [&str; 6] = [
    "backing-up",
    "failing-over",
    "maintenance",
    "storage-config-upgrade",
    "storage-initialization",
    "storage-optimization",
];

/// Whether a database in this status is there to be used. A new one is first backed up.
fn is_in_use(status: &str, is_young: bool) -> bool {
    status == "available" || (IN_USE.contains(&status) && !(is_young && status == "backing-up"))
}

/// The phase of a cluster or an instance that cannot be used.
async fn phase_of(cx: &Cx<'_>, status: &str, name: &str, kind: SourceType) -> Phase {
    match status {
        "deleting" => Phase::Deleting,
        status if is_final(status) => {
            let told = match power::told(cx, status, name, kind.clone()).await {
                None => last_event(cx, name, kind).await,
                told => told,
            };
            Phase::Failed(told.map_or_else(|| status.to_owned(), |told| format!("{status}: {told}")))
        }
        status => Phase::Pending(status.to_owned()),
    }
}

/// Whether a status is one that waiting does not end.
fn is_final(status: &str) -> bool {
    status.starts_with("incompatible")
        || status.starts_with("inaccessible")
        || status.ends_with("failed")
        || matches!(status, "stopped" | "storage-full" | "restore-error" | "insufficient-capacity")
}

/// What AWS last said of an object, within a day. It explains a failure, so not being allowed to ask is none itself.
async fn last_event(cx: &Cx<'_>, name: &str, kind: SourceType) -> Option<String> {
    let ask = cx.rds.describe_events().source_identifier(name).source_type(kind).duration(24 * 60);
    let answer = ask.send().await.ok()?;
    let last = answer.events().iter().max_by_key(|event| event.date().copied())?;
    last.message().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waiting_cannot_end_is_final() {
        for status in ["failed", "migration-failed", "incompatible-network", "stopped", "storage-full"] {
            assert!(is_final(status), "{status}");
        }
        assert!(is_final("inaccessible-encryption-credentials-recoverable"));
        for status in ["backing-up", "failing-over", "maintenance", "storage-optimization"] {
            assert!(is_in_use(status, false) && !is_final(status), "{status}");
        }
        assert!(is_in_use("available", true) && !is_in_use("backing-up", true) && !is_in_use("modifying", false));
        for status in ["creating", "modifying", "rebooting", "backing-up", "configuring-log-exports"] {
            assert!(!is_final(status), "{status}");
        }
    }
}
