//! A Redis or Valkey replication group of one shard. The group does not tell its version, network or maintenance
//! window, only its members do; and AWS takes one kind of change at a time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticache::types::{CacheCluster, Endpoint, ReplicationGroup as CacheGroup, TransitEncryptionMode};
use serde_json::{Value, json};

use super::read::{last_event, phase};
use super::{backups, queue, retag, rotation, to_elasticache, versions};
use crate::resource::refuse_along;
use crate::resources::last_snapshot;
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::secretsmanager::value_of;
use crate::resources::values::{check_daily, check_identifier, check_one_of, check_range, check_weekly, known, text};

/// Printable characters that a token may not contain: what a generated secret for a cache must exclude.
pub const NOT_IN_AUTH_TOKENS: &str = "\"%'()*+,./:;=?@[\\]_`{|}~";

/// Whether clients must, may or cannot speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Only TLS is answered.
    Required,
    /// TLS and plain text are answered.
    Preferred,
    /// Only plain text is answered; a token cannot be required then.
    Off,
}

/// A primary node and its replicas.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplicationGroup {
    /// Its id, 1-40 characters in lower case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The engine: `redis` or `valkey`, which satisfies who asks for `redis`.
    pub engine: String,
    /// The engine's version, as `7.1`; a later one satisfies it.
    pub engine_version: String,
    /// The size of each node, as `cache.t3.micro`.
    pub node_type: String,
    /// The primary and its replicas, 1-6.
    pub nodes: i32,
    /// Whether a replica takes over when the primary fails; needs two nodes.
    pub automatic_failover: bool,
    /// Whether the nodes stand in different availability zones; needs automatic failover.
    pub multi_az: bool,
    /// The subnets its nodes stand in.
    pub subnet_group: Out<String>,
    /// The security groups of its nodes.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// The key that encrypts disks and snapshots.
    pub kms_key_id: Out<String>,
    /// The ARN of the secret whose whole text is the token that clients must give.
    pub auth_token_secret: Out<String>,
    /// Encryption on the way.
    pub tls: Tls,
    /// Days that snapshots are kept, 0 (none are taken) to 35.
    pub snapshot_retention_days: i32,
    /// When a snapshot may start, daily, in UTC, at least an hour: `05:00-06:00`.
    pub snapshot_window: String,
    /// When maintenance may start, weekly, in UTC, at least an hour: `sun:06:00-sun:07:00`.
    pub maintenance_window: String,
    /// The port.
    pub port: i32,
    /// The parameter group. `None`: AWS's own for the engine's version.
    pub parameter_group: Option<String>,
    /// Whether a last snapshot is taken when it is deleted.
    #[serde(default)]
    pub final_snapshot: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplicationGroupOutputs {
    /// Its id.
    pub replication_group_id: String,
    /// Its ARN.
    pub arn: String,
    /// The primary's host name; it stays when another node takes over.
    pub primary_endpoint: Option<String>,
    /// The replicas' host name.
    pub reader_endpoint: Option<String>,
    /// The ids of its members, oldest first, by `member_1` and so on. Numbers of those that left are not given again, and
    /// which replica leaves is AWS's choice.
    #[serde(flatten)]
    pub members: BTreeMap<String, String>,
}

