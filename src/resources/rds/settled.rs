//! Whether what is `available` has also taken in every change: AWS says so in other fields.

use std::time::{Duration, SystemTime};

use aws_sdk_rds::types::{
    ClusterPendingModifiedValues, DbCluster, DbClusterMember, DbInstance, MasterUserSecret,
    PendingCloudwatchLogsExports, PendingModifiedValues, VpcSecurityGroupMembership,
};

use aws_smithy_types::DateTime;

use crate::resource::{Phase, Restart};

/// Whether an available cluster has taken in every change.
pub(super) fn cluster(cluster: &DbCluster) -> Phase {
    match cluster.pending_modified_values().and_then(pending_cluster) {
        Some(what) => Phase::Pending(format!("available, change of {what} pending")),
        None if !groups_settled(cluster.vpc_security_groups()) => {
            Phase::Pending("available, change of security groups pending".to_owned())
        }
        None if is_rotating(cluster.master_user_secret()) => {
            Phase::Pending("available, change of the managed master password under way".to_owned())
        }
        None => Phase::Ready,
    }
}

/// Whether a managed password is just being changed. It stays `creating` while a cluster has no instance, and `impaired` for
/// good: neither is waited for. API reference, MasterUserSecret: `SecretStatus`.
fn is_rotating(secret: Option<&MasterUserSecret>) -> bool {
    secret.and_then(|secret| secret.secret_status()) == Some("rotating")
}

fn pending_cluster(values: &ClusterPendingModifiedValues) -> Option<&'static str> {
    let changes = [
        ("engine version", values.engine_version().is_some()),
        ("master password", values.master_user_password().is_some()),
        ("IAM authentication", values.iam_database_authentication_enabled().is_some()),
        ("backup retention", values.backup_retention_period().is_some()),
        ("identifier", values.db_cluster_identifier().is_some()),
        ("storage", values.storage_type().is_some() || values.allocated_storage().is_some() || values.iops().is_some()),
        ("log exports", values.pending_cloudwatch_logs_exports().is_some_and(logs_pending)),
    ];
    changes.into_iter().find(|(_, pending)| *pending).map(|(what, _)| what)
}

/// Whether an available instance has taken in every change.
pub(super) fn instance(instance: &DbInstance) -> Phase {
    let applying = |status: Option<&str>| status == Some("applying");
    let what = if let Some(what) = instance.pending_modified_values().and_then(pending_instance) {
        what
    } else if !groups_settled(instance.vpc_security_groups()) {
        "security groups"
    } else if instance.db_parameter_groups().iter().any(|group| applying(group.parameter_apply_status())) {
        "parameters"
    } else {
        return Phase::Ready;
    };
    Phase::Pending(format!("available, change of {what} pending"))
}

fn pending_instance(values: &PendingModifiedValues) -> Option<&'static str> {
    let changes = [
        ("instance class", values.db_instance_class().is_some()),
        ("engine version", values.engine_version().is_some()),
        ("certificate", values.ca_certificate_identifier().is_some()),
        ("identifier", values.db_instance_identifier().is_some()),
        ("port", values.port().is_some()),
        ("master password", values.master_user_password().is_some()),
        ("IAM authentication", values.iam_database_authentication_enabled().is_some()),
        ("storage", values.allocated_storage().is_some() || values.storage_type().is_some()),
        ("a standby in another zone", values.multi_az().is_some()),
        ("backup retention", values.backup_retention_period().is_some()),
        ("log exports", values.pending_cloudwatch_logs_exports().is_some_and(logs_pending)),
    ];
    changes.into_iter().find(|(_, pending)| *pending).map(|(what, _)| what)
}

fn logs_pending(logs: &PendingCloudwatchLogsExports) -> bool {
    !logs.log_types_to_enable().is_empty() || !logs.log_types_to_disable().is_empty()
}

/// How long a new database's parameters are looked after.
const YOUNG: Duration = Duration::from_secs(3600);

/// What AWS says of parameters that it reads at the next start.
const AT_RESTART: &str = "pending-reboot";

/// What an instance awaits a restart for. Of a member of a cluster the cluster says it too: no failover brings the parameters
/// of a group into force, only a restart does (API reference, ModifyDBInstance, DBParameterGroupName).
pub(super) fn restart(instance: &DbInstance, member: Option<&DbClusterMember>, now: SystemTime) -> Option<Restart> {
    let own = instance.db_parameter_groups().iter().map(|group| group.parameter_apply_status());
    let mut all = own.chain(member.map(|member| member.db_cluster_parameter_group_status()));
    all.any(|status| status == Some(AT_RESTART))
        .then(|| Restart { what: "its parameters".to_owned(), unused: is_young(instance, now) })
}

/// Whether an instance was made so lately that nobody can be on it yet.
pub(super) fn is_young(instance: &DbInstance, now: SystemTime) -> bool {
    is_recent(instance.instance_create_time(), now)
}

/// Whether something was made so lately that nobody can be on it yet.
pub(super) fn is_recent(made: Option<&DateTime>, now: SystemTime) -> bool {
    let made = made.and_then(|made| SystemTime::try_from(*made).ok());
    made.is_some_and(|made| now.duration_since(made).unwrap_or_default() < YOUNG)
}

fn groups_settled(groups: &[VpcSecurityGroupMembership]) -> bool {
    groups.iter().all(|group| group.status() == Some("active"))
}
