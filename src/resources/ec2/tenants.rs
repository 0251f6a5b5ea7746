//! Load balancers and VPC links that stand in a subnet or have a security group: AWS does not say of their interfaces
//! whose they are. A link that is `INACTIVE` has none: API Gateway developer guide, "Working with VPC links".

use std::rc::Rc;

use aws_sdk_apigatewayv2::types::{VpcLink, VpcLinkStatus};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;

use crate::aws::Cx;
use crate::error::{Class, Result};
use crate::resource::Holder;
use crate::resources::{apigatewayv2, elbv2};

/// Those that stand in this subnet.
pub(super) async fn in_subnet(cx: &Cx<'_>, subnet: &str) -> Result<Vec<Holder>> {
    let balancer = |one: &LoadBalancer| one.availability_zones().iter().any(|zone| zone.subnet_id() == Some(subnet));
    that(cx, balancer, |link| link.subnet_ids().iter().any(|id| id == subnet)).await
}

/// Those that have this security group.
pub(super) async fn with_group(cx: &Cx<'_>, group: &str) -> Result<Vec<Holder>> {
    let balancer = |one: &LoadBalancer| one.security_groups().iter().any(|id| id == group);
    that(cx, balancer, |link| link.security_group_ids().iter().any(|id| id == group)).await
}

async fn that(
    cx: &Cx<'_>,
    balancer: impl Fn(&LoadBalancer) -> bool,
    link: impl Fn(&VpcLink) -> bool,
) -> Result<Vec<Holder>> {
    let balancers = if_allowed(elbv2::load_balancer::balancers(cx).await)?;
    let links = if_allowed(apigatewayv2::vpc_link::links(cx).await)?;
    let gone = [Some(&VpcLinkStatus::Deleting), Some(&VpcLinkStatus::Inactive)];
    let balancers = balancers.iter().filter(|one| balancer(one)).filter_map(|one| {
        let words = format!("the load balancer {}", one.load_balancer_name().unwrap_or_default());
        Some(Holder::of(one.load_balancer_arn()?, words))
    });
    let links = links.iter().filter(|one| link(one) && !gone.contains(&one.vpc_link_status())).filter_map(|one| {
        let id = one.vpc_link_id()?;
        Some(Holder::of(id, format!("the VPC link {} ({id})", one.name().unwrap_or_default())))
    });
    Ok(balancers.chain(links).collect())
}

/// A stack without such things may be run by who may not ask for them, and hears from AWS's refusal.
fn if_allowed<T>(answer: Result<Rc<Vec<T>>>) -> Result<Rc<Vec<T>>> {
    match answer {
        Err(fault) if fault.class == Class::Denied => Ok(Rc::default()),
        answer => answer,
    }
}
