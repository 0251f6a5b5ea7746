//! A DB instance that is a member of an Aurora cluster. The cluster decides on engine version, storage, network and
//! backups; the instance on its class, its zone and whether it is the first to become the writer.

use std::time::Duration;

use aws_sdk_rds::types::{DbCluster as RdsCluster, DbClusterMember, DbInstance as RdsInstance, SourceType};

use super::{failover, from_rds, is_in_use, phase_of, power, queue, retag, settled, to_rds};
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::{check_identifier, check_range, check_weekly, text};

/// What runs a database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbInstance {
    /// Its identifier, 1-63 characters in lower case.
    pub name: String,
    /// The cluster it is a member of.
    pub cluster_identifier: Option<Out<String>>,
    /// The engine, the same as the cluster's.
    pub engine: String,
    /// Its size, as `db.serverless`.
    pub instance_class: String,
    /// Where it is made. AWS moves it to no other zone, and it stays where it stands. `None`: AWS decides.
    pub availability_zone: Option<Out<String>>,
    /// Its place in the line of those who take over as the writer, 0 (first) to 15.
    pub promotion_tier: i32,
    /// Whether AWS upgrades the engine's minor version by itself.
    pub auto_minor_version_upgrade: bool,
    /// Whether it keeps performance data, for 7 days.
    pub performance_insights: bool,
    /// The key that encrypts performance data, chosen when they are first kept; `None`: AWS's own. AWS never changes it, not
    /// even while they are not kept, so that another one is no difference.
    pub performance_insights_kms_key_id: Option<Out<String>>,
    /// When AWS may restart it for maintenance of its own, weekly, in UTC: `sun:04:00-sun:04:30`. The cluster's window says
    /// nothing of its members. `None`: whatever it is; AWS draws one for who asks for none.
    #[serde(default)]
    pub maintenance_window: Option<String>,
    /// Whether it has a public address.
    pub publicly_accessible: bool,
    /// The authority of its TLS certificate, as `rds-ca-rsa2048-g1`. `None`: AWS decides.
    pub ca_certificate: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbInstanceOutputs {
    /// Its identifier.
    pub instance_identifier: String,
    /// Its ARN.
    pub arn: String,
    /// Its own host name; clients of a cluster use the cluster's.
    pub endpoint: Option<String>,
}

impl Node<DbInstance> {
    /// Its identifier, known once it exists.
    pub fn instance_identifier(&self) -> Out<String> {
        self.out("instance_identifier")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// Its own host name; clients of a cluster use the cluster's.
    pub fn endpoint(&self) -> Out<String> {
        self.out("endpoint")
    }
}

impl Named for RdsInstance {
    const LIST: &'static str = "rds.db-instances";

