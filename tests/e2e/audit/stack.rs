//! The stack that the kinds of audit and monitoring live in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::resource::Tags;
use tapctl::resources::cloudtrail::Trail;
use tapctl::resources::cloudwatch::{Alarm, Dashboard};
use tapctl::resources::iam::Role;
use tapctl::resources::kms::Key;
use tapctl::resources::logs::{LogGroup, MetricFilter};
use tapctl::resources::s3::{Bucket, BucketPolicy};
use tapctl::resources::sns::{Subscription, Topic};
use tapctl::stack::{Node, Out, Stack};

fn statement(sid: &str, service: &str, actions: &[&str]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Principal": { "Service": service }, "Action": actions, "Resource": "*" })
}

fn key_policy(account: &str) -> Value {
    let root = format!("arn:aws:iam::{account}:root");
    json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Root", "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" },
        statement("Trail", "cloudtrail.amazonaws.com", &["kms:GenerateDataKey*", "kms:DescribeKey", "kms:Decrypt"]),
        statement("Alarms", "cloudwatch.amazonaws.com", &["kms:GenerateDataKey*", "kms:Decrypt"]),
    ] })
}

fn bucket_policy(bucket: &Out<String>, prefix: &str, account: &str, more: bool) -> Value {
    let whole = Out::join(["arn:aws:s3:::".into(), bucket.clone()]).json();
    let objects = Out::join(["arn:aws:s3:::".into(), bucket.clone(), "/*".into()]).json();
    let path = format!("/{prefix}AWSLogs/{account}/*");
    let files = Out::join(["arn:aws:s3:::".into(), bucket.clone(), path.as_str().into()]).json();
    let trail = json!({ "Service": "cloudtrail.amazonaws.com" });
    let canned = json!({ "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } });
    let mut statements = vec![
        json!({ "Sid": "Acl", "Effect": "Allow", "Principal": trail, "Action": "s3:GetBucketAcl", "Resource": whole }),
        json!({ "Sid": "Files", "Effect": "Allow", "Principal": trail, "Action": "s3:PutObject", "Resource": files,
                "Condition": canned }),
        json!({ "Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [whole, objects],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
    ];
    if more {
        statements.push(json!({ "Sid": "Keep", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucketPolicy",
                                "Resource": whole, "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "false" } } }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn topic_policy(account: &str, more: bool) -> Value {
    let arn = format!("arn:aws:sns:us-east-1:{account}:audit-alarms-dev");
    let publish = |sid: &str, service: &str| {
        json!({ "Sid": sid, "Effect": "Allow", "Principal": { "Service": service }, "Action": "sns:Publish", "Resource": arn,
                "Condition": { "StringEquals": { "aws:SourceAccount": account } } })
    };
    let mut statements = vec![publish("Alarms", "cloudwatch.amazonaws.com")];
    statements.extend(more.then(|| publish("Events", "events.amazonaws.com")));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn body(metric: &Out<String>, wish: &str) -> Value {
    let mut properties = json!({ "title": wish, "region": "us-east-1", "metrics": [["audit", metric.json()]] });
    if wish == "broken" {
        properties["colour"] = "red".into();
    }
    json!({ "widgets": [{ "type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": properties }] })
}

/// One of three stacks: `first`; `second`, which has another value in every field that can change; and `broken`, whose
/// dashboard shows nothing.
pub fn stack(aws: &Aws, wish: &str) -> Stack {
    let (account, second) = (aws.account.as_str(), wish == "second");
    let mut stack = Stack::new("audit-kinds", "dev", "us-east-1").named("audit-", "-dev");
    stack.tag([("Owner", if second { "registrar" } else { "security" }.to_owned())]);
    let keys = ["one", "two"].map(|name| add_key(&mut stack, name, account));
    let key = &keys[usize::from(second)];
    let group = stack.add(
        "log-group",
        LogGroup {
            name: "/audit/dev".into(),
            kms_key_arn: None,
            retention_days: 365,
            deletion_protection: None,
            tags: Tags::new(),
        },
    );
    add_trail(&mut stack, key, &group, account, second);
    let filter = stack.add("filter", filter(group.group_name(), second));
    let topic = add_topic(&mut stack, key, account, second);
    let dimensions = BTreeMap::from([("ApiName".to_owned(), Out::from(if second { "other" } else { "records" }))]);
    let latency = Alarm {
        namespace: if second { "AWS/ApiGatewayV2" } else { "AWS/ApiGateway" }.into(),
        ..alarm("latency", if second { "IntegrationLatency" } else { "Latency" }.into(), &topic, second)
    };
    stack.add("alarm", Alarm { dimensions, ..latency });
    stack.add("alarm-key", alarm("key", filter.metric_name(), &topic, second));
    let body = body(&filter.metric_name(), wish);
    stack.add("dashboard", Dashboard { name: "audit-dev".into(), body, tags: Tags::new() });
    stack
}

fn add_key(stack: &mut Stack, name: &str, account: &str) -> Node<Key> {
    let spec = Key {
        description: name.to_owned(),
        policy: key_policy(account),
        rotation_days: Some(365),
        rotation: true,
        deletion_window_days: 7,
        alias: None,
        tags: Tags::new(),
    };
    stack.add(format!("key-{name}"), spec)
}

fn add_trail(stack: &mut Stack, key: &Node<Key>, group: &Node<LogGroup>, account: &str, second: bool) {
    let role = stack.add("role", role());
    let bucket = stack.add(
        "bucket",
        Bucket {
            name: "audit-logs-dev".into(),
            kms_key_arn: Some(key.arn()),
            bucket_key: !second,
            foreign_keys_blocked: !second,
            versioning: true,
            archive_after_days: (!second).then_some(90),
            archive_small: false,
            expire_after_days: Some(if second { 400 } else { 2557 }),
            other_lifecycle_rules: BTreeSet::new(),
            object_ownership: if second { "BucketOwnerPreferred" } else { "BucketOwnerEnforced" }.into(),
            public_access_blocked: true,
            stays_while_full: false,
            tags: Tags::new(),
        },
    );
    let policy = bucket_policy(&bucket.bucket_name(), if second { "moved/" } else { "" }, account, second);
    let policy =
        stack.add("bucket-policy", BucketPolicy { bucket: bucket.bucket_name(), policy, stays_while_full: false });
    stack.add(
        "trail",
        Trail {
            name: "audit-trail-dev".into(),
            bucket: policy.ruled_bucket_name(),
            key_prefix: second.then(|| "moved".into()),
            kms_key_arn: key.arn(),
            log_group_arn: group.arn(),
            role_arn: role.arn(),
            multi_region: !second,
            global_service_events: true,
            log_file_validation: !second,
            management_events: true,
            logging: !second,
            tags: Tags::new(),
        },
    );
}

fn role() -> Role {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "cloudtrail.amazonaws.com" } }] });
    let write = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*" }] });
    Role {
        name: "audit-trail-dev".into(),
        path: "/".into(),
        description: String::new(),
        assume_role_policy: trust,
        policies: BTreeMap::from([("write".to_owned(), write)]),
        managed_policy_arns: BTreeSet::new(),
        max_session_seconds: 3600,
        permissions_boundary: None,
        tags: Tags::new(),
    }
}

fn filter(log_group: Out<String>, second: bool) -> MetricFilter {
    MetricFilter {
        log_group,
        name: "key-deletion".into(),
        pattern: format!("{{ $.eventName = \"{}\" }}", if second { "DisableKey" } else { "ScheduleKeyDeletion" }),
        namespace: if second { "audit-two" } else { "audit" }.into(),
        metric_name: if second { "KeyDisabled" } else { "KeyDeletion" }.into(),
        value: if second { "2" } else { "1" }.into(),
        default_value: Some(if second { 1.0 } else { 0.0 }),
    }
}

fn add_topic(stack: &mut Stack, key: &Node<Key>, account: &str, second: bool) -> Node<Topic> {
    let policy = topic_policy(account, second);
    let spec = Topic { name: "audit-alarms-dev".into(), kms_key_id: key.key_id(), policy, tags: Tags::new() };
    let topic = stack.add("topic", spec);
    let mail = if second { "registrar@example.edu" } else { "security@example.edu" };
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    for (node, protocol, endpoint) in [("subscription-mail", "email", mail), ("subscription-queue", "sqs", queue)] {
        let spec = Subscription { topic_arn: topic.arn(), protocol: protocol.into(), endpoint: endpoint.into() };
        stack.add(node, spec);
    }
    topic
}

fn alarm(name: &str, metric_name: Out<String>, topic: &Node<Topic>, second: bool) -> Alarm {
    Alarm {
        name: format!("audit-{name}-dev"),
        description: format!("Look at it, {}.", if second { "now" } else { "soon" }),
        namespace: "audit".into(),
        metric_name,
        dimensions: BTreeMap::new(),
        statistic: if second { "Maximum" } else { "p95" }.into(),
        period_seconds: if second { 60 } else { 300 },
        evaluation_periods: if second { 4 } else { 3 },
        datapoints_to_alarm: if second { 4 } else { 2 },
        threshold: if second { 1000.5 } else { 200.0 },
        comparison: if second { "GreaterThanOrEqualToThreshold" } else { "GreaterThanThreshold" }.into(),
        treat_missing_data: if second { "breaching" } else { "notBreaching" }.into(),
        actions_enabled: true,
        alarm_actions: BTreeSet::from([topic.arn()]),
        ok_actions: if second { BTreeSet::new() } else { BTreeSet::from([topic.arn()]) },
        tags: Tags::new(),
    }
}
