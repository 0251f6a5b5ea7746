//! A VPC. Its DNS attributes can be set only one a call, and only after it exists.

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, ResourceType, Tag, Vpc as Ec2Vpc, VpcAttributeName, VpcState};
use ipnet::Ipv4Net;

use super::{Described, blockers, check_network, filter, find, lodgers, network, retag};
use crate::resources::prelude::*;

/// A virtual network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vpc {
    /// The addresses, /16 to /28.
    pub cidr: Ipv4Net,
    /// Whether AWS's resolver answers inside it.
    pub dns_support: bool,
    /// Whether its instances get public host names; private DNS of interface endpoints needs it.
    pub dns_hostnames: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcOutputs {
    /// The VPC's id.
    pub vpc_id: String,
    /// The id of the security group that comes with it and cannot be deleted.
    pub default_security_group_id: String,
}

impl Node<Vpc> {
    /// The VPC's id.
    pub fn vpc_id(&self) -> Out<String> {
        self.out("vpc_id")
    }

    /// The id of the security group that comes with it.
    pub fn default_security_group_id(&self) -> Out<String> {
        self.out("default_security_group_id")
    }
}

impl Described for Ec2Vpc {
    const ID_FILTER: &'static str = "vpc-id";

    fn id(&self) -> &str {
        self.vpc_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_vpcs().set_filters(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for Vpc {
    type Cloud = Aws;
    type Outputs = VpcOutputs;
    const KIND: &'static str = "ec2.vpc";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["cidr"];
    const GROUND: bool = true;
    const WAIT: Wait = Wait::seconds(3, 300, 1200);

    fn check(&self) -> std::result::Result<(), String> {
        match self.cidr.prefix_len() {
            16..=28 => check_network("cidr", self.cidr),
            _ => Err(format!("cidr is {}; AWS allows /16 to /28", self.cidr)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2Vpc>(cx, id).await?.into_iter();
        let Some(vpc) = found.next() else { return Ok(None) };
        let id = vpc.id().to_owned();
        // One answer may lag behind another: just made, or just deleted, it is listed while its parts are not.
        let Some(dns_support) = attribute(cx, &id, VpcAttributeName::EnableDnsSupport).await? else { return Ok(None) };
        let Some(dns_hostnames) = attribute(cx, &id, VpcAttributeName::EnableDnsHostnames).await? else {
            return Ok(None);
        };
        let Some(default_security_group_id) = default_group(cx, &id).await? else { return Ok(None) };
        let live =
            Vpc { cidr: network(vpc.cidr_block())?, dns_support, dns_hostnames, tags: tags::from_ec2(vpc.tags()) };
        let outputs = VpcOutputs { default_security_group_id, vpc_id: id.clone() };
        let phase = match vpc.state() {
            Some(VpcState::Available) => Phase::Ready,
            state => Phase::Pending(state.map_or("unknown", |state| state.as_str()).to_owned()),
        };
        let mut observed = Observed::ready(id, live, outputs).in_phase(phase);
        observed.duplicates = found.map(|vpc| vpc.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_vpc()
            .cidr_block(self.cidr.to_string())
            .tag_specifications(tags::ec2_spec(ResourceType::Vpc, &self.tags))
            .send()
            .await?;
        made.vpc.and_then(|vpc| vpc.vpc_id).always("VPC id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let value = |on: bool| AttributeBooleanValue::builder().value(on).build();
        let modify = || cx.ec2.modify_vpc_attribute().vpc_id(&observed.id);
        if diff.has("dns_support") {
            modify().enable_dns_support(value(self.dns_support)).send().await?;
        }
        if diff.has("dns_hostnames") {
            modify().enable_dns_hostnames(value(self.dns_hostnames)).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_vpc().vpc_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let mut found = blockers::interfaces_that(cx, &observed.id, |_| true).await?;
        found.extend(blockers::parts(cx, &observed.id, &observed.outputs.default_security_group_id).await?);
        Ok(found)
    }

    async fn lodgers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Lodger>> {
        lodgers::of_vpc(cx, &observed.id).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2Vpc>(cx).await
    }
}

/// `None` where the VPC does not exist.
async fn attribute(cx: &Cx<'_>, id: &str, name: VpcAttributeName) -> Result<Option<bool>> {
    let call = cx.ec2.describe_vpc_attribute().vpc_id(id).attribute(name.clone());
    let Some(answer) = call.send().await.if_present()? else { return Ok(None) };
    let value = match name {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support,
        _ => answer.enable_dns_hostnames,
    };
    Ok(Some(value.and_then(|value| value.value).unwrap_or_default()))
}

async fn default_group(cx: &Cx<'_>, vpc_id: &str) -> Result<Option<String>> {
    let filters = vec![filter("vpc-id", vpc_id), filter("group-name", "default")];
    let answer = cx.ec2.describe_security_groups().set_filters(Some(filters)).send().await?;
    Ok(answer.security_groups().first().and_then(|group| group.group_id()).map(str::to_owned))
}
