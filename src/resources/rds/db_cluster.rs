//! An Aurora cluster with Serverless v2 capacity. It is `available` before it has any instance; its master password is
//! made, kept and rotated by RDS, so that no one else ever sees it.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{DbCluster as RdsCluster, MasterUserSecret, ServerlessV2ScalingConfiguration, SourceType};
use serde_json::{Value, json};

use super::last_snapshot::{OfClusters, delete_cluster, resource_id};
use super::restored::{self, Origin};
use super::rules::{check_acu, check_logs, check_user, check_word, life_after_support};
use super::{
    UNPROTECTING, backups, from_rds, is_in_use, last_event, log_changes, managed, phase_of, power, queue, retag,
    settled, to_rds,
};
use crate::error::Class;
use crate::resource::refuse_along;
use crate::resources::last_snapshot;
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::secretsmanager::new_password;
use crate::resources::values::{
    check_daily, check_identifier, check_range, check_weekly, key, known, leap, major, no_way_back, outs, text, version,
};

/// Characters of a password that lives only until RDS keeps one itself; at most 41.
const PASSWORD_LENGTH: usize = 32;

/// A database cluster: its storage and settings. Its instances are nodes of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbCluster {
    /// Its identifier, 1-63 characters in lower case.
    pub name: String,
    /// The engine, as `aurora-postgresql`.
    pub engine: String,
    /// The engine's version, as `16.9`; a later minor satisfies it.
    pub engine_version: String,
    /// The database made at the start.
    pub database_name: String,
    /// The master user's name; 1-16 letters and digits.
    pub master_username: String,
    /// The key that encrypts the master user's secret.
    pub master_secret_kms_key_id: Out<String>,
    /// The key that encrypts storage, snapshots and backups. A final snapshot is lost with it.
    pub kms_key_id: Out<String>,
    /// The subnets its instances stand in.
    pub db_subnet_group: Out<String>,
    /// The security groups of its endpoints.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// The cluster parameter group; after a change instances use it from their next reboot.
    pub parameter_group: Out<String>,
    /// Least capacity in Aurora capacity units, in steps of a half.
    pub min_acu: f64,
    /// Most capacity in Aurora capacity units, in steps of a half.
    pub max_acu: f64,
    /// Days that backups are kept and that point-in-time recovery reaches back, 1-35.
    pub backup_retention_days: i32,
    /// When a backup may start, daily, in UTC: `03:00-04:00`.
    pub backup_window: String,
    /// When maintenance may start, weekly, in UTC: `sun:04:00-sun:05:00`.
    pub maintenance_window: String,
    /// The logs sent to CloudWatch Logs.
    pub log_exports: BTreeSet<String>,
    /// Witness that the log group of an export exists: RDS would make it itself, without key and retention.
    pub log_group: Option<Out<String>>,
    /// Whether IAM identities may log in.
    pub iam_authentication: bool,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Whether snapshots carry the cluster's tags.
    pub copy_tags_to_snapshot: bool,
    /// Whether a last snapshot is taken when it is deleted.
    pub final_snapshot: bool,
    /// Whether RDS Extended Support takes it on once its version's standard support has ended. Only a new one, or one that
    /// is restored, has the choice: API reference, CreateDBCluster, `EngineLifecycleSupport`.
    #[serde(default)]
    pub extended_support: bool,
    /// Whether its automated backups stay, as long as they were to be kept, when it is deleted. AWS asks once, then.
    #[serde(default)]
    pub keep_automated_backups: bool,
    /// What it begins with, where that is not nothing. It is used once, and never differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<Origin>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbClusterOutputs {
    /// Its identifier.
    pub cluster_identifier: String,
    /// Its ARN.
    pub arn: String,
    /// `cluster-ABC…`, never used twice; ARNs of database users contain it.
    pub resource_id: Option<String>,
    /// The writer's host name.
    pub endpoint: Option<String>,
    /// The readers' host name.
    pub reader_endpoint: Option<String>,
    /// The ARN of the master user's secret, which changes when the cluster is replaced.
    pub master_user_secret_arn: Option<String>,
}

