//! A Fargate service with rolling deployments. Its name is taken until it has drained, and it is ready only when the
//! deployment of the task definition we asked for has completed.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{
    AssignPublicIp, AvailabilityZoneRebalancing, AwsVpcConfiguration, LaunchType, LoadBalancer, NetworkConfiguration,
    PropagateTags, Service as EcsService, ServiceField,
};

use super::deployment::{Deployment, Target};
use super::{built, check_name, from_ecs, refused, retag, rollout, to_ecs};
use crate::diff::Change;
use crate::resources::prelude::*;

/// A service that keeps a number of Fargate tasks running.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    /// The name: 1-255 letters, digits, hyphens, underscores.
    pub name: String,
    /// The cluster, by name or ARN.
    pub cluster: Out<String>,
    /// The ARN of the task definition revision it runs.
    pub task_definition: Out<String>,
    /// How many tasks run; only the first number where `autoscaled`.
    pub desired_count: i32,
    /// Whether Application Auto Scaling sets the number of tasks after the service was made.
    pub autoscaled: bool,
    /// The subnets of its tasks.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The security groups of its tasks.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// Whether its tasks get public addresses.
    pub assign_public_ip: bool,
    /// Where a load balancer reaches its tasks. `None`: not at all; left out of the spec, so that taking it away is a
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Target groups in which others have it register its tasks as well: found, and never wanted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub further_targets: BTreeSet<String>,
    /// Witness that a listener forwards to the target group: ECS refuses a group without a load balancer.
    pub listener: Option<Out<String>>,
    /// Witnesses of what else must exist before its tasks start: mount targets, routes, endpoints, policies.
    pub after: BTreeSet<Out<String>>,
    /// How it goes from one task definition to the next.
    pub deployment: Deployment,
    /// Seconds after a task's start in which failed health checks do not count; 0 where `None`.
    pub health_check_grace_seconds: Option<i32>,
    /// Whether people may run commands inside its containers.
    pub enable_execute_command: bool,
    /// Whose tags its tasks get: `SERVICE`, `TASK_DEFINITION` or `NONE`.
    pub propagate_tags: String,
    /// Fargate's platform version, as `1.4.0`. `None`: the latest.
    pub platform_version: Option<String>,
    /// `ENABLED` or `DISABLED`: whether ECS moves tasks to spread them over zones. `None`: AWS decides.
    pub availability_zone_rebalancing: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceOutputs {
    /// The ARN, with the cluster's name in it.
    pub arn: String,
    /// The name.
    pub name: String,
}

impl Node<Service> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The service's name, known once it exists.
    pub fn service_name(&self) -> Out<String> {
        self.out("name")
    }
}

