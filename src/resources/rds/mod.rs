//! Amazon RDS and Aurora. Its names are stored in lower case; it takes no client tokens, so names are what finds an
//! object again.

pub mod db_cluster;
pub mod db_cluster_parameter_group;
pub mod db_instance;
pub mod db_parameter_group;
pub mod db_proxy;
pub mod db_proxy_target;
pub mod db_subnet_group;
mod parameters;
mod rotation;
mod rules;
mod settled;
pub mod standalone_db_instance;

pub use db_cluster::DbCluster;
pub use db_cluster_parameter_group::DbClusterParameterGroup;
pub use db_instance::DbInstance;
pub use db_parameter_group::DbParameterGroup;
pub use db_proxy::DbProxy;
pub use db_proxy_target::DbProxyTarget;
pub use db_subnet_group::DbSubnetGroup;
pub use standalone_db_instance::StandaloneDbInstance;

use std::collections::BTreeSet;

use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, SourceType, Tag};

use crate::aws::{Aws, Cx, tags};
use crate::error::Result;
use crate::resource::{Kinds, Phase, Tags};

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

/// What turns the logs that are exported into those that should be.
fn log_changes(want: &BTreeSet<String>, live: &BTreeSet<String>) -> CloudwatchLogsExportConfiguration {
    CloudwatchLogsExportConfiguration::builder()
        .set_enable_log_types(Some(want.difference(live).cloned().collect()))
        .set_disable_log_types(Some(live.difference(want).cloned().collect()))
        .build()
}

/// The phase of a cluster or an instance that is not `available`.
async fn phase_of(cx: &Cx<'_>, status: &str, name: &str, kind: SourceType) -> Phase {
    match status {
        "deleting" => Phase::Deleting,
        status if is_final(status) => Phase::Failed(match last_event(cx, name, kind).await {
            Some(event) => format!("{status}: {event}"),
            None => status.to_owned(),
        }),
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
        for status in ["creating", "modifying", "rebooting", "backing-up", "configuring-log-exports"] {
            assert!(!is_final(status), "{status}");
        }
    }
}
