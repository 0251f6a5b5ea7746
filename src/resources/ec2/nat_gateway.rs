//! A public, zonal NAT gateway. One that ends `failed` must be replaced; a deleted one stays visible for an hour.

use aws_sdk_ec2::types::{Filter, NatGateway as Ec2NatGateway, NatGatewayAddress, NatGatewayState, ResourceType, Tag};

use super::{Described, find, retag};
use crate::resources::prelude::*;

/// A NAT gateway in one subnet, with one address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NatGateway {
    /// The public subnet it stands in.
    pub subnet_id: Out<String>,
    /// The Elastic IP it speaks from.
    pub allocation_id: Out<String>,
    /// Witness that an internet gateway is attached: without one the NAT gateway fails with `Gateway.NotAttached`.
    pub internet: Out<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NatGatewayOutputs {
    /// The gateway's id.
    pub nat_gateway_id: String,
}

impl Node<NatGateway> {
    /// The gateway's id.
    pub fn nat_gateway_id(&self) -> Out<String> {
        self.out("nat_gateway_id")
    }
}

impl Described for Ec2NatGateway {
    const ID_FILTER: &'static str = "nat-gateway-id";

    fn id(&self) -> &str {
        self.nat_gateway_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_nat_gateways().set_filter(Some(filters)).into_paginator().items().send();
        let all: Vec<Self> = pages.collect::<Result<_, _>>().await?;
        Ok(all.into_iter().filter(|gateway| gateway.state() != Some(&NatGatewayState::Deleted)).collect())
    }
}

impl Resource for NatGateway {
    type Cloud = Aws;
    type Outputs = NatGatewayOutputs;
    const KIND: &'static str = "ec2.nat_gateway";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["subnet_id", "allocation_id"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["internet"];
    const ROOTED: bool = true;
    const RECREATE_FAILED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 600, 1800).usually(120, 60);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2NatGateway>(cx, id).await?;
        found.sort_by_key(|gateway| gateway.create_time().copied());
        let mut found = found.into_iter();
        let Some(gateway) = found.next() else { return Ok(None) };
        let address = primary(&gateway).and_then(|address| address.allocation_id());
        let live = NatGateway {
            subnet_id: gateway.subnet_id().unwrap_or_default().into(),
            allocation_id: address.map_or_else(|| self.allocation_id.clone(), Out::from),
            internet: self.internet.clone(),
            tags: tags::from_ec2(gateway.tags()),
        };
        let outputs = NatGatewayOutputs { nat_gateway_id: gateway.id().to_owned() };
        let mut observed = Observed::ready(gateway.id(), live, outputs).in_phase(phase(&gateway));
        observed.duplicates = found.map(|gateway| gateway.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_nat_gateway()
            .client_token(cx.owner.token())
            .subnet_id(self.subnet_id.get()?)
            .allocation_id(self.allocation_id.get()?)
            .tag_specifications(tags::ec2_spec(ResourceType::Natgateway, &self.tags))
            .send()
            .await?;
        made.nat_gateway.and_then(|gateway| gateway.nat_gateway_id).always("NAT gateway id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_nat_gateway().nat_gateway_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2NatGateway>(cx).await
    }
}

/// The address it was made with: others may be given to it later, and come in any order.
fn primary(gateway: &Ec2NatGateway) -> Option<&NatGatewayAddress> {
    let addresses = gateway.nat_gateway_addresses();
    addresses.iter().find(|address| address.is_primary() == Some(true)).or(addresses.first())
}

fn phase(gateway: &Ec2NatGateway) -> Phase {
    match gateway.state() {
        Some(NatGatewayState::Available) => Phase::Ready,
        Some(NatGatewayState::Deleting | NatGatewayState::Deleted) => Phase::Deleting,
        Some(NatGatewayState::Failed) => Phase::Failed(format!(
            "failed: {}: {}",
            gateway.failure_code().unwrap_or("no code"),
            gateway.failure_message().unwrap_or("no message")
        )),
        state => Phase::Pending(state.map_or("unknown", |state| state.as_str()).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_given_later_does_not_hide_the_one_it_was_made_with() {
        let address = |id: &str, primary| NatGatewayAddress::builder().allocation_id(id).is_primary(primary).build();
        let gateway = Ec2NatGateway::builder()
            .nat_gateway_addresses(address("eipalloc-later", false))
            .nat_gateway_addresses(address("eipalloc-first", true))
            .build();
        assert_eq!(primary(&gateway).and_then(|address| address.allocation_id()), Some("eipalloc-first"));
    }
}
