//! A cluster that begins with the data of another: a restore makes a new one, never in place, with AWS's own defaults
//! wherever it is told nothing. API reference, RestoreDBClusterFromSnapshot and RestoreDBClusterToPointInTime.

use aws_sdk_rds::primitives::DateTime;
use jiff::Timestamp;

use super::db_cluster::DbCluster;
use super::rules::life_after_support;
use super::to_rds;
use crate::resources::prelude::*;
use crate::resources::values::known;

/// What a cluster begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The data of a snapshot.
    Snapshot {
        /// Its identifier.
        id: String,
    },
    /// The data that another cluster had at a time.
    Moment {
        /// The resource id of that cluster, which may be gone by now: `cluster-ABC…`.
        cluster: String,
        /// The time; none: the latest that AWS can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
}

/// One call that makes the cluster, with all that such a call takes of its spec.
pub(super) async fn restore(cx: &Cx<'_>, spec: &DbCluster, origin: &Origin) -> Result<()> {
    match origin {
        Origin::Snapshot { id } => from_snapshot(cx, spec, id).await,
        Origin::Moment { cluster, at } => to_moment(cx, spec, cluster, *at).await,
    }
}

async fn from_snapshot(cx: &Cx<'_>, spec: &DbCluster, snapshot: &str) -> Result<()> {
    cx.rds
        .restore_db_cluster_from_snapshot()
        .db_cluster_identifier(&spec.name)
        .snapshot_identifier(snapshot)
        .engine(&spec.engine)
        // Without it AWS takes the default version of its engine, and moves the data there.
        .engine_version(&spec.engine_version)
        .kms_key_id(spec.kms_key_id.get()?)
        .db_subnet_group_name(spec.db_subnet_group.get()?)
        .set_vpc_security_group_ids(Some(known(&spec.security_group_ids)?))
        .db_cluster_parameter_group_name(spec.parameter_group.get()?)
        .serverless_v2_scaling_configuration(spec.scaling())
        .set_enable_cloudwatch_logs_exports(Some(spec.log_exports.iter().cloned().collect()))
        .enable_iam_database_authentication(spec.iam_authentication)
        .deletion_protection(spec.deletion_protection)
        .copy_tags_to_snapshot(spec.copy_tags_to_snapshot)
        .engine_lifecycle_support(life_after_support(spec.extended_support))
        .set_tags(Some(to_rds(&spec.tags)))
        .send()
        .await?;
    Ok(())
}

async fn to_moment(cx: &Cx<'_>, spec: &DbCluster, cluster: &str, at: Option<Timestamp>) -> Result<()> {
    cx.rds
        .restore_db_cluster_to_point_in_time()
        .db_cluster_identifier(&spec.name)
        .source_db_cluster_resource_id(cluster)
        .set_restore_to_time(at.map(|at| DateTime::from_secs(at.as_second())))
        .set_use_latest_restorable_time(at.is_none().then_some(true))
        .kms_key_id(spec.kms_key_id.get()?)
        .db_subnet_group_name(spec.db_subnet_group.get()?)
        .set_vpc_security_group_ids(Some(known(&spec.security_group_ids)?))
        .db_cluster_parameter_group_name(spec.parameter_group.get()?)
        .serverless_v2_scaling_configuration(spec.scaling())
        .set_enable_cloudwatch_logs_exports(Some(spec.log_exports.iter().cloned().collect()))
        .enable_iam_database_authentication(spec.iam_authentication)
        .deletion_protection(spec.deletion_protection)
        .copy_tags_to_snapshot(spec.copy_tags_to_snapshot)
        .engine_lifecycle_support(life_after_support(spec.extended_support))
        .set_tags(Some(to_rds(&spec.tags)))
        .send()
        .await?;
    Ok(())
}
