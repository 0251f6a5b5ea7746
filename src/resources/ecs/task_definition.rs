//! A revision of a task definition. It never changes: every difference is a new revision of the same family, and a
//! repeated register call makes another one, so the tag `tapctl:spec` tells which spec a revision was made from.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    Compatibility, ContainerDefinition, NetworkMode, SortOrder, TaskDefinition as EcsTaskDefinition,
    TaskDefinitionField, TaskDefinitionStatus,
};
use sha2::{Digest, Sha256};

use super::container::Container;
use super::volume::Volume;
use super::{check_name, from_ecs, refused, retag, to_ecs};
use crate::resources::prelude::*;

/// The tag that holds a hash of the spec a revision was registered with.
const TAG_SPEC: &str = "tapctl:spec";

/// How many of a family's newest revisions are searched for this node's own.
const LOOK_BACK: usize = 20;

/// A task for Fargate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// The name its revisions share: 1-255 letters, digits, hyphens, underscores.
    pub family: String,
    /// CPU units; 1024 are one vCPU.
    pub cpu: i32,
    /// Memory, MiB. Fargate has certain pairs of CPU and memory only.
    pub memory: i32,
    /// The role ECS itself uses: to pull the image, fetch secrets, write logs.
    pub execution_role_arn: Out<String>,
    /// The role the containers act as.
    pub task_role_arn: Out<String>,
    /// The containers, by name.
    pub containers: BTreeMap<String, Container>,
    /// The volumes that containers mount, by name.
    pub volumes: BTreeMap<String, Volume>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskDefinitionOutputs {
    /// The revision's ARN, as `…:task-definition/FAMILY:REVISION`.
    pub arn: String,
    /// The family.
    pub family: String,
}

impl Node<TaskDefinition> {
    /// The revision's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The family.
    pub fn family(&self) -> Out<String> {
        self.out("family")
    }
}

impl Resource for TaskDefinition {
    type Cloud = Aws;
    type Outputs = TaskDefinitionOutputs;
    const KIND: &'static str = "ecs.task_definition";
    const IMMUTABLE: &'static [&'static str] =
        &["family", "cpu", "memory", "execution_role_arn", "task_role_arn", "containers", "volumes"];
    const REPLACE: Replace = Replace::CreateFirst;
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("family", &self.family)?;
        check_size(self.cpu, self.memory)?;
        let volumes: Vec<&str> = self.volumes.keys().map(String::as_str).collect();
        self.volumes.iter().try_for_each(|(name, volume)| volume.check(name))?;
        self.containers.iter().try_for_each(|(name, container)| container.check(name, &volumes))?;
        match self.containers.values().any(|container| container.essential) {
            true => Ok(()),
            false => Err("no container is essential; AWS wants at least one".into()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let found = match id {
            Some(arn) => read(cx, arn).await?,
            None => self.find(cx).await?,
        };
        found.map(|revision| revision.observed()).transpose()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let mut tags = self.tags.clone();
        tags.insert(TAG_SPEC.to_owned(), self.fingerprint()?);
        let containers = self.containers.iter().map(|(name, container)| container.to_ecs(name, &cx.region));
        let made = cx
            .ecs
            .register_task_definition()
            .family(&self.family)
            .requires_compatibilities(Compatibility::Fargate)
            .network_mode(NetworkMode::Awsvpc)
            .cpu(self.cpu.to_string())
            .memory(self.memory.to_string())
            .execution_role_arn(self.execution_role_arn.get()?)
            .task_role_arn(self.task_role_arn.get()?)
            .set_container_definitions(Some(containers.collect::<Result<_>>()?))
            .set_volumes(Some(self.volumes.iter().map(|(name, volume)| volume.to_ecs(name)).collect::<Result<_>>()?))
            .set_tags(Some(to_ecs(&tags)))
            .send()
            .await?;
        made.task_definition.and_then(|revision| revision.task_definition_arn).always("task definition ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let arn = &observed.id;
        if observed.phase != Phase::Deleting
            && cx.ecs.deregister_task_definition().task_definition(arn).send().await.if_present()?.is_none()
        {
            return Ok(());
        }
        let deleted = cx.ecs.delete_task_definitions().task_definitions(arn).send().await?;
        refused(deleted.failures())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "ecs", "task-definition/", index::by_arn).await
    }
}

impl TaskDefinition {
    /// The newest revision of ours made from exactly this spec, else our newest. An older one is no duplicate: the
    /// service may still run it, and rolls back to it.
    async fn find(&self, cx: &Cx<'_>) -> Result<Option<Revision>> {
        let fingerprint = self.fingerprint()?;
        let mut newest = None;
        for arn in active_revisions(cx, &self.family).await?.iter().take(LOOK_BACK) {
            let Some(revision) = read(cx, arn).await?.filter(|revision| cx.owner.owns(&revision.tags)) else {
                continue;
            };
            if revision.tags.get(TAG_SPEC) == Some(&fingerprint) {
                return Ok(Some(revision));
            }
            newest = newest.or(Some(revision));
        }
        Ok(newest)
    }

