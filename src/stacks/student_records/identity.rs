//! S9: who may do what. Every resource is named by its ARN wherever IAM allows that, and every trust policy is closed to
//! other accounts as far as the service tells for whom it acts.

use serde_json::{Value, json};

use super::super::policy::{allow, document, trust, trust_api_gateway, when};
use super::data::Data;
use super::keys::Keys;
use super::secrets::Secrets;
use super::{Builder, Class};
use crate::resources::iam::{Role, SharedRole};
use crate::stack::{Node, Out};

pub(super) struct Roles {
    pub execution: Node<Role>,
    pub task: Node<Role>,
    pub api_events: Node<Role>,
    pub api_logs: Node<SharedRole>,
}

impl Builder<'_> {
    pub(super) fn roles(&mut self, keys: &Keys, secrets: &Secrets, data: &Data) -> Roles {
        self.layer("iam", Class::Internal);
        let tasks = trust(self.place, "ecs-tasks.amazonaws.com", self.place.arn("ecs", "*"));
        let gateway = trust_api_gateway(self.place);
        let execution = self.execution_policy(keys, secrets, data);
        let task = self.task_policy(keys, secrets, data);
        let events = document([
            allow("PutEvents", &["kinesis:PutRecord", "kinesis:PutRecords"], &[data.stream.arn()]),
            allow("EncryptEvents", &["kms:GenerateDataKey"], &[keys.kinesis.arn()]),
        ]);
        Roles {
            execution: self.role("execution", "Starts the tasks", tasks.clone(), execution),
            task: self.role("task", "What the service itself may do", tasks, task),
            api_events: self.role("api-events", "Puts events of the API into the stream", gateway.clone(), events),
            api_logs: self.api_logs_role(),
        }
    }

    fn secret_arns(secrets: &Secrets, data: &Data) -> [Out<String>; 3] {
        [data.database.master_user_secret_arn(), secrets.cache.arn(), secrets.third_party.arn()]
    }

    fn execution_policy(&self, keys: &Keys, secrets: &Secrets, data: &Data) -> Value {
        let group = self.place.arn("logs", &format!("log-group:{}:*", self.name("service")));
        let mut statements = vec![
            allow("ReadSecrets", &["secretsmanager:GetSecretValue"], &Self::secret_arns(secrets, data)),
            self.decrypt_secrets(&keys.secrets),
            allow("WriteLogs", &["logs:CreateLogStream", "logs:PutLogEvents"], &[group.as_str().into()]),
        ];
        statements.extend(self.pull_image());
        document(statements)
    }

    fn task_policy(&self, keys: &Keys, secrets: &Secrets, data: &Data) -> Value {
        let stream = [
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "kinesis:PutRecord",
            "kinesis:PutRecords",
        ];
        let mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"];
        document([
            allow("UseStream", &stream, &[data.stream.arn()]),
            allow("UseStreamKey", &["kms:Decrypt", "kms:GenerateDataKey"], &[keys.kinesis.arn()]),
            allow("ReadSecrets", &["secretsmanager:GetSecretValue"], &Self::secret_arns(secrets, data)),
            self.decrypt_secrets(&keys.secrets),
            when(
                allow("UseSharedFiles", &mount, &[data.files.arn()]),
                json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": data.access_point.arn().json() } }),
            ),
            allow("LogInToDatabase", &["rds-db:connect"], &[self.database_user(data)]),
        ])
    }

    fn database_user(&self, data: &Data) -> Out<String> {
        let prefix = self.place.arn("rds-db", "dbuser:");
        Out::join([prefix.as_str().into(), data.database.resource_id(), "/studentadmin".into()])
    }
}
