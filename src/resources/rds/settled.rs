//! Whether what is `available` has also taken in every change: AWS says so in other fields.

use std::time::{Duration, SystemTime};

use aws_sdk_rds::types::{
    DbCluster, DbClusterMember, DbInstance, PendingCloudwatchLogsExports, VpcSecurityGroupMembership,
};

use aws_smithy_types::DateTime;

use super::managed;
use crate::resource::{Phase, Restart};

/// Whether an available cluster has taken in every change that AWS makes as soon as it can. What may wait for the maintenance
/// window is told [elsewhere](super::queue).
pub(super) fn cluster(cluster: &DbCluster) -> Phase {
    let values = cluster.pending_modified_values();
    let password = values.is_some_and(|values| values.master_user_password().is_some());
    let logs = values.and_then(|values| values.pending_cloudwatch_logs_exports()).is_some_and(logs_pending);
    match () {
        () if password => pending("master password"),
        () if logs => pending("log exports"),
        () if !groups_settled(cluster.vpc_security_groups()) => pending("security groups"),
        () if managed::is_rotating(cluster.master_user_secret()) => {
            Phase::Pending("available, change of the managed master password under way".to_owned())
        }
        () => Phase::Ready,
    }
}

/// Whether an available instance has, likewise.
pub(super) fn instance(instance: &DbInstance) -> Phase {
    let values = instance.pending_modified_values();
    let password = values.is_some_and(|values| values.master_user_password().is_some());
    let logs = values.and_then(|values| values.pending_cloudwatch_logs_exports()).is_some_and(logs_pending);
    let mut groups = instance.db_parameter_groups().iter();
    match () {
        () if password => pending("master password"),
        () if logs => pending("log exports"),
        () if !groups_settled(instance.vpc_security_groups()) => pending("security groups"),
        () if groups.any(|group| group.parameter_apply_status() == Some("applying")) => pending("parameters"),
        () => Phase::Ready,
    }
}

fn pending(what: &str) -> Phase {
    Phase::Pending(format!("available, change of {what} pending"))
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
