//! An internet gateway in its VPC. AWS has no id for it, so the two ids joined are its id; it cannot be undone while any
//! public address is still mapped into the VPC.

use aws_sdk_ec2::types::{
    AttachmentStatus, InternetGateway as Ec2InternetGateway, InternetGatewayAttachment as Attached, NetworkInterface,
};

use super::{Described, blockers, find, ours, pair};
use crate::resources::prelude::*;

/// That a gateway is attached to a VPC. A gateway fits one VPC, and a VPC one gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayAttachment {
    /// The gateway.
    pub internet_gateway_id: Out<String>,
    /// The VPC.
    pub vpc_id: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGatewayAttachmentOutputs {
    /// The VPC.
    pub vpc_id: String,
}

impl Node<InternetGatewayAttachment> {
    /// The VPC, as witness that it has a gateway now: what speaks to the internet needs that first.
    pub fn attached_vpc_id(&self) -> Out<String> {
        self.out("vpc_id")
    }
}

impl Resource for InternetGatewayAttachment {
    type Cloud = Aws;
    type Outputs = InternetGatewayAttachmentOutputs;
    const KIND: &'static str = "ec2.internet_gateway_attachment";
    const PARENT: Option<&'static str> = Some("ec2.internet_gateway");
    const IMMUTABLE: &'static [&'static str] = &["internet_gateway_id", "vpc_id"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["vpc_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 1800);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let (gateway_id, vpc_id) = match (id, self.internet_gateway_id.known()) {
            (Some(id), _) => pair(id).map(|(gateway, vpc)| (gateway, Some(vpc)))?,
            (None, Some(gateway)) => (gateway.as_str(), None),
            (None, None) => return Ok(None),
        };
        let gateways = find::<Ec2InternetGateway>(cx, Some(gateway_id)).await?;
        let holds = |attached: &&Attached| {
            attached.state() != Some(&AttachmentStatus::Detached)
                && vpc_id.is_none_or(|vpc| attached.vpc_id() == Some(vpc))
        };
        let Some(attached) = gateways.iter().flat_map(|gateway| gateway.attachments()).find(holds) else {
            return Ok(None);
        };
        let vpc = attached.vpc_id().always("VPC id")?;
        let live = InternetGatewayAttachment { internet_gateway_id: gateway_id.into(), vpc_id: vpc.into() };
        let outputs = InternetGatewayAttachmentOutputs { vpc_id: vpc.to_owned() };
        let mut observed =
            Observed::ready(format!("{gateway_id}|{vpc}"), live, outputs).in_phase(phase(attached.state()));
        if id.is_none() && self.vpc_id.known().is_some_and(|ours| ours != vpc) {
            observed.foreign = Some(format!("{gateway_id} is attached to {vpc}, which is not this node's VPC"));
        }
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let (gateway, vpc) = (self.internet_gateway_id.get()?, self.vpc_id.get()?);
        cx.ec2.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await?;
        Ok(format!("{gateway}|{vpc}"))
    }

    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (gateway, vpc) = pair(&observed.id)?;
        cx.ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let has_address = |interface: &NetworkInterface| {
            interface.association().is_some_and(|association| association.public_ip().is_some())
        };
        blockers::interfaces_that(cx, pair(&observed.id)?.1, has_address).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let gateways = super::list::<Ec2InternetGateway>(cx).await?;
        let mut found = Vec::new();
        for gateway in ours::<Ec2InternetGateway>(cx).await?.iter() {
            let Some(of) = gateways.iter().find(|of| of.id == gateway.id()) else { continue };
            let ids = gateway.attachments().iter().filter_map(|attached| attached.vpc_id());
            found.extend(ids.map(|vpc| Found::new(format!("{}-attachment", of.node), format!("{}|{vpc}", of.id))));
        }
        Ok(found)
    }
}

/// The wire says `available` where the model says `attached`.
fn phase(state: Option<&AttachmentStatus>) -> Phase {
    match state.map(AttachmentStatus::as_str) {
        Some("available" | "attached") => Phase::Ready,
        Some("detaching") => Phase::Deleting,
        state => Phase::Pending(state.unwrap_or("unknown").to_owned()),
    }
}
