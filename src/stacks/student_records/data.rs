//! S5 to S8: where the data is: database, cache, stream, file system.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::network::Network;
use super::super::policy::{allow, by, document, trust_account_as_told, when};
use super::groups::Groups;
use super::keys::Keys;
use super::secrets::Secrets;
use super::{Builder, Class, DATABASE_ENGINE, INSTANCE_CLASS, zone_letters};
use crate::config::ThroughputMode;
use crate::resource::Tags;
use crate::resources::efs::{AccessPoint, FileSystem, FileSystemPolicy, MountTarget};
use crate::resources::elasticache::{ReplicationGroup, SubnetGroup, Tls};
use crate::resources::iam::Role;
use crate::resources::kinesis::Stream;
use crate::resources::rds::{DbCluster, DbClusterParameterGroup, DbInstance, DbSubnetGroup};
use crate::stack::{Node, Out};

/// The user and group that own the shared directory and that every client acts as.
const POSIX_ID: u32 = 1000;

/// When databases may be restarted for maintenance, and its halves: AWS wants half an hour at least.
const MAINTENANCE: &str = "sun:04:00-sun:05:00";
const MAINTENANCE_OF_READERS: &str = "sun:04:00-sun:04:30";
const MAINTENANCE_OF_WRITER: &str = "sun:04:30-sun:05:00";

pub(super) struct Data {
    pub database: Node<DbCluster>,
    pub instances: Vec<Node<DbInstance>>,
    pub cache: Node<ReplicationGroup>,
    pub stream: Node<Stream>,
    pub files: Node<FileSystem>,
    pub access_point: Node<AccessPoint>,
    /// Witnesses that the file system can be mounted in every zone, by the rules of its policy.
    pub mounts: BTreeSet<Out<String>>,
}

/// When a member of the database may be restarted: the first, which is the writer unless it failed over, after the second,
/// which takes over from it.
fn maintenance_window(number: i32) -> &'static str {
    match number % 2 {
        0 => MAINTENANCE_OF_READERS,
        _ => MAINTENANCE_OF_WRITER,
    }
}

