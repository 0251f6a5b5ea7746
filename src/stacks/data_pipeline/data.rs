//! P4 to P6: the stream, the database and its credentials.

use std::collections::{BTreeMap, BTreeSet};

use super::super::network::Network;
use super::super::tasks::named;
use super::groups::Groups;
use super::{Builder, Class, DATABASE_ENGINE};
use crate::resource::Tags;
use crate::resources::kinesis::Stream;
use crate::resources::kms::Key;
use crate::resources::rds::{DbParameterGroup, DbSubnetGroup, StandaloneDbInstance};
use crate::resources::secretsmanager::{Secret, SecretValue};
use crate::stack::{Node, Out};

/// The database made at the start.
const DATABASE: &str = "pipeline";
/// Characters of the password; PostgreSQL on RDS takes 8-128.
const PASSWORD_LENGTH: i32 = 40;
/// The logs that RDS exports: what clients did, and what an upgrade said.
const LOGS: [&str; 2] = ["postgresql", "upgrade"];

pub(super) struct Data {
    pub stream: Node<Stream>,
    pub secret: Node<Secret>,
    pub database: Node<StandaloneDbInstance>,
}

pub(super) fn data(builder: &mut Builder, key: &Node<Key>, network: &Network, groups: &Groups) -> Data {
    builder.layer("kinesis", Class::Restricted);
    let stream = builder.stream("stream", key);
    builder.layer("secretsmanager", Class::Restricted);
    let secret = credentials(builder, key);
    builder.layer("rds", Class::Restricted);
    let database = database(builder, key, network, groups, &secret);
    Data { stream, secret, database }
}

/// Secrets Manager draws user name and password, and RDS gets them from there: they pass through memory only.
fn credentials(builder: &mut Builder, key: &Node<Key>) -> Node<Secret> {
    let fields = named([("engine", DATABASE_ENGINE.into()), ("port", "5432".into()), ("dbname", DATABASE.into())]);
    let secret = Secret {
        name: builder.name("db-credentials"),
        description: builder.describe("User name and password of the database"),
        kms_key_id: key.arn(),
        value: SecretValue::Credentials { password_length: PASSWORD_LENGTH, fields },
        recovery_window_days: builder.config.profile().secret_recovery_days,
        tags: Tags::new(),
    };
    builder.stack.add("db-credentials", secret)
}

fn database(
    builder: &mut Builder,
    key: &Node<Key>,
    network: &Network,
    groups: &Groups,
    secret: &Node<Secret>,
) -> Node<StandaloneDbInstance> {
    let (settings, profile) = (&builder.config.postgres, builder.config.profile());
    let name = builder.name("db");
    let subnets = DbSubnetGroup {
        name: name.clone(),
        description: builder.describe("Private subnets"),
        subnet_ids: network.private_ids(),
        vpc_id: Some(network.vpc.vpc_id()),
        tags: Tags::new(),
    };
    let subnets = builder.stack.add("db-subnet-group", subnets);
    let parameters = parameter_group(builder);
    let log_groups = log_groups(builder, &name, key);
    builder.stack.add(
        "db-instance",
        StandaloneDbInstance {
            name,
            engine: DATABASE_ENGINE.into(),
            engine_version: settings.engine_version.clone(),
            instance_class: settings.instance_class.clone(),
            storage_type: "gp3".into(),
            allocated_storage_gib: settings.storage_gib,
            kms_key_id: key.arn(),
            credentials_secret: secret.arn(),
            database_name: DATABASE.into(),
            db_subnet_group: subnets.group_name(),
            security_group_ids: [groups.database.group_id()].into(),
            parameter_group: parameters.group_name(),
            multi_az: settings.multi_az,
            publicly_accessible: false,
            backup_retention_days: settings.backup_days,
            backup_window: "03:00-04:00".into(),
            maintenance_window: "sun:04:00-sun:05:00".into(),
            log_exports: LOGS.map(str::to_owned).into(),
            log_groups,
            iam_authentication: true,
            auto_minor_version_upgrade: true,
            deletion_protection: profile.deletion_protection,
            copy_tags_to_snapshot: true,
            final_snapshot: profile.final_snapshot,
            extended_support: settings.extended_support,
            keep_automated_backups: profile.keep_copies,
            tags: Tags::new(),
        },
    )
}

/// The name carries the major version: a major upgrade needs a group of the new family beside the old one.
fn parameter_group(builder: &mut Builder) -> Node<DbParameterGroup> {
    let family = format!("{DATABASE_ENGINE}{}", builder.config.postgres.major());
    let group = DbParameterGroup {
        name: builder.name(&format!("db-{family}")),
        family,
        description: builder.describe("TLS only"),
        parameters: BTreeMap::from(
            [("rds.force_ssl", "1"), ("ssl_min_protocol_version", "TLSv1.2")]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        ),
        tags: Tags::new(),
    };
    builder.stack.add("db-parameter-group", group)
}

/// RDS would make them itself, without key and retention.
fn log_groups(builder: &mut Builder, instance: &str, key: &Node<Key>) -> BTreeSet<Out<String>> {
    let mut group = |log: &str| {
        let name = format!("/aws/rds/instance/{instance}/{log}");
        builder.log_group(&format!("db-{log}"), name, key).group_name()
    };
    LOGS.map(&mut group).into()
}