impl Node<ReplicationGroup> {
    /// Its id, known once it exists.
    pub fn replication_group_id(&self) -> Out<String> {
        self.out("replication_group_id")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The primary's host name.
    pub fn primary_endpoint(&self) -> Out<String> {
        self.out("primary_endpoint")
    }

    /// The replicas' host name.
    pub fn reader_endpoint(&self) -> Out<String> {
        self.out("reader_endpoint")
    }

    /// The id of the cache cluster that is its `number`th member, counted from one.
    pub fn member(&self, number: i32) -> Out<String> {
        self.out(&format!("member_{number}"))
    }
}

impl Resource for ReplicationGroup {
    type Cloud = Aws;
    type Outputs = ReplicationGroupOutputs;
    const KIND: &'static str = "elasticache.replication_group";
    const NAMED: bool = true;
    // The token of another secret would lock out whoever has read the one before: only a rotation takes both for a while.
    const IMMUTABLE: &'static [&'static str] = &["name", "subnet_group", "kms_key_id", "auth_token_secret", "port"];
    const SERVES: bool = true;
    // Nodes are exchanged one by one; writes are refused while another becomes the primary.
    const INTERRUPTS: &'static [&'static str] = &["engine", "engine_version", "node_type"];
    // Of the rest AWS makes its changes at once and leaves alone what waits; a window that has begun lets that begin.
    const HASTENS: &'static [&'static str] = &[
        "automatic_failover",
        "description",
        "engine",
        "engine_version",
        "maintenance_window",
        "multi_az",
        "node_type",
        "nodes",
        "parameter_group",
        "security_group_ids",
        "tls",
    ];
    // What it caches can be read again; what an application keeps in nothing else cannot.
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack = WayBack::Backups;
    const SNAPSHOTS: Option<usize> = Some(40);
    const ROOTED: bool = true;
    const FORETOLD: &'static [&'static str] = &["replication_group_id", "arn"];
    const VOLATILE: &'static [&'static str] = &["member_1", "member_2", "member_3", "member_4", "member_5", "member_6"];
    const ROTATES: bool = true;
    const RETIRES: bool = true;
    const RECREATE_FAILED: bool = true;
    // One that failed later is full of what it had: API reference, `ReplicationGroup.Status`.
    const BORN_FAILED: &'static str = "create-failed";
    const WAIT: Wait = Wait::seconds(10, 3600, 2700).usually(600, 300);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 40)?;
        check_one_of("engine", &self.engine, &["redis", "valkey"])?;
        check_range("nodes", self.nodes, 1, 6)?;
        check_range("snapshot_retention_days", self.snapshot_retention_days, 0, 35)?;
        check_range("port", self.port, 1, 65535)?;
        check_daily("snapshot_window", &self.snapshot_window, 60)?;
        check_weekly("maintenance_window", &self.maintenance_window, 60)?;
        self.check_combinations()
    }

    fn takes_back(&self, recorded: &Self) -> Option<OutOfReach> {
        versions::no_way_back(self.runs(), recorded.runs())
    }

    fn one_way(&self, live: &Self) -> Option<String> {
        versions::leap(self.runs(), live.runs())
    }

    /// People upgrade caches by hand, as AWS asks them to.
    fn suffices(&self, live: &Self) -> &'static [&'static str] {
        match versions::is_enough(self.runs(), live.runs()) {
            true => &["engine", "engine_version"],
            false => &[],
        }
    }

    /// AWS chooses which replica goes.
    fn unsettles(&self, live: &Self) -> Option<bool> {
        Some(self.nodes < live.nodes)
    }

    fn remains(&self) -> Option<String> {
        last_snapshot::remains(&self.name, self.final_snapshot, None)
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        Loss::of_shorter("automatic snapshots", "days", self.snapshot_retention_days, live.snapshot_retention_days)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(group) = find::<CacheGroup>(cx, &self.name, id).await? else { return Ok(None) };
        let name = text(group.name());
        let phase = phase(cx, &group, &name).await;
        let Some(tags) = self.tags(cx, &group, id.is_some()).await.if_present()? else { return Ok(None) };
        let member = match group.member_clusters().first() {
            Some(member) => find::<CacheCluster>(cx, member, Some(member)).await?,
            None => None,
        };
        let shard = group.node_groups().first();
        let host = |endpoint: &Endpoint| endpoint.address.clone();
        let outputs = ReplicationGroupOutputs {
            replication_group_id: name.clone(),
            arn: text(group.arn()),
            primary_endpoint: shard.and_then(|shard| shard.primary_endpoint()).and_then(host),
            reader_endpoint: shard.and_then(|shard| shard.reader_endpoint()).and_then(host),
            members: members(group.member_clusters()),
        };
        let queued = queue::of_group(&group, member.as_ref(), &self.engine_version);
        let besides = Besides { queued, ..Besides::default() };
        let live = self.live(&group, member.as_ref(), tags);
        let made = group.replication_group_create_time().map(ToString::to_string);
        Ok(Some(Observed::ready(name, live, outputs).in_phase(phase).known_by(made).with(besides)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.elasticache
            .create_replication_group()
            .replication_group_id(&self.name)
            .replication_group_description(&self.description)
            .engine(&self.engine)
            .engine_version(&self.engine_version)
            .cache_node_type(&self.node_type)
            .num_cache_clusters(self.nodes)
            .automatic_failover_enabled(self.automatic_failover)
            .multi_az_enabled(self.multi_az)
            .cache_subnet_group_name(self.subnet_group.get()?)
            .set_security_group_ids(Some(known(&self.security_group_ids)?))
            .at_rest_encryption_enabled(true)
            .kms_key_id(self.kms_key_id.get()?)
            .transit_encryption_enabled(true)
            .set_transit_encryption_mode(Some(TransitEncryptionMode::Preferred).filter(|_| self.tls == Tls::Preferred))
            .auth_token(value_of(cx, self.auth_token_secret.get()?).await?)
            .snapshot_retention_limit(self.snapshot_retention_days)
            .snapshot_window(&self.snapshot_window)
            .preferred_maintenance_window(&self.maintenance_window)
            .port(self.port)
            .set_cache_parameter_group_name(self.parameter_group.clone())
            .set_tags(Some(to_elasticache(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    /// The first kind of change only. Replicas come before the failover that needs them, and go after it.
    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let (id, live) = (&observed.id, &observed.live);
        if diff.has("nodes") && self.nodes > live.nodes {
            let ask = cx.elasticache.increase_replica_count().replication_group_id(id).apply_immediately(true);
            ask.new_replica_count(self.nodes - 1).send().await?;
            return Ok(());
        }
        if let Some(change) = self.change(cx, observed, diff).await? {
            change.send().await?;
            return Ok(());
        }
        if diff.has("nodes") {
            let ask = cx.elasticache.decrease_replica_count().replication_group_id(id).apply_immediately(true);
            ask.new_replica_count(self.nodes - 1).send().await?;
            return Ok(());
        }
        // Last: a group that is being modified takes no tags.
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        // In one that never came to be there is nothing to take a snapshot of.
        let was = !matches!(&observed.phase, Phase::Failed(reason) if reason.starts_with(Self::BORN_FAILED));
        if !(self.final_snapshot && was) {
            return ask_to_delete(cx, &observed.id, None).await;
        }
        let ask = async |name: &str| ask_to_delete(cx, &observed.id, Some(name)).await;
        super::last_snapshot::delete(cx, &observed.id, observed.identity.as_deref(), ask).await
    }

    async fn settle_queue(&self, cx: &Cx<'_>, observed: &Observed<Self>, order: Queue) -> Result<()> {
        queue::settle(cx, &observed.id, order).await
    }

    async fn rotate(&self, cx: &Cx<'_>, observed: &Observed<Self>, turn: Turn) -> Result<()> {
        let (id, secret) = (&observed.id, self.auth_token_secret.get()?);
        match turn {
            Turn::Begin => {
                // AWS takes it with ApplyImmediately only.
                refuse_along(&observed.besides.queued)?;
                rotation::begin(cx, id, secret).await
            }
            Turn::Settle => rotation::settle(cx, secret).await,
            Turn::Retire => rotation::retire(cx, id, secret).await,
        }
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = index::list(cx, "elasticache", "replicationgroup:", index::by_rest).await?;
        found.extend(backups::kept(cx).await?);
        Ok(found)
    }

    async fn last_words(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Option<String> {
        last_event(cx, &observed.id).await
    }

    async fn backups(&self, cx: &Cx<'_>) -> Result<Vec<Backup>> {
        backups::of_group(cx, &self.name).await
    }

    async fn snapshot(&self, cx: &Cx<'_>, observed: &Observed<Self>, name: &str, tags: &Tags) -> Result<()> {
        let source = backups::source(cx, &observed.id).await?;
        let ask = cx.elasticache.create_snapshot().cache_cluster_id(source).snapshot_name(name);
        ask.set_tags(Some(to_elasticache(tags))).send().await?;
        Ok(())
    }

    async fn find_snapshot(&self, cx: &Cx<'_>, name: &str) -> Result<Option<Backup>> {
        backups::find_snapshot(cx, name).await
    }

    /// What is asked for where nobody knows is a last snapshot.
    fn careful() -> Value {
        json!({ "final_snapshot": true })
    }
}

impl ReplicationGroup {
    /// The engine and its version.
    pub(super) fn runs(&self) -> versions::Engine<'_> {
        (&self.engine, &self.engine_version)
    }

    fn check_combinations(&self) -> std::result::Result<(), String> {
        if !self.node_type.starts_with("cache.") {
            return Err(format!("node_type is {:?}; AWS's begin with \"cache.\"", self.node_type));
        }
        if self.automatic_failover && self.nodes < 2 {
            return Err(format!("automatic_failover is on and nodes is {}; AWS wants at least 2", self.nodes));
        }
        if self.multi_az && !self.automatic_failover {
            return Err("multi_az is on and automatic_failover off; AWS wants both".to_owned());
        }
        match self.tls {
            Tls::Off => Err("tls is off; AWS takes a token over TLS only".to_owned()),
            _ => Ok(()),
        }
    }
}

async fn ask_to_delete(cx: &Cx<'_>, id: &str, last_snapshot: Option<&str>) -> Result<()> {
    let ask = cx.elasticache.delete_replication_group().replication_group_id(id);
    ask.set_final_snapshot_identifier(last_snapshot.map(str::to_owned)).send().await.if_present()?;
    Ok(())
}

/// Members end in numbers, which grow.
fn members(ids: &[String]) -> BTreeMap<String, String> {
    let mut ids = ids.to_vec();
    ids.sort_by_key(|id| (id.len(), id.clone()));
    (1..).zip(ids).map(|(number, id)| (format!("member_{number}"), id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::registry;

    #[test]
    fn members_are_counted_in_the_order_in_which_they_came() {
        let ids = ["c-010", "c-002", "c-1000", "c-004"].map(str::to_owned);
        let told: Vec<String> = members(&ids).into_values().collect();
        assert_eq!(told, ["c-002", "c-004", "c-010", "c-1000"]);
        assert!(members(&ids).keys().all(|field| ReplicationGroup::VOLATILE.contains(&field.as_str())));
    }

    #[test]
    fn only_what_never_came_to_be_is_made_anew() {
        let facts = registry().get(ReplicationGroup::KIND).unwrap().facts();
        for (status, anew) in [("create-failed", true), ("create-failed: no room", true), ("restore-failed", false)] {
            assert_eq!(facts.never_was(&Phase::Failed(status.to_owned())).is_some(), anew, "{status}");
        }
    }

    #[test]
    fn the_characters_left_to_a_token_are_the_ones_aws_takes() {
        let symbols = (b'!'..=b'~').map(char::from).filter(|c| !c.is_ascii_alphanumeric());
        let left: String = symbols.filter(|c| !NOT_IN_AUTH_TOKENS.contains(*c)).collect();
        assert_eq!(left, "!#$&-<>^");
    }
}
