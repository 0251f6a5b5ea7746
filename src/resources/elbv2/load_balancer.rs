//! An application load balancer. Its attributes are a second call; the interfaces it holds outlive it by minutes.

use std::collections::BTreeSet;
use std::rc::Rc;

use aws_sdk_elasticloadbalancingv2::types::{
    LoadBalancer as ElbLoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    LoadBalancerTypeEnum,
};

use super::{check_name, check_ranges, retag, tags_of_one, to_elb};
use crate::resources::prelude::*;

const DROP_INVALID: &str = "routing.http.drop_invalid_header_fields.enabled";
const PROTECTION: &str = "deletion_protection.enabled";
const IDLE: &str = "idle_timeout.timeout_seconds";

/// An application load balancer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// The name: 1-32 letters, digits, hyphens, not beginning with `internal-`.
    pub name: String,
    /// Who may reach it.
    pub scheme: Scheme,
    /// The subnets it stands in: two or more, each in another zone.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The VPC of these subnets: AWS moves a load balancer to no other. `None`: not compared, as in records of earlier
    /// versions.
    #[serde(default)]
    pub vpc_id: Option<Out<String>>,
    /// Its security groups.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// Whether it drops headers with invalid names instead of passing them on.
    pub drop_invalid_header_fields: bool,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Seconds after which it closes a silent connection, 1-4000.
    pub idle_timeout_seconds: i32,
    /// Witness that its subnets reach the internet, for one that faces it: AWS refuses it otherwise.
    pub internet: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// Who may reach a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Only the VPC.
    Internal,
    /// Everyone.
    InternetFacing,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadBalancerOutputs {
    /// The ARN.
    pub arn: String,
    /// The host name it answers to.
    pub dns_name: String,
    /// The Route 53 zone of that name.
    pub zone_id: String,
    /// What metrics and scaling policies call it: `app/NAME/ID`.
    pub full_name: String,
}

impl Node<LoadBalancer> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The host name it answers to.
    pub fn dns_name(&self) -> Out<String> {
        self.out("dns_name")
    }

    /// The Route 53 zone of its host name.
    pub fn zone_id(&self) -> Out<String> {
        self.out("zone_id")
    }

    /// What metrics and scaling policies call it: `app/NAME/ID`.
    pub fn full_name(&self) -> Out<String> {
        self.out("full_name")
    }
}

