//! Changes of databases that wait for the maintenance window. With `ApplyImmediately` AWS carries out all of them along
//! with what is asked for (Amazon RDS User Guide, "Using the schedule modifications setting"), and one whose live value is
//! asked for again is taken back.

use aws_sdk_rds::types::{
    ClusterPendingModifiedValues, DbCluster as RdsCluster, DbInstance as RdsInstance, PendingModifiedValues,
};

use crate::resource::Queued;
use crate::resources::named::Named;
use crate::resources::prelude::*;
use crate::resources::values::{major, version};

/// Gathers what waits.
struct Waiting<'a> {
    window: &'a str,
    all: Vec<Queued>,
}

impl Waiting<'_> {
    fn add(&mut self, field: Option<&'static str>, what: &'static str, becomes: Option<impl ToString>) {
        let Some(becomes) = becomes.map(|becomes| becomes.to_string()) else { return };
        let (spelled, window) = (becomes.clone(), self.window.to_owned());
        self.all.push(Queued { field, what, becomes, spelled, window });
    }

    /// A later minor version satisfies the one that is asked for.
    fn add_release(&mut self, field: Option<&'static str>, wanted: &str, becomes: Option<&str>) {
        let before = self.all.len();
        self.add(field, "engine version", becomes);
        for one in self.all.iter_mut().skip(before) {
            one.spelled = version(wanted, &one.becomes);
        }
    }
}

/// What waits of an instance: of one on its own, or of a member, whose cluster decides on the rest. `wanted` is the engine
/// version that is asked for.
pub(super) fn of_instance(instance: &RdsInstance, wanted: Option<&str>) -> Vec<Queued> {
    let window = instance.preferred_maintenance_window().unwrap_or_default();
    let mut waiting = Waiting { window, all: Vec::new() };
    let Some(values) = instance.pending_modified_values() else { return waiting.all };
    let own = |field| wanted.is_some().then_some(field);
    waiting.add(Some("instance_class"), "instance class", values.db_instance_class());
    waiting.add_release(own("engine_version"), wanted.unwrap_or_default(), values.engine_version());
    waiting.add(own("allocated_storage_gib"), "storage in GiB", values.allocated_storage());
    waiting.add(own("storage_type"), "storage type", values.storage_type());
    waiting.add(None, "IOPS", values.iops());
    waiting.add(own("multi_az"), "a standby in another zone", values.multi_az());
    waiting.add(own("backup_retention_days"), "backup retention in days", values.backup_retention_period());
    waiting.add(own("iam_authentication"), "IAM authentication", values.iam_database_authentication_enabled());
    let certificate = wanted.is_none().then_some("ca_certificate");
    waiting.add(certificate, "certificate", values.ca_certificate_identifier());
    waiting.add(None, "port", values.port());
    waiting.add(Some("name"), "identifier", values.db_instance_identifier());
    waiting.all
}

/// What waits of a cluster.
pub(super) fn of_cluster(cluster: &RdsCluster, wanted: &str) -> Vec<Queued> {
    let window = cluster.preferred_maintenance_window().unwrap_or_default();
    let mut waiting = Waiting { window, all: Vec::new() };
    let Some(values) = cluster.pending_modified_values() else { return waiting.all };
    waiting.add_release(Some("engine_version"), wanted, values.engine_version());
    waiting.add(Some("backup_retention_days"), "backup retention in days", values.backup_retention_period());
    waiting.add(Some("iam_authentication"), "IAM authentication", values.iam_database_authentication_enabled());
    waiting.add(None, "storage type", values.storage_type());
    waiting.add(None, "storage in GiB", values.allocated_storage());
    waiting.add(None, "IOPS", values.iops());
    waiting.add(Some("name"), "identifier", values.db_cluster_identifier());
    waiting.all
}

/// Of what waits, what is asked for again: all of it, or what is live in its place.
fn again<T>(order: Queue, pending: Option<T>, live: Option<T>) -> Option<T> {
    match order {
        Queue::Run => pending,
        Queue::Cancel => pending.and(live),
    }
}

