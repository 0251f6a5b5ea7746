//! A web ACL in front of an API stage or a load balancer. What is protected is its key: it has one web ACL at a time,
//! and AWS puts another in its place without asking.

use std::time::Duration;

use aws_sdk_wafv2::types::ResourceType;

use super::WebAcl;
use super::web_acl::tags_of;
use crate::resources::prelude::*;

/// One thing that a web ACL protects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebAclAssociation {
    /// The web ACL.
    pub web_acl_arn: Out<String>,
    /// The stage or load balancer that it protects.
    pub resource_arn: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebAclAssociationOutputs {
    /// What is protected.
    pub protected_arn: String,
}

impl Node<WebAclAssociation> {
    /// What is protected: the witness that it is.
    pub fn protected_arn(&self) -> Out<String> {
        self.out("protected_arn")
    }
}

impl Resource for WebAclAssociation {
    type Cloud = Aws;
    type Outputs = WebAclAssociationOutputs;
    const KIND: &'static str = "wafv2.web_acl_association";
    const PARENT: Option<&'static str> = Some("wafv2.web_acl");
    const IMMUTABLE: &'static [&'static str] = &["resource_arn"];
    const FORETOLD: &'static [&'static str] = &["protected_arn"];
    /// A fresh load balancer stays unavailable to WAF for minutes.
    const DEPENDS_WITHIN: Duration = Duration::from_secs(900);
    const WAIT: Wait = Wait::seconds(5, 300, 300);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(resource) = id.or(self.resource_arn.known().map(String::as_str)) else { return Ok(None) };
        let ask = cx.wafv2.get_web_acl_for_resource().resource_arn(resource);
        let Some(acl) = ask.send().await.if_present()?.and_then(|answer| answer.web_acl) else { return Ok(None) };
        let live = WebAclAssociation { web_acl_arn: acl.arn.clone().into(), resource_arn: resource.into() };
        let outputs = WebAclAssociationOutputs { protected_arn: resource.to_owned() };
        let mut observed = Observed::ready(resource, live, outputs);
        if self.web_acl_arn.known() != Some(&acl.arn) && !is_ours(cx, &acl.arn).await? {
            observed.foreign = Some(format!("the web ACL {} protects it", acl.arn));
        }
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        self.associate(cx).await?;
        Ok(self.resource_arn.get()?.clone())
    }

    async fn update(&self, cx: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        self.associate(cx).await
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.wafv2.disassociate_web_acl().resource_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// A web ACL that protects something is not deleted.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for of in WebAcl::list(cx).await? {
            for kind in [ResourceType::ApiGateway, ResourceType::ApplicationLoadBalancer] {
                let ask = cx.wafv2.list_resources_for_web_acl().web_acl_arn(&of.id).resource_type(kind);
                let arns = ask.send().await.if_present()?.and_then(|answer| answer.resource_arns).unwrap_or_default();
                found.extend(arns.into_iter().map(|arn| Found::new(format!("{}-association", of.node), arn)));
            }
        }
        Ok(found)
    }
}

impl WebAclAssociation {
    async fn associate(&self, cx: &Cx<'_>) -> Result<()> {
        let ask = cx.wafv2.associate_web_acl().web_acl_arn(self.web_acl_arn.get()?);
        ask.resource_arn(self.resource_arn.get()?).send().await?;
        Ok(())
    }
}

/// Whether a web ACL is another one of the same environment, in whose place AWS puts ours at once.
async fn is_ours(cx: &Cx<'_>, arn: &str) -> Result<bool> {
    let tags = tags_of(cx, arn).await.if_present()?.unwrap_or_default();
    Ok(cx.owner.owns_any(&tags))
}
