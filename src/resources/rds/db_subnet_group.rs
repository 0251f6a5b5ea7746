//! A DB subnet group: where databases may stand. It cannot be deleted until the last database in it is truly gone.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{DbCluster as RdsCluster, DbInstance as RdsInstance, DbSubnetGroup as RdsSubnetGroup};

use super::{retag, tags_of, to_rds};
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::{check_identifier, known, outs, text};

/// Subnets in at least two availability zones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbSubnetGroup {
    /// Its name, in lower case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The subnets, in at least two availability zones.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The VPC the subnets are of: AWS moves a group to no other. `None`: not compared, as in records of earlier versions.
    #[serde(default)]
    pub vpc_id: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbSubnetGroupOutputs {
    /// Its name.
    pub group_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<DbSubnetGroup> {
    /// Its name, known once it exists.
    pub fn group_name(&self) -> Out<String> {
        self.out("group_name")
    }
}

impl Named for RdsSubnetGroup {
    const LIST: &'static str = "rds.db-subnet-groups";

    fn name(&self) -> Option<&str> {
        self.db_subnet_group_name()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.rds.describe_db_subnet_groups().set_db_subnet_group_name(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for DbSubnetGroup {
    type Cloud = Aws;
    type Outputs = DbSubnetGroupOutputs;
    const KIND: &'static str = "rds.db_subnet_group";
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
        if self.description.is_empty() {
            return Err("description is empty; AWS wants one".to_owned());
        }
        match self.subnet_ids.len() {
            0 | 1 => Err("subnet_ids has fewer than two; AWS wants two availability zones".to_owned()),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(group) = find::<RdsSubnetGroup>(cx, &self.name, id).await? else { return Ok(None) };
        let arn = text(group.db_subnet_group_arn());
        let Some(tags) = tags_of(cx, &arn).await.if_present()? else { return Ok(None) };
        let name = text(group.name());
        let live = DbSubnetGroup {
            name: name.clone(),
            description: text(group.db_subnet_group_description()),
            subnet_ids: outs(group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier())),
            vpc_id: group.vpc_id().map(Out::from),
            tags,
        };
        let phase = match group.subnet_group_status() {
            Some("Complete") => Phase::Ready,
            status => Phase::Pending(text(status)),
        };
        let outputs = DbSubnetGroupOutputs { group_name: name.clone(), arn };
        Ok(Some(Observed::ready(name, live, outputs).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.rds
            .create_db_subnet_group()
            .db_subnet_group_name(&self.name)
            .db_subnet_group_description(&self.description)
            .set_subnet_ids(Some(known(&self.subnet_ids)?))
            .set_tags(Some(to_rds(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["description", "subnet_ids"]) {
            cx.rds
                .modify_db_subnet_group()
                .db_subnet_group_name(&observed.id)
                .db_subnet_group_description(&self.description)
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
        cx.rds.delete_db_subnet_group().db_subnet_group_name(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// Databases of others in the same network hold that too: nobody else says whose their interfaces are.
    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let Some(group) = find::<RdsSubnetGroup>(cx, &self.name, Some(&observed.id)).await? else {
            return Ok(Vec::new());
        };
        let clusters = cx.pass.shared(RdsCluster::LIST, || RdsCluster::describe(cx, None)).await?;
        let instances = cx.pass.shared(RdsInstance::LIST, || RdsInstance::describe(cx, None)).await?;
        let in_group = |cluster: &&RdsCluster| cluster.db_subnet_group() == Some(observed.id.as_str());
        let in_vpc = |instance: &&RdsInstance| {
            instance.db_subnet_group().is_some_and(|other| other.vpc_id().is_some() && other.vpc_id() == group.vpc_id())
        };
        let clusters = clusters.iter().filter(in_group).filter_map(|cluster| Some((cluster.name()?, "cluster")));
        let instances = instances.iter().filter(in_vpc).filter_map(|instance| Some((instance.name()?, "instance")));
        let words = |(name, what): (&str, &str)| Holder::of(name, format!("{name}, a database {what}"));
        Ok(clusters.chain(instances).map(words).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "rds", "subgrp:", index::by_rest).await
    }
}
