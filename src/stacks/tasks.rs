//! What the tasks of every stack need: a cluster, the right to pull their image.

use std::collections::BTreeMap;

use serde_json::Value;

use super::builder::Builder;
use super::policy::allow;
use crate::config::{LogMode, private_registry};
use crate::resource::Tags;
use crate::resources::ecs::Cluster;
use crate::resources::ecs::container::{Log, MountPoint};
use crate::resources::ecs::volume::Volume;
use crate::resources::kms::Key;
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out};

/// What is held back of a container's output before any of it is lost: AWS's blog "Preventing log loss with non-blocking
/// mode in the AWSLogs container log driver" found 25 MB enough where 10, its default, were not.
const LOG_BUFFER: &str = "25m";
/// Where a container may write that can write nowhere else, and what its volume is called.
const SCRATCH: (&str, &str) = ("/tmp", "tmp");

impl Builder<'_> {
    /// Where a container's output goes.
    pub fn container_log(&self, group: &Node<LogGroup>) -> Log {
        let mode = self.config.service.log_mode;
        Log {
            group: group.group_name(),
            stream_prefix: "ecs".into(),
            mode: mode.as_str().into(),
            max_buffer_size: (mode == LogMode::NonBlocking).then(|| LOG_BUFFER.to_owned()),
        }
    }

    /// A directory that most images cannot do without, where the rest of the file system refuses writes.
    pub fn scratch(&self) -> Option<((String, MountPoint), (String, Volume))> {
        let (path, name) = (SCRATCH.0.to_owned(), SCRATCH.1.to_owned());
        let mount = MountPoint { volume: name.clone(), read_only: false };
        self.config.service.read_only_root.then_some(((path, mount), (name, Volume { efs: None })))
    }

    /// A cluster with Container Insights, whose log group has this key.
    pub fn cluster(&mut self, logs_key: &Node<Key>) -> Node<Cluster> {
        let role = self.service_linked_role("ecs", "ecs.amazonaws.com");
        let name = self.name("cluster");
        // Container Insights would make it itself, without key and retention.
        let insights = format!("/aws/ecs/containerinsights/{name}/performance");
        let insights = self.log_group("insights", insights, logs_key);
        self.stack.add(
            "cluster",
            Cluster {
                name,
                container_insights: "enabled".into(),
                service_linked_role: Some(role.service()),
                log_group: Some(insights.group_name()),
                tags: Tags::new(),
            },
        )
    }

    /// For the role that starts tasks: pulls the image, where it is in a private registry of AWS, and GuardDuty's agent, which
    /// an organisation may have put beside it (GuardDuty User Guide, "Prerequisites for AWS Fargate (Amazon ECS only)
    /// support"). Its registry is in an account of AWS's, another one in each region.
    pub fn pull_image(&self) -> Vec<Value> {
        let (partition, region) = (&self.place.partition, &self.place.region);
        let agent = format!("arn:{partition}:ecr:{region}:*:repository/aws-guardduty-agent-fargate");
        let own = private_repository(&self.config.service.image, partition);
        let repositories: Vec<Out<String>> = own.into_iter().chain([agent]).map(|arn| arn.as_str().into()).collect();
        let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        vec![
            allow("PullImage", &pull, &repositories),
            // It names no repository: IAM has no narrower resource for it.
            allow("LogInToRegistry", &["ecr:GetAuthorizationToken"], &["*".into()]),
        ]
    }
}

/// Values by name.
pub(super) fn named<const N: usize>(values: [(&str, Out<String>); N]) -> BTreeMap<String, Out<String>> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The ARN of the repository, where the image is in a private registry of AWS.
fn private_repository(image: &str, partition: &str) -> Option<String> {
    let (registry, path) = image.split_once('/')?;
    let (account, region) = private_registry(registry)?;
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
        for host in ["dkr.ecr-fips.us-gov-west-1.amazonaws.com", "dkr-ecr.us-gov-west-1.on.aws"] {
            assert_eq!(
                private_repository(&format!("123456789012.{host}/api@sha256:00"), "aws-us-gov").as_deref(),
                Some("arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/api"),
                "{host}"
            );
        }
    }
}