    /// A hash of everything but the tags.
    fn fingerprint(&self) -> Result<String> {
        let untagged = TaskDefinition { tags: Tags::new(), ..self.clone() };
        let json = serde_json::to_vec(&untagged).map_err(|error| Fault::invalid(error.to_string()))?;
        Ok(Sha256::digest(json).iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A revision that is active or only deregistered, with all its tags.
struct Revision {
    definition: EcsTaskDefinition,
    tags: Tags,
}

impl Revision {
    fn observed(self) -> Result<Observed<TaskDefinition>> {
        let Revision { definition, mut tags } = self;
        tags.remove(TAG_SPEC);
        // A revision for EC2 instances, which is never ours, may leave it open.
        let number = |field: &str, text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty()).unwrap_or("0");
            text.parse::<i32>().map_err(|_| Fault::unexpected(format!("{field} {text:?} is no number")))
        };
        let container =
            |live: &ContainerDefinition| (live.name().unwrap_or_default().to_owned(), Container::from_ecs(live));
        let family = definition.family().always("family")?.to_owned();
        let live = TaskDefinition {
            family: family.clone(),
            cpu: number("cpu", definition.cpu())?,
            memory: number("memory", definition.memory())?,
            execution_role_arn: definition.execution_role_arn().unwrap_or_default().into(),
            task_role_arn: definition.task_role_arn().unwrap_or_default().into(),
            containers: definition.container_definitions().iter().map(container).collect(),
            volumes: definition.volumes().iter().map(Volume::from_ecs).collect(),
            tags,
        };
        let phase = match definition.status() {
            Some(TaskDefinitionStatus::Inactive) => Phase::Deleting,
            _ => Phase::Ready,
        };
        let arn = definition.task_definition_arn.always("task definition ARN")?;
        Ok(Observed::ready(arn.clone(), live, TaskDefinitionOutputs { arn, family }).in_phase(phase))
    }
}

async fn read(cx: &Cx<'_>, arn: &str) -> Result<Option<Revision>> {
    let call = cx.ecs.describe_task_definition().task_definition(arn).include(TaskDefinitionField::Tags);
    let Some(answer) = call.send().await.if_present()? else { return Ok(None) };
    let tags = from_ecs(answer.tags());
    // A deregistered one stays until it is deleted too; one whose deletion was asked for goes by itself.
    let going = |found: &EcsTaskDefinition| found.status() == Some(&TaskDefinitionStatus::DeleteInProgress);
    let there = answer.task_definition.filter(|found| !going(found));
    Ok(there.map(|definition| Revision { definition, tags }))
}

/// ARNs of a family's active revisions, newest first.
async fn active_revisions(cx: &Cx<'_>, family: &str) -> Result<Vec<String>> {
    let call = cx.ecs.list_task_definitions().family_prefix(family).status(TaskDefinitionStatus::Active);
    let pages = call.sort(SortOrder::Desc).into_paginator().items().send();
    let arns: Vec<String> = pages.collect::<Result<_, _>>().await?;
    let mut revisions: Vec<(u32, String)> = arns
        .into_iter()
        .filter_map(|arn| {
            let (found, revision) = arn.rsplit('/').next()?.rsplit_once(':')?;
            let revision = revision.parse().ok().filter(|_| found == family)?;
            Some((revision, arn))
        })
        .collect();
    revisions.sort_by(|a, b| b.cmp(a));
    Ok(revisions.into_iter().map(|(_, arn)| arn).collect())
}

/// Fargate's pairs of CPU units and memory in MiB.
fn check_size(cpu: i32, memory: i32) -> std::result::Result<(), String> {
    let steps = |low: i32, high: i32, step: usize| (low..=high).step_by(step).collect::<Vec<_>>();
    let allowed = match cpu {
        256 => vec![512, 1024, 2048],
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16384, 1024),
        4096 => steps(8192, 30720, 1024),
        8192 => steps(16384, 61440, 4096),
        16384 => steps(32768, 122_880, 8192),
        32768 => vec![61440, 122_880, 249_856],
        _ => return Err(format!("cpu is {cpu}; Fargate allows 256, 512, 1024, 2048, 4096, 8192, 16384, 32768")),
    };
    match allowed.contains(&memory) {
        true => Ok(()),
        false => Err(format!("memory is {memory}; with cpu {cpu} Fargate allows {allowed:?}")),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::builders::ContainerDefinitionBuilder;

    use super::*;

    #[test]
    fn fargate_has_certain_sizes_only() {
        assert!(check_size(512, 1024).is_ok() && check_size(8192, 20480).is_ok());
        assert!(check_size(512, 512).is_err() && check_size(300, 512).is_err() && check_size(8192, 17408).is_err());
    }

    #[test]
    fn what_ecs_fills_in_is_no_difference() {
        let sparse = ContainerDefinition::builder().name("api").image("x");
        let full = sparse.clone().essential(true).user("").set_command(Some(vec![])).readonly_root_filesystem(false);
        assert!(Diff::between(&json(sparse.clone()), &json(full), &[]).is_empty());
    }

    #[test]
    fn a_health_check_taken_away_is_a_difference() {
        let check = aws_sdk_ecs::types::HealthCheck::builder().command("CMD").build().unwrap();
        let bare = ContainerDefinition::builder().name("api");
        let checked = bare.clone().health_check(check);
        assert!(Diff::between(&json(bare), &json(checked), &[]).has("health_check"));
    }

    fn json(live: ContainerDefinitionBuilder) -> serde_json::Value {
        serde_json::to_value(Container::from_ecs(&live.build())).unwrap()
    }
}
