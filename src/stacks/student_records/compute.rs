//! S10: the cluster, the task, the service, and how it grows and shrinks.

use std::collections::{BTreeMap, BTreeSet};

use super::super::handover::{Handover, SERVICE};
use super::super::network::Network;
use super::super::tasks::named;
use super::data::Data;
use super::groups::Groups;
use super::identity::Roles;
use super::ingress::Ingress;
use super::keys::Keys;
use super::proxy::Writer;
use super::secrets::Secrets;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::applicationautoscaling::scaling_policy::{Metric, Scaling, TargetTracking};
use crate::resources::applicationautoscaling::{ScalableTarget, ScalingPolicy};
use crate::resources::ecs::container::{Container, MountPoint};
use crate::resources::ecs::deployment::{Deployment, Target};
use crate::resources::ecs::volume::{EfsVolume, Volume};
use crate::resources::ecs::{Cluster, Service, TaskDefinition};
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out};

const CONTAINER: &str = "student-api";
const VOLUME: &str = "shared";

pub(super) struct Compute {
    pub cluster: Node<Cluster>,
    pub service: Node<Service>,
}

/// The layers below this one.
struct Below<'a> {
    network: &'a Network,
    groups: &'a Groups,
    secrets: &'a Secrets,
    data: &'a Data,
    writer: &'a Writer,
    roles: &'a Roles,
    ingress: &'a Ingress,
}

