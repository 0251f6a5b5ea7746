//! Who of this environment stands in a zone that is to go. AWS moves no database and no node of a cache to another zone
//! (hashicorp/terraform issue 11715), and takes no subnet out of their group while one of them stands in it (API references,
//! ModifyDBSubnetGroup, `SubnetAlreadyInUse`; ModifyCacheSubnetGroup, `SubnetInUse`). A mount target goes with its zone.

use std::collections::BTreeSet;

use crate::aws::Aws;
use crate::error::{Fault, Result};
use crate::plan::{Action, Plan, Step};
use crate::resource::Resource;
use crate::resources::ec2::Subnet;
use crate::resources::elasticache::ReplicationGroup;
use crate::resources::rds::{DbInstance, StandaloneDbInstance};
use crate::state::State;

/// The subnets that are to go.
fn going(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|step| step.kind == Subnet::KIND && step.action == Action::Delete)
}

/// Each with its node, its name and its zone, as far as AWS tells; nothing where no zone is to go.
pub async fn in_the_way(aws: &Aws, plan: &Plan, state: &State) -> Vec<String> {
    let zone = |node: &str| state.nodes.get(node)?.spec["availability_zone"].as_str();
    let zones: BTreeSet<&str> = going(plan).filter_map(|step| zone(&step.node)).collect();
    if zones.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for asked in [databases(aws).await, caches(aws).await] {
        let asked = asked.inspect_err(|fault| tracing::debug!(%fault, "what stands in a zone is not known"));
        found.extend(asked.unwrap_or_default());
    }
    let told = found.iter().filter(|one| zones.contains(one.zone.as_str())).filter_map(|one| one.told(state));
    told.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Something that stands in a zone.
struct Standing {
    kinds: &'static [&'static str],
    /// The id that its node has.
    id: String,
    /// What AWS calls it.
    name: String,
    zone: String,
}

impl Standing {
    fn told(&self, state: &State) -> Option<String> {
        let is_it = |kind: &str, id: Option<&str>| self.kinds.contains(&kind) && id == Some(self.id.as_str());
        let (node, _) = state.nodes.iter().find(|(_, node)| is_it(&node.kind, node.id.as_deref()))?;
        Some(format!("{node} ({}) stands in {}", self.name, self.zone))
    }
}

async fn databases(aws: &Aws) -> Result<Vec<Standing>> {
    let asked = aws.rds.describe_db_instances().into_paginator().items().send();
    let all: Vec<_> = asked.collect::<std::result::Result<_, _>>().await.map_err(Fault::from)?;
    let standing = all.into_iter().flat_map(|instance| {
        let zones = [instance.availability_zone, instance.secondary_availability_zone].into_iter().flatten();
        let id = instance.db_instance_identifier.unwrap_or_default();
        let kinds = &[DbInstance::KIND, StandaloneDbInstance::KIND];
        zones.map(move |zone| Standing { kinds, id: id.clone(), name: id.clone(), zone }).collect::<Vec<_>>()
    });
    Ok(standing.collect())
}

async fn caches(aws: &Aws) -> Result<Vec<Standing>> {
    let asked = aws.elasticache.describe_cache_clusters().into_paginator().items().send();
    let all: Vec<_> = asked.collect::<std::result::Result<_, _>>().await.map_err(Fault::from)?;
    let standing = all.into_iter().filter_map(|node| {
        let (id, name, zone) = (node.replication_group_id?, node.cache_cluster_id?, node.preferred_availability_zone?);
        Some(Standing { kinds: &[ReplicationGroup::KIND], id, name, zone })
    });
    Ok(standing.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::NodeState;

    #[test]
    fn it_is_told_by_its_node_and_its_name() {
        let mut state = State::new("student-records", "dev", "123456789012", "us-east-1");
        let cache =
            json!({ "kind": ReplicationGroup::KIND, "spec": {}, "edges": [], "progress": "ready", "id": "cache-dev" });
        state.nodes.insert("cache".to_owned(), serde_json::from_value::<NodeState>(cache).unwrap());
        let node = |id: &str| Standing {
            kinds: &[ReplicationGroup::KIND],
            id: id.to_owned(),
            name: format!("{id}-003"),
            zone: "us-east-1c".to_owned(),
        };
        assert_eq!(node("cache-dev").told(&state).unwrap(), "cache (cache-dev-003) stands in us-east-1c");
        assert_eq!(node("theirs").told(&state), None);
    }
}
