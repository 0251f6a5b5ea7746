//! S1: a customer-managed key for each kind of data. Its policy leaves the say to IAM, where each role has a statement of
//! its own, and names nobody but the AWS services that IAM does not reach.

use serde_json::{Value, json};

use super::super::policy::{allow, by, when};
use super::{Builder, Class};
use crate::config::TrailOwner;
use crate::resources::kms::Key;
use crate::stack::Node;

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
            rds: self.key("rds", "the database and its snapshots", []),
            cache: self.key("cache", "the cache and its snapshots", []),
            kinesis: self.key("kinesis", "the event stream", []),
            efs: self.key("efs", "the shared file system", []),
            secrets: self.key("secrets", "secrets", []),
            logs: self.key("logs", "logs, audit records and alarms", self.for_records()),
        }
    }

    fn for_records(&self) -> Vec<Value> {
        let mut statements = vec![self.for_logs(), self.for_alarms()];
        if self.config.audit.trail == TrailOwner::Own {
            statements.extend(self.for_trail());
        }
        statements
    }

    /// CloudTrail, for our trail only. It decrypts because the bucket has a key of its own, made from this one.
    fn for_trail(&self) -> [Value; 2] {
        let service = json!({ "Service": "cloudtrail.amazonaws.com" });
        let trail = self.trail_arn();
        let trails = format!("arn:{}:cloudtrail:*:{}:trail/*", self.place.partition, self.place.account);
        let encrypt = allow("CloudTrailEncrypts", &["kms:GenerateDataKey*"], &["*".into()]);
        let encrypt = when(
            by(encrypt, service.clone()),
            json!({
                "StringEquals": { "aws:SourceArn": trail },
                "StringLike": { "kms:EncryptionContext:aws:cloudtrail:arn": trails },
            }),
        );
        let look = allow("CloudTrailLooks", &["kms:Decrypt", "kms:DescribeKey"], &["*".into()]);
        [encrypt, when(by(look, service), json!({ "StringEquals": { "aws:SourceArn": trail } }))]
    }
}
