//! An IAM role with the complete set of its inline and attached policies. Policy documents come back URL-encoded.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{InstanceProfile, Role as AwsRole, Tag};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{check_name, check_path, policy};
use crate::resource::TAG_NODE;
use crate::resources::prelude::*;

/// The longest trust policy a raised quota allows; AWS's default is 2048.
const TRUST_POLICY_SIZE: usize = 4096;
/// The most characters all inline policies of one role may have together.
const INLINE_POLICIES_SIZE: usize = 10_240;

/// Managed policies that a role can have, unless AWS was asked for more: its quota.
const MOST_ATTACHED: usize = 10;

/// A role that a service or a principal can assume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// Its name, 1-64 characters, unique in the account whatever the case of its letters.
    pub name: String,
    /// The path before its name in its ARN, as `/` or `/apps/`. It stays what it was when the role was made.
    #[serde(default = "root")]
    pub path: String,
    /// What it is for; at most 1000 characters of Latin-1.
    pub description: String,
    /// Who may assume it.
    pub assume_role_policy: Value,
    /// Every inline policy by name.
    pub policies: BTreeMap<String, Value>,
    /// Every attached managed policy.
    pub managed_policy_arns: BTreeSet<String>,
    /// Longest session in seconds, 3600-43200.
    pub max_session_seconds: i32,
    /// ARN of the policy that bounds it. `None`: whatever it is.
    pub permissions_boundary: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleOutputs {
    /// The role's name.
    pub name: String,
    /// The role's ARN.
    pub arn: String,
}

impl Node<Role> {
    /// The role's name. (`name()` is the node's.)
    pub fn role_name(&self) -> Out<String> {
        self.out("name")
    }

    /// The role's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Role {
    type Cloud = Aws;
    type Outputs = RoleOutputs;
    const KIND: &'static str = "iam.role";
    const NAMED: bool = true;
    const GLOBAL: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "path"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["name", "arn"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("name", &self.name, 64)?;
        check_path(&self.path)?;
        self.policies.keys().try_for_each(|name| check_name("policies", name, 128))?;
        if let Some(arn) = self.managed_policy_arns.iter().find(|arn| !(20..=2048).contains(&arn.len())) {
            return Err(format!("managed_policy_arns has {arn:?}; AWS allows ARNs of 20-2048 characters"));
        }
        if !(3600..=43_200).contains(&self.max_session_seconds) {
            return Err(format!("max_session_seconds is {}; AWS allows 3600-43200", self.max_session_seconds));
        }
        if self.description.chars().count() > 1000 || !self.description.chars().all(printable) {
            return Err(format!("description is {:?}; AWS allows 1000 characters of Latin-1", self.description));
        }
        self.check_sizes()
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        self.read(cx, id.unwrap_or(&self.name)).await.if_present()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .iam
            .create_role()
            .role_name(&self.name)
            .path(&self.path)
            .description(&self.description)
            .assume_role_policy_document(self.assume_role_policy.to_string())
            .max_session_duration(self.max_session_seconds)
            .set_permissions_boundary(self.permissions_boundary.clone())
            .set_tags(Some(to_iam(&self.tags)?))
            .send()
            .await?;
        Ok(made.role.always("role")?.role_name)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let role = &observed.id;
        if diff.has("assume_role_policy") {
            let document = self.assume_role_policy.to_string();
            cx.iam.update_assume_role_policy().role_name(role).policy_document(document).send().await?;
        }
        if diff.has_any(&["description", "max_session_seconds"]) {
            let request = cx.iam.update_role().role_name(role).description(&self.description);
            request.max_session_duration(self.max_session_seconds).send().await?;
        }
        if diff.has("permissions_boundary") {
            let request = cx.iam.put_role_permissions_boundary().role_name(role);
            request.set_permissions_boundary(self.permissions_boundary.clone()).send().await?;
        }
        if diff.has("policies") {
            self.update_policies(cx, observed).await?;
        }
        if diff.has("managed_policy_arns") {
            self.update_attachments(cx, observed).await?;
        }
        if diff.has("tags") {
            self.update_tags(cx, observed).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let role = &observed.id;
        for arn in attached(cx, role).await.if_present()?.unwrap_or_default() {
            cx.iam.detach_role_policy().role_name(role).policy_arn(arn).send().await.if_present()?;
        }
        for name in inline_names(cx, role).await.if_present()?.unwrap_or_default() {
            cx.iam.delete_role_policy().role_name(role).policy_name(name).send().await.if_present()?;
        }
        // An instance profile that holds it is left to AWS's refusal: somebody's machines run with it.
        cx.iam.delete_role().role_name(role).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let all = cx.pass.shared("iam.instance-profiles", || instance_profiles(cx)).await?;
        let holds = |profile: &&InstanceProfile| profile.roles().iter().any(|role| role.role_name == observed.id);
        let words = |profile: &InstanceProfile| format!("the instance profile {}", profile.instance_profile_name);
        Ok(all.iter().filter(holds).map(|profile| Holder::by_itself(words(profile))).collect())
    }

    /// The search by tags shows no roles, and their list has no tags. All names of an environment have its name in them,
    /// so that only few roles of others are asked for theirs.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let all = cx.pass.shared("iam.roles", || roles(cx)).await?;
        let mut found = Vec::new();
        for role in all.iter().filter(|role| role.contains(&cx.owner.env)) {
            let tags = cx.pass.shared(&tags_key(role), || tags_of(cx, role)).await?;
            let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags));
            found.extend(node.map(|node| Found::new(node, role)));
        }
        Ok(found)
    }
}

