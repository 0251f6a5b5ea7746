//! P9: who may do what. Every resource is named by its ARN wherever IAM allows that.

use serde_json::{Value, json};

use super::super::policy::{allow, document, trust, trust_api_gateway, when};
use super::data::Data;
use super::{Builder, Class};
use crate::resources::iam::{Role, SharedRole};
use crate::resources::kms::Key;
use crate::stack::Node;

pub(super) struct Roles {
    pub execution: Node<Role>,
    pub task: Node<Role>,
    pub ingest: Node<Role>,
    pub api_logs: Node<SharedRole>,
}

pub(super) fn roles(builder: &mut Builder, key: &Node<Key>, data: &Data) -> Roles {
    builder.layer("iam", Class::Internal);
    let tasks = trust(builder.place, "ecs-tasks.amazonaws.com", builder.place.arn("ecs", "*"));
    let gateway = trust_api_gateway(builder.place);
    let ingest = document([
        allow("PutRecords", &["kinesis:PutRecord", "kinesis:PutRecords"], &[data.stream.arn()]),
        through_kinesis(builder, "EncryptRecords", "kms:GenerateDataKey", key),
    ]);
    let (execution, task) = (execution_policy(builder, key, data), task_policy(builder, key, data));
    Roles {
        execution: builder.role("execution", "Starts the tasks", tasks.clone(), execution),
        task: builder.role("task", "What the processor itself may do", tasks, task),
        ingest: builder.role("api-ingest", "Puts records of the API into the stream", gateway, ingest),
        api_logs: builder.api_logs_role(),
    }
}

/// The key is that of the credentials and the logs too, so it may be used for the stream only.
fn through_kinesis(builder: &Builder, sid: &str, action: &str, key: &Node<Key>) -> Value {
    let through = format!("kinesis.{}.amazonaws.com", builder.place.region);
    when(allow(sid, &[action], &[key.arn()]), json!({ "StringEquals": { "kms:ViaService": through } }))
}

fn read_secret(data: &Data) -> Value {
    allow("ReadSecret", &["secretsmanager:GetSecretValue"], &[data.secret.arn()])
}

fn execution_policy(builder: &Builder, key: &Node<Key>, data: &Data) -> Value {
    let group = builder.place.arn("logs", &format!("log-group:{}:*", builder.name("data-processor")));
    let write = allow("WriteLogs", &["logs:CreateLogStream", "logs:PutLogEvents"], &[group.as_str().into()]);
    let statements = [read_secret(data), builder.decrypt_secrets(key), write];
    document(statements.into_iter().chain(builder.pull_image()))
}

fn task_policy(builder: &Builder, key: &Node<Key>, data: &Data) -> Value {
    let read =
        ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"];
    document([
        allow("ReadStream", &read, &[data.stream.arn()]),
        through_kinesis(builder, "DecryptRecords", "kms:Decrypt", key),
        read_secret(data),
        builder.decrypt_secrets(key),
    ])
}
