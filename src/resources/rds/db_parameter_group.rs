//! A DB parameter group, of instances on their own. It is created bare and its parameters are set afterwards, at most
//! twenty a call; one that the engine only reads when it starts takes effect at the next reboot.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance as RdsInstance, DbParameterGroup as RdsParameterGroup, Parameter};

use super::parameters::{self, A_CALL, Which};
use super::{retag, tags_of, to_rds};
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::{check_identifier, text};

/// The settings of an engine that differ from AWS's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbParameterGroup {
    /// Its name, in lower case. It must change with the family and the description.
    pub name: String,
    /// The engine and its major version, as `postgres16`.
    pub family: String,
    /// What it is for.
    pub description: String,
    /// The parameters that are set; all others keep the engine's default.
    pub parameters: BTreeMap<String, String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbParameterGroupOutputs {
    /// Its name.
    pub group_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<DbParameterGroup> {
    /// Its name, known once it exists.
    pub fn group_name(&self) -> Out<String> {
        self.out("group_name")
    }
}

impl Named for RdsParameterGroup {
    const LIST: &'static str = "rds.db-parameter-groups";

    fn name(&self) -> Option<&str> {
        self.db_parameter_group_name()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.rds.describe_db_parameter_groups();
        let ask = ask.set_db_parameter_group_name(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for DbParameterGroup {
    type Cloud = Aws;
    type Outputs = DbParameterGroupOutputs;
    const KIND: &'static str = "rds.db_parameter_group";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "family", "description"];
    // The instance holds the old group until it points at the new one, so the name must change with the family.
    const REPLACE: Replace = Replace::CreateFirst;
    const FORETOLD: &'static [&'static str] = &["group_name", "arn"];
    const WAIT: Wait = Wait::seconds(5, 300, 1800);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 255)?;
        match self.description.is_empty() {
            true => Err("description is empty; AWS wants one".to_owned()),
            false => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(group) = find::<RdsParameterGroup>(cx, &self.name, id).await? else { return Ok(None) };
        let (name, arn) = (text(group.name()), text(group.db_parameter_group_arn()));
        let Some(tags) = tags_of(cx, &arn).await.if_present()? else { return Ok(None) };
        let Some(set) = parameters(cx, &name, Which::Set).await.if_present()? else { return Ok(None) };
        let asked = match self.parameters.is_empty() {
            true => Vec::new(),
            false => parameters(cx, &name, Which::Named(&self.parameters)).await.if_present()?.unwrap_or_default(),
        };
        let live = DbParameterGroup {
            name: name.clone(),
            family: text(group.db_parameter_group_family()),
            description: text(group.description()),
            parameters: parameters::values(set, asked),
            tags,
        };
        let outputs = DbParameterGroupOutputs { group_name: name.clone(), arn };
        Ok(Some(Observed::ready(name, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.rds
            .create_db_parameter_group()
            .db_parameter_group_name(&self.name)
            .db_parameter_group_family(&self.family)
            .description(&self.description)
            .set_tags(Some(to_rds(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("parameters") {
            self.set_parameters(cx, &observed.id, &observed.live.parameters).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let ask = cx.rds.delete_db_parameter_group().db_parameter_group_name(&observed.id);
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let instances = cx.pass.shared(RdsInstance::LIST, || RdsInstance::describe(cx, None)).await?;
        let is_in = |instance: &&RdsInstance| {
            let mut groups = instance.db_parameter_groups().iter().map(|group| group.db_parameter_group_name());
            groups.any(|group| group == Some(observed.id.as_str()))
        };
        let words = |name: &str| Holder::of(name, format!("{name}, a database instance"));
        Ok(instances.iter().filter(is_in).filter_map(|instance| instance.name().map(words)).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "rds", "pg:", index::by_rest).await
    }
}

impl DbParameterGroup {
    async fn set_parameters(&self, cx: &Cx<'_>, id: &str, live: &BTreeMap<String, String>) -> Result<()> {
        let changes = parameters::changes(&self.parameters, live, &parameters(cx, id, Which::All).await?);
        for some in changes.reset.chunks(A_CALL) {
            let ask = cx.rds.reset_db_parameter_group().db_parameter_group_name(id);
            ask.reset_all_parameters(false).set_parameters(Some(some.to_vec())).send().await?;
        }
        for some in changes.set.chunks(A_CALL) {
            let ask = cx.rds.modify_db_parameter_group().db_parameter_group_name(id);
            ask.set_parameters(Some(some.to_vec())).send().await?;
        }
        Ok(())
    }
}

async fn parameters(cx: &Cx<'_>, group: &str, which: Which<'_>) -> Result<Vec<Parameter>> {
    let ask = cx.rds.describe_db_parameters().db_parameter_group_name(group);
    let ask = ask.set_source(which.source()).set_filters(which.filters());
    Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
}