impl Builder<'_> {
    pub(super) fn data(&mut self, keys: &Keys, network: &Network, groups: &Groups, secrets: &Secrets) -> Data {
        self.layer("rds", Class::Restricted);
        let database = self.database(keys, network, groups);
        let instances = self.instances(keys, &database);
        self.layer("elasticache", Class::Restricted);
        let cache = self.cache(keys, network, groups, secrets);
        self.layer("kinesis", Class::Restricted);
        let stream = self.stream("events", &keys.kinesis);
        self.layer("efs", Class::Restricted);
        let files = self.file_system(keys);
        let access_point = self.access_point(&files);
        let mounts = self.mounts(&files, &access_point, network, groups);
        Data { database, instances, cache, stream, files, access_point, mounts }
    }

    fn database(&mut self, keys: &Keys, network: &Network, groups: &Groups) -> Node<DbCluster> {
        let settings = &self.config.database;
        let name = self.name("aurora");
        let subnets = self.stack.add(
            "db-subnet-group",
            DbSubnetGroup {
                name: self.name("aurora"),
                description: format!("Private subnets of student-records {}", self.config.env),
                subnet_ids: network.private_ids(),
                vpc_id: Some(network.vpc.vpc_id()),
                tags: Tags::new(),
            },
        );
        // The name carries the major version: a major upgrade needs a group of the new family beside the old one.
        let family = format!("{DATABASE_ENGINE}{}", settings.major());
        let parameters = self.stack.add(
            "db-parameter-group",
            DbClusterParameterGroup {
                name: self.name(&format!("aurora-{}", settings.major())),
                family,
                description: format!("TLS only, of student-records {}", self.config.env),
                parameters: BTreeMap::from(
                    [("rds.force_ssl", "1"), ("ssl_min_protocol_version", "TLSv1.2")]
                        .map(|(key, value)| (key.to_owned(), value.to_owned())),
                ),
                tags: Tags::new(),
            },
        );
        // RDS would make it itself, without key and retention.
        let logs = self.log_group("database", format!("/aws/rds/cluster/{name}/postgresql"), &keys.logs);
        self.stack.add(
            "db-cluster",
            DbCluster {
                name,
                engine: DATABASE_ENGINE.into(),
                engine_version: settings.engine_version.clone(),
                database_name: "studentrecords".into(),
                master_username: "studentadmin".into(),
                master_secret_kms_key_id: keys.secrets.arn(),
                kms_key_id: keys.rds.arn(),
                db_subnet_group: subnets.group_name(),
                security_group_ids: [groups.rds.group_id()].into(),
                parameter_group: parameters.group_name(),
                min_acu: settings.min_acu,
                max_acu: settings.max_acu,
                backup_retention_days: settings.backup_days,
                backup_window: "03:00-04:00".into(),
                maintenance_window: MAINTENANCE.into(),
                log_exports: ["postgresql".to_owned()].into(),
                log_group: Some(logs.group_name()),
                iam_authentication: true,
                deletion_protection: self.config.profile().deletion_protection,
                copy_tags_to_snapshot: true,
                final_snapshot: self.config.profile().final_snapshot,
                extended_support: settings.extended_support,
                keep_automated_backups: self.config.profile().keep_copies,
                restored_from: None,
                tags: Tags::new(),
            },
        )
    }

    /// One writes and the others read, which may change with any failover: so no name says which. They are made at once,
    /// for each takes minutes.
    fn instances(&mut self, keys: &Keys, cluster: &Node<DbCluster>) -> Vec<Node<DbInstance>> {
        let zones = self.place.zones.iter().cycle();
        let mut instances = Vec::new();
        for (number, zone) in (1..=self.config.database.instances).zip(zones) {
            let instance = DbInstance {
                name: self.name(&format!("aurora-{number}")),
                cluster_identifier: Some(cluster.cluster_identifier()),
                engine: DATABASE_ENGINE.into(),
                instance_class: INSTANCE_CLASS.into(),
                availability_zone: Some(zone.as_str().into()),
                promotion_tier: (number - 1).min(15),
                auto_minor_version_upgrade: true,
                performance_insights: true,
                performance_insights_kms_key_id: Some(keys.rds.arn()),
                maintenance_window: Some(maintenance_window(number).into()),
                publicly_accessible: false,
                ca_certificate: None,
                tags: Tags::new(),
            };
            instances.push(self.stack.add(format!("db-instance-{number}"), instance));
        }
        instances
    }

    fn cache(&mut self, keys: &Keys, network: &Network, groups: &Groups, secrets: &Secrets) -> Node<ReplicationGroup> {
        let settings = &self.config.cache;
        let subnets = self.stack.add(
            "cache-subnet-group",
            SubnetGroup {
                name: self.name("redis"),
                description: format!("Private subnets of student-records {}", self.config.env),
                subnet_ids: network.private_ids(),
                vpc_id: Some(network.vpc.vpc_id()),
                tags: Tags::new(),
            },
        );
        self.stack.add(
            "cache",
            ReplicationGroup {
                name: self.name("redis"),
                description: format!("Cache of student-records {}", self.config.env),
                engine: settings.engine.as_str().into(),
                engine_version: settings.engine_version.clone(),
                node_type: settings.node_type.clone(),
                nodes: settings.nodes,
                automatic_failover: true,
                multi_az: true,
                subnet_group: subnets.group_name(),
                security_group_ids: [groups.cache.group_id()].into(),
                kms_key_id: keys.cache.arn(),
                auth_token_secret: secrets.cache.arn(),
                tls: Tls::Required,
                snapshot_retention_days: settings.snapshot_days,
                snapshot_window: "03:00-04:00".into(),
                maintenance_window: "sun:04:00-sun:05:00".into(),
                port: 6379,
                parameter_group: None,
                final_snapshot: self.config.profile().final_snapshot,
                tags: Tags::new(),
            },
        )
    }

    fn file_system(&mut self, keys: &Keys) -> Node<FileSystem> {
        let settings = &self.config.files;
        let throughput = match settings.throughput_mode {
            ThroughputMode::Bursting => "bursting",
            ThroughputMode::Elastic => "elastic",
        };
        let to_ia = match settings.transition_to_ia_days {
            1 => "AFTER_1_DAY".to_owned(),
            days => format!("AFTER_{days}_DAYS"),
        };
        let last_copy_role = self.config.profile().keep_copies.then(|| self.copying_role().arn());
        self.stack.add(
            "file-system",
            FileSystem {
                name: self.name("files"),
                performance_mode: "generalPurpose".into(),
                throughput_mode: throughput.into(),
                kms_key_id: keys.efs.arn(),
                transition_to_ia: Some(to_ia),
                backup: settings.backup,
                last_copy_role,
                tags: Tags::new(),
            },
        )
    }

    /// By it AWS Backup makes the last copy of the file system. AWS Backup Developer Guide, "Managed policies", customer managed
    /// policies for Amazon EFS: these are the actions that it takes.
    fn copying_role(&mut self) -> Node<Role> {
        let arn = |service, rest| self.place.arn(service, rest).into();
        let files = ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"];
        let vault = ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"];
        let policy = document([
            allow("CopyFiles", &files, &[arn("elasticfilesystem", "file-system/*")]),
            allow("KeepCopies", &vault, &[arn("backup", "backup-vault:*")]),
            allow("TagCopies", &["backup:TagResource"], &[arn("backup", "recovery-point:*")]),
        ]);
        let trust = trust_account_as_told(self.place, "backup.amazonaws.com");
        self.role("backup", "Copies the file system before it is deleted", trust, policy)
    }

    fn access_point(&mut self, files: &Node<FileSystem>) -> Node<AccessPoint> {
        self.stack.add(
            "access-point",
            AccessPoint {
                file_system_id: files.file_system_id(),
                path: "/student-records".into(),
                owner_uid: POSIX_ID,
                owner_gid: POSIX_ID,
                permissions: "0750".into(),
                posix_uid: POSIX_ID,
                posix_gid: POSIX_ID,
                tags: Tags::new(),
            },
        )
    }

    fn mounts(
        &mut self,
        files: &Node<FileSystem>,
        access_point: &Node<AccessPoint>,
        network: &Network,
        groups: &Groups,
    ) -> BTreeSet<Out<String>> {
        let policy = self.stack.add(
            "file-system-policy",
            FileSystemPolicy {
                file_system_id: files.file_system_id(),
                policy: self.file_system_policy(files, access_point),
            },
        );
        let mut witnesses = BTreeSet::from([policy.file_system_id()]);
        for (letter, subnet) in zone_letters(network.private.len()).zip(&network.private) {
            let target = MountTarget {
                file_system_id: files.file_system_id(),
                subnet_id: subnet.subnet_id(),
                security_group_ids: [groups.efs.group_id()].into(),
            };
            let target = self.stack.add(format!("mount-target-{letter}"), target);
            witnesses.insert(target.mounted_file_system_id());
        }
        witnesses
    }

    /// Clients of this account come through the access point and over TLS. EFS refuses whoever no statement allows, so
    /// anonymous clients stay out.
    fn file_system_policy(&self, files: &Node<FileSystem>, access_point: &Node<AccessPoint>) -> serde_json::Value {
        let root = format!("arn:{}:iam::{}:root", self.place.partition, self.place.account);
        let actions = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"];
        let mount = when(
            by(allow("ThroughTheAccessPoint", &actions, &[files.arn()]), json!({ "AWS": root })),
            json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": access_point.arn().json() } }),
        );
        let mut plain = when(
            by(allow("RefuseUnencryptedTransport", &["*"], &[files.arn()]), json!({ "AWS": "*" })),
            json!({ "Bool": { "aws:SecureTransport": "false" } }),
        );
        plain["Effect"] = json!("Deny");
        document([mount, plain])
    }
}
