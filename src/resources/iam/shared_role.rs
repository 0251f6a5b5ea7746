//! A role that all stacks of an account use together, as the one API Gateway writes logs with. How they come and go is told
//! in [`crate::aws::sharing`].

use std::collections::BTreeSet;

use aws_sdk_iam::types::{Role, Tag};
use serde_json::Value;

use super::role::{attached, decoded};
use super::{check_name, policy};
use crate::aws::sharing;
use crate::error::Class;
use crate::resource::Owner;
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
    /// Further tags that whoever makes it puts on it. They are nobody's to change afterwards.
    #[serde(default)]
    pub tags_when_made: Tags,
    /// The path that whoever makes it gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_when_made: Option<String>,
    /// ARN of the policy that whoever makes it bounds it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary_when_made: Option<String>,
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
    const WITNESSES: &'static [&'static str] = &["tags_when_made", "path_when_made", "boundary_when_made"];
    const FORETOLD: &'static [&'static str] = &["arn"];
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
        let tags = tags_of(&role);
        let live = SharedRole {
            name: role.role_name.clone(),
            description: self.description.clone(),
            assume_role_policy: policy::as_wanted(Some(&self.assume_role_policy), trust),
            managed_policy_arns: self.managed_policy_arns.intersection(&attached).cloned().collect(),
            joined: sharing::has_joined(cx.owner, &tags),
            tags_when_made: self.tags_when_made.clone(),
            path_when_made: self.path_when_made.clone(),
            boundary_when_made: self.boundary_when_made.clone(),
        };
        let phase = sharing::others_leave(cx.owner, &tags, cx.now()).map_or(Phase::Ready, Phase::Pending);
        Ok(Some(Observed::ready(&role.role_name, live, SharedRoleOutputs { arn: role.arn }).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let further: Vec<Tag> =
            self.tags_when_made.iter().map(|(key, value)| tag(key, value)).collect::<Result<_>>()?;
        let made = cx
            .iam
            .create_role()
            .set_tags(Some(further))
            .role_name(&self.name)
            .set_path(self.path_when_made.clone())
            .set_permissions_boundary(self.boundary_when_made.clone())
            .description(&self.description)
            .assume_role_policy_document(self.assume_role_policy.to_string())
            .tags(tag(tags::MADE_HERE.0, tags::MADE_HERE.1)?)
            .tags(tag(&tags::user(cx.owner), sharing::STAYS)?)
            .send()
            .await?;
        Ok(made.role.always("role")?.role_name)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let name = &observed.id;
        if diff.has("joined") {
            join(cx, name).await?;
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

fn tags_of(role: &Role) -> Tags {
    tags::read(role.tags().iter().map(|tag| (tag.key(), tag.value())))
}

async fn tags_on(aws: &Aws, name: &str) -> Result<Option<Tags>> {
    let found = aws.iam.get_role().role_name(name).send().await.if_present()?;
    found.map(|found| Ok(tags_of(&found.role.always("role")?))).transpose()
}

/// Why a shared role cannot take the tag of this stack, where that is so.
///
/// # Errors
/// Where AWS does not tell.
pub async fn no_room(aws: &Aws, owner: &Owner, name: &str) -> Result<Option<String>> {
    let tags = tags_on(aws, name).await?.unwrap_or_default();
    Ok(sharing::is_full(owner, &tags).map(|why| format!("the role {name} cannot be shared with one more stack: {why}")))
}

/// Puts the tag of the stack that this call is made for on a shared role.
async fn join(cx: &Cx<'_>, name: &str) -> Result<()> {
    if let Some(why) = no_room(cx.cloud, cx.owner, name).await? {
        return Err(Fault::new(Class::Quota, "TooManyTags", why));
    }
    let tag = tag(&tags::user(cx.owner), sharing::STAYS)?;
    cx.iam.tag_role().role_name(name).tags(tag).send().await?;
    Ok(())
}

/// Says that the stack which this call is made for is leaving a shared role, and tells whether no other stays. Where none
/// does, the mark holds off who would join until the role is gone or [`stay_away`] takes it off.
pub(in crate::resources) async fn leave(cx: &Cx<'_>, name: &str) -> Result<bool> {
    let mark = tag(&tags::user(cx.owner), &sharing::leaves(cx.now()))?;
    match cx.iam.tag_role().role_name(name).tags(mark).send().await.if_present() {
        Ok(None) => return Ok(false),
        // There is no room for the mark of a stack that had left before: others have taken it.
        Err(fault) if fault.class == Class::Quota => return Ok(false),
        answer => drop(answer?),
    }
    let Some(tags) = tags_on(cx.cloud, name).await? else { return Ok(false) };
    let last = sharing::is_last(cx.owner, &tags);
    if !last {
        stay_away(cx, name).await?;
    }
    Ok(last)
}

/// Takes the tags of the stack that this call is made for off a shared role.
pub(in crate::resources) async fn stay_away(cx: &Cx<'_>, name: &str) -> Result<()> {
    cx.iam.untag_role().role_name(name).set_tag_keys(Some(tags::users(cx.owner).into())).send().await.if_present()?;
    Ok(())
}
