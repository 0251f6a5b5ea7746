//! A VPC link of the second version, which reaches load balancers of both types. Its name is not unique, so it is found
//! by its tags; after 60 days without traffic AWS takes its interfaces away and calls it inactive until traffic returns.

use std::collections::BTreeSet;
use std::rc::Rc;

use aws_sdk_apigatewayv2::types::{VpcLink as ApiVpcLink, VpcLinkStatus};

use crate::resource::TAG_NODE;
use crate::resources::apigateway;
use crate::resources::prelude::*;

/// A way from API Gateway into a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcLink {
    /// Its name, 1-128 characters.
    pub name: String,
    /// The subnets its interfaces stand in.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The security groups of its interfaces; the load balancer must let them in.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// Witness that API Gateway's service-linked role exists. `None`: AWS makes it along with the first link.
    pub service_linked_role: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VpcLinkOutputs {
    /// The link's id.
    pub vpc_link_id: String,
}

impl Node<VpcLink> {
    /// The link's id.
    pub fn vpc_link_id(&self) -> Out<String> {
        self.out("vpc_link_id")
    }
}

impl Resource for VpcLink {
    type Cloud = Aws;
    type Outputs = VpcLinkOutputs;
    const KIND: &'static str = "apigatewayv2.vpc_link";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["subnet_ids", "security_group_ids"];
    const WITNESSES: &'static [&'static str] = &["service_linked_role"];
    // The integrations of an API hold the old link until they point at the new one.
    const REPLACE: Replace = Replace::CreateFirst;
    const RECREATE_FAILED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 900, 1200).usually(150, 60);

    fn check(&self) -> std::result::Result<(), String> {
        match self.name.chars().count() {
            1..=128 if self.subnet_ids.is_empty() => Err("subnet_ids is empty; AWS wants at least one subnet".into()),
            1..=128 => Ok(()),
            length => Err(format!("name has {length} characters; AWS allows 1-128")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = self.find(cx, id).await?.into_iter();
        let Some(link) = found.next() else { return Ok(None) };
        let phase = phase(&link);
        let id = link.vpc_link_id.always("VPC link id")?;
        let live = VpcLink {
            name: link.name.unwrap_or_default(),
            subnet_ids: known(link.subnet_ids),
            security_group_ids: known(link.security_group_ids),
            service_linked_role: self.service_linked_role.clone(),
            tags: tags::read(link.tags.unwrap_or_default()),
        };
        let outputs = VpcLinkOutputs { vpc_link_id: id.clone() };
        let mut observed = Observed::ready(id, live, outputs).in_phase(phase);
        observed.duplicates = found.filter_map(|link| link.vpc_link_id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .apigatewayv2
            .create_vpc_link()
            .name(&self.name)
            .set_subnet_ids(Some(values(&self.subnet_ids)?))
            .set_security_group_ids(Some(values(&self.security_group_ids)?))
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        made.vpc_link_id.always("VPC link id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("name") {
            cx.apigatewayv2.update_vpc_link().vpc_link_id(&observed.id).name(&self.name).send().await?;
        }
        if diff.has("tags") {
            let arn = apigateway::arn(cx, &format!("/vpclinks/{}", observed.id));
            retag(cx, &arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.apigatewayv2.delete_vpc_link().vpc_link_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let all = links(cx).await?;
        let found = |link: &ApiVpcLink| {
            let tags = tags::read(link.tags.clone().unwrap_or_default());
            let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags))?;
            Some(Found::new(node, link.vpc_link_id()?))
        };
        Ok(all.iter().filter_map(found).collect())
    }
}

impl VpcLink {
    /// The link with this id, or those that carry this node's ownership tags. One on its way out does not hold its
    /// name, so without an id it counts as gone. While a link is being replaced there are two: the one that has what
    /// cannot be changed comes first.
    async fn find(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Vec<ApiVpcLink>> {
        let all = links(cx).await?;
        let Some(id) = id else {
            let mut owned: Vec<_> = all.iter().filter(|link| is_owned(cx, link)).cloned().collect();
            owned.sort_by_key(|link| (!self.fits(link), link.created_date));
            return Ok(owned);
        };
        match all.iter().find(|link| link.vpc_link_id() == Some(id)) {
            Some(link) => Ok(vec![link.clone()]),
            None => Ok(link(cx, id).await?.into_iter().collect()),
        }
    }

    fn fits(&self, link: &ApiVpcLink) -> bool {
        self.subnet_ids == known(link.subnet_ids.clone())
            && self.security_group_ids == known(link.security_group_ids.clone())
    }
}

fn is_owned(cx: &Cx<'_>, link: &ApiVpcLink) -> bool {
    link.vpc_link_status() != Some(&VpcLinkStatus::Deleting)
        && cx.owner.owns(&tags::read(link.tags.clone().unwrap_or_default()))
}

fn phase(link: &ApiVpcLink) -> Phase {
    match link.vpc_link_status() {
        // An inactive link wakes up with the first request.
        Some(VpcLinkStatus::Available | VpcLinkStatus::Inactive) => Phase::Ready,
        Some(VpcLinkStatus::Deleting) => Phase::Deleting,
        Some(VpcLinkStatus::Failed) => {
            Phase::Failed(format!("FAILED: {}", link.vpc_link_status_message().unwrap_or("no message")))
        }
        status => Phase::Pending(status.map_or("unknown", |status| status.as_str()).to_owned()),
    }
}

fn known(ids: Option<Vec<String>>) -> BTreeSet<Out<String>> {
    ids.unwrap_or_default().into_iter().map(Out::Known).collect()
}

fn values(ids: &BTreeSet<Out<String>>) -> Result<Vec<String>> {
    ids.iter().map(|id| id.get().cloned()).collect()
}

/// Whether AWS has taken its interfaces away, since nobody used it.
///
/// # Errors
/// Where AWS does not tell.
pub async fn is_inactive(aws: &Aws, id: &str) -> Result<bool> {
    let found = aws.apigatewayv2.get_vpc_link().vpc_link_id(id).send().await.if_present()?;
    Ok(found.is_some_and(|link| link.vpc_link_status == Some(VpcLinkStatus::Inactive)))
}

/// How many there are in the region.
///
/// # Errors
/// Where AWS does not tell.
pub async fn count(aws: &Aws) -> Result<i64> {
    Ok(i64::try_from(all_links(aws).await?.len()).unwrap_or(i64::MAX))
}

async fn link(cx: &Cx<'_>, id: &str) -> Result<Option<ApiVpcLink>> {
    let Some(link) = cx.apigatewayv2.get_vpc_link().vpc_link_id(id).send().await.if_present()? else {
        return Ok(None);
    };
    Ok(Some(
        ApiVpcLink::builder()
            .set_vpc_link_id(link.vpc_link_id)
            .set_name(link.name)
            .set_subnet_ids(link.subnet_ids)
            .set_security_group_ids(link.security_group_ids)
            .set_tags(link.tags)
            .set_vpc_link_status(link.vpc_link_status)
            .set_vpc_link_status_message(link.vpc_link_status_message)
            .build(),
    ))
}

/// Every link of the region, read once a pass: this call takes no filter.
pub(in crate::resources) async fn links(cx: &Cx<'_>) -> Result<Rc<Vec<ApiVpcLink>>> {
    cx.pass.shared("apigatewayv2.vpc-links", || all_links(cx.cloud)).await
}

async fn all_links(aws: &Aws) -> Result<Vec<ApiVpcLink>> {
    let mut links = Vec::new();
    let mut next = None;
    loop {
        let page = aws.apigatewayv2.get_vpc_links().set_next_token(next).send().await?;
        links.extend(page.items.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(links);
        }
    }
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.apigatewayv2.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.apigatewayv2.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect())).send().await?;
    }
    Ok(())
}