impl Role {
    fn check_sizes(&self) -> std::result::Result<(), String> {
        let trust = policy::size(&self.assume_role_policy).unwrap_or_default();
        if trust > TRUST_POLICY_SIZE {
            return Err(format!(
                "assume_role_policy has {trust} characters; AWS allows 2048, and {TRUST_POLICY_SIZE} with a raised quota"
            ));
        }
        let inline: usize = self.policies.values().filter_map(policy::size).sum();
        if inline > INLINE_POLICIES_SIZE {
            return Err(format!("policies have {inline} characters together; AWS allows {INLINE_POLICIES_SIZE}"));
        }
        Ok(())
    }

    /// The role as it is; a fault of class absent where there is none.
    async fn read(&self, cx: &Cx<'_>, name: &str) -> Result<Observed<Self>> {
        let role = cx.iam.get_role().role_name(name).send().await?.role.always("role")?;
        let trust = decoded(role.assume_role_policy_document.as_deref().always("trust policy")?)?;
        let live = Role {
            description: role.description.clone().unwrap_or_default(),
            assume_role_policy: policy::as_wanted(Some(&self.assume_role_policy), trust),
            policies: self.inline(cx, name).await?,
            managed_policy_arns: attached(cx, name).await?,
            max_session_seconds: role.max_session_duration.unwrap_or(3600),
            permissions_boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            tags: tags::read(role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
            name: role.role_name.clone(),
            path: role.path,
        };
        // Whoever goes through all roles need not ask again.
        let tags = live.tags.clone();
        cx.pass.shared(&tags_key(name), || async move { Ok(tags) }).await?;
        let outputs = RoleOutputs { name: role.role_name.clone(), arn: role.arn };
        Ok(Observed::ready(&role.role_name, live, outputs).known_by(role.role_id))
    }

    async fn inline(&self, cx: &Cx<'_>, role: &str) -> Result<BTreeMap<String, Value>> {
        let mut policies = BTreeMap::new();
        for name in inline_names(cx, role).await? {
            // The list may still name what has just been deleted.
            let found = cx.iam.get_role_policy().role_name(role).policy_name(&name).send().await.if_present()?;
            if let Some(found) = found {
                let document = policy::as_wanted(self.policies.get(&name), decoded(&found.policy_document)?);
                policies.insert(name, document);
            }
        }
        Ok(policies)
    }

    async fn update_policies(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (role, live) = (&observed.id, &observed.live.policies);
        for (name, document) in self.policies.iter().filter(|(name, document)| live.get(*name) != Some(document)) {
            let request = cx.iam.put_role_policy().role_name(role).policy_name(name);
            request.policy_document(document.to_string()).send().await?;
        }
        for name in live.keys().filter(|name| !self.policies.contains_key(*name)) {
            cx.iam.delete_role_policy().role_name(role).policy_name(name).send().await.if_present()?;
        }
        Ok(())
    }

    async fn update_attachments(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (role, live) = (&observed.id, &observed.live.managed_policy_arns);
        // What is new comes before the old goes, so that nobody is without in between; unless their number leaves no room.
        let room = live.union(&self.managed_policy_arns).count() <= MOST_ATTACHED;
        if room {
            self.attach_missing(cx, role, live).await?;
        }
        for arn in live.difference(&self.managed_policy_arns) {
            cx.iam.detach_role_policy().role_name(role).policy_arn(arn).send().await.if_present()?;
        }
        if !room {
            self.attach_missing(cx, role, live).await?;
        }
        Ok(())
    }

    async fn attach_missing(&self, cx: &Cx<'_>, role: &str, live: &BTreeSet<String>) -> Result<()> {
        for arn in self.managed_policy_arns.difference(live) {
            cx.iam.attach_role_policy().role_name(role).policy_arn(arn).send().await?;
        }
        Ok(())
    }

    async fn update_tags(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
        if !remove.is_empty() {
            cx.iam.untag_role().role_name(&observed.id).set_tag_keys(Some(remove)).send().await?;
        }
        if !set.is_empty() {
            cx.iam.tag_role().role_name(&observed.id).set_tags(Some(to_iam(&set)?)).send().await?;
        }
        Ok(())
    }
}

/// The path of those who have none.
fn root() -> String {
    "/".to_owned()
}

fn tags_key(role: &str) -> String {
    format!("iam.tags of {role}")
}

async fn roles(cx: &Cx<'_>) -> Result<Vec<String>> {
    let roles: Vec<AwsRole> = cx.iam.list_roles().into_paginator().items().send().try_collect().await?;
    Ok(roles.into_iter().map(|role| role.role_name).collect())
}

/// A role that is gone by now has none.
async fn tags_of(cx: &Cx<'_>, role: &str) -> Result<Tags> {
    let pages = cx.iam.list_role_tags().role_name(role).into_paginator().items().send();
    let tags: Vec<Tag> = pages.try_collect().await.if_present()?.unwrap_or_default();
    Ok(tags::read(tags.into_iter().map(|tag| (tag.key, tag.value))))
}

async fn instance_profiles(cx: &Cx<'_>) -> Result<Vec<InstanceProfile>> {
    Ok(cx.iam.list_instance_profiles().into_paginator().items().send().try_collect().await?)
}

async fn inline_names(cx: &Cx<'_>, role: &str) -> Result<Vec<String>> {
    Ok(cx.iam.list_role_policies().role_name(role).into_paginator().items().send().try_collect().await?)
}

pub(super) async fn attached(cx: &Cx<'_>, role: &str) -> Result<BTreeSet<String>> {
    let pages = cx.iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    let policies = pages.try_collect().await?;
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

pub(super) fn decoded(document: &str) -> Result<Value> {
    let text = percent_decode_str(document).decode_utf8();
    policy::parse(&text.map_err(|error| Fault::unexpected(format!("a policy document is not UTF-8: {error}")))?)
}

fn to_iam(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| Fault::invalid(error.to_string()))
}

fn printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role() -> Role {
        Role {
            name: "student-task-dev".into(),
            path: root(),
            description: String::new(),
            assume_role_policy: json!({}),
            policies: BTreeMap::new(),
            managed_policy_arns: BTreeSet::new(),
            max_session_seconds: 3600,
            permissions_boundary: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        assert_eq!(role().check(), Ok(()));
        let long = json!({"Resource": "x".repeat(6000)});
        let policies = BTreeMap::from([("a".to_owned(), long.clone()), ("b".to_owned(), long)]);
        for wrong in [
            Role { name: "a b".into(), ..role() },
            Role { path: "/apps".into(), ..role() },
            Role { name: "a".repeat(65), ..role() },
            Role { max_session_seconds: 60, ..role() },
            Role { description: "€".into(), ..role() },
            Role { policies, ..role() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn documents_come_url_encoded() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22b%2Bc%22%7D").unwrap(), json!({"a": "b+c"}));
    }
}
