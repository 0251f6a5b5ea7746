//! A DB instance on its own. Unlike a member of a cluster it holds the data, so it is a kind apart: it is stateful, takes
//! a last snapshot, and decides itself on engine version, storage, network, backups and master user.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_rds::types::{DbInstance as RdsInstance, SourceType};
use serde_json::{Value, json};

use super::last_snapshot::{OfInstances, delete_instance, resource_id};
use super::rules::{check_logs, check_word, life_after_support};
use super::{
    UNPROTECTING, backups, from_rds, is_in_use, last_event, log_changes, phase_of, power, queue, retag, rotation,
    settled, storage, to_rds,
};
use crate::error::Class;
use crate::resources::last_snapshot;
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::secretsmanager::value_of;
use crate::resources::values::{
    check_daily, check_identifier, check_range, check_weekly, key, known, leap, major, no_way_back, outs, text, version,
};

/// A database and what runs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandaloneDbInstance {
    /// Its identifier, 1-63 characters in lower case.
    pub name: String,
    /// The engine, as `postgres`.
    pub engine: String,
    /// The engine's version, as `16.9`; a later minor satisfies it.
    pub engine_version: String,
    /// Its size, as `db.t3.micro`.
    pub instance_class: String,
    /// The type of its storage, as `gp3`.
    pub storage_type: String,
    /// Its storage in GiB, for gp3 20-65536. It never gets smaller, and more is as wanted.
    pub allocated_storage_gib: i32,
    /// The key that encrypts storage, snapshots and backups. A final snapshot is lost with it.
    pub kms_key_id: Out<String>,
    /// The ARN of the secret with the master user's `username` and `password`, read once, when the instance is made. AWS
    /// does not tell it back; another secret has another user, whom this instance cannot get.
    pub credentials_secret: Out<String>,
    /// The database made at the start.
    pub database_name: String,
    /// The subnets it stands in.
    pub db_subnet_group: Out<String>,
    /// The security groups of its endpoint.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// The parameter group; after a change the instance uses it from its next reboot.
    pub parameter_group: Out<String>,
    /// Whether a standby in another availability zone takes over.
    pub multi_az: bool,
    /// Whether it has a public address.
    pub publicly_accessible: bool,
    /// Days that backups are kept and that point-in-time recovery reaches back; 0 (none) to 35.
    pub backup_retention_days: i32,
    /// When a backup may start, daily, in UTC: `03:00-04:00`.
    pub backup_window: String,
    /// When maintenance may start, weekly, in UTC: `sun:04:00-sun:05:00`.
    pub maintenance_window: String,
    /// The logs sent to CloudWatch Logs.
    pub log_exports: BTreeSet<String>,
    /// Witness that the log groups of the exports exist: RDS would make them itself, without key and retention.
    pub log_groups: BTreeSet<Out<String>>,
    /// Whether IAM identities may log in.
    pub iam_authentication: bool,
    /// Whether AWS upgrades the engine's minor version by itself.
    pub auto_minor_version_upgrade: bool,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Whether snapshots carry its tags.
    pub copy_tags_to_snapshot: bool,
    /// Whether a last snapshot is taken when it is deleted.
    pub final_snapshot: bool,
    /// Whether its automated backups stay, as long as they were to be kept, when it is deleted. AWS asks once, then.
    #[serde(default)]
    pub keep_automated_backups: bool,
    /// Whether RDS Extended Support takes it on once its version's standard support has ended. Only a new one, or one that
    /// is restored, has the choice: API reference, CreateDBCluster, `EngineLifecycleSupport`.
    #[serde(default)]
    pub extended_support: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandaloneDbInstanceOutputs {
    /// Its identifier.
    pub instance_identifier: String,
    /// Its ARN.
    pub arn: String,
    /// `db-ABC…`, never used twice; ARNs of database users contain it.
    pub resource_id: Option<String>,
    /// Its host name.
    pub endpoint: Option<String>,
    /// The port it listens on.
    pub port: Option<String>,
}

