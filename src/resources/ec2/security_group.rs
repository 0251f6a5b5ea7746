//! A security group without its rules, which are a node of their own. AWS gives it an allow-all egress rule at birth, and
//! does not let it go while a network interface or another group's rule uses it.

use aws_sdk_ec2::types::{Filter, NetworkInterface, ResourceType, SecurityGroup as Ec2SecurityGroup, Tag};

use super::{Described, TAG_RULES, blockers, filter, find, retag, tenants};
use crate::resources::prelude::*;

/// A group that network interfaces belong to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Unique in its VPC, whatever the case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The VPC.
    pub vpc_id: Out<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupOutputs {
    /// The group's id.
    pub group_id: String,
}

impl Node<SecurityGroup> {
    /// The group's id.
    pub fn group_id(&self) -> Out<String> {
        self.out("group_id")
    }
}

impl Described for Ec2SecurityGroup {
    const ID_FILTER: &'static str = "group-id";

    fn id(&self) -> &str {
        self.group_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_security_groups().set_filters(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for SecurityGroup {
    type Cloud = Aws;
    type Outputs = SecurityGroupOutputs;
    const KIND: &'static str = "ec2.security_group";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "description", "vpc_id"];
    const GROUND: bool = true;
    const WAIT: Wait = Wait::seconds(3, 300, 1800);

    fn check(&self) -> std::result::Result<(), String> {
        let name = &self.name;
        if name.is_empty() || name.trim() != name {
            return Err(format!("name is {name:?}; it must not be empty, nor begin or end with a space"));
        }
        if name.to_lowercase().starts_with("sg-") || name.eq_ignore_ascii_case("default") {
            return Err(format!(
                "name is {name:?}; AWS keeps \"default\" and names that begin with \"sg-\" for itself"
            ));
        }
        if self.description.is_empty() {
            return Err("description is empty; AWS asks for one".into());
        }
        check_text("name", name)?;
        check_text("description", &self.description)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2SecurityGroup>(cx, id).await?;
        if let (None, true, Some(vpc)) = (id, found.is_empty(), self.vpc_id.known()) {
            let filters = vec![filter("vpc-id", vpc), filter("group-name", &self.name)];
            found = Ec2SecurityGroup::describe(cx, filters).await?;
        }
        let mut found = found.into_iter();
        let Some(group) = found.next() else { return Ok(None) };
        let mut tags = tags::from_ec2(group.tags());
        tags.remove(TAG_RULES);
        let live = SecurityGroup {
            name: group.group_name().unwrap_or_default().to_owned(),
            description: group.description().unwrap_or_default().to_owned(),
            vpc_id: group.vpc_id().unwrap_or_default().into(),
            tags,
        };
        let outputs = SecurityGroupOutputs { group_id: group.id().to_owned() };
        let mut observed = Observed::ready(group.id(), live, outputs);
        observed.duplicates = found.map(|group| group.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_security_group()
            .group_name(&self.name)
            .description(&self.description)
            .vpc_id(self.vpc_id.get()?)
            .tag_specifications(tags::ec2_spec(ResourceType::SecurityGroup, &self.tags))
            .send()
            .await?;
        made.group_id.always("group id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.delete_security_group().group_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let is_in = |interface: &NetworkInterface| {
            interface.groups().iter().any(|group| group.group_id() == Some(observed.id.as_str()))
        };
        let mut found = blockers::interfaces_that(cx, observed.live.vpc_id.get()?, is_in).await?;
        found.extend(blockers::referring_groups(cx, &observed.id).await?);
        found.extend(tenants::with_group(cx, &observed.id).await?);
        Ok(found)
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2SecurityGroup>(cx).await
    }
}

/// What AWS takes for the name and description of a group, and for the description of a rule.
pub(super) fn check_text(field: &str, text: &str) -> std::result::Result<(), String> {
    if text.chars().count() > 255 {
        return Err(format!("{field} has {} characters; AWS allows 255", text.chars().count()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        None => Ok(()),
        Some(c) => Err(format!(
            "{field} is {text:?}, with {c:?} in it; AWS allows letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_would_refuse_are_refused() {
        let group = |name: &str, description: &str| SecurityGroup {
            name: name.into(),
            description: description.into(),
            vpc_id: "vpc-1".into(),
            tags: Tags::new(),
        };
        assert!(group("alb-dev", "Load balancer (internal)").check().is_ok());
        for (name, description) in [("SG-x", "d"), ("default", "d"), ("a ", "d"), ("a", ""), ("a", "the service's")] {
            assert!(group(name, description).check().is_err(), "{name:?} {description:?}");
        }
    }
}
