//! P7: the cluster, the processor, and how it grows and shrinks with what waits in the stream.

use std::collections::{BTreeMap, BTreeSet};

use super::super::network::Network;
use super::super::tasks::named;
use super::super::watch::{ABOVE, BELOW};
use super::data::Data;
use super::groups::Groups;
use super::identity::Roles;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::applicationautoscaling::scaling_policy::Scaling;
use crate::resources::applicationautoscaling::{ScalableTarget, ScalingPolicy, Step, StepScaling};
use crate::resources::cloudwatch::Alarm;
use crate::resources::ecs::container::Container;
use crate::resources::ecs::deployment::Deployment;
use crate::resources::ecs::{Cluster, Service, TaskDefinition};
use crate::resources::kms::Key;
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out};

const CONTAINER: &str = "data-processor";
/// Minutes in a row that records must have waited too long before there is another task.
const MINUTES_BEHIND: i32 = 3;
/// Minutes in a row that no record waited long before there is one task fewer.
const MINUTES_AHEAD: i32 = 15;
/// What counts as not long, as a share of what counts as too long.
const AHEAD: f64 = 0.1;
/// Seconds after one change until the next.
const COOLDOWN_SECONDS: i32 = 120;

pub(super) struct Tasks {
    pub cluster: Node<Cluster>,
    pub task: Node<TaskDefinition>,
    pub service: Node<Service>,
}

/// A change in the number of tasks, and what brings it about.
struct Change {
    thing: &'static str,
    /// Where from the threshold it holds, and by how many tasks.
    step: Step,
    comparison: &'static str,
    age_ms: f64,
    minutes: i32,
    missing: &'static str,
}

pub(super) fn compute(
    builder: &mut Builder,
    key: &Node<Key>,
    network: &Network,
    groups: &Groups,
    data: &Data,
    roles: &Roles,
) -> Tasks {
    builder.layer("ecs", Class::Restricted);
    let cluster = builder.cluster(key);
    let logs = builder.log_group(CONTAINER, builder.name(CONTAINER), key);
    let task = task(builder, data, roles, &logs);
    let mut after = BTreeSet::from([data.database.instance_identifier()]);
    after.extend(network.private_routes.iter().cloned());
    after.extend(groups.rules.iter().cloned());
    let service = builder.stack.add(
        "service",
        Service {
            name: builder.name(CONTAINER),
            cluster: cluster.cluster_name(),
            task_definition: task.arn(),
            desired_count: builder.config.service.tasks,
            autoscaled: true,
            subnet_ids: network.private_ids(),
            security_group_ids: [groups.tasks.group_id()].into(),
            assign_public_ip: false,
            target: None,
            further_targets: BTreeSet::new(),
            listener: None,
            after,
            deployment: Deployment {
                circuit_breaker: true,
                rollback: true,
                min_healthy_percent: 100,
                max_percent: 200,
            },
            health_check_grace_seconds: None,
            enable_execute_command: false,
            propagate_tags: "SERVICE".into(),
            platform_version: None,
            availability_zone_rebalancing: Some("ENABLED".into()),
            tags: Tags::new(),
        },
    );
    scaling(builder, &cluster, &service, data);
    Tasks { cluster, task, service }
}

fn task(builder: &mut Builder, data: &Data, roles: &Roles, logs: &Node<LogGroup>) -> Node<TaskDefinition> {
    let settings = &builder.config.service;
    let field = |field: &str| Out::join([data.secret.arn(), format!(":{field}::").as_str().into()]);
    let (mount_points, volumes): (BTreeMap<_, _>, BTreeMap<_, _>) = builder.scratch().into_iter().unzip();
    let container = Container {
        image: settings.image.clone(),
        essential: true,
        port_mappings: [i32::from(settings.port)].into(),
        environment: named([
            ("KINESIS_STREAM", data.stream.stream_name()),
            ("DB_ENDPOINT", data.database.endpoint()),
            ("DB_SECRET_ARN", data.secret.arn()),
            ("ENVIRONMENT", builder.config.env.as_str().into()),
            ("AWS_REGION", builder.place.region.as_str().into()),
        ]),
        secrets: named([
            ("DB_USERNAME", field("username")),
            ("DB_PASSWORD", field("password")),
            ("DB_NAME", field("dbname")),
            ("DB_PORT", field("port")),
        ]),
        command: settings.command.clone(),
        health_check: None,
        mount_points,
        log: Some(builder.container_log(logs)),
        read_only_root: settings.read_only_root,
        user: None,
    };
    builder.stack.add(
        "task-definition",
        TaskDefinition {
            family: builder.name(CONTAINER),
            cpu: settings.cpu,
            memory: settings.memory,
            execution_role_arn: roles.execution.arn(),
            task_role_arn: roles.task.arn(),
            containers: [(CONTAINER.to_owned(), container)].into(),
            volumes,
            tags: Tags::new(),
        },
    )
}

fn scaling(builder: &mut Builder, cluster: &Node<Cluster>, service: &Node<Service>, data: &Data) {
    let settings = &builder.config.service;
    let target = ScalableTarget {
        cluster: cluster.cluster_name(),
        service: service.service_name(),
        min: settings.min_tasks,
        max: settings.max_tasks,
        suspended: BTreeSet::new(),
        tags: Tags::new(),
    };
    let target = builder.stack.add("scalable-target", target);
    let behind_ms = f64::from(builder.config.pipeline.iterator_age_seconds) * 1000.0;
    let out = Change {
        thing: "scale-out",
        step: Step { lower: Some(0.0), upper: None, adjustment: 1 },
        comparison: ABOVE,
        age_ms: behind_ms,
        minutes: MINUTES_BEHIND,
        missing: "notBreaching",
    };
    let back = Change {
        thing: "scale-in",
        step: Step { lower: None, upper: Some(0.0), adjustment: -1 },
        comparison: BELOW,
        age_ms: behind_ms * AHEAD,
        minutes: MINUTES_AHEAD,
        // Nobody reads: that says nothing about how much waits.
        missing: "ignore",
    };
    for change in [out, back] {
        let policy = ScalingPolicy {
            name: builder.name(change.thing),
            resource_id: target.resource_id(),
            scaling: Scaling::Step(StepScaling {
                adjustment_type: "ChangeInCapacity".into(),
                cooldown_seconds: COOLDOWN_SECONDS,
                steps: vec![change.step.clone()],
                metric_aggregation: "Maximum".into(),
            }),
        };
        let policy = builder.stack.add(format!("scaling-policy-{}", change.thing), policy);
        iterator_age(builder, &change, data, policy.arn());
    }
}

/// The age of the oldest record that a reader has yet to read; it says when to make the change.
fn iterator_age(builder: &mut Builder, change: &Change, data: &Data, action: Out<String>) {
    let alarm = Alarm {
        name: builder.name(change.thing),
        description: builder.describe("Changes the number of tasks with the age of unread records"),
        namespace: "AWS/Kinesis".into(),
        metric_name: "GetRecords.IteratorAgeMilliseconds".into(),
        dimensions: named([("StreamName", data.stream.stream_name())]),
        statistic: "Maximum".into(),
        period_seconds: 60,
        evaluation_periods: change.minutes,
        datapoints_to_alarm: change.minutes,
        threshold: change.age_ms,
        comparison: change.comparison.into(),
        treat_missing_data: change.missing.into(),
        actions_enabled: true,
        alarm_actions: [action].into(),
        ok_actions: BTreeSet::new(),
        tags: Tags::new(),
    };
    builder.stack.add(format!("alarm-{}", change.thing), alarm);
}
