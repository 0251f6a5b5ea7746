//! The last snapshots of databases: AWS keeps those of clusters and those of instances apart.

use super::rules::snapshot_name;
use crate::resources::last_snapshot::{Snapshots, Taken, delete_with};
use crate::resources::prelude::*;
use crate::resources::values::text;

/// Those of clusters.
pub(super) struct OfClusters<'a> {
    pub(super) cx: &'a Cx<'a>,
    pub(super) resource_id: &'a str,
}

/// Those of instances.
pub(super) struct OfInstances<'a> {
    pub(super) cx: &'a Cx<'a>,
    pub(super) resource_id: &'a str,
}

impl Snapshots for OfClusters<'_> {
    async fn find(&self, name: &str) -> Result<Option<Taken>> {
        let ask = self.cx.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
        let found = ask.send().await.if_present()?.and_then(|answer| answer.db_cluster_snapshots?.pop());
        let ours = |of: Option<&str>| of == Some(self.resource_id);
        Ok(found.map(|one| Taken { status: text(one.status()), ours: ours(one.db_cluster_resource_id()) }))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let ask = self.cx.rds.delete_db_cluster_snapshot().db_cluster_snapshot_identifier(name);
        ask.send().await.if_present()?;
        Ok(())
    }
}

impl Snapshots for OfInstances<'_> {
    async fn find(&self, name: &str) -> Result<Option<Taken>> {
        let ask = self.cx.rds.describe_db_snapshots().db_snapshot_identifier(name);
        let found = ask.send().await.if_present()?.and_then(|answer| answer.db_snapshots?.pop());
        let ours = |of: Option<&str>| of == Some(self.resource_id);
        Ok(found.map(|one| Taken { status: text(one.status()), ours: ours(one.dbi_resource_id()) }))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        self.cx.rds.delete_db_snapshot().db_snapshot_identifier(name).send().await.if_present()?;
        Ok(())
    }
}

/// What a database's last snapshot is named after.
///
/// # Errors
/// Where AWS does not tell it.
pub(super) fn resource_id(told: Option<&String>) -> Result<&str> {
    let told = told.map(String::as_str);
    told.ok_or_else(|| Fault::unexpected("AWS gave no resource id to name the final snapshot after"))
}

/// Deletes a cluster with a last snapshot, whose name `ask` gets.
pub(super) async fn delete_cluster(
    snapshots: OfClusters<'_>,
    database: &str,
    ask: impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    delete_with(&snapshots, &snapshot_name(database, snapshots.resource_id), ask).await
}

/// Deletes an instance with a last snapshot, whose name `ask` gets.
pub(super) async fn delete_instance(
    snapshots: OfInstances<'_>,
    database: &str,
    ask: impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    delete_with(&snapshots, &snapshot_name(database, snapshots.resource_id), ask).await
}
