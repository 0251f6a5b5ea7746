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

    fn secret_arns(secrets: &Secrets, data: &Data) -> [Out<String>; 3] {
        [data.database.master_user_secret_arn(), secrets.cache.arn(), secrets.third_party.arn()]
    }

    pub(super) fn decrypt_secrets(&self, keys: &Keys) -> Value {
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
