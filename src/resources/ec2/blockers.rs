//! Who holds on to a part of a network. AWS refuses to remove it with `DependencyViolation`, and does not say why.

use aws_sdk_ec2::types::{Filter, NetworkInterface, SecurityGroup, Subnet, VpcEndpoint};

use super::{Described, filter};
use crate::aws::Cx;
use crate::error::Result;

/// Every network interface that this filter selects, in words for people.
pub(super) async fn interfaces(cx: &Cx<'_>, name: &str, value: &str) -> Result<Vec<String>> {
    Ok(describe(cx, vec![filter(name, value)]).await?.iter().map(words).collect())
}

/// The network interfaces in a VPC that have a public address, which the internet gateway maps.
pub(super) async fn public_interfaces(cx: &Cx<'_>, vpc: &str) -> Result<Vec<String>> {
    let all = describe(cx, vec![filter("vpc-id", vpc)]).await?;
    let public = |interface: &&NetworkInterface| interface.association().is_some_and(|at| at.public_ip().is_some());
    Ok(all.iter().filter(public).map(words).collect())
}

/// What else keeps a VPC: subnets, endpoints, and groups but for the one that goes with it.
pub(super) async fn parts(cx: &Cx<'_>, vpc: &str, default_group: &str) -> Result<Vec<String>> {
    let mut found = inside::<Subnet>(cx, vpc).await?;
    found.extend(inside::<VpcEndpoint>(cx, vpc).await?);
    found.extend(inside::<SecurityGroup>(cx, vpc).await?);
    found.retain(|id| id != default_group);
    Ok(found)
}

async fn inside<T: Described>(cx: &Cx<'_>, vpc: &str) -> Result<Vec<String>> {
    Ok(T::describe(cx, vec![filter("vpc-id", vpc)]).await?.iter().map(|part| part.id().to_owned()).collect())
}

/// The groups in whose rules a group is named.
pub(super) async fn referring_groups(cx: &Cx<'_>, group: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for rules in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let ask = cx.ec2.describe_security_groups().filters(filter(rules, group));
        let groups = ask.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?;
        let others = groups.iter().filter(|other| other.group_id() != Some(group));
        found.extend(others.map(|other| {
            let (id, name) = (other.group_id().unwrap_or_default(), other.group_name().unwrap_or_default());
            format!("a rule of {id} ({name})")
        }));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<NetworkInterface>> {
    let pages = cx.ec2.describe_network_interfaces().set_filters(Some(filters)).into_paginator().items().send();
    Ok(pages.collect::<Result<_, _>>().await?)
}

/// `eni-1 (in-use, nat_gateway of amazon-aws: "Interface for NAT Gateway nat-1")`.
fn words(interface: &NetworkInterface) -> String {
    let id = interface.network_interface_id().unwrap_or_default();
    let status = interface.status().map_or("unknown", |status| status.as_str());
    let kind = interface.interface_type().map_or("interface", |kind| kind.as_str());
    let attached = interface.attachment().and_then(|attachment| attachment.instance_owner_id());
    let owner = attached.or(interface.requester_id()).or(interface.owner_id()).unwrap_or("unknown");
    let about = interface.description().filter(|text| !text.is_empty()).map(|text| format!(": {text:?}"));
    format!("{id} ({status}, {kind} of {owner}{})", about.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{NetworkInterfaceAttachment, NetworkInterfaceStatus, NetworkInterfaceType};

    use super::*;

    #[test]
    fn an_interface_is_told_with_whose_it_is_and_what_for() {
        let balancer = NetworkInterface::builder()
            .network_interface_id("eni-1")
            .status(NetworkInterfaceStatus::InUse)
            .interface_type(NetworkInterfaceType::Interface)
            .owner_id("123456789012")
            .attachment(NetworkInterfaceAttachment::builder().instance_owner_id("amazon-elb").build())
            .description("ELB app/student-alb-dev/1")
            .build();
        assert_eq!(words(&balancer), r#"eni-1 (in-use, interface of amazon-elb: "ELB app/student-alb-dev/1")"#);
        let left = NetworkInterface::builder().network_interface_id("eni-2").owner_id("123456789012").build();
        assert_eq!(words(&left), "eni-2 (unknown, interface of 123456789012)");
    }
}