impl Resource for Service {
    type Cloud = Aws;
    type Outputs = ServiceOutputs;
    const KIND: &'static str = "ecs.service";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "cluster"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["listener", "after"];
    const FORETOLD: &'static [&'static str] = &["arn", "name"];
    const ROTATES: bool = true;
    const WAIT: Wait = Wait::seconds(5, 1200, 1200).usually(150, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("name", &self.name)?;
        if !self.further_targets.is_empty() {
            return Err("further_targets is not empty; it only tells what is found".to_owned());
        }
        if self.desired_count < 0 {
            return Err(format!("desired_count is {}; AWS allows 0 or more", self.desired_count));
        }
        self.deployment.check()?;
        self.check_rebalancing()?;
        if let Some(seconds) = self.health_check_grace_seconds.filter(|seconds| *seconds < 0) {
            return Err(format!("health_check_grace_seconds is {seconds}; AWS allows 0 or more"));
        }
        if !(1..=16).contains(&self.subnet_ids.len()) || self.security_group_ids.len() > 5 {
            return Err("AWS allows 1-16 subnet_ids and up to 5 security_group_ids".into());
        }
        if !["SERVICE", "TASK_DEFINITION", "NONE"].contains(&self.propagate_tags.as_str()) {
            let text = &self.propagate_tags;
            return Err(format!("propagate_tags is {text:?}; AWS allows SERVICE, TASK_DEFINITION, NONE"));
        }
        match self.platform_version.as_deref() {
            Some("LATEST") => Err("platform_version is \"LATEST\"; leave it out for the latest".into()),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let asked = self.cluster.known().map(String::as_str);
        let Some(cluster) = id.and_then(cluster_of).or(asked) else { return Ok(None) };
        let call = cx.ecs.describe_services().cluster(cluster).services(name).include(ServiceField::Tags);
        let Some(answer) = call.send().await.if_present()? else { return Ok(None) };
        refused(answer.failures())?;
        let Some(service) = answer.services().iter().find(|service| service.status() != Some("INACTIVE")) else {
            return Ok(None);
        };
        let arn = service.service_arn().always("service ARN")?;
        let live = self.live(service)?;
        let outputs = ServiceOutputs { arn: arn.to_owned(), name: live.name.clone() };
        let want = self.task_definition.known().map(String::as_str);
        let phase = rollout::phase(cx, service, want, self.autoscaled).await?;
        let made = service.created_at().map(ToString::to_string);
        Ok(Some(Observed::ready(arn, live, outputs).in_phase(phase).known_by(made)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ecs
            .create_service()
            .client_token(cx.owner.token())
            .cluster(self.cluster.get()?)
            .service_name(&self.name)
            .task_definition(self.task_definition.get()?)
            .desired_count(self.desired_count)
            .launch_type(LaunchType::Fargate)
            .set_platform_version(self.platform_version.clone())
            .network_configuration(self.network()?)
            .set_load_balancers(Some(self.load_balancers()?))
            .deployment_configuration(self.deployment.to_ecs())
            .set_health_check_grace_period_seconds(self.health_check_grace_seconds)
            .enable_execute_command(self.enable_execute_command)
            .propagate_tags(PropagateTags::from(self.propagate_tags.as_str()))
            .set_availability_zone_rebalancing(self.rebalancing())
            .set_tags(Some(to_ecs(&self.tags)))
            .send()
            .await?;
        made.service.and_then(|service| service.service_arn).always("service ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let untold = |change: &Change| ["tags", "listener", "after"].iter().any(|field| change.path.starts_with(field));
        if diff.is_empty() || !diff.changes.iter().all(untold) {
            self.deploy(cx, &observed.id, diff).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        let cluster = cluster_of(&observed.id).map(str::to_owned);
        let stop = cx.ecs.update_service().set_cluster(cluster.clone()).service(&observed.id).desired_count(0);
        if stop.send().await.if_present()?.is_none() {
            return Ok(());
        }
        let delete = cx.ecs.delete_service().set_cluster(cluster).service(&observed.id).force(true);
        delete.send().await.if_present()?;
        Ok(())
    }

    /// Tasks read their secrets when they start, so new ones must take over.
    async fn rotate(&self, cx: &Cx<'_>, observed: &Observed<Self>, turn: Turn) -> Result<()> {
        if turn == Turn::Begin {
            let call = cx.ecs.update_service().set_cluster(cluster_of(&observed.id).map(str::to_owned));
            call.service(&observed.id).force_new_deployment(true).send().await?;
        }
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "ecs", "service/", index::by_arn).await
    }
}

impl Service {
    /// Only what differs is sent: some of these start a deployment even where they say what is already so.
    async fn deploy(&self, cx: &Cx<'_>, id: &str, diff: &Diff) -> Result<()> {
        let mut call = cx.ecs.update_service().set_cluster(cluster_of(id).map(str::to_owned));
        call = call.service(id);
        if diff.is_empty() {
            // A circuit breaker that has opened stays so until the next deployment.
            call = call.force_new_deployment(true);
        }
        if diff.has("task_definition") {
            call = call.task_definition(self.task_definition.get()?);
        }
        if diff.has("desired_count") {
            call = call.desired_count(self.desired_count);
        }
        if diff.has_any(&["subnet_ids", "security_group_ids", "assign_public_ip"]) {
            call = call.network_configuration(self.network()?);
        }
        if diff.has_any(&["target", "further_targets"]) {
            call = call.set_load_balancers(Some(self.load_balancers()?));
        }
        if diff.has("deployment") {
            call = call.deployment_configuration(self.deployment.to_ecs());
        }
        if diff.has("health_check_grace_seconds") {
            call = call.set_health_check_grace_period_seconds(self.health_check_grace_seconds);
        }
        if diff.has("enable_execute_command") {
            call = call.enable_execute_command(self.enable_execute_command);
        }
        if diff.has("propagate_tags") {
            call = call.propagate_tags(PropagateTags::from(self.propagate_tags.as_str()));
        }
        if diff.has("platform_version") {
            call = call.set_platform_version(self.platform_version.clone());
        }
        if diff.has("availability_zone_rebalancing") {
            call = call.set_availability_zone_rebalancing(self.rebalancing());
        }
        call.send().await?;
        Ok(())
    }

    fn check_rebalancing(&self) -> std::result::Result<(), String> {
        match self.availability_zone_rebalancing.as_deref() {
            None | Some("DISABLED") => Ok(()),
            Some("ENABLED") if self.deployment.max_percent > 100 => Ok(()),
            Some("ENABLED") => {
                Err("availability_zone_rebalancing ENABLED needs deployment.max_percent over 100".into())
            }
            Some(other) => Err(format!("availability_zone_rebalancing is {other:?}; AWS allows ENABLED, DISABLED")),
        }
    }

    fn live(&self, service: &EcsService) -> Result<Self> {
        let network = service.network_configuration().and_then(|network| network.awsvpc_configuration());
        let (target, further_targets) = self.targets(service.load_balancers());
        Ok(Service {
            name: service.service_name().always("service name")?.to_owned(),
            cluster: self.cluster_as_asked(service.cluster_arn().unwrap_or_default()),
            task_definition: service.task_definition().unwrap_or_default().into(),
            desired_count: self.count(service.desired_count()),
            autoscaled: self.autoscaled,
            subnet_ids: network.map(|network| known(network.subnets())).unwrap_or_default(),
            security_group_ids: network.map(|network| known(network.security_groups())).unwrap_or_default(),
            assign_public_ip: network.and_then(|network| network.assign_public_ip()) == Some(&AssignPublicIp::Enabled),
            target,
            further_targets,
            listener: self.listener.clone(),
            after: self.after.clone(),
            deployment: Deployment::from_ecs(service.deployment_configuration()),
            health_check_grace_seconds: service.health_check_grace_period_seconds(),
            enable_execute_command: service.enable_execute_command(),
            propagate_tags: service.propagate_tags().map_or("NONE", |tags| tags.as_str()).to_owned(),
            platform_version: service.platform_version().map(str::to_owned),
            availability_zone_rebalancing: service.availability_zone_rebalancing().map(|on| on.as_str().to_owned()),
            tags: from_ecs(service.tags()),
        })
    }

    /// How many tasks count as live. Auto-scaling may have asked for any number but none: a service is left without when a
    /// removal of it was cut, or somebody stopped it.
    fn count(&self, live: i32) -> i32 {
        if self.autoscaled && live > 0 { self.desired_count } else { live }
    }

    /// The one that was asked for, or else the first, and the groups of the others.
    fn targets(&self, live: &[LoadBalancer]) -> (Option<Target>, BTreeSet<String>) {
        let asked = self.target.as_ref().and_then(|target| target.target_group_arn.known());
        let is_asked = |target: &Target| target.target_group_arn.known() == asked;
        let mut all: Vec<Target> = live.iter().map(Target::from_ecs).collect();
        let chosen = all.iter().position(is_asked).unwrap_or_default();
        let target = (!all.is_empty()).then(|| all.remove(chosen));
        let further = all.into_iter().filter_map(|target| target.target_group_arn.known().cloned());
        (target, further.collect())
    }

    /// The spec may name the cluster or give its ARN, where ECS always gives the ARN.
    fn cluster_as_asked(&self, arn: &str) -> Out<String> {
        let asked = self.cluster.known().map(String::as_str);
        let same = asked.is_some_and(|asked| asked == arn || arn.rsplit('/').next() == Some(asked));
        if same { self.cluster.clone() } else { arn.into() }
    }

    fn network(&self) -> Result<NetworkConfiguration> {
        let public = if self.assign_public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(values(&self.subnet_ids)?))
            .set_security_groups(Some(values(&self.security_group_ids)?))
            .assign_public_ip(public);
        Ok(NetworkConfiguration::builder().awsvpc_configuration(built(network.build())?).build())
    }

    fn load_balancers(&self) -> Result<Vec<LoadBalancer>> {
        self.target.iter().map(Target::to_ecs).collect()
    }

    fn rebalancing(&self) -> Option<AvailabilityZoneRebalancing> {
        self.availability_zone_rebalancing.as_deref().map(AvailabilityZoneRebalancing::from)
    }
}

/// `arn:aws:ecs:us-east-1:1:service/CLUSTER/NAME` → `CLUSTER`.
pub fn cluster_of(arn: &str) -> Option<&str> {
    arn.split_once(":service/")?.1.split_once('/').map(|(cluster, _)| cluster)
}

fn known(ids: &[String]) -> BTreeSet<Out<String>> {
    ids.iter().map(|id| id.as_str().into()).collect()
}

fn values(ids: &BTreeSet<Out<String>>) -> Result<Vec<String>> {
    ids.iter().map(|id| id.get().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_read_off_the_service_arn() {
        assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:service/main/api"), Some("main"));
        assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:service/api"), None);
    }
}
