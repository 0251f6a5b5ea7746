//! An ECS cluster. A deleted one stays visible as INACTIVE, and its name is free at once.

use aws_sdk_ecs::types::{ClusterField, ClusterSetting, ClusterSettingName, Task};

use super::{check_name, from_ecs, refused, retag, to_ecs};
use crate::resources::prelude::*;

/// How many tasks one DescribeTasks call takes.
const TASKS_A_CALL: usize = 100;

/// A cluster for Fargate tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cluster {
    /// The name: 1-255 letters, digits, hyphens, underscores.
    pub name: String,
    /// Container Insights: `enabled`, `enhanced` or `disabled`.
    pub container_insights: String,
    /// Witness that ECS's service-linked role exists: without it the first cluster of an account may be refused.
    pub service_linked_role: Option<Out<String>>,
    /// Witness that the log group of Container Insights exists: it would be made without key and retention.
    pub log_group: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterOutputs {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
}

impl Node<Cluster> {
    /// The name, known once the cluster exists. Spelled so because a node has a name of its own.
    pub fn cluster_name(&self) -> Out<String> {
        self.out("name")
    }

    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Cluster {
    type Cloud = Aws;
    type Outputs = ClusterOutputs;
    const KIND: &'static str = "ecs.cluster";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const GROUND: bool = true;
    const WITNESSES: &'static [&'static str] = &["service_linked_role", "log_group"];
    const FORETOLD: &'static [&'static str] = &["name", "arn"];
    const WAIT: Wait = Wait::seconds(3, 300, 600);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("name", &self.name)?;
        match self.container_insights.as_str() {
            "enabled" | "enhanced" | "disabled" => Ok(()),
            other => Err(format!("container_insights is {other:?}; AWS allows enabled, enhanced, disabled")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let answer = cx
            .ecs
            .describe_clusters()
            .clusters(id.unwrap_or(&self.name))
            .include(ClusterField::Settings)
            .include(ClusterField::Tags)
            .send()
            .await?;
        refused(answer.failures())?;
        let Some(cluster) = answer.clusters().iter().find(|cluster| cluster.status() != Some("INACTIVE")) else {
            return Ok(None);
        };
        let arn = cluster.cluster_arn().always("cluster ARN")?.to_owned();
        let name = cluster.cluster_name().always("cluster name")?.to_owned();
        let live = Cluster {
            name: name.clone(),
            container_insights: insights(cluster.settings()),
            service_linked_role: self.service_linked_role.clone(),
            log_group: self.log_group.clone(),
            tags: from_ecs(cluster.tags()),
        };
        let outputs = ClusterOutputs { name, arn: arn.clone() };
        let phase = match cluster.status().unwrap_or("unknown") {
            "ACTIVE" => Phase::Ready,
            "DEPROVISIONING" => Phase::Deleting,
            "FAILED" => Phase::Failed(format!("FAILED: {}", cluster.attachments_status().unwrap_or("no reason given"))),
            status => Phase::Pending(status.to_owned()),
        };
        Ok(Some(Observed::ready(arn, live, outputs).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ecs
            .create_cluster()
            .cluster_name(&self.name)
            .settings(self.setting())
            .set_tags(Some(to_ecs(&self.tags)))
            .send()
            .await?;
        made.cluster.and_then(|cluster| cluster.cluster_arn).always("cluster ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("container_insights") {
            cx.ecs.update_cluster().cluster(&observed.id).settings(self.setting()).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ecs.delete_cluster().cluster(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let services = services_of(cx, &observed.id).await?;
        let words = |arn: &String| format!("the service {}", arn.rsplit('/').next().unwrap_or(arn));
        let mut found: Vec<Holder> = services.iter().map(|arn| Holder::of(arn, words(arn))).collect();
        found.extend(tasks_of_nobody(cx, &observed.id).await?);
        Ok(found)
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "ecs", "cluster/", index::by_arn).await
    }
}

impl Cluster {
    fn setting(&self) -> ClusterSetting {
        ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value(&self.container_insights).build()
    }
}

async fn services_of(cx: &Cx<'_>, cluster: &str) -> Result<Vec<String>> {
    let pages = cx.ecs.list_services().cluster(cluster).into_paginator().items().send();
    Ok(pages.try_collect().await.if_present()?.unwrap_or_default())
}

/// The tasks that no service keeps: somebody has run them.
async fn tasks_of_nobody(cx: &Cx<'_>, cluster: &str) -> Result<Vec<Holder>> {
    let pages = cx.ecs.list_tasks().cluster(cluster).into_paginator().items().send();
    let arns: Vec<String> = pages.try_collect().await.if_present()?.unwrap_or_default();
    let mut found = Vec::new();
    for some in arns.chunks(TASKS_A_CALL) {
        let answer = cx.ecs.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec())).send().await?;
        let alone = |task: &&Task| !task.group().is_some_and(|group| group.starts_with("service:"));
        found.extend(answer.tasks().iter().filter(alone).map(|task| {
            let arn = task.task_arn().unwrap_or_default();
            let by = task
                .started_by()
                .filter(|by| !by.is_empty())
                .map(|by| format!(", started by {by}"))
                .unwrap_or_default();
            Holder::by_itself(format!("the task {}{by}", arn.rsplit('/').next().unwrap_or(arn)))
        }));
    }
    Ok(found)
}

fn insights(settings: &[ClusterSetting]) -> String {
    let setting = settings.iter().find(|setting| setting.name() == Some(&ClusterSettingName::ContainerInsights));
    setting.and_then(ClusterSetting::value).unwrap_or("disabled").to_owned()
}