/// Carries out, or takes back, what waits of an instance.
pub(super) async fn settle_instance(cx: &Cx<'_>, id: &str, order: Queue) -> Result<()> {
    let instance = RdsInstance::describe(cx, Some(id)).await?.pop().always("DB instance")?;
    let none = PendingModifiedValues::builder().build();
    let waits = instance.pending_modified_values().unwrap_or(&none);
    let port = instance.endpoint().and_then(|endpoint| endpoint.port());
    let release = again(order, waits.engine_version.clone(), instance.engine_version.clone());
    let leaps = release.as_deref().is_some_and(|to| major(to) != major(instance.engine_version().unwrap_or_default()));
    let (iam, live) = (waits.iam_database_authentication_enabled, instance.iam_database_authentication_enabled);
    cx.rds
        .modify_db_instance()
        .db_instance_identifier(id)
        .apply_immediately(true)
        .set_allow_major_version_upgrade(leaps.then_some(true))
        .set_engine_version(release)
        .set_db_instance_class(again(order, waits.db_instance_class.clone(), instance.db_instance_class.clone()))
        .set_allocated_storage(again(order, waits.allocated_storage, instance.allocated_storage))
        .set_storage_type(again(order, waits.storage_type.clone(), instance.storage_type.clone()))
        .set_iops(again(order, waits.iops, instance.iops))
        .set_storage_throughput(again(order, waits.storage_throughput, instance.storage_throughput))
        .set_multi_az(again(order, waits.multi_az, instance.multi_az))
        .set_backup_retention_period(again(order, waits.backup_retention_period, instance.backup_retention_period))
        .set_enable_iam_database_authentication(again(order, iam, live))
        .set_ca_certificate_identifier(again(
            order,
            waits.ca_certificate_identifier.clone(),
            instance.ca_certificate_identifier.clone(),
        ))
        .set_db_port_number(again(order, waits.port, port))
        .set_new_db_instance_identifier(again(
            order,
            waits.db_instance_identifier.clone(),
            instance.db_instance_identifier.clone(),
        ))
        .send()
        .await?;
    Ok(())
}

/// The same of a cluster.
pub(super) async fn settle_cluster(cx: &Cx<'_>, id: &str, order: Queue) -> Result<()> {
    let cluster = RdsCluster::describe(cx, Some(id)).await?.pop().always("DB cluster")?;
    let none = ClusterPendingModifiedValues::builder().build();
    let waits = cluster.pending_modified_values().unwrap_or(&none);
    let release = again(order, waits.engine_version.clone(), cluster.engine_version.clone());
    let leaps = release.as_deref().is_some_and(|to| major(to) != major(cluster.engine_version().unwrap_or_default()));
    let (iam, live) = (waits.iam_database_authentication_enabled, cluster.iam_database_authentication_enabled);
    cx.rds
        .modify_db_cluster()
        .db_cluster_identifier(id)
        .apply_immediately(true)
        .set_allow_major_version_upgrade(leaps.then_some(true))
        .set_engine_version(release)
        .set_backup_retention_period(again(order, waits.backup_retention_period, cluster.backup_retention_period))
        .set_enable_iam_database_authentication(again(order, iam, live))
        .set_storage_type(again(order, waits.storage_type.clone(), cluster.storage_type.clone()))
        .set_allocated_storage(again(order, waits.allocated_storage, cluster.allocated_storage))
        .set_iops(again(order, waits.iops, cluster.iops))
        .set_new_db_cluster_identifier(again(
            order,
            waits.db_cluster_identifier.clone(),
            cluster.db_cluster_identifier.clone(),
        ))
        .send()
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: PendingModifiedValues, wanted: Option<&str>) -> Vec<(Option<&'static str>, String)> {
        let window = "sun:04:00-sun:05:00";
        let instance =
            RdsInstance::builder().preferred_maintenance_window(window).pending_modified_values(values).build();
        of_instance(&instance, wanted).into_iter().map(|one| (one.field, one.words())).collect()
    }

    #[test]
    fn what_waits_is_told_with_its_window_and_compared_with_the_spec_that_decides_on_it() {
        let class = PendingModifiedValues::builder().db_instance_class("db.r6g.large").build();
        let told = "instance class will become db.r6g.large in the window sun:04:00-sun:05:00".to_owned();
        assert_eq!(words(class, None), [(Some("instance_class"), told)]);
        let release = || PendingModifiedValues::builder().engine_version("16.11").build();
        let told = "engine version will become 16.11 in the window sun:04:00-sun:05:00".to_owned();
        assert_eq!(words(release(), Some("16.9")), [(Some("engine_version"), told.clone())]);
        assert_eq!(words(release(), None), [(None, told)]);
        assert!(words(PendingModifiedValues::builder().build(), None).is_empty());
    }

    #[test]
    fn a_later_minor_version_is_what_is_asked_for() {
        let satisfied = |wanted: &str| {
            let mut waiting = Waiting { window: "", all: Vec::new() };
            waiting.add_release(Some("engine_version"), wanted, Some("16.11"));
            waiting.all.pop().is_some_and(|one| one.is(&wanted.into()))
        };
        assert!(satisfied("16.9") && satisfied("16") && !satisfied("17.2") && !satisfied("16.12"));
    }

    #[test]
    fn what_does_not_wait_is_not_asked_for_again() {
        assert_eq!(again(Queue::Cancel, Some(2), Some(1)), Some(1));
        assert_eq!(again(Queue::Run, Some(2), Some(1)), Some(2));
        assert_eq!((again(Queue::Cancel, None, Some(1)), again(Queue::Run, None, Some(1))), (None, None));
    }
}
