//! S13: the record of what was done in the account, kept where nobody who works in it can change it unseen.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::policy::{allow, by, document, trust_untold, when};
use super::keys::Keys;
use super::{Builder, Class};
use crate::config::TrailOwner;
use crate::resource::Tags;
use crate::resources::cloudtrail::Trail;
use crate::resources::iam::Role;
use crate::resources::logs::LogGroup;
use crate::resources::s3::{Bucket, BucketPolicy};
use crate::stack::{Node, Out};

const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

impl Builder<'_> {
    /// The trail's log group, where the trail is our own.
    pub(super) fn audit(&mut self, keys: &Keys) -> Option<Node<LogGroup>> {
        if self.config.audit.trail == TrailOwner::External {
            return None;
        }
        self.layer("cloudtrail", Class::Restricted);
        let bucket = self.audit_bucket(keys);
        let group = self.audit_log_group("trail", "trail", &keys.logs);
        let role = self.trail_role(&group);
        self.stack.add(
            "trail",
            Trail {
                name: self.name("trail"),
                bucket,
                key_prefix: None,
                kms_key_arn: keys.logs.arn(),
                log_group_arn: group.arn(),
                role_arn: role.arn(),
                multi_region: true,
                global_service_events: true,
                log_file_validation: true,
                management_events: true,
                logging: true,
                tags: Tags::new(),
            },
        );
        Some(group)
    }

    /// The trail's ARN, which policies name before there is a trail.
    pub(super) fn trail_arn(&self) -> String {
        self.place.arn("cloudtrail", &format!("trail/{}", self.name("trail")))
    }

    /// Its name, once its policy stands. Buckets share their names with everybody, so ours ends in account and region.
    fn audit_bucket(&mut self, keys: &Keys) -> Out<String> {
        let settings = &self.config.audit;
        // Whoever takes a protected environment down does not take the record of that down with it.
        let stays_while_full = self.config.profile().keep_copies;
        let name = format!("{}-{}-{}", self.name("audit"), self.place.account, self.place.region);
        let bucket = self.stack.add(
            "audit-bucket",
            Bucket {
                name: name.clone(),
                kms_key_arn: Some(keys.logs.arn()),
                bucket_key: true,
                foreign_keys_blocked: true,
                versioning: true,
                archive_after_days: Some(settings.archive_after_days),
                archive_small: false,
                expire_after_days: Some(settings.expire_after_days),
                other_lifecycle_rules: BTreeSet::new(),
                object_ownership: "BucketOwnerEnforced".into(),
                public_access_blocked: true,
                stays_while_full,
                tags: Tags::new(),
            },
        );
        let policy =
            BucketPolicy { bucket: bucket.bucket_name(), policy: self.audit_bucket_policy(&name), stays_while_full };
        self.stack.add("audit-bucket-policy", policy).ruled_bucket_name()
    }

    fn audit_bucket_policy(&self, name: &str) -> Value {
        let arn = format!("arn:{}:s3:::{name}", self.place.partition);
        let objects = format!("{arn}/*");
        let records = format!("{arn}/AWSLogs/{}/*", self.place.account);
        let trail = self.trail_arn();
        let cloudtrail = |statement: Value, condition: Value| {
            when(by(statement, json!({ "Service": CLOUDTRAIL })), json!({ "StringEquals": condition }))
        };
        let look = allow("CloudTrailLooks", &["s3:GetBucketAcl"], &[arn.as_str().into()]);
        let write = allow("CloudTrailWrites", &["s3:PutObject"], &[records.as_str().into()]);
        let owned = json!({ "aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control" });
        let plain = allow("RefuseUnencryptedTransport", &["s3:*"], &[arn.as_str().into(), objects.as_str().into()]);
        let mut plain = when(by(plain, json!({ "AWS": "*" })), json!({ "Bool": { "aws:SecureTransport": "false" } }));
        plain["Effect"] = json!("Deny");
        document([cloudtrail(look, json!({ "aws:SourceArn": trail })), cloudtrail(write, owned), plain])
    }

    /// Unlike the policies of bucket and key this role's trust has no condition. CloudTrail User Guide, "Role policy document
    /// for CloudTrail to use CloudWatch Logs for monitoring": it "doesn't support the use of aws:SourceArn and
    /// aws:SourceAccount".
    fn trail_role(&mut self, group: &Node<LogGroup>) -> Node<Role> {
        let trust = trust_untold(CLOUDTRAIL);
        let stream = format!(":log-stream:{}_CloudTrail_{}*", self.place.account, self.place.region);
        let streams = Out::join([group.arn(), stream.as_str().into()]);
        let write = allow("WriteTrail", &["logs:CreateLogStream", "logs:PutLogEvents"], &[streams]);
        self.role("trail-logs", "Writes the audit trail's log", trust, document([write]))
    }
}
