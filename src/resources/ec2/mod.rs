//! Amazon EC2: networks. EC2 models no errors and finds objects best by filters, which leave out what is missing where
//! ids would fail the whole call.

mod blockers;
pub mod elastic_ip;
pub mod flow_log;
pub mod internet_gateway;
pub mod internet_gateway_attachment;
mod lodgers;
pub mod nat_gateway;
pub mod route;
pub mod route_table;
pub mod route_table_association;
pub mod rule;
pub mod security_group;
pub mod security_group_rules;
pub mod subnet;
mod tenants;
pub mod vpc;
pub mod vpc_endpoint;

pub use elastic_ip::ElasticIp;
pub use flow_log::FlowLog;
pub use internet_gateway::InternetGateway;
pub use internet_gateway_attachment::InternetGatewayAttachment;
pub use nat_gateway::NatGateway;
pub use route::Route;
pub use route_table::RouteTable;
pub use route_table_association::RouteTableAssociation;
pub use rule::{Peer, Rule};
pub use security_group::SecurityGroup;
pub use security_group_rules::SecurityGroupRules;
pub use subnet::Subnet;
pub use vpc::Vpc;
pub use vpc_endpoint::{EndpointType, VpcEndpoint};

use std::rc::Rc;

use aws_sdk_ec2::types::{Filter, Tag, UnsuccessfulItem};
use ipnet::Ipv4Net;

use crate::aws::errors::classify;
use crate::aws::{Aws, Cx, tags};
use crate::error::{Fault, Result};
use crate::resource::{Found, Kinds, TAG_NODE, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds
        .with::<ElasticIp>()
        .with::<FlowLog>()
        .with::<InternetGateway>()
        .with::<InternetGatewayAttachment>()
        .with::<NatGateway>()
        .with::<Route>()
        .with::<RouteTable>()
        .with::<RouteTableAssociation>()
        .with::<SecurityGroup>()
        .with::<SecurityGroupRules>()
        .with::<Subnet>()
        .with::<Vpc>()
        .with::<VpcEndpoint>()
}

/// An EC2 object as a Describe call gives it.
trait Described: Clone + 'static {
    /// The filter that selects it by id.
    const ID_FILTER: &'static str;
    fn id(&self) -> &str;
    fn tags(&self) -> &[Tag];
    /// Every object the filters select.
    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>>;
}

/// Put on a security group by the node that rules it. A set of rules is no object of its own, and an empty one would
/// otherwise be neither there nor gone.
const TAG_RULES: &str = "tapctl:rules";

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Every object of this stack. All its nodes share one call.
async fn ours<T: Described>(cx: &Cx<'_>) -> Result<Rc<Vec<T>>> {
    cx.pass.shared(T::ID_FILTER, || T::describe(cx, tags::ec2_filters(cx.owner))).await
}

/// The object with this id, or every one that carries this node's ownership tags.
async fn find<T: Described>(cx: &Cx<'_>, id: Option<&str>) -> Result<Vec<T>> {
    let ours = ours::<T>(cx).await?;
    let mine = |object: &&T| match id {
        Some(id) => object.id() == id,
        None => cx.owner.owns(&tags::from_ec2(object.tags())),
    };
    let mut found: Vec<T> = ours.iter().filter(mine).cloned().collect();
    // Most EC2 objects do not tell their age; where there are several, every run must at least choose the same one.
    found.sort_by(|one, other| one.id().cmp(other.id()));
    match id {
        // Somebody may have taken the ownership tags off.
        Some(id) if found.is_empty() => T::describe(cx, vec![filter(T::ID_FILTER, id)]).await,
        _ => Ok(found),
    }
}

/// Every object of this stack, environment and region.
async fn list<T: Described>(cx: &Cx<'_>) -> Result<Vec<Found>> {
    let found = |object: &T| {
        let tags = tags::from_ec2(object.tags());
        let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags))?;
        Some(Found::new(node, object.id()))
    };
    Ok(ours::<T>(cx).await?.iter().filter_map(found).collect())
}

/// Sets and removes tags of one object.
async fn retag(cx: &Cx<'_>, id: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        let keys = remove.iter().map(|key| Tag::builder().key(key).build()).collect();
        cx.ec2.delete_tags().resources(id).set_tags(Some(keys)).send().await?;
    }
    if !set.is_empty() {
        cx.ec2.create_tags().resources(id).set_tags(Some(tags::to_ec2(&set))).send().await?;
    }
    Ok(())
}

/// The CIDR that AWS gave.
fn network(text: Option<&str>) -> Result<Ipv4Net> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| Fault::unexpected(format!("AWS gave {text:?} for a CIDR")))
}

/// Refuses host bits: AWS clears them, and what it then reports would differ from the spec for ever.
fn check_network(field: &str, cidr: Ipv4Net) -> std::result::Result<(), String> {
    match cidr.trunc() {
        network if network == cidr => Ok(()),
        network => Err(format!("{field} is {cidr}, an address inside a network; AWS would make it {network}")),
    }
}

/// The two halves of the id of an object that is a relation, for which AWS has no id of its own.
fn pair(id: &str) -> Result<(&str, &str)> {
    id.split_once('|').ok_or_else(|| Fault::invalid(format!("{id:?} is not two ids joined by a bar")))
}

/// Some EC2 calls answer success and list what failed inside.
fn refuse_unsuccessful(operation: &str, items: &[UnsuccessfulItem], request_id: Option<&str>) -> Result<()> {
    let Some(error) = items.first().and_then(|item| item.error()) else { return Ok(()) };
    let code = error.code().unwrap_or("Unsuccessful");
    let message = error.message().unwrap_or_default();
    Err(Fault {
        class: classify(operation, code, message, 400),
        code: code.to_owned(),
        message: message.to_owned(),
        operation: operation.to_owned(),
        request_id: request_id.map(str::to_owned),
        advice: None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::UnsuccessfulItemError;

    use super::*;
    use crate::error::Class;

    #[test]
    fn a_failure_inside_a_success_is_a_fault_of_the_same_class() {
        let error = UnsuccessfulItemError::builder().code("InvalidVpcEndpointId.NotFound").message("gone").build();
        let item = UnsuccessfulItem::builder().resource_id("vpce-1").error(error).build();
        let fault = refuse_unsuccessful("ec2:DeleteVpcEndpoints", &[item], None).unwrap_err();
        assert_eq!(fault.class, Class::Absent);
        assert!(refuse_unsuccessful("ec2:DeleteVpcEndpoints", &[], None).is_ok());
    }

    #[test]
    fn host_bits_are_refused() {
        assert!(check_network("cidr", "10.0.1.0/24".parse().unwrap()).is_ok());
        assert!(check_network("cidr", "10.0.1.7/24".parse().unwrap()).unwrap_err().contains("10.0.1.0/24"));
    }
}
