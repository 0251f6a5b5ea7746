//! What GuardDuty puts into a VPC where it manages the agents of tasks: an endpoint in their subnets, and its group. They stay
//! until Runtime Monitoring is switched off, and until then no subnet can be removed that the endpoint is in.

use aws_sdk_ec2::types::{SecurityGroup, Tag, VpcEndpoint};

use super::{Described, filter};
use crate::aws::Cx;
use crate::error::Result;
use crate::resource::{Lodger, Resource};

/// A part of the service's name, which is another in each partition.
const SERVICE: &str = "guardduty-data";
/// What the name of the group begins with. The VPC's id follows.
const GROUP: &str = "GuardDutyManagedSecurityGroup-";
/// The tag that GuardDuty puts on both.
const MANAGED: &str = "GuardDutyManaged";

pub(super) fn is_managed(tags: &[Tag]) -> bool {
    tags.iter().any(|tag| tag.key() == Some(MANAGED) && tag.value() == Some("true"))
}

/// GuardDuty's endpoint in this VPC, and its group.
pub(super) async fn of_vpc(cx: &Cx<'_>, vpc: &str) -> Result<Vec<Lodger>> {
    let within = || vec![filter("vpc-id", vpc)];
    let endpoints = VpcEndpoint::describe(cx, within()).await?;
    let endpoints = endpoints.iter().filter(|endpoint| {
        is_managed(endpoint.tags()) && endpoint.service_name().is_some_and(|name| name.contains(SERVICE))
    });
    let groups = SecurityGroup::describe(cx, within()).await?;
    let groups = groups
        .iter()
        .filter(|group| is_managed(group.tags()) && group.group_name().is_some_and(|name| name.starts_with(GROUP)));
    let endpoints = endpoints.map(|one| lodger("guardduty-endpoint", super::vpc_endpoint::VpcEndpoint::KIND, one.id()));
    let groups = groups.map(|one| lodger("guardduty-group", super::security_group::SecurityGroup::KIND, one.id()));
    Ok(endpoints.chain(groups).collect())
}

fn lodger(name: &'static str, kind: &'static str, id: &str) -> Lodger {
    Lodger { name, kind, id: id.to_owned() }
}
