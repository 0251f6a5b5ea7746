//! A replication group as AWS tells it: in part the group does, in part its members.

use aws_sdk_elasticache::types::{
    AutomaticFailoverStatus, CacheCluster, MultiAzStatus, ReplicationGroup as CacheGroup, SourceType,
    TransitEncryptionMode,
};

use super::replication_group::{ReplicationGroup, Tls};
use super::tags_of;
use crate::error::Class;
use crate::resources::named::Named;
use crate::resources::prelude::*;
use crate::resources::values::{key, outs, text};

impl Named for CacheGroup {
    const LIST: &'static str = "elasticache.replication-groups";

    fn name(&self) -> Option<&str> {
        self.replication_group_id()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.elasticache.describe_replication_groups().set_replication_group_id(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Named for CacheCluster {
    const LIST: &'static str = "elasticache.cache-clusters";

    fn name(&self) -> Option<&str> {
        self.cache_cluster_id()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.elasticache.describe_cache_clusters().set_cache_cluster_id(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl ReplicationGroup {
    /// AWS tells the tags of a group only while it is available; else it says that it is not, or that there is none. One whose
    /// id we recorded is ours, and so is one of our name under this stack's own key, such as a create whose answer was
    /// lost has made. Whose any other is cannot be known before it is available.
    pub(super) async fn tags(&self, cx: &Cx<'_>, group: &CacheGroup, recorded: bool) -> Result<Tags> {
        let status = group.status().unwrap_or_default();
        let ours = recorded || key(&self.kms_key_id, group.kms_key_id()) == self.kms_key_id;
        if status == "deleting" || ours && status != "available" {
            return Ok(self.tags.clone());
        }
        match tags_of(cx, group.arn().unwrap_or_default()).await {
            // It has left that state since it was described.
            Err(fault) if fault.class == Class::Busy && ours => Ok(self.tags.clone()),
            Err(fault) if fault.class == Class::Absent && status != "available" => {
                Err(Fault { class: Class::Busy, ..fault })
            }
            answer => answer,
        }
    }

    /// What members tell is taken as it should be while there are none.
    pub(super) fn live(&self, group: &CacheGroup, member: Option<&CacheCluster>, tags: Tags) -> Self {
        use AutomaticFailoverStatus::{Enabled, Enabling};
        let failover = group.automatic_failover();
        let shard = group.node_groups().first();
        let port = shard.and_then(|shard| shard.primary_endpoint()).and_then(|endpoint| endpoint.port());
        // What AWS leaves out of one it is still making is not missing: a difference there would replace it.
        let making = group.status() == Some("creating");
        let token = group.auth_token_enabled().unwrap_or(making);
        let mut live = ReplicationGroup {
            name: text(group.name()),
            description: text(group.description()),
            node_type: text(group.cache_node_type()),
            nodes: i32::try_from(group.member_clusters().len()).unwrap_or(i32::MAX),
            automatic_failover: matches!(failover, Some(Enabled | Enabling)),
            multi_az: group.multi_az() == Some(&MultiAzStatus::Enabled),
            kms_key_id: match group.kms_key_id() {
                None if making => self.kms_key_id.clone(),
                live => key(&self.kms_key_id, live),
            },
            auth_token_secret: if token { self.auth_token_secret.clone() } else { "".into() },
            tls: tls(group),
            snapshot_retention_days: group.snapshot_retention_limit().unwrap_or_default(),
            snapshot_window: group.snapshot_window().unwrap_or(&self.snapshot_window).to_owned(),
            port: port.unwrap_or(self.port),
            tags,
            ..self.clone()
        };
        let Some(member) = member else { return live };
        live.engine = text(member.engine());
        live.engine_version = text(member.engine_version());
        live.subnet_group = text(member.cache_subnet_group_name()).into();
        live.security_group_ids = outs(member.security_groups().iter().filter_map(|group| group.security_group_id()));
        live.maintenance_window = text(member.preferred_maintenance_window());
        live.parameter_group =
            member.cache_parameter_group().and_then(|group| group.cache_parameter_group_name()).map(str::to_owned);
        live
    }
}

fn tls(group: &CacheGroup) -> Tls {
    match (group.transit_encryption_enabled(), group.transit_encryption_mode()) {
        (Some(true), Some(TransitEncryptionMode::Preferred)) => Tls::Preferred,
        (Some(true), _) => Tls::Required,
        _ => Tls::Off,
    }
}

/// Where a group is in its life.
pub(super) async fn phase(cx: &Cx<'_>, group: &CacheGroup, name: &str) -> Phase {
    match group.status().unwrap_or("unknown") {
        // A snapshot is taken every day, of a group in full use.
        "available" | "snapshotting" => Phase::Ready,
        "deleting" => Phase::Deleting,
        status if status.ends_with("failed") => Phase::Failed(match last_event(cx, name).await {
            Some(event) => format!("{status}: {event}"),
            None => status.to_owned(),
        }),
        status => Phase::Pending(status.to_owned()),
    }
}

/// What AWS last said of a group, within a day. It explains a failure, so not being allowed to ask is none itself.
pub(super) async fn last_event(cx: &Cx<'_>, name: &str) -> Option<String> {
    let ask = cx.elasticache.describe_events().source_identifier(name).source_type(SourceType::ReplicationGroup);
    let answer = ask.duration(24 * 60).send().await.ok()?;
    let last = answer.events().iter().max_by_key(|event| event.date().copied())?;
    last.message().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource as _;

    fn spec() -> ReplicationGroup {
        serde_json::from_value(serde_json::json!({
            "name": "cache", "description": "d", "engine": "redis", "engine_version": "7.1",
            "node_type": "cache.t3.micro", "nodes": 2, "automatic_failover": true, "multi_az": true,
            "subnet_group": "subnets", "security_group_ids": ["sg-1"], "kms_key_id": "arn:aws:kms:us-east-1:1:key/k",
            "auth_token_secret": "arn:aws:secretsmanager:us-east-1:1:secret:t", "tls": "required",
            "snapshot_retention_days": 5, "snapshot_window": "03:00-04:00",
            "maintenance_window": "sun:04:00-sun:05:00", "port": 6379, "parameter_group": null, "tags": {},
        }))
        .unwrap()
    }

    fn replaced_by(status: &str) -> Vec<String> {
        let group = CacheGroup::builder().replication_group_id("cache").status(status).build();
        let json = |spec: &ReplicationGroup| serde_json::to_value(spec).unwrap();
        let live = spec().live(&group, None, Tags::new());
        let diff = Diff::between(&json(&spec()), &json(&live), ReplicationGroup::IMMUTABLE);
        diff.immutable().map(|change| change.path.clone()).collect()
    }

    #[test]
    fn what_is_not_told_yet_replaces_nothing() {
        assert!(replaced_by("creating").is_empty());
        assert_eq!(replaced_by("available"), ["auth_token_secret", "kms_key_id"]);
    }
}