impl Node<DbCluster> {
    /// Its identifier, known once it exists.
    pub fn cluster_identifier(&self) -> Out<String> {
        self.out("cluster_identifier")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// What ARNs of database users call the cluster.
    pub fn resource_id(&self) -> Out<String> {
        self.out("resource_id")
    }

    /// The writer's host name.
    pub fn endpoint(&self) -> Out<String> {
        self.out("endpoint")
    }

    /// The readers' host name.
    pub fn reader_endpoint(&self) -> Out<String> {
        self.out("reader_endpoint")
    }

    /// The ARN of the master user's secret. Its value can be read once the cluster has an instance.
    pub fn master_user_secret_arn(&self) -> Out<String> {
        self.out("master_user_secret_arn")
    }
}

impl Named for RdsCluster {
    const LIST: &'static str = "rds.db-clusters";

    fn name(&self) -> Option<&str> {
        self.db_cluster_identifier()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.rds.describe_db_clusters().set_db_cluster_identifier(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for DbCluster {
    type Cloud = Aws;
    type Outputs = DbClusterOutputs;
    const KIND: &'static str = "rds.db_cluster";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] =
        &["name", "engine", "database_name", "master_username", "kms_key_id", "db_subnet_group"];
    // RDS makes a new secret where it begins to keep the password.
    const VOLATILE: &'static [&'static str] = &["master_user_secret_arn"];
    const SERVES: bool = true;
    // An upgrade restarts every instance.
    const INTERRUPTS: &'static [&'static str] = &["engine_version"];
    const WITNESSES: &'static [&'static str] = &["log_group", "extended_support", "restored_from"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack = WayBack::Backups;
    const SNAPSHOTS: Option<usize> = Some(63);
    const ROOTED: bool = true;
    const FORETOLD: &'static [&'static str] = &["cluster_identifier", "arn"];
    const ROTATES: bool = true;
    // What may wait for the window; and a window that has begun lets what waits begin.
    const HASTENS: &'static [&'static str] = &[
        "engine_version",
        "backup_retention_days",
        "iam_authentication",
        "maintenance_window",
        "master_secret_kms_key_id",
    ];
    // A standby, another class or another version of a large database takes hours; --timeout ends the run before.
    const WAIT: Wait = Wait::seconds(10, 21600, 7200).usually(120, 150);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 63)?;
        check_word("database_name", &self.database_name, 63, "_")?;
        check_user(&self.master_username)?;
        check_acu(self.min_acu, self.max_acu)?;
        check_range("backup_retention_days", self.backup_retention_days, 1, 35)?;
        check_daily("backup_window", &self.backup_window, 30)?;
        check_weekly("maintenance_window", &self.maintenance_window, 30)?;
        check_logs(&self.engine, &self.log_exports)
    }

    fn out_of_reach(&self, live: &Self) -> Option<OutOfReach> {
        no_way_back("engine_version", &self.engine_version, &live.engine_version)
    }

    fn remains(&self) -> Option<String> {
        let kept_days = self.keep_automated_backups.then_some(self.backup_retention_days);
        last_snapshot::remains(&self.name, self.final_snapshot, kept_days)
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        Loss::of_shorter("automated backups", "days", self.backup_retention_days, live.backup_retention_days)
    }

    fn unsettles(&self, live: &Self) -> Option<bool> {
        Some(self.master_secret_kms_key_id != live.master_secret_kms_key_id)
    }

    fn one_way(&self, live: &Self) -> Option<String> {
        leap(&self.engine_version, &live.engine_version)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(cluster) = find::<RdsCluster>(cx, &self.name, id).await? else { return Ok(None) };
        let name = text(cluster.name());
        let secret = managed::secret(cx, &cluster).await?;
        let outputs = DbClusterOutputs {
            cluster_identifier: name.clone(),
            arn: text(cluster.db_cluster_arn()),
            resource_id: cluster.db_cluster_resource_id.clone(),
            endpoint: cluster.endpoint.clone(),
            reader_endpoint: cluster.reader_endpoint.clone(),
            master_user_secret_arn: secret.and_then(|secret| secret.secret_arn.clone()),
        };
        let phase = match cluster.status().unwrap_or("unknown") {
            status if is_in_use(status, settled::is_recent(cluster.cluster_create_time(), cx.now())) => {
                settled::cluster(&cluster)
            }
            status => phase_of(cx, status, &name, SourceType::DbCluster).await,
        };
        let made = cluster.db_cluster_resource_id.clone();
        let besides = Besides { queued: queue::of_cluster(&cluster, &self.engine_version), ..Besides::default() };
        let found = Observed::ready(name, self.live(&cluster, secret), outputs);
        Ok(Some(found.in_phase(phase).known_by(made).with(besides)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        if let Some(origin) = &self.restored_from {
            restored::restore(cx, self, origin).await?;
            return Ok(self.name.clone());
        }
        cx.rds
            .create_db_cluster()
            .db_cluster_identifier(&self.name)
            .engine(&self.engine)
            .engine_version(&self.engine_version)
            .database_name(&self.database_name)
            .master_username(&self.master_username)
            .manage_master_user_password(true)
            .master_user_secret_kms_key_id(self.master_secret_kms_key_id.get()?)
            .storage_encrypted(true)
            .kms_key_id(self.kms_key_id.get()?)
            .db_subnet_group_name(self.db_subnet_group.get()?)
            .set_vpc_security_group_ids(Some(known(&self.security_group_ids)?))
            .db_cluster_parameter_group_name(self.parameter_group.get()?)
            .serverless_v2_scaling_configuration(self.scaling())
            .backup_retention_period(self.backup_retention_days)
            .preferred_backup_window(&self.backup_window)
            .preferred_maintenance_window(&self.maintenance_window)
            .set_enable_cloudwatch_logs_exports(Some(self.log_exports.iter().cloned().collect()))
            .enable_iam_database_authentication(self.iam_authentication)
            .deletion_protection(self.deletion_protection)
            .copy_tags_to_snapshot(self.copy_tags_to_snapshot)
            .engine_lifecycle_support(life_after_support(self.extended_support))
            .set_tags(Some(to_rds(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if power::is_down(&observed.phase) {
            return power::start_cluster(cx, &observed.id, diff).await;
        }
        let elsewhere = |path: &str| !path.starts_with("tags") && !super::ASKED_AT_THE_END.contains(&path);
        if diff.changes.iter().any(|change| elsewhere(&change.path)) {
            self.modify(cx, observed, diff).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        let asked = self.remove(cx, observed).await;
        match power::is_refused_while_down(&asked, &observed.phase) {
            true => power::after_start(power::start_cluster(cx, &observed.id, &Diff::default()).await),
            false => asked,
        }
    }

    /// A last snapshot that AWS cannot take is not waited for.
    fn unpreservable(&self, phase: &Phase) -> Option<String> {
        power::without_snapshot(phase).filter(|_| self.final_snapshot)
    }

    /// RDS keeps the secret and draws the password. Secrets Manager changes it in its own time, and who reads the secret
    /// before that gets the old one.
    async fn rotate(&self, cx: &Cx<'_>, observed: &Observed<Self>, turn: Turn) -> Result<()> {
        match turn {
            Turn::Begin => {
                // AWS takes it with ApplyImmediately only.
                refuse_along(&observed.besides.queued)?;
                let ask = cx.rds.modify_db_cluster().db_cluster_identifier(&observed.id);
                ask.rotate_master_user_password(true).apply_immediately(true).send().await?;
                Ok(())
            }
            Turn::Settle => match &observed.outputs.master_user_secret_arn {
                Some(secret) => managed::rotated(cx, secret).await,
                None => Ok(()),
            },
            Turn::Retire => Ok(()),
        }
    }

    async fn settle_queue(&self, cx: &Cx<'_>, observed: &Observed<Self>, order: Queue) -> Result<()> {
        queue::settle_cluster(cx, &observed.id, order).await
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let Some(cluster) = find::<RdsCluster>(cx, &self.name, Some(&observed.id)).await? else {
            return Ok(Vec::new());
        };
        let members = cluster.db_cluster_members().iter().filter_map(|member| member.db_instance_identifier());
        Ok(members.map(|member| Holder::of(member, format!("{member}, a member of the cluster"))).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = super::list::<RdsCluster>(cx, |_| true).await?;
        found.extend(super::kept_snapshots(cx, "cluster-snapshot:").await?);
        Ok(found)
    }

    async fn last_words(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Option<String> {
        last_event(cx, &observed.id, SourceType::DbCluster).await
    }

    async fn backups(&self, cx: &Cx<'_>) -> Result<Vec<Backup>> {
        backups::of_cluster(cx, &self.name).await
    }

    async fn snapshot(&self, cx: &Cx<'_>, observed: &Observed<Self>, name: &str, tags: &Tags) -> Result<()> {
        let ask = cx.rds.create_db_cluster_snapshot().db_cluster_identifier(&observed.id);
        ask.db_cluster_snapshot_identifier(name).set_tags(Some(to_rds(tags))).send().await?;
        Ok(())
    }

    async fn find_snapshot(&self, cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
        backups::find_cluster_snapshot(cx, name).await
    }

    /// What is asked for where nobody knows is that all backups stay, and a last one with them.
    fn careful() -> Value {
        json!({ "final_snapshot": true, "keep_automated_backups": true })
    }
}

impl DbCluster {
    fn live(&self, cluster: &RdsCluster, secret: Option<&MasterUserSecret>) -> Self {
        let acu = cluster.serverless_v2_scaling_configuration();
        let groups = cluster.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
        DbCluster {
            name: text(cluster.name()),
            engine: text(cluster.engine()),
            engine_version: version(&self.engine_version, cluster.engine_version().unwrap_or_default()),
            database_name: text(cluster.database_name()),
            master_username: text(cluster.master_username()),
            // The secret may follow the cluster, and a difference there would replace what is still being made.
            master_secret_kms_key_id: match secret.and_then(|secret| secret.kms_key_id()) {
                None if cluster.status() == Some("creating") => self.master_secret_kms_key_id.clone(),
                live => key(&self.master_secret_kms_key_id, live),
            },
            kms_key_id: key(&self.kms_key_id, cluster.kms_key_id()),
            db_subnet_group: text(cluster.db_subnet_group()).into(),
            security_group_ids: outs(groups),
            parameter_group: text(cluster.db_cluster_parameter_group()).into(),
            min_acu: acu.and_then(|acu| acu.min_capacity()).unwrap_or_default(),
            max_acu: acu.and_then(|acu| acu.max_capacity()).unwrap_or_default(),
            backup_retention_days: cluster.backup_retention_period().unwrap_or_default(),
            backup_window: text(cluster.preferred_backup_window()),
            maintenance_window: text(cluster.preferred_maintenance_window()),
            log_group: self.log_group.clone(),
            log_exports: cluster.enabled_cloudwatch_logs_exports().iter().cloned().collect(),
            iam_authentication: cluster.iam_database_authentication_enabled().unwrap_or_default(),
            deletion_protection: cluster.deletion_protection().unwrap_or_default(),
            copy_tags_to_snapshot: cluster.copy_tags_to_snapshot().unwrap_or_default(),
            final_snapshot: self.final_snapshot,
            extended_support: self.extended_support,
            keep_automated_backups: self.keep_automated_backups,
            restored_from: self.restored_from.clone(),
            tags: from_rds(cluster.tag_list()),
        }
    }

    pub(super) fn scaling(&self) -> ServerlessV2ScalingConfiguration {
        ServerlessV2ScalingConfiguration::builder().min_capacity(self.min_acu).max_capacity(self.max_acu).build()
    }

    /// Without `ApplyImmediately` what [hastens](Resource::HASTENS) would wait for the maintenance window; all else takes
    /// effect at once, and leaves what others have queued alone.
    async fn modify(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let mut ask = cx.rds.modify_db_cluster().db_cluster_identifier(&observed.id);
        ask = ask.set_apply_immediately(diff.has_any(Self::HASTENS).then_some(true));
        if diff.has("engine_version") {
            let leaps = major(&self.engine_version) != major(&observed.live.engine_version);
            ask = ask.engine_version(&self.engine_version).allow_major_version_upgrade(leaps);
        }
        if diff.has("master_secret_kms_key_id") {
            // The key of a secret is chosen where RDS begins to keep the password, and never after: API reference,
            // ModifyDBCluster, `MasterUserSecretKmsKeyId`.
            ask = match observed.outputs.master_user_secret_arn {
                Some(_) => ask
                    .manage_master_user_password(false)
                    .master_user_password(new_password(cx, PASSWORD_LENGTH).await?),
                None => ask
                    .manage_master_user_password(true)
                    .master_user_secret_kms_key_id(self.master_secret_kms_key_id.get()?),
            };
        }
        if diff.has("parameter_group") {
            ask = ask.db_cluster_parameter_group_name(self.parameter_group.get()?);
        }
        if diff.has("security_group_ids") {
            ask = ask.set_vpc_security_group_ids(Some(known(&self.security_group_ids)?));
        }
        if diff.has_any(&["min_acu", "max_acu"]) {
            ask = ask.serverless_v2_scaling_configuration(self.scaling());
        }
        if diff.has("log_exports") {
            ask = ask.cloudwatch_logs_export_configuration(log_changes(&self.log_exports, &observed.live.log_exports));
        }
        ask.set_backup_retention_period(diff.has("backup_retention_days").then_some(self.backup_retention_days))
            .set_preferred_backup_window(diff.has("backup_window").then(|| self.backup_window.clone()))
            .set_preferred_maintenance_window(diff.has("maintenance_window").then(|| self.maintenance_window.clone()))
            .set_enable_iam_database_authentication(diff.has("iam_authentication").then_some(self.iam_authentication))
            .set_deletion_protection(diff.has("deletion_protection").then_some(self.deletion_protection))
            .set_copy_tags_to_snapshot(diff.has("copy_tags_to_snapshot").then_some(self.copy_tags_to_snapshot))
            .send()
            .await
            .map_err(|error| without_writer(Fault::from(error), &observed.live.engine_version))?;
        Ok(())
    }

    async fn remove(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if let Some(why) = self.unpreservable(&observed.phase) {
            return Err(Fault::invalid(why));
        }
        if self.deletion_protection && observed.live.deletion_protection {
            return self.unprotect(cx, &observed.id).await;
        }
        if !self.final_snapshot {
            return self.ask_to_delete(cx, &observed.id, None).await;
        }
        let snapshots = OfClusters { cx, resource_id: resource_id(observed.outputs.resource_id.as_ref())? };
        let ask = async |name: &str| self.ask_to_delete(cx, &observed.id, Some(name)).await;
        delete_cluster(snapshots, &observed.id, ask).await
    }

    async fn ask_to_delete(&self, cx: &Cx<'_>, id: &str, last_snapshot: Option<&str>) -> Result<()> {
        cx.rds
            .delete_db_cluster()
            .db_cluster_identifier(id)
            .skip_final_snapshot(last_snapshot.is_none())
            .set_final_db_snapshot_identifier(last_snapshot.map(str::to_owned))
            .set_delete_automated_backups(self.keep_automated_backups.then_some(false))
            .send()
            .await
            .if_present()?;
        Ok(())
    }

    /// Takes off the protection that this spec put on. Whoever deletes a node has been asked by then; what others have
    /// protected stays so.
    async fn unprotect(&self, cx: &Cx<'_>, id: &str) -> Result<()> {
        let ask = cx.rds.modify_db_cluster().db_cluster_identifier(id).deletion_protection(false);
        ask.send().await?;
        Err(Fault::new(Class::Busy, UNPROTECTING, "its deletion protection is being taken off"))
    }
}

/// What to do where AWS upgrades no cluster that nothing runs in.
fn without_writer(fault: Fault, live: &str) -> Fault {
    if fault.class != Class::Invalid || !fault.message.contains("primary instance") {
        return fault;
    }
    fault.with_advice(format!(
        "AWS upgrades a cluster only while an instance runs: put engine_version back to {live}, let `tapctl apply` make the \
         instances, then raise it again"
    ))
}
