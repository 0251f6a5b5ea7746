//! What the layers of every stack are built with: names, tags, and the parts they have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Place;
use super::network::Network;
use super::policy::{account_owns, allow, by, document, when};
use crate::config::Config;
use crate::resource::Tags;
use crate::resources::ec2::{Peer, Rule, SecurityGroup, SecurityGroupRules};
use crate::resources::iam::{Role, ServiceLinkedRole};
use crate::resources::kms::{Alias, Key};
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out, Stack};

/// Days between two rotations of a key.
const ROTATION_DAYS: i32 = 365;
/// Seconds a session of a role lasts at most; AWS's own default.
const SESSION_SECONDS: i32 = 3600;

/// How sensitive what an object holds is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    /// Personal records or the keys to them.
    Restricted,
    /// What carries or guards them.
    Internal,
}

/// How a stack names its objects.
#[derive(Debug, Clone)]
pub(super) enum Names {
    /// `<system>-<thing>-<env>`
    ThingFirst(String),
    /// `<project>-<env>-<thing>`
    EnvFirst(String),
}

impl Names {
    /// The name of a thing.
    pub fn name(&self, thing: &str, config: &Config) -> String {
        let env = &config.env;
        match self {
            Names::ThingFirst(system) => format!("{system}-{thing}-{env}"),
            Names::EnvFirst(project) => format!("{project}-{env}-{thing}"),
        }
    }
}

/// What every layer needs while the stack grows.
pub(super) struct Builder<'a> {
    pub config: &'a Config,
    pub place: &'a Place,
    pub stack: Stack,
    names: Names,
}

impl<'a> Builder<'a> {
    /// An empty stack whose objects all carry these tags, and those that the settings ask for.
    pub fn new(config: &'a Config, place: &'a Place, names: Names, tags: &[(&str, &str)]) -> Self {
        let (before, after) = match &names {
            Names::ThingFirst(system) => (format!("{system}-"), format!("-{}", config.env)),
            Names::EnvFirst(project) => (format!("{project}-{}-", config.env), String::new()),
        };
        let mut stack = Stack::new(config.stack.as_str(), config.env.as_str(), &place.region).named(before, after);
        stack.tag(tags.iter().map(|(key, value)| (*key, (*value).to_owned())));
        stack.tag([("Environment", config.env.to_string()), ("ManagedBy", "tapctl".to_owned())]);
        stack.tag(config.tags.clone());
        Builder { config, place, stack, names }
    }

    /// The name of a thing.
    pub fn name(&self, thing: &str) -> String {
        self.names.name(thing, self.config)
    }

    /// What it is, and whose.
    pub fn describe(&self, what: &str) -> String {
        format!("{what} of {} {}", self.stack.name, self.stack.env)
    }

    /// Sets what the tags of the next layer's objects say.
    pub fn layer(&mut self, service: &str, class: Class) {
        let class = match class {
            Class::Restricted => "Restricted",
            Class::Internal => "Internal",
        };
        self.stack.tag([("Service", service.to_owned()), ("DataClassification", class.to_owned())]);
    }

    /// A key that the account's own policies govern, with these statements beside, and its alias. Whoever uses a service that
    /// encrypts under it needs a permission of his own for the key; what services do later, they do by grants that he gave.
    pub fn key(&mut self, thing: &str, what: &str, statements: impl IntoIterator<Item = Value>) -> Node<Key> {
        let alias = format!("alias/{}", self.name(thing));
        let statements = [account_owns(self.place)].into_iter().chain(statements);
        let key = self.stack.add(
            format!("key-{thing}"),
            Key {
                description: self.describe(&format!("Encrypts {what}")),
                policy: document(statements),
                rotation_days: Some(ROTATION_DAYS),
                rotation: true,
                deletion_window_days: self.config.profile().key_recovery_days,
                alias: Some(alias.clone()),
                tags: Tags::new(),
            },
        );
        let alias = Alias { name: alias, target_key_id: key.key_id() };
        self.stack.add(format!("alias-{thing}"), alias);
        key
    }

    /// For a key's policy: alarms, which speak to a topic that is encrypted.
    pub fn for_alarms(&self) -> Value {
        let actions = ["kms:Decrypt", "kms:GenerateDataKey*"];
        let service = json!({ "Service": "cloudwatch.amazonaws.com" });
        let condition = json!({ "StringEquals": { "aws:SourceAccount": self.place.account } });
        when(by(allow("Alarms", &actions, &["*".into()]), service), condition)
    }