    fn name(&self) -> Option<&str> {
        self.db_instance_identifier()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.rds.describe_db_instances().set_db_instance_identifier(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for DbInstance {
    type Cloud = Aws;
    type Outputs = DbInstanceOutputs;
    const KIND: &'static str = "rds.db_instance";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "cluster_identifier", "engine"];
    const WITNESSES: &'static [&'static str] = &["availability_zone"];
    const SERVES: bool = true;
    // Another class is another machine.
    const INTERRUPTS: &'static [&'static str] = &["instance_class"];
    const FORETOLD: &'static [&'static str] = &["instance_identifier", "arn"];
    const RESTARTS: bool = true;
    // What may wait for the window; and a window that has begun lets what waits begin.
    const HASTENS: &'static [&'static str] = &["instance_class", "ca_certificate", "maintenance_window"];
    // One that is restarted because it could not start may go on saying so for some time.
    const STIRS_WITHIN: Duration = Duration::from_secs(120);
    // A standby, another class or another version of a large database takes hours; --timeout ends the run before.
    const WAIT: Wait = Wait::seconds(10, 21600, 3600).usually(420, 240);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 63)?;
        check_range("promotion_tier", self.promotion_tier, 0, 15)?;
        if self.cluster_identifier.is_none() {
            return Err("cluster_identifier is missing; an instance on its own is of another kind".to_owned());
        }
        if let Some(window) = &self.maintenance_window {
            check_weekly("maintenance_window", window, 30)?;
        }
        match self.instance_class.starts_with("db.") {
            true => Ok(()),
            false => Err(format!("instance_class is {:?}; AWS's begin with \"db.\"", self.instance_class)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(instance) = find::<RdsInstance>(cx, &self.name, id).await? else { return Ok(None) };
        let name = text(instance.name());
        let outputs = DbInstanceOutputs {
            instance_identifier: name.clone(),
            arn: text(instance.db_instance_arn()),
            endpoint: instance.endpoint().and_then(|endpoint| endpoint.address()).map(str::to_owned),
        };
        let phase = match instance.db_instance_status().unwrap_or("unknown") {
            status if is_in_use(status, settled::is_young(&instance, cx.now())) => settled::instance(&instance),
            status => phase_of(cx, status, &name, SourceType::DbInstance).await,
        };
        let made = instance.dbi_resource_id.clone();
        let member = member(cx, &instance).await?;
        let besides = Besides {
            queued: queue::of_instance(&instance, None),
            restart: settled::restart(&instance, member.as_ref(), cx.now()),
            leads: member.and_then(|member| member.is_cluster_writer()).unwrap_or_default(),
            ..Besides::default()
        };
        Ok(Some(Observed::ready(name, self.live(&instance), outputs).in_phase(phase).known_by(made).with(besides)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.rds
            .create_db_instance()
            .db_instance_identifier(&self.name)
            .set_db_cluster_identifier(given(self.cluster_identifier.as_ref())?)
            .engine(&self.engine)
            .db_instance_class(&self.instance_class)
            .set_availability_zone(given(self.availability_zone.as_ref())?)
            .promotion_tier(self.promotion_tier)
            .auto_minor_version_upgrade(self.auto_minor_version_upgrade)
            .enable_performance_insights(self.performance_insights)
            .set_performance_insights_kms_key_id(self.insights_key()?)
            .set_preferred_maintenance_window(self.maintenance_window.clone())
            .publicly_accessible(self.publicly_accessible)
            .set_ca_certificate_identifier(self.ca_certificate.clone())
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
            return power::start_cluster_of(cx, observed, diff).await;
        }
        if diff.changes.iter().any(|change| !change.path.starts_with("tags")) {
            self.modify(cx, &observed.id, diff).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn relieve(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Option<String>> {
        let stands = observed.phase != Phase::Deleting && !power::is_down(&observed.phase);
        match observed.live.cluster_identifier.as_ref().filter(|_| stands) {
            Some(cluster) => failover::relieve(cx, cluster.get()?, &observed.id).await,
            None => Ok(None),
        }
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        // A member's data are the cluster's, which takes the final snapshot.
        let ask = cx.rds.delete_db_instance().db_instance_identifier(&observed.id).skip_final_snapshot(true);
        let asked = ask.send().await.if_present().map(drop);
        match power::is_refused_while_down(&asked, &observed.phase) {
            true => power::after_start(power::start_cluster_of(cx, observed, &Diff::default()).await),
            false => asked,
        }
    }

    async fn settle_queue(&self, cx: &Cx<'_>, observed: &Observed<Self>, order: Queue) -> Result<()> {
        queue::settle_instance(cx, &observed.id, order).await
    }

    async fn restart(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        power::restart(cx, &observed.id).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<RdsInstance>(cx, |instance| instance.db_cluster_identifier().is_some()).await
    }
}

impl DbInstance {
    fn live(&self, instance: &RdsInstance) -> Self {
        DbInstance {
            name: text(instance.name()),
            cluster_identifier: instance.db_cluster_identifier().map(Out::from),
            engine: text(instance.engine()),
            instance_class: text(instance.db_instance_class()),
            // Absent until AWS has found a place for it.
            availability_zone: instance.availability_zone().map(Out::from).or_else(|| self.availability_zone.clone()),
            promotion_tier: instance.promotion_tier().unwrap_or(self.promotion_tier),
            auto_minor_version_upgrade: instance.auto_minor_version_upgrade().unwrap_or_default(),
            performance_insights: instance.performance_insights_enabled().unwrap_or_default(),
            performance_insights_kms_key_id: self.performance_insights_kms_key_id.clone(),
            maintenance_window: instance.preferred_maintenance_window.clone(),
            publicly_accessible: instance.publicly_accessible().unwrap_or_default(),
            ca_certificate: instance.ca_certificate_identifier.clone(),
            tags: from_rds(instance.tag_list()),
        }
    }

    /// AWS refuses a key for performance data that are not kept.
    fn insights_key(&self) -> Result<Option<String>> {
        given(self.performance_insights_kms_key_id.as_ref().filter(|_| self.performance_insights))
    }

    async fn modify(&self, cx: &Cx<'_>, id: &str, diff: &Diff) -> Result<()> {
        let mut ask = cx.rds.modify_db_instance().db_instance_identifier(id);
        ask = ask.set_apply_immediately(diff.has_any(Self::HASTENS).then_some(true));
        if diff.has("performance_insights") {
            ask = ask
                .enable_performance_insights(self.performance_insights)
                .set_performance_insights_kms_key_id(self.insights_key()?);
        }
        if diff.has("ca_certificate") {
            ask = ask.set_ca_certificate_identifier(self.ca_certificate.clone());
        }
        if diff.has("maintenance_window") {
            ask = ask.set_preferred_maintenance_window(self.maintenance_window.clone());
        }
        let upgrade = diff.has("auto_minor_version_upgrade").then_some(self.auto_minor_version_upgrade);
        ask.set_db_instance_class(diff.has("instance_class").then(|| self.instance_class.clone()))
            .set_promotion_tier(diff.has("promotion_tier").then_some(self.promotion_tier))
            .set_auto_minor_version_upgrade(upgrade)
            .set_publicly_accessible(diff.has("publicly_accessible").then_some(self.publicly_accessible))
            .send()
            .await?;
        Ok(())
    }
}

/// What the cluster says of this member of it.
async fn member(cx: &Cx<'_>, instance: &RdsInstance) -> Result<Option<DbClusterMember>> {
    let (Some(cluster), Some(name)) = (instance.db_cluster_identifier(), instance.name()) else { return Ok(None) };
    let Some(cluster) = find::<RdsCluster>(cx, cluster, Some(cluster)).await? else { return Ok(None) };
    let mut members = cluster.db_cluster_members().iter();
    Ok(members.find(|member| member.db_instance_identifier() == Some(name)).cloned())
}

fn given(value: Option<&Out<String>>) -> Result<Option<String>> {
    value.map(|out| out.get().cloned()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn performance_data_under_another_key_are_no_difference() {
        let spec: DbInstance = serde_json::from_value(serde_json::json!({
            "name": "db-1", "cluster_identifier": "db", "engine": "aurora-postgresql", "instance_class": "db.serverless",
            "availability_zone": null, "promotion_tier": 0, "auto_minor_version_upgrade": true,
            "performance_insights": true, "performance_insights_kms_key_id": "arn:aws:kms:us-east-1:1:key/ours",
            "publicly_accessible": false, "ca_certificate": null, "tags": {},
        }))
        .unwrap();
        let paths = |on, key: &str| {
            let instance = RdsInstance::builder()
                .db_instance_identifier("db-1")
                .db_cluster_identifier("db")
                .engine("aurora-postgresql")
                .db_instance_class("db.serverless")
                .auto_minor_version_upgrade(true)
                .performance_insights_enabled(on)
                .performance_insights_kms_key_id(key)
                .build();
            let json = |spec: &DbInstance| serde_json::to_value(spec).unwrap();
            let diff = Diff::between(&json(&spec), &json(&spec.live(&instance)), DbInstance::IMMUTABLE);
            diff.changes.into_iter().map(|change| change.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(true, "arn:aws:kms:us-east-1:1:key/theirs"), [""; 0]);
        assert_eq!(paths(false, "arn:aws:kms:us-east-1:1:key/ours"), ["performance_insights"]);
    }
}
