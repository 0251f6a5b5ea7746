//! A role that all stacks of an account use together, as the one API Gateway writes logs with. Each stack puts a tag of
//! its own on it, and the stack that takes off the last one removes the role.

use std::collections::BTreeSet;

use aws_sdk_iam::types::Tag;
use serde_json::Value;

use super::role::{attached, decoded};
use super::{check_name, policy};
use crate::resources::prelude::*;

/// A role and this stack's share in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SharedRole {
    /// The name: 1-64 characters. The same for every stack.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may assume it.
    pub assume_role_policy: Value,
    /// The managed policies attached to it, at least.
    pub managed_policy_arns: BTreeSet<String>,
    /// Whether this stack's tag is on it. Always true in a spec.
    pub joined: bool,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SharedRoleOutputs {
    /// The ARN.
    pub arn: String,
}

impl Node<SharedRole> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for SharedRole {
    type Cloud = Aws;
    type Outputs = SharedRoleOutputs;
    const KIND: &'static str = "iam.shared_role";
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const SHARED: bool = true;
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("name", &self.name, 64)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let Some(found) = cx.iam.get_role().role_name(name).send().await.if_present()? else { return Ok(None) };
        let role = found.role.always("role")?;
        let trust = decoded(role.assume_role_policy_document.as_deref().always("trust policy")?)?;
        // IAM's answers lag: just made, the role is known to one call and not yet to the next.
        let Some(attached) = attached(cx, name).await.if_present()? else { return Ok(None) };
        let live = SharedRole {
            name: role.role_name.clone(),
            description: self.description.clone(),
            assume_role_policy: policy::as_wanted(Some(&self.assume_role_policy), trust),
            managed_policy_arns: self.managed_policy_arns.intersection(&attached).cloned().collect(),
            joined: role.tags().iter().any(|tag| tags::users(cx.owner).iter().any(|user| user == tag.key())),
        };
        Ok(Some(Observed::ready(&role.role_name, live, SharedRoleOutputs { arn: role.arn })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .iam
            .create_role()
            .role_name(&self.name)
            .description(&self.description)
            .assume_role_policy_document(self.assume_role_policy.to_string())
            .tags(tag(tags::MADE_HERE.0, tags::MADE_HERE.1)?)
            .tags(tag(&tags::user(cx.owner), "")?)
            .send()
            .await?;
        Ok(made.role.always("role")?.role_name)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let name = &observed.id;
        if diff.has("joined") {
            cx.iam.tag_role().role_name(name).tags(tag(&tags::user(cx.owner), "")?).send().await?;
        }
        if diff.has("assume_role_policy") {
            let document = self.assume_role_policy.to_string();
            cx.iam.update_assume_role_policy().role_name(name).policy_document(document).send().await?;
        }
        for arn in self.managed_policy_arns.difference(&observed.live.managed_policy_arns) {
            cx.iam.attach_role_policy().role_name(name).policy_arn(arn).send().await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let name = &observed.id;
        if !leave(cx, name).await? {
            return Ok(());
        }
        for arn in attached(cx, name).await.if_present()?.unwrap_or_default() {
            cx.iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.if_present()?;
        }
        cx.iam.delete_role().role_name(name).send().await.if_present()?;
        Ok(())
    }
}

fn tag(key: &str, value: &str) -> Result<Tag> {
    Tag::builder().key(key).value(value).build().map_err(|error| Fault::invalid(error.to_string()))
}

/// Takes the tag of the stack that this call is made for off a shared role, and tells whether it was the last. In this
/// order, of two stacks that leave at the same time at least one learns that it was.
pub(in crate::resources) async fn leave(cx: &Cx<'_>, name: &str) -> Result<bool> {
    cx.iam.untag_role().role_name(name).set_tag_keys(Some(tags::users(cx.owner).into())).send().await.if_present()?;
    let Some(found) = cx.iam.get_role().role_name(name).send().await.if_present()? else { return Ok(false) };
    let left = found.role.always("role")?.tags.unwrap_or_default();
    let left = tags::read(left.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(tags::is_last_user(cx.owner, &left))
}