impl Node<StandaloneDbInstance> {
    /// Its identifier, known once it exists.
    pub fn instance_identifier(&self) -> Out<String> {
        self.out("instance_identifier")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// What ARNs of database users call it.
    pub fn resource_id(&self) -> Out<String> {
        self.out("resource_id")
    }

    /// Its host name.
    pub fn endpoint(&self) -> Out<String> {
        self.out("endpoint")
    }

    /// The port it listens on.
    pub fn port(&self) -> Out<String> {
        self.out("port")
    }
}

impl Resource for StandaloneDbInstance {
    type Cloud = Aws;
    type Outputs = StandaloneDbInstanceOutputs;
    const KIND: &'static str = "rds.standalone_db_instance";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] =
        &["name", "engine", "kms_key_id", "credentials_secret", "database_name", "db_subnet_group"];
    const SERVES: bool = true;
    // An upgrade restarts it, and another class is another machine.
    const INTERRUPTS: &'static [&'static str] = &["engine_version", "instance_class"];
    const WITNESSES: &'static [&'static str] = &["log_groups", "extended_support"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack = WayBack::Backups;
    const SNAPSHOTS: Option<usize> = Some(255);
    const ROOTED: bool = true;
    const FORETOLD: &'static [&'static str] = &["instance_identifier", "arn"];
    const ROTATES: bool = true;
    const RESTARTS: bool = true;
    // All that may wait for the window; and a window that has begun lets what waits begin.
    const HASTENS: &'static [&'static str] = &[
        "engine_version",
        "instance_class",
        "storage_type",
        "allocated_storage_gib",
        "multi_az",
        "backup_retention_days",
        "iam_authentication",
        "maintenance_window",
    ];
    // One that is full goes on saying so for some time after AWS has taken its growth.
    const STIRS_WITHIN: Duration = Duration::from_secs(120);
    // A standby, another class or another version of a large database takes hours; --timeout ends the run before.
    const WAIT: Wait = Wait::seconds(10, 21600, 3600).usually(420, 240);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 63)?;
        check_word("database_name", &self.database_name, 63, "_")?;
        check_range("backup_retention_days", self.backup_retention_days, 0, 35)?;
        check_daily("backup_window", &self.backup_window, 30)?;
        check_weekly("maintenance_window", &self.maintenance_window, 30)?;
        if self.storage_type == "gp3" {
            check_range("allocated_storage_gib", self.allocated_storage_gib, 20, 65536)?;
        }
        if !self.instance_class.starts_with("db.") {
            return Err(format!("instance_class is {:?}; AWS's begin with \"db.\"", self.instance_class));
        }
        check_logs(&self.engine, &self.log_exports)
    }

    fn out_of_reach(&self, live: &Self) -> Option<OutOfReach> {
        storage::too_little_growth(self.allocated_storage_gib, live.allocated_storage_gib)
            .or_else(|| no_way_back("engine_version", &self.engine_version, &live.engine_version))
    }

    fn takes_back(&self, recorded: &Self) -> Option<OutOfReach> {
        storage::shrinks(self.allocated_storage_gib, recorded.allocated_storage_gib)
    }

    /// AWS, or a person in need, makes storage larger, and it never gets smaller.
    fn suffices(&self, live: &Self) -> &'static [&'static str] {
        match live.allocated_storage_gib >= self.allocated_storage_gib {
            true => &["allocated_storage_gib"],
            false => &[],
        }
    }

    fn remains(&self) -> Option<String> {
        let kept_days = self.keep_automated_backups.then_some(self.backup_retention_days);
        last_snapshot::remains(&self.name, self.final_snapshot, kept_days)
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        Loss::of_shorter("automated backups", "days", self.backup_retention_days, live.backup_retention_days)
    }

    fn one_way(&self, live: &Self) -> Option<String> {
        leap(&self.engine_version, &live.engine_version)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(instance) = find::<RdsInstance>(cx, &self.name, id).await? else { return Ok(None) };
        let name = text(instance.name());
        let endpoint = instance.endpoint();
        let outputs = StandaloneDbInstanceOutputs {
            instance_identifier: name.clone(),
            arn: text(instance.db_instance_arn()),
            resource_id: instance.dbi_resource_id.clone(),
            endpoint: endpoint.and_then(|endpoint| endpoint.address()).map(str::to_owned),
            port: endpoint.and_then(|endpoint| endpoint.port()).map(|port| port.to_string()),
        };
        let phase = match instance.db_instance_status().unwrap_or("unknown") {
            status if is_in_use(status, settled::is_young(&instance, cx.now())) => settled::instance(&instance),
            status => phase_of(cx, status, &name, SourceType::DbInstance).await,
        };
        let made = instance.dbi_resource_id.clone();
        let live = self.live(&instance);
        let besides = Besides {
            remarks: storage::grown(self.allocated_storage_gib, live.allocated_storage_gib).into_iter().collect(),
            queued: queue::of_instance(&instance, Some(&self.engine_version)),
            restart: settled::restart(&instance, None, cx.now()),
            ..Besides::default()
        };
        Ok(Some(Observed::ready(name, live, outputs).in_phase(phase).known_by(made).with(besides)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let (user, password) = self.credentials(cx).await?;
        cx.rds
            .create_db_instance()
            .db_instance_identifier(&self.name)
            .engine(&self.engine)
            .engine_version(&self.engine_version)
            .db_instance_class(&self.instance_class)
            .storage_type(&self.storage_type)
            .allocated_storage(self.allocated_storage_gib)
            .storage_encrypted(true)
            .kms_key_id(self.kms_key_id.get()?)
            .master_username(user)
            .master_user_password(password)
            .db_name(&self.database_name)
            .db_subnet_group_name(self.db_subnet_group.get()?)
            .set_vpc_security_group_ids(Some(known(&self.security_group_ids)?))
            .db_parameter_group_name(self.parameter_group.get()?)
            .multi_az(self.multi_az)
            .publicly_accessible(self.publicly_accessible)
            .backup_retention_period(self.backup_retention_days)
            .preferred_backup_window(&self.backup_window)
            .preferred_maintenance_window(&self.maintenance_window)
            .set_enable_cloudwatch_logs_exports(Some(self.log_exports.iter().cloned().collect()))
            .enable_iam_database_authentication(self.iam_authentication)
            .auto_minor_version_upgrade(self.auto_minor_version_upgrade)
            .deletion_protection(self.deletion_protection)
            .copy_tags_to_snapshot(self.copy_tags_to_snapshot)
            .engine_lifecycle_support(life_after_support(self.extended_support))
            .set_tags(Some(to_rds(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        // Its group is as wanted by now: what it could not start with is mended, or nothing here mends it.
        if power::could_not_start(&observed.phase) {
            return power::restart(cx, &observed.id).await;
        }
        if power::is_down(&observed.phase) {
            return power::start_instance(cx, &observed.id, diff).await;
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
            true => power::after_start(power::start_instance(cx, &observed.id, &Diff::default()).await),
            false => asked,
        }
    }

    /// A last snapshot that AWS cannot take is not waited for.
    fn unpreservable(&self, phase: &Phase) -> Option<String> {
        power::without_snapshot(phase).filter(|_| self.final_snapshot)
    }

    async fn rotate(&self, cx: &Cx<'_>, observed: &Observed<Self>, turn: Turn) -> Result<()> {
        let secret = self.credentials_secret.get()?;
        match turn {
            Turn::Begin => rotation::begin(cx, &observed.id, secret).await,
            Turn::Settle => rotation::settle(cx, secret).await,
            Turn::Retire => Ok(()),
        }
    }

    async fn settle_queue(&self, cx: &Cx<'_>, observed: &Observed<Self>, order: Queue) -> Result<()> {
        queue::settle_instance(cx, &observed.id, order).await
    }

    async fn restart(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        power::restart(cx, &observed.id).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = super::list::<RdsInstance>(cx, |instance| instance.db_cluster_identifier().is_none()).await?;
        found.extend(super::kept_snapshots(cx, "snapshot:").await?);
        Ok(found)
    }

    async fn last_words(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Option<String> {
        last_event(cx, &observed.id, SourceType::DbInstance).await
    }

    async fn backups(&self, cx: &Cx<'_>) -> Result<Vec<Backup>> {
        backups::of_instance(cx, &self.name).await
    }

    async fn snapshot(&self, cx: &Cx<'_>, observed: &Observed<Self>, name: &str, tags: &Tags) -> Result<()> {
        let ask = cx.rds.create_db_snapshot().db_instance_identifier(&observed.id);
        ask.db_snapshot_identifier(name).set_tags(Some(to_rds(tags))).send().await?;
        Ok(())
    }

    async fn find_snapshot(&self, cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
        backups::find_snapshot(cx, name).await
    }

    /// What is asked for where nobody knows is that all backups stay, and a last one with them.
    fn careful() -> Value {
        json!({ "final_snapshot": true, "keep_automated_backups": true })
    }
}

impl StandaloneDbInstance {
    /// The master user and the password. No message says more of the secret than its name.
    async fn credentials(&self, cx: &Cx<'_>) -> Result<(String, String)> {
        let secret = self.credentials_secret.get()?;
        let value = serde_json::from_str::<serde_json::Value>(&value_of(cx, secret).await?).unwrap_or_default();
        match (value["username"].as_str(), value["password"].as_str()) {
            (Some(user), Some(password)) => Ok((user.to_owned(), password.to_owned())),
            _ => Err(Fault::invalid(format!("{secret} is no JSON object with username and password; put one there"))),
        }
    }

    fn live(&self, instance: &RdsInstance) -> Self {
        let groups = instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
        let parameter_group = instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name());
        let subnet_group = instance.db_subnet_group().and_then(|group| group.db_subnet_group_name());
        StandaloneDbInstance {
            name: text(instance.name()),
            engine: text(instance.engine()),
            engine_version: version(&self.engine_version, instance.engine_version().unwrap_or_default()),
            instance_class: text(instance.db_instance_class()),
            storage_type: text(instance.storage_type()),
            allocated_storage_gib: instance.allocated_storage().unwrap_or_default(),
            kms_key_id: key(&self.kms_key_id, instance.kms_key_id()),
            credentials_secret: self.credentials_secret.clone(),
            database_name: text(instance.db_name()),
            db_subnet_group: text(subnet_group).into(),
            security_group_ids: outs(groups),
            parameter_group: text(parameter_group).into(),
            multi_az: instance.multi_az().unwrap_or_default(),
            publicly_accessible: instance.publicly_accessible().unwrap_or_default(),
            backup_retention_days: instance.backup_retention_period().unwrap_or_default(),
            backup_window: text(instance.preferred_backup_window()),
            maintenance_window: text(instance.preferred_maintenance_window()),
            log_exports: instance.enabled_cloudwatch_logs_exports().iter().cloned().collect(),
            log_groups: self.log_groups.clone(),
            iam_authentication: instance.iam_database_authentication_enabled().unwrap_or_default(),
            auto_minor_version_upgrade: instance.auto_minor_version_upgrade().unwrap_or_default(),
            deletion_protection: instance.deletion_protection().unwrap_or_default(),
            copy_tags_to_snapshot: instance.copy_tags_to_snapshot().unwrap_or_default(),
            final_snapshot: self.final_snapshot,
            extended_support: self.extended_support,
            keep_automated_backups: self.keep_automated_backups,
            tags: from_rds(instance.tag_list()),
        }
    }

    /// Without `ApplyImmediately` what [hastens](Resource::HASTENS) would wait for the maintenance window; all else takes
    /// effect at once, and leaves what others have queued alone.
    async fn modify(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let live = &observed.live;
        let mut ask = cx.rds.modify_db_instance().db_instance_identifier(&observed.id);
        ask = ask.set_apply_immediately(diff.has_any(Self::HASTENS).then_some(true));
        if diff.has("engine_version") {
            let leaps = major(&self.engine_version) != major(&live.engine_version);
            ask = ask.engine_version(&self.engine_version).allow_major_version_upgrade(leaps);
        }
        if diff.has("security_group_ids") {
            ask = ask.set_vpc_security_group_ids(Some(known(&self.security_group_ids)?));
        }
        if diff.has("parameter_group") {
            ask = ask.db_parameter_group_name(self.parameter_group.get()?);
        }
        if diff.has("log_exports") {
            ask = ask.cloudwatch_logs_export_configuration(log_changes(&self.log_exports, &live.log_exports));
        }
        if diff.has_any(&["allocated_storage_gib", "storage_type"]) {
            let instance = find::<RdsInstance>(cx, &self.name, Some(&observed.id)).await?.always("DB instance")?;
            let speed = storage::speed(self, &instance, diff);
            ask = ask.set_iops(speed.iops).set_storage_throughput(speed.throughput);
        }
        let upgrade = diff.has("auto_minor_version_upgrade").then_some(self.auto_minor_version_upgrade);
        let asked = ask
            .set_db_instance_class(diff.has("instance_class").then(|| self.instance_class.clone()))
            .set_storage_type(diff.has("storage_type").then(|| self.storage_type.clone()))
            .set_allocated_storage(diff.has("allocated_storage_gib").then_some(self.allocated_storage_gib))
            .set_multi_az(diff.has("multi_az").then_some(self.multi_az))
            .set_publicly_accessible(diff.has("publicly_accessible").then_some(self.publicly_accessible))
            .set_backup_retention_period(diff.has("backup_retention_days").then_some(self.backup_retention_days))
            .set_preferred_backup_window(diff.has("backup_window").then(|| self.backup_window.clone()))
            .set_preferred_maintenance_window(diff.has("maintenance_window").then(|| self.maintenance_window.clone()))
            .set_enable_iam_database_authentication(diff.has("iam_authentication").then_some(self.iam_authentication))
            .set_auto_minor_version_upgrade(upgrade)
            .set_deletion_protection(diff.has("deletion_protection").then_some(self.deletion_protection))
            .set_copy_tags_to_snapshot(diff.has("copy_tags_to_snapshot").then_some(self.copy_tags_to_snapshot))
            .send()
            .await
            .map_err(Fault::from);
        match asked {
            Ok(_) => Ok(()),
            Err(fault) => Err(storage::told_when(cx, &observed.id, fault).await),
        }
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
        let snapshots = OfInstances { cx, resource_id: resource_id(observed.outputs.resource_id.as_ref())? };
        let ask = async |name: &str| self.ask_to_delete(cx, &observed.id, Some(name)).await;
        delete_instance(snapshots, &observed.id, ask).await
    }

    async fn ask_to_delete(&self, cx: &Cx<'_>, id: &str, last_snapshot: Option<&str>) -> Result<()> {
        cx.rds
            .delete_db_instance()
            .db_instance_identifier(id)
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
        let ask = cx.rds.modify_db_instance().db_instance_identifier(id).deletion_protection(false);
        ask.send().await?;
        Err(Fault::new(Class::Busy, UNPROTECTING, "its deletion protection is being taken off"))
    }
}
