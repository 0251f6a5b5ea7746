//! The modifications of a replication group, of which AWS takes one kind at a time.

use aws_sdk_elasticache::operation::modify_replication_group::builders::ModifyReplicationGroupFluentBuilder as Modify;
use aws_sdk_elasticache::types::{ReplicationGroup as CacheGroup, TransitEncryptionMode};

use super::replication_group::{ReplicationGroup, Tls};
use super::versions::default_parameters;
use crate::resources::named::Named;
use crate::resources::prelude::*;
use crate::resources::values::{known, major};

impl ReplicationGroup {
    /// The first modification that is needed, of those that are not the number of nodes.
    pub(super) async fn change(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<Option<Modify>> {
        let id = &observed.id;
        let ask = cx.elasticache.modify_replication_group().replication_group_id(id);
        let ask = ask.apply_immediately(diff.has_any(Self::HASTENS));
        if diff.has_any(&["automatic_failover", "multi_az"]) {
            let ask = ask.automatic_failover_enabled(self.automatic_failover);
            return Ok(Some(ask.multi_az_enabled(self.multi_az)));
        }
        if diff.has("tls") {
            // AWS goes from plain text to TLS only by way of both.
            let mode = match (self.tls, observed.live.tls) {
                (Tls::Required, Tls::Preferred) => TransitEncryptionMode::Required,
                _ => TransitEncryptionMode::Preferred,
            };
            return Ok(Some(ask.transit_encryption_enabled(true).transit_encryption_mode(mode)));
        }
        if diff.has_any(&["engine", "engine_version", "parameter_group"]) {
            let engine = diff.has("engine").then(|| self.engine.clone());
            let version = diff.has_any(&["engine", "engine_version"]).then(|| self.engine_version.clone());
            let ask = ask.set_engine(engine).set_engine_version(version);
            return Ok(Some(ask.set_cache_parameter_group_name(self.parameters(&observed.live))));
        }
        if diff.has("node_type") {
            return Ok(Some(ask.cache_node_type(&self.node_type)));
        }
        let plain =
            ["description", "security_group_ids", "maintenance_window", "snapshot_retention_days", "snapshot_window"];
        match diff.has_any(&plain) {
            true => Ok(Some(self.plain(ask, cx, observed, diff).await?)),
            false => Ok(None),
        }
    }

    /// The parameter group to go on with. One of another family than the new version's is refused, AWS's own as well where
    /// it is not named anew: aws-samples/dify-self-hosted-on-aws issue 24.
    fn parameters(&self, live: &Self) -> Option<String> {
        let same = self.engine == live.engine && major(&self.engine_version) == major(&live.engine_version);
        let own = || (!same).then(|| default_parameters(&self.engine, &self.engine_version));
        self.parameter_group.clone().or_else(own)
    }

    /// Changes that AWS takes together.
    async fn plain(&self, ask: Modify, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<Modify> {
        let mut ask = ask
            .set_replication_group_description(diff.has("description").then(|| self.description.clone()))
            .set_preferred_maintenance_window(diff.has("maintenance_window").then(|| self.maintenance_window.clone()))
            .set_snapshot_window(diff.has("snapshot_window").then(|| self.snapshot_window.clone()));
        if diff.has("security_group_ids") {
            ask = ask.set_security_group_ids(Some(known(&self.security_group_ids)?));
        }
        if diff.has("snapshot_retention_days") {
            ask = ask.snapshot_retention_limit(self.snapshot_retention_days);
        }
        if observed.live.snapshot_retention_days == 0 && self.snapshot_retention_days > 0 {
            // Where none were taken, AWS wants to be told of which member to take them; the last is a replica.
            let group = CacheGroup::describe(cx, Some(&observed.id)).await?.pop().always("replication group")?;
            ask = ask.set_snapshotting_cluster_id(group.member_clusters().last().cloned());
        }
        Ok(ask)
    }
}
