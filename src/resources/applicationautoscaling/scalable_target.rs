//! The number of an ECS service's tasks as something that scales. Registering moves it into the range at once. Scaling that
//! somebody suspended, and forgot, is a difference.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget as AasTarget, ServiceNamespace, SuspendedState,
};

use crate::resources::ecs::Service;
use crate::resources::prelude::*;

/// The range in which the number of a service's tasks may scale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScalableTarget {
    /// The cluster's name.
    pub cluster: Out<String>,
    /// The service's name.
    pub service: Out<String>,
    /// The fewest tasks.
    pub min: i32,
    /// The most tasks.
    pub max: i32,
    /// What somebody suspended: `in`, `out`, `scheduled`. Empty in a spec.
    #[serde(default)]
    pub suspended: BTreeSet<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScalableTargetOutputs {
    /// `service/CLUSTER/SERVICE`.
    pub resource_id: String,
}

impl Node<ScalableTarget> {
    /// `service/CLUSTER/SERVICE`, known once the target is registered.
    pub fn resource_id(&self) -> Out<String> {
        self.out("resource_id")
    }
}

impl Resource for ScalableTarget {
    type Cloud = Aws;
    type Outputs = ScalableTargetOutputs;
    const KIND: &'static str = "applicationautoscaling.scalable_target";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["cluster", "service"];
    const FORETOLD: &'static [&'static str] = &["resource_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 120);

    fn check(&self) -> std::result::Result<(), String> {
        match 0 <= self.min && self.min <= self.max {
            true if self.suspended.is_empty() => Ok(()),
            true => Err("suspended is not empty; it only tells what is found".to_owned()),
            false => Err(format!("min is {} and max {}; AWS wants 0 <= min <= max", self.min, self.max)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let id = match id {
            Some(id) => id.to_owned(),
            None if self.cluster.known().is_none() || self.service.known().is_none() => return Ok(None),
            None => self.resource_id()?,
        };
        let answer = cx
            .autoscaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_ids(&id)
            .send()
            .await?;
        let Some(target) = answer.scalable_targets().iter().find(|target| target.resource_id() == id) else {
            return Ok(None);
        };
        let (cluster, service) = parts(&id).always("cluster and service in the resource id")?;
        let live = ScalableTarget {
            cluster: cluster.into(),
            service: service.into(),
            min: target.min_capacity(),
            max: target.max_capacity(),
            suspended: suspended(target.suspended_state()),
            tags: read_tags(cx, target).await?,
        };
        let outputs = ScalableTargetOutputs { resource_id: id.clone() };
        Ok(Some(Observed::ready(id, live, outputs).known_by(target.creation_time().to_string())))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        self.put(cx, Some(&self.tags)).await?;
        self.resource_id()
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["min", "max", "suspended"]) {
            self.put(cx, None).await?;
        }
        if diff.has("tags") {
            self.retag(cx, &observed.id, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.autoscaling
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(&observed.id)
            .send()
            .await
            .if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for service in Service::list(cx).await? {
            let Some((_, name)) = service.id.split_once(":service/") else { continue };
            found.push(Found::new(format!("{}-target", service.node), format!("service/{name}")));
        }
        Ok(found)
    }
}

impl ScalableTarget {
    fn resource_id(&self) -> Result<String> {
        Ok(format!("service/{}/{}", self.cluster.get()?, self.service.get()?))
    }

    /// Registers it, or changes its range, and has it scale: AWS keeps what is suspended unless told. Tags are taken only where it is new.
    async fn put(&self, cx: &Cx<'_>, tags: Option<&Tags>) -> Result<()> {
        cx.autoscaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(self.resource_id()?)
            .min_capacity(self.min)
            .max_capacity(self.max)
            .suspended_state(none_suspended())
            .set_tags(tags.map(|tags| tags.clone().into_iter().collect()))
            .send()
            .await?;
        Ok(())
    }

    async fn retag(&self, cx: &Cx<'_>, id: &str, live: &Tags) -> Result<()> {
        let answer = cx
            .autoscaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_ids(id)
            .send()
            .await?;
        let target = answer.scalable_targets().first();
        let arn = target.and_then(|target| target.scalable_target_arn()).always("scalable target ARN")?;
        let (set, remove) = tags::changes(&self.tags, live);
        if !remove.is_empty() {
            cx.autoscaling.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
        }
        if !set.is_empty() {
            let set = Some(set.into_iter().collect());
            cx.autoscaling.tag_resource().resource_arn(arn).set_tags(set).send().await?;
        }
        Ok(())
    }
}

fn none_suspended() -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(false)
        .dynamic_scaling_out_suspended(false)
        .scheduled_scaling_suspended(false)
        .build()
}

fn suspended(state: Option<&SuspendedState>) -> BTreeSet<String> {
    let Some(state) = state else { return BTreeSet::new() };
    let parts = [
        ("in", state.dynamic_scaling_in_suspended()),
        ("out", state.dynamic_scaling_out_suspended()),
        ("scheduled", state.scheduled_scaling_suspended()),
    ];
    parts.into_iter().filter(|(_, off)| *off == Some(true)).map(|(part, _)| part.to_owned()).collect()
}

async fn read_tags(cx: &Cx<'_>, target: &AasTarget) -> Result<Tags> {
    let Some(arn) = target.scalable_target_arn() else { return Ok(Tags::new()) };
    let answer = cx.autoscaling.list_tags_for_resource().resource_arn(arn).send().await.if_present()?;
    Ok(tags::read(answer.and_then(|answer| answer.tags).unwrap_or_default()))
}

/// `service/CLUSTER/SERVICE` → the two names.
fn parts(id: &str) -> Option<(&str, &str)> {
    id.strip_prefix("service/")?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_id_tells_cluster_and_service() {
        assert_eq!(parts("service/main/api"), Some(("main", "api")));
        assert_eq!(parts("table/orders"), None);
    }
}
