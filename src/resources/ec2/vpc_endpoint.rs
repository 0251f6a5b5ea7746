//! A private way from a VPC to an AWS service. Its states come in any case, its deletion answers success even where it
//! failed, and its network interfaces go some minutes later.

use std::collections::BTreeSet;

use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, VpcEndpoint as Ec2VpcEndpoint, VpcEndpointType};
use serde_json::Value;

use super::{Described, find, refuse_unsuccessful, retag};
use crate::resources::iam::policy;
use crate::resources::prelude::*;

/// An endpoint: a gateway in route tables, or interfaces in subnets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcEndpoint {
    /// The VPC.
    pub vpc_id: Out<String>,
    /// The service, as `com.amazonaws.us-east-1.s3`.
    pub service_name: String,
    /// How it is reached.
    pub endpoint_type: EndpointType,
    /// The tables that get its routes; gateways only.
    pub route_table_ids: BTreeSet<Out<String>>,
    /// The subnets that get its interfaces, one a zone; interfaces only.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The groups of its interfaces; interfaces only.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// Whether the service's public name leads here inside the VPC; interfaces only. Needs both DNS attributes of the VPC.
    pub private_dns: bool,
    /// Who may do what through it. `None`: AWS's default, everything.
    pub policy: Option<Value>,
    /// Tags.
    pub tags: Tags,
}

/// How an endpoint is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointType {
    /// By routes. S3 and DynamoDB only, and free.
    Gateway,
    /// By network interfaces, paid by the hour.
    Interface,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcEndpointOutputs {
    /// The endpoint's id.
    pub vpc_endpoint_id: String,
}

impl Node<VpcEndpoint> {
    /// The endpoint's id.
    pub fn vpc_endpoint_id(&self) -> Out<String> {
        self.out("vpc_endpoint_id")
    }
}

impl Described for Ec2VpcEndpoint {
    const ID_FILTER: &'static str = "vpc-endpoint-id";

    fn id(&self) -> &str {
        self.vpc_endpoint_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_vpc_endpoints().set_filters(Some(filters)).into_paginator().items().send();
        let all: Vec<Self> = pages.collect::<Result<_, _>>().await?;
        Ok(all.into_iter().filter(|endpoint| status(endpoint) != "deleted").collect())
    }
}