impl Resource for LoadBalancer {
    type Cloud = Aws;
    type Outputs = LoadBalancerOutputs;
    const KIND: &'static str = "elbv2.load_balancer";
    const IMMUTABLE: &'static [&'static str] = &["name", "scheme", "vpc_id"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["internet"];
    const ROOTED: bool = true;
    const STEPS_OUT: bool = true;
    const PRECIOUS: Option<&'static str> = Some("the DNS name");
    const RECREATE_FAILED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 600, 600).usually(180, 60);

    fn check(&self) -> std::result::Result<(), String> {
        check_name(&self.name)?;
        if self.name.starts_with("internal-") {
            return Err(format!("name is {:?}; AWS keeps the beginning internal- for itself", self.name));
        }
        if self.subnet_ids.len() < 2 {
            return Err(format!(
                "subnet_ids has {}; AWS wants two or more, each in another zone",
                self.subnet_ids.len()
            ));
        }
        check_ranges(&[("idle_timeout_seconds", self.idle_timeout_seconds, 1, 4000)])
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        // It may vanish between the calls.
        Ok(self.read(cx, id).await.if_present()?.flatten())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .elbv2
            .create_load_balancer()
            .name(&self.name)
            .r#type(LoadBalancerTypeEnum::Application)
            .scheme(self.scheme.to_elb())
            .set_subnets(Some(values(&self.subnet_ids)?))
            .set_security_groups(Some(values(&self.security_group_ids)?))
            .set_tags(Some(to_elb(&self.tags)))
            .send()
            .await?;
        made.load_balancers().first().and_then(|made| made.load_balancer_arn().map(str::to_owned)).always("ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        if diff.has("subnet_ids") {
            let subnets = values(&self.subnet_ids)?;
            cx.elbv2.set_subnets().load_balancer_arn(arn).set_subnets(Some(subnets)).send().await?;
        }
        if diff.has("security_group_ids") {
            let groups = values(&self.security_group_ids)?;
            cx.elbv2.set_security_groups().load_balancer_arn(arn).set_security_groups(Some(groups)).send().await?;
        }
        if diff.has_any(&["drop_invalid_header_fields", "deletion_protection", "idle_timeout_seconds"]) {
            let attributes = Some(self.attributes());
            cx.elbv2.modify_load_balancer_attributes().load_balancer_arn(arn).set_attributes(attributes).send().await?;
        }
        if diff.has("tags") {
            retag(cx, arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        // Only the protection that this spec put on: what others have protected stays so.
        if self.deletion_protection && observed.live.deletion_protection {
            let off = LoadBalancerAttribute::builder().key(PROTECTION).value("false").build();
            let ask = cx.elbv2.modify_load_balancer_attributes().load_balancer_arn(&observed.id).attributes(off);
            ask.send().await.if_present()?;
        }
        cx.elbv2.delete_load_balancer().load_balancer_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticloadbalancing", "loadbalancer/", index::by_arn).await
    }
}

impl LoadBalancer {
    async fn read(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let call = cx.elbv2.describe_load_balancers();
        let answer = match id {
            Some(arn) => call.load_balancer_arns(arn).send().await?,
            None => call.names(&self.name).send().await?,
        };
        let Some(found) = answer.load_balancers().first() else { return Ok(None) };
        let arn = found.load_balancer_arn().always("ARN")?.to_owned();
        let attributes = cx.elbv2.describe_load_balancer_attributes().load_balancer_arn(&arn).send().await?;
        let attribute = |key: &str| {
            attributes.attributes().iter().find(|each| each.key() == Some(key)).and_then(|each| each.value())
        };
        let live = LoadBalancer {
            name: found.load_balancer_name().unwrap_or_default().to_owned(),
            scheme: Scheme::from_elb(found.scheme()),
            subnet_ids: found.availability_zones().iter().filter_map(|zone| zone.subnet_id()).map(Out::from).collect(),
            vpc_id: found.vpc_id().map(Out::from),
            security_group_ids: found.security_groups().iter().map(|group| group.as_str().into()).collect(),
            drop_invalid_header_fields: attribute(DROP_INVALID) == Some("true"),
            deletion_protection: attribute(PROTECTION) == Some("true"),
            idle_timeout_seconds: attribute(IDLE).and_then(|text| text.parse().ok()).unwrap_or(60),
            internet: self.internet.clone(),
            tags: tags_of_one(cx, &arn).await?,
        };
        let outputs = LoadBalancerOutputs {
            dns_name: found.dns_name().unwrap_or_default().to_owned(),
            zone_id: found.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
            full_name: arn.split_once(":loadbalancer/").map(|(_, name)| name.to_owned()).always("ARN")?,
            arn: arn.clone(),
        };
        Ok(Some(Observed::ready(arn, live, outputs).in_phase(phase(found))))
    }

    fn attributes(&self) -> Vec<LoadBalancerAttribute> {
        [
            (DROP_INVALID, self.drop_invalid_header_fields.to_string()),
            (PROTECTION, self.deletion_protection.to_string()),
            (IDLE, self.idle_timeout_seconds.to_string()),
        ]
        .map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build())
        .into()
    }
}

/// Every load balancer of the region, read once a pass: this call takes no filter.
pub(in crate::resources) async fn balancers(cx: &Cx<'_>) -> Result<Rc<Vec<ElbLoadBalancer>>> {
    let read = || async {
        let pages = cx.elbv2.describe_load_balancers().into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    };
    cx.pass.shared("elbv2.load-balancers", read).await
}

impl Scheme {
    fn to_elb(self) -> LoadBalancerSchemeEnum {
        match self {
            Scheme::Internal => LoadBalancerSchemeEnum::Internal,
            Scheme::InternetFacing => LoadBalancerSchemeEnum::InternetFacing,
        }
    }

    fn from_elb(scheme: Option<&LoadBalancerSchemeEnum>) -> Self {
        match scheme {
            Some(LoadBalancerSchemeEnum::Internal) => Scheme::Internal,
            _ => Scheme::InternetFacing,
        }
    }
}

fn phase(found: &ElbLoadBalancer) -> Phase {
    let state = found.state();
    match state.and_then(|state| state.code()) {
        // Impaired: it routes, and lacks what it needs to grow.
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => Phase::Ready,
        Some(LoadBalancerStateEnum::Failed) => {
            Phase::Failed(format!("failed: {}", state.and_then(|state| state.reason()).unwrap_or("no reason given")))
        }
        code => Phase::Pending(code.map_or("unknown", |code| code.as_str()).to_owned()),
    }
}

fn values(ids: &BTreeSet<Out<String>>) -> Result<Vec<String>> {
    ids.iter().map(|id| id.get().cloned()).collect()
}
