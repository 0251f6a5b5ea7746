//! S1: a customer-managed key for each kind of data, open to just the AWS service that holds it.

use serde_json::{Value, json};

use super::super::policy::{account_owns, allow, by, document, when};
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::kms::{Alias, Key};
use crate::stack::Node;

/// Days between two rotations.
const ROTATION_DAYS: i32 = 365;

pub(super) struct Keys {
    pub rds: Node<Key>,
    pub cache: Node<Key>,
    pub kinesis: Node<Key>,
    pub efs: Node<Key>,
    pub secrets: Node<Key>,
    pub logs: Node<Key>,
}

impl Builder<'_> {
    pub(super) fn keys(&mut self) -> Keys {
        self.layer("kms", Class::Restricted);
        Keys {
            rds: self.key("rds", "the database and its snapshots", self.through("rds")),
            cache: self.key("cache", "the cache and its snapshots", self.through("elasticache")),
            kinesis: self.key("kinesis", "the event stream", self.through("kinesis")),
            efs: self.key("efs", "the shared file system", self.through("elasticfilesystem")),
            secrets: self.key("secrets", "secrets", self.through("secretsmanager")),
            logs: self.key("logs", "logs and audit records", self.for_logs()),
        }
    }

    fn key(&mut self, thing: &str, what: &str, statement: Value) -> Node<Key> {
        let key = self.stack.add(
            format!("key-{thing}"),
            Key {
                description: format!("Encrypts {what} of student-records {}", self.config.env),
                policy: document([account_owns(self.place), statement]),
                rotation_days: Some(ROTATION_DAYS),
                rotation: true,
                deletion_window_days: self.recovery_days(),
                tags: Tags::new(),
            },
        );
        let alias = Alias { name: format!("alias/{}", self.name(thing)), target_key_id: key.key_id() };
        self.stack.add(format!("alias-{thing}"), alias);
        key
    }

    /// Whoever may use the service in this account may use the key, but only through that service.
    fn through(&self, service: &str) -> Value {
        let actions = [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ];
        let condition = json!({ "StringEquals": {
            "kms:CallerAccount": self.place.account,
            "kms:ViaService": format!("{service}.{}.amazonaws.com", self.place.region),
        }});
        when(by(allow("ThroughTheService", &actions, &["*".into()]), json!({ "AWS": "*" })), condition)
    }

    /// CloudWatch Logs, for this environment's groups: those we name, and those whose names AWS dictates.
    fn for_logs(&self) -> Value {
        let named = format!("log-group:*{}*", self.name("*"));
        let groups =
            [named.as_str(), "log-group:API-Gateway-Execution-Logs_*"].map(|pattern| self.place.arn("logs", pattern));
        let actions = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"];
        let service = json!({ "Service": format!("logs.{}.amazonaws.com", self.place.region) });
        let condition = json!({ "ArnLike": { "kms:EncryptionContext:aws:logs:arn": groups } });
        when(by(allow("CloudWatchLogs", &actions, &["*".into()]), service), condition)
    }
}