impl Builder<'_> {
    #[allow(clippy::too_many_arguments, reason = "the service stands on every other layer")]
    pub(super) fn compute(
        &mut self,
        keys: &Keys,
        network: &Network,
        groups: &Groups,
        secrets: &Secrets,
        data: &Data,
        writer: &Writer,
        roles: &Roles,
        ingress: &Ingress,
    ) -> Compute {
        self.layer("ecs", Class::Restricted);
        let below = Below { network, groups, secrets, data, writer, roles, ingress };
        let cluster = self.cluster(&keys.logs);
        let logs = self.log_group("service", self.name("service"), &keys.logs);
        let task = self.task(&below, &logs);
        let service = self.service(&below, &cluster, &task);
        self.scaling(&cluster, &service, ingress);
        Compute { cluster, service }
    }

    fn task(&mut self, below: &Below, logs: &Node<LogGroup>) -> Node<TaskDefinition> {
        let settings = &self.config.service;
        let data = below.data;
        let environment: [(&str, Out<String>); 6] = [
            ("DB_ENDPOINT", below.writer.endpoint.clone()),
            ("DB_READER_ENDPOINT", data.database.reader_endpoint()),
            ("REDIS_ENDPOINT", data.cache.primary_endpoint()),
            ("KINESIS_STREAM", data.stream.stream_name()),
            ("ENVIRONMENT_SUFFIX", self.config.env.as_str().into()),
            ("AWS_REGION", self.place.region.as_str().into()),
        ];
        let field = |secret: Out<String>, field: &str| Out::join([secret, format!(":{field}::").as_str().into()]);
        let master = data.database.master_user_secret_arn();
        let secrets: [(&str, Out<String>); 4] = [
            ("DB_USERNAME", field(master.clone(), "username")),
            ("DB_PASSWORD", field(master, "password")),
            ("REDIS_AUTH_TOKEN", below.secrets.cache.arn()),
            ("THIRD_PARTY_CREDENTIALS", below.secrets.third_party.arn()),
        ];
        let mut mount_points =
            BTreeMap::from([("/mnt/efs".to_owned(), MountPoint { volume: VOLUME.to_owned(), read_only: false })]);
        let (scratch, scratch_volume) = self.scratch().unzip();
        mount_points.extend(scratch);
        let container = Container {
            image: settings.image.clone(),
            essential: true,
            port_mappings: [i32::from(settings.port)].into(),
            environment: named(environment),
            secrets: named(secrets),
            command: settings.command.clone(),
            health_check: None,
            mount_points,
            log: Some(self.container_log(logs)),
            read_only_root: settings.read_only_root,
            user: None,
        };
        let shared = EfsVolume {
            file_system_id: data.files.file_system_id(),
            access_point_id: data.access_point.access_point_id(),
            transit_encryption: true,
            iam: true,
        };
        let mut volumes = BTreeMap::from([(VOLUME.to_owned(), Volume { efs: Some(shared) })]);
        volumes.extend(scratch_volume);
        self.stack.add(
            "task-definition",
            TaskDefinition {
                family: self.name("api"),
                cpu: settings.cpu,
                memory: settings.memory,
                execution_role_arn: below.roles.execution.arn(),
                task_role_arn: below.roles.task.arn(),
                containers: [(CONTAINER.to_owned(), container)].into(),
                volumes,
                tags: Tags::new(),
            },
        )
    }

    fn service(&mut self, below: &Below, cluster: &Node<Cluster>, task: &Node<TaskDefinition>) -> Node<Service> {
        let settings = &self.config.service;
        let mut after = below.writer.ready.clone();
        after.extend(below.data.mounts.iter().cloned());
        after.extend(below.network.private_routes.iter().cloned());
        after.extend(below.groups.rules.iter().cloned());
        let recorded = &self.place.recorded;
        let serving = match recorded.handover {
            Some(Handover::Beside { tasks, .. }) => tasks,
            _ => 0,
        };
        let name = self.name(&recorded.side.name("api"));
        self.stack.add(
            recorded.side.name(SERVICE),
            Service {
                name,
                cluster: cluster.cluster_name(),
                task_definition: task.arn(),
                // They take over from as many at once.
                desired_count: settings.tasks.max(serving),
                autoscaled: true,
                subnet_ids: below.network.private_ids(),
                security_group_ids: [below.groups.service.group_id()].into(),
                assign_public_ip: false,
                target: Some(Target {
                    target_group_arn: below.ingress.targets.arn(),
                    container_name: CONTAINER.into(),
                    container_port: i32::from(settings.port),
                }),
                further_targets: BTreeSet::new(),
                listener: Some(below.ingress.led_to.clone()),
                after,
                deployment: Deployment {
                    circuit_breaker: true,
                    rollback: true,
                    min_healthy_percent: 100,
                    max_percent: 200,
                },
                health_check_grace_seconds: Some(60),
                enable_execute_command: false,
                propagate_tags: "SERVICE".into(),
                platform_version: None,
                availability_zone_rebalancing: Some("ENABLED".into()),
                tags: Tags::new(),
            },
        )
    }

    fn scaling(&mut self, cluster: &Node<Cluster>, service: &Node<Service>, ingress: &Ingress) {
        let settings = &self.config.service;
        let target = self.stack.add(
            self.place.recorded.side.name("scalable-target"),
            ScalableTarget {
                cluster: cluster.cluster_name(),
                service: service.service_name(),
                min: settings.min_tasks,
                max: settings.max_tasks,
                suspended: BTreeSet::new(),
                tags: Tags::new(),
            },
        );
        let label = Out::join([ingress.balancer.full_name(), "/".into(), ingress.targets.full_name()]);
        let requests = ("ALBRequestCountPerTarget", Some(label), settings.requests_per_target);
        let cpu = ("ECSServiceAverageCPUUtilization", None, settings.cpu_target_percent);
        for (thing, (metric, label, value)) in [("requests", requests), ("cpu", cpu)] {
            let policy = ScalingPolicy {
                name: self.name(thing),
                resource_id: target.resource_id(),
                scaling: Scaling::TargetTracking(TargetTracking {
                    metric: Metric::Predefined { name: metric.into(), label },
                    target_value: f64::from(value),
                    scale_in_cooldown_seconds: 300,
                    scale_out_cooldown_seconds: 60,
                }),
            };
            self.stack.add(self.place.recorded.side.name(&format!("scaling-policy-{thing}")), policy);
        }
    }
}
