//! Who holds on to a part of a network. AWS refuses to remove it with `DependencyViolation`, and does not say why.

use std::rc::Rc;

use aws_sdk_ec2::types::{
    Filter, NatGateway, NatGatewayState, NetworkInterface, RouteTable, SecurityGroup, Subnet, VpcEndpoint,
};

use super::{Described, filter, lodgers, ours};
use crate::aws::Cx;
use crate::error::Result;
use crate::resource::{GoesWith, Holder};

/// Every network interface in a VPC, read once for all that stands in it.
async fn interfaces(cx: &Cx<'_>, vpc: &str) -> Result<Rc<Vec<NetworkInterface>>> {
    let read = || describe(cx, vec![filter("vpc-id", vpc)]);
    cx.pass.shared(&format!("ec2.interfaces {vpc}"), read).await
}

/// The network interfaces in a VPC that this is true of.
pub(super) async fn interfaces_that(
    cx: &Cx<'_>,
    vpc: &str,
    holds: impl Fn(&NetworkInterface) -> bool,
) -> Result<Vec<Holder>> {
    Ok(interfaces(cx, vpc).await?.iter().filter(|interface| holds(interface)).map(holder).collect())
}

/// The network interface that has this address. The addresses of a stack share one call.
pub(super) async fn holders_of_address<T: Described>(cx: &Cx<'_>, id: &str) -> Result<Vec<Holder>> {
    let read = || async {
        let mut ids: Vec<String> = ours::<T>(cx).await?.iter().map(|address| address.id().to_owned()).collect();
        ids.push(id.to_owned());
        let addresses = Filter::builder().name("association.allocation-id").set_values(Some(ids)).build();
        describe(cx, vec![addresses]).await
    };
    let all = cx.pass.shared("ec2.interfaces with addresses", read).await?;
    let holds = |interface: &&NetworkInterface| {
        interface.association().is_some_and(|association| association.allocation_id() == Some(id))
    };
    Ok(all.iter().filter(holds).map(holder).collect())
}

/// What else keeps a VPC: subnets, endpoints, gateways, route tables and groups but for those that go with it.
pub(super) async fn parts(cx: &Cx<'_>, vpc: &str, default_group: &str) -> Result<Vec<Holder>> {
    let mut found = inside::<Subnet>(cx, vpc, |_| true).await?;
    let stays = |endpoint: &VpcEndpoint| {
        !endpoint.state().is_some_and(|state| state.as_str().to_lowercase().starts_with("delet"))
    };
    found.extend(inside(cx, vpc, stays).await?);
    let stands = |gateway: &NatGateway| {
        !matches!(gateway.state(), Some(NatGatewayState::Deleting | NatGatewayState::Deleted | NatGatewayState::Failed))
    };
    found.extend(inside(cx, vpc, stands).await?);
    found.extend(inside(cx, vpc, |group: &SecurityGroup| group.id() != default_group).await?);
    let is_main = |table: &RouteTable| table.associations().iter().any(|association| association.main() == Some(true));
    found.extend(inside(cx, vpc, |table| !is_main(table)).await?);
    Ok(found)
}

async fn inside<T: Described>(cx: &Cx<'_>, vpc: &str, holds: impl Fn(&T) -> bool) -> Result<Vec<Holder>> {
    let all = T::describe(cx, vec![filter("vpc-id", vpc)]).await?;
    let holder = |part: &T| match lodgers::is_managed(part.tags()) {
        true => Holder { words: format!("{} of GuardDuty", part.id()), goes: GoesWith::Unknown },
        false => Holder::of(part.id(), part.id()),
    };
    Ok(all.iter().filter(|part| holds(part)).map(holder).collect())
}

/// The groups in whose rules a group is named. The groups of a stack share two calls.
pub(super) async fn referring_groups(cx: &Cx<'_>, group: &str) -> Result<Vec<Holder>> {
    let mut ids: Vec<String> = ours::<SecurityGroup>(cx).await?.iter().map(|ours| ours.id().to_owned()).collect();
    if !ids.iter().any(|id| id == group) {
        ids.push(group.to_owned());
    }
    let all = cx.pass.shared(&format!("ec2.groups that name {}", ids.join(" ")), || referring(cx, &ids)).await?;
    let names = |other: &&SecurityGroup| {
        let rules = other.ip_permissions().iter().chain(other.ip_permissions_egress());
        let mut peers = rules.flat_map(|rule| rule.user_id_group_pairs());
        other.id() != group && peers.any(|peer| peer.group_id() == Some(group))
    };
    let rule = |other: &SecurityGroup| {
        let words = format!("a rule of {} ({})", other.id(), other.group_name().unwrap_or_default());
        Holder::of(other.id(), words)
    };
    let mut found: Vec<Holder> = all.iter().filter(names).map(rule).collect();
    found.sort_by(|one, other| one.words.cmp(&other.words));
    found.dedup();
    Ok(found)
}

/// A filter takes 200 values; a stack has a dozen groups.
async fn referring(cx: &Cx<'_>, groups: &[String]) -> Result<Vec<SecurityGroup>> {
    let mut found = Vec::new();
    for rules in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let named = Filter::builder().name(rules).set_values(Some(groups.to_vec())).build();
        found.extend(SecurityGroup::describe(cx, vec![named]).await?);
    }
    Ok(found)
}

async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<NetworkInterface>> {
    let pages = cx.ec2.describe_network_interfaces().set_filters(Some(filters)).into_paginator().items().send();
    Ok(pages.collect::<Result<_, _>>().await?)
}

/// AWS takes the interfaces of its services away with what they are of, after a while, and seldom says what that is: who
/// else has put something into a network is asked of the services.
fn holder(interface: &NetworkInterface) -> Holder {
    let words = words(interface);
    let attached = interface.attachment().and_then(|attachment| attachment.instance_owner_id());
    let of_amazon = |owner: &str| owner.starts_with("amazon-");
    // The interface of a Fargate task is the account's own, and described by its attachment's ARN.
    let of_a_task = interface.description().is_some_and(|text| text.starts_with("arn:") && text.contains(":ecs:"));
    match interface.interface_type().map_or("interface", |kind| kind.as_str()) {
        // No stack has any of these.
        "lambda" | "transit_gateway" | "gateway_load_balancer" => Holder::by_itself(words),
        "interface" if !of_a_task && !attached.or(interface.requester_id()).is_some_and(of_amazon) => {
            match interface.requester_managed() {
                Some(true) => Holder { words, goes: GoesWith::Unknown },
                _ => Holder::by_itself(words),
            }
        }
        _ => Holder { words, goes: GoesWith::Unknown },
    }
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
    use aws_sdk_ec2::types::builders::NetworkInterfaceBuilder;
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

    #[test]
    fn an_interface_of_a_service_goes_with_what_it_is_of_and_all_others_are_somebodys() {
        let goes = |interface: NetworkInterfaceBuilder| holder(&interface.network_interface_id("eni-1").build()).goes;
        let new = NetworkInterface::builder;
        assert_eq!(goes(new().description("Primary network interface")), GoesWith::Nothing);
        assert_eq!(goes(new().interface_type(NetworkInterfaceType::Lambda)), GoesWith::Nothing);
        for of_a_service in [
            new().description("RDSNetworkInterface").requester_id("amazon-rds"),
            new().description("arn:aws:ecs:us-east-1:123456789012:attachment/1"),
            new().interface_type(NetworkInterfaceType::NatGateway).requester_id("123456789012"),
            new().requester_managed(true),
        ] {
            assert_eq!(goes(of_a_service.clone()), GoesWith::Unknown, "{of_a_service:?}");
        }
    }
}
