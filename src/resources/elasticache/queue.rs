//! Changes of a replication group that wait for the maintenance window: in part the group tells them, in part its members.
//! `ApplyImmediately` carries out all of them (API reference, ModifyReplicationGroup, ApplyImmediately).

use aws_sdk_elasticache::types::{
    CacheCluster, PendingAutomaticFailoverStatus as Failover, ReplicationGroup as CacheGroup, TransitEncryptionMode,
};

use crate::resource::Queued;
use crate::resources::named::Named;
use crate::resources::prelude::*;
use crate::resources::values::version;

/// What waits of a group, with what its first member tells. `wanted` is the engine version that is asked for.
pub(super) fn of_group(group: &CacheGroup, member: Option<&CacheCluster>, wanted: &str) -> Vec<Queued> {
    let window = member.and_then(|member| member.preferred_maintenance_window()).unwrap_or_default();
    let of_group = group.pending_modified_values();
    let of_member = member.and_then(|member| member.pending_modified_values());
    let failover = of_group.and_then(|values| values.automatic_failover_status()).map(|it| *it == Failover::Enabled);
    let mode = of_group.and_then(|values| values.transit_encryption_mode()).map(TransitEncryptionMode::as_str);
    let release = of_member.and_then(|values| values.engine_version());
    let kind = of_member.and_then(|values| values.cache_node_type());
    let queued = |field, what, becomes: Option<String>, spelled: Option<String>| {
        let becomes = becomes?;
        let spelled = spelled.unwrap_or_else(|| becomes.clone());
        Some(Queued { field: Some(field), what, becomes, spelled, window: window.to_owned() })
    };
    let all = [
        queued("automatic_failover", "automatic failover", failover.map(|on| on.to_string()), None),
        queued("tls", "TLS", mode.map(str::to_owned), None),
        queued("node_type", "node type", kind.map(str::to_owned), None),
        queued("engine_version", "engine version", release.map(str::to_owned), release.map(|it| version(wanted, it))),
    ];
    all.into_iter().flatten().collect()
}

/// Carries out, or takes back, the first kind of what waits: AWS takes one at a time.
pub(super) async fn settle(cx: &Cx<'_>, id: &str, order: Queue) -> Result<()> {
    let group = CacheGroup::describe(cx, Some(id)).await?.pop().always("replication group")?;
    let member = match group.member_clusters().first() {
        Some(member) => CacheCluster::describe(cx, Some(member)).await?.pop(),
        None => None,
    };
    let ask = cx.elasticache.modify_replication_group().replication_group_id(id).apply_immediately(true);
    let values = member.as_ref().and_then(|member| member.pending_modified_values());
    let of_group = group.pending_modified_values();
    let ask = if let Some(failover) = of_group.and_then(|values| values.automatic_failover_status()) {
        ask.automatic_failover_enabled((*failover == Failover::Enabled) == (order == Queue::Run))
    } else if let Some(mode) = of_group.and_then(|values| values.transit_encryption_mode()) {
        let live = group.transit_encryption_mode();
        ask.set_transit_encryption_mode(if order == Queue::Run { Some(mode) } else { live }.cloned())
    } else if let Some(kind) = values.and_then(|values| values.cache_node_type()) {
        let live = group.cache_node_type();
        ask.set_cache_node_type(if order == Queue::Run { Some(kind) } else { live }.map(str::to_owned))
    } else {
        let release = values.and_then(|values| values.engine_version());
        let live = member.as_ref().and_then(|member| member.engine_version());
        ask.set_engine_version(if order == Queue::Run { release } else { live }.map(str::to_owned))
    };
    ask.send().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticache::types::{PendingModifiedValues, ReplicationGroupPendingModifiedValues};

    use super::*;

    #[test]
    fn what_group_and_members_tell_is_told_together() {
        let values = ReplicationGroupPendingModifiedValues::builder().automatic_failover_status(Failover::Disabled);
        let group = CacheGroup::builder().pending_modified_values(values.build()).build();
        let values = PendingModifiedValues::builder().engine_version("7.1.0").cache_node_type("cache.r7g.large");
        let member = CacheCluster::builder()
            .preferred_maintenance_window("sun:05:00-sun:06:00")
            .pending_modified_values(values.build())
            .build();
        let told: Vec<(String, String)> =
            of_group(&group, Some(&member), "7.1").into_iter().map(|one| (one.words(), one.spelled)).collect();
        let words = |what: &str| format!("{what} in the window sun:05:00-sun:06:00");
        assert_eq!(
            told,
            [
                (words("automatic failover will become false"), "false".to_owned()),
                (words("node type will become cache.r7g.large"), "cache.r7g.large".to_owned()),
                (words("engine version will become 7.1.0"), "7.1".to_owned()),
            ]
        );
    }
}