    /// For a key's policy: CloudWatch Logs, for this environment's groups: those we name, and those whose names AWS dictates.
    pub fn for_logs(&self) -> Value {
        let named = format!("log-group:*{}*", self.name("*"));
        let groups =
            [named.as_str(), "log-group:API-Gateway-Execution-Logs_*"].map(|pattern| self.place.arn("logs", pattern));
        let actions = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"];
        let service = json!({ "Service": format!("logs.{}.amazonaws.com", self.place.region) });
        let condition = json!({ "ArnLike": { "kms:EncryptionContext:aws:logs:arn": groups } });
        when(by(allow("CloudWatchLogs", &actions, &["*".into()]), service), condition)
    }

    /// A log group under a key, kept as long as the settings say.
    pub fn log_group(&mut self, thing: &str, name: impl Into<Out<String>>, key: &Node<Key>) -> Node<LogGroup> {
        self.add_log_group(thing, name.into(), key, None)
    }

    /// One that is part of the audit: protected like the data where the environment is.
    pub fn audit_log_group(&mut self, thing: &str, name: &str, key: &Node<Key>) -> Node<LogGroup> {
        let protected = self.config.profile().deletion_protection;
        self.add_log_group(thing, self.name(name).into(), key, Some(protected))
    }

    fn add_log_group(
        &mut self,
        thing: &str,
        name: Out<String>,
        key: &Node<Key>,
        deletion_protection: Option<bool>,
    ) -> Node<LogGroup> {
        let group = LogGroup {
            name,
            kms_key_arn: Some(key.arn()),
            retention_days: self.config.logs.retention_days,
            deletion_protection,
            tags: Tags::new(),
        };
        self.stack.add(format!("log-group-{thing}"), group)
    }

    /// A role with one policy, which bears its name.
    pub fn role(&mut self, thing: &str, what: &str, trust: Value, policy: Value) -> Node<Role> {
        let role = Role {
            name: self.name(thing),
            description: format!("{what}, of {} {}", self.stack.name, self.stack.env),
            assume_role_policy: trust,
            policies: BTreeMap::from([(thing.to_owned(), policy)]),
            managed_policy_arns: BTreeSet::new(),
            max_session_seconds: SESSION_SECONDS,
            path: self.config.iam.role_path.clone(),
            permissions_boundary: self.config.iam.permissions_boundary.clone(),
            tags: Tags::new(),
        };
        self.stack.add(format!("role-{thing}"), role)
    }

    /// For a role's policy: reads secrets that this key encrypts.
    pub fn decrypt_secrets(&self, key: &Node<Key>) -> Value {
        let through = format!("secretsmanager.{}.amazonaws.com", self.place.region);
        when(
            allow("DecryptSecrets", &["kms:Decrypt"], &[key.arn()]),
            json!({ "StringEquals": { "kms:ViaService": through } }),
        )
    }

    /// A role that AWS keeps for one of its services. One an account, so all stacks share it.
    pub fn service_linked_role(&mut self, thing: &str, service_name: &str) -> Node<ServiceLinkedRole> {
        let role = ServiceLinkedRole { service_name: service_name.to_owned() };
        self.stack.add(format!("service-linked-role-{thing}"), role)
    }

    /// A security group. Its rules are a node of their own, so that groups can name each other.
    pub fn group(&mut self, network: &Network, thing: &str, what: &str) -> Node<SecurityGroup> {
        let group = SecurityGroup {
            name: self.name(thing),
            description: self.describe(what),
            vpc_id: network.vpc.vpc_id(),
            tags: Tags::new(),
        };
        self.stack.add(format!("group-{thing}"), group)
    }

    /// All rules of a group; gives the witness that they are in place.
    pub fn set_rules(
        &mut self,
        thing: &str,
        group: &Node<SecurityGroup>,
        ingress: impl IntoIterator<Item = Rule>,
        egress: impl IntoIterator<Item = Rule>,
    ) -> Out<String> {
        let rules = SecurityGroupRules {
            group_id: group.group_id(),
            ingress: ingress.into_iter().collect(),
            egress: egress.into_iter().collect(),
        };
        self.stack.add(format!("group-rules-{thing}"), rules).ruled_group_id()
    }
}

/// The group as one side of a rule.
pub(super) fn of(group: &Node<SecurityGroup>) -> Peer {
    Peer::Group(group.group_id())
}

/// Six hexadecimal digits that tell things apart whose names cannot.
pub(super) fn short_hash(text: &str) -> String {
    Sha256::digest(text).iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}

/// Letters that tell the zones apart in names, whichever zones they are.
pub(super) fn zone_letters(count: usize) -> impl Iterator<Item = char> {
    ('a'..).take(count)
}
