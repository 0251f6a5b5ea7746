//! An internet gateway. It has neither name nor token, so it is found by its tags; attaching it is a node of its own.

use aws_sdk_ec2::types::{Filter, InternetGateway as Ec2InternetGateway, ResourceType, Tag};

use super::{Described, find, retag};
use crate::resources::prelude::*;

/// A door to the internet, not yet in any VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayOutputs {
    /// The gateway's id.
    pub internet_gateway_id: String,
}

impl Node<InternetGateway> {
    /// The gateway's id.
    pub fn internet_gateway_id(&self) -> Out<String> {
        self.out("internet_gateway_id")
    }
}

impl Described for Ec2InternetGateway {
    const ID_FILTER: &'static str = "internet-gateway-id";

    fn id(&self) -> &str {
        self.internet_gateway_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_internet_gateways().set_filters(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for InternetGateway {
    type Cloud = Aws;
    type Outputs = InternetGatewayOutputs;
    const KIND: &'static str = "ec2.internet_gateway";
    const TWINS: bool = true;
    const WAIT: Wait = Wait::seconds(3, 300, 1200);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2InternetGateway>(cx, id).await?.into_iter();
        let Some(gateway) = found.next() else { return Ok(None) };
        let live = InternetGateway { tags: tags::from_ec2(gateway.tags()) };
        let outputs = InternetGatewayOutputs { internet_gateway_id: gateway.id().to_owned() };
        let mut observed = Observed::ready(gateway.id(), live, outputs);
        observed.duplicates = found.map(|gateway| gateway.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let tags = tags::ec2_spec(ResourceType::InternetGateway, &self.tags);
        let made = cx.ec2.create_internet_gateway().tag_specifications(tags).send().await?;
        made.internet_gateway.and_then(|gateway| gateway.internet_gateway_id).always("internet gateway id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_internet_gateway().internet_gateway_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2InternetGateway>(cx).await
    }
}
