//! A subnet. Whether what starts in it gets a public address can be set only after it exists; it cannot go while a
//! service's network interface lingers in it, which may take twenty minutes.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, NetworkInterface, ResourceType, Subnet as Ec2Subnet, SubnetState, Tag,
};
use ipnet::Ipv4Net;

use super::{Described, blockers, check_network, find, network, retag, tenants};
use crate::resources::prelude::*;

/// A part of a VPC's addresses in one availability zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subnet {
    /// The VPC.
    pub vpc_id: Out<String>,
    /// The addresses, /16 to /28, inside the VPC's.
    pub cidr: Ipv4Net,
    /// The zone, as `us-east-1a`.
    pub availability_zone: String,
    /// Whether what starts here gets a public address by default.
    pub map_public_ip_on_launch: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubnetOutputs {
    /// The subnet's id.
    pub subnet_id: String,
    /// The zone it stands in.
    pub availability_zone: String,
}

impl Node<Subnet> {
    /// The subnet's id.
    pub fn subnet_id(&self) -> Out<String> {
        self.out("subnet_id")
    }

    /// The zone it stands in.
    pub fn availability_zone(&self) -> Out<String> {
        self.out("availability_zone")
    }
}

impl Described for Ec2Subnet {
    const ID_FILTER: &'static str = "subnet-id";

    fn id(&self) -> &str {
        self.subnet_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_subnets().set_filters(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for Subnet {
    type Cloud = Aws;
    type Outputs = SubnetOutputs;
    const KIND: &'static str = "ec2.subnet";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["vpc_id", "cidr", "availability_zone"];
    const GROUND: bool = true;
    const FORETOLD: &'static [&'static str] = &["availability_zone"];
    const WAIT: Wait = Wait::seconds(3, 300, 1800);

    fn check(&self) -> std::result::Result<(), String> {
        if self.availability_zone.is_empty() {
            return Err("availability_zone is empty; it is the name of a zone, as us-east-1a".into());
        }
        match self.cidr.prefix_len() {
            16..=28 => check_network("cidr", self.cidr),
            _ => Err(format!("cidr is {}; AWS allows /16 to /28", self.cidr)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2Subnet>(cx, id).await?.into_iter();
        let Some(subnet) = found.next() else { return Ok(None) };
        let live = Subnet {
            vpc_id: subnet.vpc_id().unwrap_or_default().into(),
            cidr: network(subnet.cidr_block())?,
            availability_zone: subnet.availability_zone().unwrap_or_default().to_owned(),
            map_public_ip_on_launch: subnet.map_public_ip_on_launch().unwrap_or_default(),
            tags: tags::from_ec2(subnet.tags()),
        };
        let outputs =
            SubnetOutputs { subnet_id: subnet.id().to_owned(), availability_zone: live.availability_zone.clone() };
        let mut observed = Observed::ready(subnet.id(), live, outputs).in_phase(phase(&subnet));
        observed.duplicates = found.map(|subnet| subnet.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_subnet()
            .vpc_id(self.vpc_id.get()?)
            .cidr_block(self.cidr.to_string())
            .availability_zone(&self.availability_zone)
            .tag_specifications(tags::ec2_spec(ResourceType::Subnet, &self.tags))
            .send()
            .await?;
        made.subnet.and_then(|subnet| subnet.subnet_id).always("subnet id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("map_public_ip_on_launch") {
            let value = AttributeBooleanValue::builder().value(self.map_public_ip_on_launch).build();
            cx.ec2.modify_subnet_attribute().subnet_id(&observed.id).map_public_ip_on_launch(value).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_subnet().subnet_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let is_in = |interface: &NetworkInterface| interface.subnet_id() == Some(observed.id.as_str());
        let mut found = blockers::interfaces_that(cx, observed.live.vpc_id.get()?, is_in).await?;
        found.extend(tenants::in_subnet(cx, &observed.id).await?);
        Ok(found)
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2Subnet>(cx).await
    }
}

fn phase(subnet: &Ec2Subnet) -> Phase {
    match subnet.state() {
        Some(SubnetState::Available) => Phase::Ready,
        Some(state @ (SubnetState::Failed | SubnetState::FailedInsufficientCapacity | SubnetState::Unavailable)) => {
            Phase::Failed(state.as_str().to_owned())
        }
        state => Phase::Pending(state.map_or("unknown", |state| state.as_str()).to_owned()),
    }
}
