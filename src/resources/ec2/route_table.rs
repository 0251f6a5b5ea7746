//! A route table. Its routes and the subnets it serves are nodes of their own, read from the same shared call.

use aws_sdk_ec2::types::{Filter, ResourceType, RouteTable as Ec2RouteTable, Tag};

use super::{Described, find, retag};
use crate::resources::prelude::*;

/// An empty route table; the route inside the VPC comes with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC.
    pub vpc_id: Out<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableOutputs {
    /// The table's id.
    pub route_table_id: String,
}

impl Node<RouteTable> {
    /// The table's id.
    pub fn route_table_id(&self) -> Out<String> {
        self.out("route_table_id")
    }
}

impl Described for Ec2RouteTable {
    const ID_FILTER: &'static str = "route-table-id";

    fn id(&self) -> &str {
        self.route_table_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_route_tables().set_filters(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for RouteTable {
    type Cloud = Aws;
    type Outputs = RouteTableOutputs;
    const KIND: &'static str = "ec2.route_table";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["vpc_id"];
    const GROUND: bool = true;
    const WAIT: Wait = Wait::seconds(3, 300, 600);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2RouteTable>(cx, id).await?.into_iter();
        let Some(table) = found.next() else { return Ok(None) };
        let live = RouteTable { vpc_id: table.vpc_id().unwrap_or_default().into(), tags: tags::from_ec2(table.tags()) };
        let outputs = RouteTableOutputs { route_table_id: table.id().to_owned() };
        let mut observed = Observed::ready(table.id(), live, outputs);
        observed.duplicates = found.map(|table| table.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_route_table()
            .client_token(cx.owner.token())
            .vpc_id(self.vpc_id.get()?)
            .tag_specifications(tags::ec2_spec(ResourceType::RouteTable, &self.tags))
            .send()
            .await?;
        made.route_table.and_then(|table| table.route_table_id).always("route table id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_route_table().route_table_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2RouteTable>(cx).await
    }
}
