//! A cache subnet group: where caches may stand. It stays in use for minutes after the last cache in it is gone.

use std::collections::BTreeSet;

use aws_sdk_elasticache::types::{CacheCluster, CacheSubnetGroup};

use super::{retag, tags_of, to_elasticache};
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::{check_identifier, known, outs, text};

/// Subnets for caches; as many availability zones as they lie in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetGroup {
    /// Its name, in lower case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The subnets.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The VPC the subnets are of: AWS moves a group to no other. `None`: not compared, as in records of earlier versions.
    #[serde(default)]
    pub vpc_id: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetGroupOutputs {
    /// Its name.
    pub group_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<SubnetGroup> {
    /// Its name, known once it exists.
    pub fn group_name(&self) -> Out<String> {
        self.out("group_name")
    }
}

impl Named for CacheSubnetGroup {
    const LIST: &'static str = "elasticache.subnet-groups";

    fn name(&self) -> Option<&str> {
        self.cache_subnet_group_name()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.elasticache.describe_cache_subnet_groups().set_cache_subnet_group_name(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for SubnetGroup {
    type Cloud = Aws;
    type Outputs = SubnetGroupOutputs;
    const KIND: &'static str = "elasticache.subnet_group";
    const IMMUTABLE: &'static [&'static str] = &["name", "vpc_id"];
    const GROUND: bool = true;
    const STEPS_OUT: bool = true;
    const NAMED: bool = true;
    const FORETOLD: &'static [&'static str] = &["group_name", "arn"];
    const WAIT: Wait = Wait::seconds(5, 300, 1800);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 255)?;
        if self.name == "default" {
            return Err("name is \"default\"; AWS keeps that one for itself".to_owned());
        }
        match (self.description.is_empty(), self.subnet_ids.is_empty()) {
            (true, _) => Err("description is empty; AWS wants one".to_owned()),
            (_, true) => Err("subnet_ids is empty; AWS wants one at least".to_owned()),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(group) = find::<CacheSubnetGroup>(cx, &self.name, id).await? else { return Ok(None) };
        let (name, arn) = (text(group.name()), text(group.arn()));
        let Some(tags) = tags_of(cx, &arn).await.if_present()? else { return Ok(None) };
        let live = SubnetGroup {
            name: name.clone(),
            description: text(group.cache_subnet_group_description()),
            subnet_ids: outs(group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier())),
            vpc_id: group.vpc_id().map(Out::from),
            tags,
        };
        let outputs = SubnetGroupOutputs { group_name: name.clone(), arn };
        Ok(Some(Observed::ready(name, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.elasticache
            .create_cache_subnet_group()
            .cache_subnet_group_name(&self.name)
            .cache_subnet_group_description(&self.description)
            .set_subnet_ids(Some(known(&self.subnet_ids)?))
            .set_tags(Some(to_elasticache(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["description", "subnet_ids"]) {
            cx.elasticache
                .modify_cache_subnet_group()
                .cache_subnet_group_name(&observed.id)
                .cache_subnet_group_description(&self.description)
                .set_subnet_ids(Some(known(&self.subnet_ids)?))
                .send()
                .await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let ask = cx.elasticache.delete_cache_subnet_group().cache_subnet_group_name(&observed.id);
        ask.send().await.if_present()?;
        Ok(())
    }

    /// Caches of others in the same network hold that too: nobody else says whose their interfaces are.
    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let caches = cx.pass.shared(CacheCluster::LIST, || CacheCluster::describe(cx, None)).await?;
        let groups = cx.pass.shared(CacheSubnetGroup::LIST, || CacheSubnetGroup::describe(cx, None)).await?;
        let vpc = observed.live.vpc_id.as_ref().and_then(Out::known).map(String::as_str);
        let in_vpc =
            |group: &str| groups.iter().any(|one| one.name() == Some(group) && vpc.is_some() && one.vpc_id() == vpc);
        let beside = |cache: &&CacheCluster| {
            cache.cache_cluster_status() != Some("deleting")
                && cache.cache_subnet_group_name().is_some_and(|group| group == observed.id || in_vpc(group))
        };
        let words = |name: &str| Holder::of(name, format!("{name}, a cache"));
        let of = |cache: &CacheCluster| cache.replication_group_id().or(cache.name()).map(words);
        Ok(caches.iter().filter(beside).filter_map(of).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticache", "subnetgroup:", index::by_rest).await
    }
}