impl Resource for VpcEndpoint {
    type Cloud = Aws;
    type Outputs = VpcEndpointOutputs;
    const KIND: &'static str = "ec2.vpc_endpoint";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["vpc_id", "service_name", "endpoint_type"];
    const SERVES: bool = true;
    const RECREATE_FAILED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 900, 1200).usually(90, 60);

    fn check(&self) -> std::result::Result<(), String> {
        if self.service_name.is_empty() {
            return Err("service_name is empty; it is a name as com.amazonaws.us-east-1.s3".into());
        }
        match self.endpoint_type {
            EndpointType::Gateway if !self.subnet_ids.is_empty() || !self.security_group_ids.is_empty() => {
                Err("subnet_ids or security_group_ids are set; a Gateway endpoint has only route_table_ids".into())
            }
            EndpointType::Gateway if self.private_dns => {
                Err("private_dns is true; only an Interface endpoint has it".into())
            }
            EndpointType::Interface if !self.route_table_ids.is_empty() => {
                Err("route_table_ids are set; only a Gateway endpoint has them".into())
            }
            EndpointType::Interface if self.subnet_ids.is_empty() || self.security_group_ids.is_empty() => {
                Err("subnet_ids or security_group_ids are empty; an Interface endpoint needs one of each".into())
            }
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2VpcEndpoint>(cx, id).await?;
        found.sort_by_key(|endpoint| endpoint.creation_timestamp().copied());
        let mut found = found.into_iter();
        let Some(endpoint) = found.next() else { return Ok(None) };
        let outputs = VpcEndpointOutputs { vpc_endpoint_id: endpoint.id().to_owned() };
        let mut observed = Observed::ready(endpoint.id(), self.live(&endpoint)?, outputs).in_phase(phase(&endpoint));
        observed.duplicates = found.map(|endpoint| endpoint.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let (kind, private_dns) = match self.endpoint_type {
            EndpointType::Gateway => (VpcEndpointType::Gateway, None),
            EndpointType::Interface => (VpcEndpointType::Interface, Some(self.private_dns)),
        };
        let made = cx
            .ec2
            .create_vpc_endpoint()
            .client_token(cx.owner.token())
            .vpc_id(self.vpc_id.get()?)
            .service_name(&self.service_name)
            .vpc_endpoint_type(kind)
            .set_route_table_ids(ids(&self.route_table_ids)?)
            .set_subnet_ids(ids(&self.subnet_ids)?)
            .set_security_group_ids(ids(&self.security_group_ids)?)
            .set_private_dns_enabled(private_dns)
            .set_policy_document(self.policy.as_ref().map(Value::to_string))
            .tag_specifications(tags::ec2_spec(ResourceType::VpcEndpoint, &self.tags))
            .send()
            .await?;
        made.vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id).always("VPC endpoint id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let live = &observed.live;
        if diff.has_any(&["route_table_ids", "subnet_ids", "security_group_ids", "private_dns", "policy"]) {
            let policy = self.policy.as_ref().filter(|_| diff.has("policy"));
            cx.ec2
                .modify_vpc_endpoint()
                .vpc_endpoint_id(&observed.id)
                .set_add_route_table_ids(ids(self.route_table_ids.difference(&live.route_table_ids))?)
                .set_remove_route_table_ids(ids(live.route_table_ids.difference(&self.route_table_ids))?)
                .set_add_subnet_ids(ids(self.subnet_ids.difference(&live.subnet_ids))?)
                .set_remove_subnet_ids(ids(live.subnet_ids.difference(&self.subnet_ids))?)
                .set_add_security_group_ids(ids(self.security_group_ids.difference(&live.security_group_ids))?)
                .set_remove_security_group_ids(ids(live.security_group_ids.difference(&self.security_group_ids))?)
                .set_private_dns_enabled(Some(self.private_dns).filter(|_| diff.has("private_dns")))
                .set_policy_document(policy.map(Value::to_string))
                .send()
                .await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let call = cx.ec2.delete_vpc_endpoints().vpc_endpoint_ids(&observed.id);
        let Some(answer) = call.send().await.if_present()? else { return Ok(()) };
        refuse_unsuccessful("ec2:DeleteVpcEndpoints", answer.unsuccessful(), answer.request_id()).if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2VpcEndpoint>(cx).await
    }
}

impl VpcEndpoint {
    fn live(&self, endpoint: &Ec2VpcEndpoint) -> Result<VpcEndpoint> {
        let set = |ids: &[String]| ids.iter().cloned().map(Out::Known).collect();
        let document = endpoint.policy_document().map(policy::parse).transpose()?;
        let endpoint_type = match endpoint.vpc_endpoint_type() {
            Some(VpcEndpointType::Gateway) => EndpointType::Gateway,
            Some(VpcEndpointType::Interface) => EndpointType::Interface,
            other => return Err(Fault::unexpected(format!("{} has the type {other:?}", endpoint.id()))),
        };
        // A gateway has no names of its own, so whatever is said of its private DNS means nothing.
        let has_names = endpoint_type == EndpointType::Interface;
        Ok(VpcEndpoint {
            vpc_id: endpoint.vpc_id().unwrap_or_default().into(),
            service_name: endpoint.service_name().unwrap_or_default().to_owned(),
            endpoint_type,
            route_table_ids: set(endpoint.route_table_ids()),
            subnet_ids: set(endpoint.subnet_ids()),
            security_group_ids: endpoint.groups().iter().filter_map(|group| group.group_id()).map(Out::from).collect(),
            private_dns: has_names && endpoint.private_dns_enabled().unwrap_or_default(),
            policy: document.map(|document| policy::as_wanted(self.policy.as_ref(), document)),
            tags: tags::from_ec2(endpoint.tags()),
        })
    }
}

/// `None` for no ids: AWS refuses an empty list.
fn ids<'a>(outs: impl IntoIterator<Item = &'a Out<String>>) -> Result<Option<Vec<String>>> {
    let ids = outs.into_iter().map(|out| out.get().cloned()).collect::<Result<Vec<_>>>()?;
    Ok(Some(ids).filter(|ids| !ids.is_empty()))
}

fn status(endpoint: &Ec2VpcEndpoint) -> String {
    endpoint.state().map_or("unknown", |state| state.as_str()).to_lowercase()
}

fn phase(endpoint: &Ec2VpcEndpoint) -> Phase {
    let status = status(endpoint);
    match status.as_str() {
        "available" => Phase::Ready,
        "deleting" => Phase::Deleting,
        "failed" | "rejected" | "expired" | "partial" => Phase::Failed(failure(endpoint, &status)),
        _ => Phase::Pending(status),
    }
}

fn failure(endpoint: &Ec2VpcEndpoint, status: &str) -> String {
    let error = endpoint.last_error();
    let parts = [
        Some(status),
        endpoint.failure_reason(),
        error.and_then(|error| error.code()),
        error.and_then(|error| error.message()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{LastError, State};

    use super::*;

    #[test]
    fn states_are_read_in_any_case_and_failures_in_awss_words() {
        let endpoint = |state: &str| Ec2VpcEndpoint::builder().state(State::from(state));
        assert_eq!(phase(&endpoint("Available").build()), Phase::Ready);
        assert_eq!(phase(&endpoint("available").build()), Phase::Ready);
        assert_eq!(phase(&endpoint("pendingAcceptance").build()), Phase::Pending("pendingacceptance".into()));
        let error = LastError::builder().code("InvalidSubnet").message("no free address").build();
        assert_eq!(
            phase(&endpoint("failed").last_error(error).build()),
            Phase::Failed("failed: InvalidSubnet: no free address".into())
        );
    }
}
