//! S9: who may do what. Every resource is named by its ARN wherever IAM allows that, and every trust policy is closed to
//! other accounts: by a condition where the service names its source, and by how roles are passed where it does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::policy::{allow, document, trust, trust_api_gateway, when};
use super::data::Data;
use super::keys::Keys;
use super::secrets::Secrets;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::iam::{Role, ServiceLinkedRole, SharedRole};
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out};

/// Seconds a session of these roles lasts at most; AWS's own default.
const SESSION_SECONDS: i32 = 3600;

pub(super) struct Roles {
    pub execution: Node<Role>,
    pub task: Node<Role>,
    pub api_events: Node<Role>,
    pub api_logs: Node<SharedRole>,
}

impl Builder<'_> {
    pub(super) fn roles(&mut self, keys: &Keys, secrets: &Secrets, data: &Data) -> Roles {
        self.layer("iam", Class::Internal);
        let tasks = trust(self.place, "ecs-tasks.amazonaws.com", Some(self.place.arn("ecs", "*")));
        let gateway = trust_api_gateway();
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
            api_logs: self.api_logs_role(gateway),
        }
    }

    /// API Gateway has one role for the logs of all its stages in an account and region. It therefore carries no
    /// environment in its name.
    fn api_logs_role(&mut self, trust: Value) -> Node<SharedRole> {
        let policy = "service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        let role = SharedRole {
            name: "tapctl-api-gateway-logs".into(),
            description: "Writes the logs of API Gateway, for all stacks of the account".into(),
            assume_role_policy: trust,
            managed_policy_arns: [format!("arn:{}:iam::aws:policy/{policy}", self.place.partition)].into(),
            joined: true,
        };
        self.stack.add("role-api-logs", role)
    }

    fn role(&mut self, thing: &str, description: &str, trust: Value, policy: Value) -> Node<Role> {
        let role = Role {
            name: self.name(thing),
            description: format!("{description}, of student-records {}", self.config.env),
            assume_role_policy: trust,
            policies: BTreeMap::from([(thing.to_owned(), policy)]),
            managed_policy_arns: BTreeSet::new(),
            max_session_seconds: SESSION_SECONDS,
            permissions_boundary: None,
            tags: Tags::new(),
        };
        self.stack.add(format!("role-{thing}"), role)
    }

    /// A role that AWS keeps for one of its services. One an account, so all stacks share it.
    pub(super) fn service_linked_role(&mut self, thing: &str, service_name: &str) -> Node<ServiceLinkedRole> {
        let role = ServiceLinkedRole { service_name: service_name.to_owned() };
        self.stack.add(format!("service-linked-role-{thing}"), role)
    }

    pub(super) fn flow_log_role(&mut self, group: &Node<LogGroup>) -> Node<Role> {
        let source = self.place.arn("ec2", "vpc-flow-log/*");
        let actions =
            ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        let policy = document([allow("WriteFlowLogs", &actions, &[group.arn(), streams_of(group)])]);
        let trust = trust(self.place, "vpc-flow-logs.amazonaws.com", Some(source));
        self.role("flow-logs", "Writes the flow logs", trust, policy)
    }

    fn secret_arns(secrets: &Secrets, data: &Data) -> [Out<String>; 3] {
        [data.database.master_user_secret_arn(), secrets.cache.arn(), secrets.third_party.arn()]
    }

    fn decrypt_secrets(&self, keys: &Keys) -> Value {
        let through = format!("secretsmanager.{}.amazonaws.com", self.place.region);
        when(
            allow("DecryptSecrets", &["kms:Decrypt"], &[keys.secrets.arn()]),
            json!({ "StringEquals": { "kms:ViaService": through } }),
        )
    }

    fn execution_policy(&self, keys: &Keys, secrets: &Secrets, data: &Data) -> Value {
        let group = self.place.arn("logs", &format!("log-group:{}:*", self.name("service")));
        let mut statements = vec![
            allow("ReadSecrets", &["secretsmanager:GetSecretValue"], &Self::secret_arns(secrets, data)),
            self.decrypt_secrets(keys),
            allow("WriteLogs", &["logs:CreateLogStream", "logs:PutLogEvents"], &[group.as_str().into()]),
        ];
        if let Some(repository) = private_repository(&self.config.service.image, &self.place.partition) {
            let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
            statements.push(allow("PullImage", &pull, &[repository.as_str().into()]));
            // It names no repository: IAM has no narrower resource for it.
            statements.push(allow("LogInToRegistry", &["ecr:GetAuthorizationToken"], &["*".into()]));
        }
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
            self.decrypt_secrets(keys),
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

fn streams_of(group: &Node<LogGroup>) -> Out<String> {
    Out::join([group.arn(), ":*".into()])
}

/// The ARN of the repository, where the image is in a private registry of AWS.
fn private_repository(image: &str, partition: &str) -> Option<String> {
    let (registry, path) = image.split_once('/')?;
    let (account, rest) = registry.split_once(".dkr.ecr.")?;
    let region = rest.split_once(".amazonaws.com")?.0;
    let repository = path.split(['@', ':']).next()?;
    Some(format!("arn:{partition}:ecr:{region}:{account}:repository/{repository}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_of_a_private_registry_need_a_policy() {
        assert_eq!(private_repository("public.ecr.aws/docker/library/busybox:1.37", "aws"), None);
        assert_eq!(
            private_repository("123456789012.dkr.ecr.us-east-1.amazonaws.com/student/api:v2", "aws").as_deref(),
            Some("arn:aws:ecr:us-east-1:123456789012:repository/student/api")
        );
    }
}
