//! A name for a KMS key. It carries no tags, and holds its name until it is deleted or its key has really died.

use aws_sdk_kms::types::AliasListEntry;

use super::key::indexed_keys;
use crate::resource::TAG_NODE;
use crate::resources::prelude::*;

/// A key's second name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// `alias/…`, at most 256 characters; `alias/aws/…` belongs to AWS.
    pub name: String,
    /// The key it points at: its id or its ARN.
    pub target_key_id: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AliasOutputs {
    /// The alias, with `alias/`.
    pub name: String,
}

impl Node<Alias> {
    /// The alias, with `alias/`. (`name()` is the node's.)
    pub fn alias_name(&self) -> Out<String> {
        self.out("name")
    }
}

impl Resource for Alias {
    type Cloud = Aws;
    type Outputs = AliasOutputs;
    const KIND: &'static str = "kms.alias";
    const NAMED: bool = true;
    const PARENT: Option<&'static str> = Some("kms.key");
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const FORETOLD: &'static [&'static str] = &["name"];
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        let short = self.name.strip_prefix("alias/").unwrap_or_default();
        let fits = (1..=250).contains(&short.len()) && short.chars().all(allowed) && !short.starts_with("aws/");
        match fits {
            true => Ok(()),
            false => Err(format!(
                "name is {:?}; AWS allows alias/ and 1-250 letters, digits, /_-, but not alias/aws/",
                self.name
            )),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let Some((key_id, made)) = target(cx, name, id.is_some()).await? else { return Ok(None) };
        let ours = self.target_key_id.known().is_some_and(|key| names_key(key, &key_id));
        let live = Alias {
            name: name.to_owned(),
            target_key_id: if ours { self.target_key_id.clone() } else { key_id.as_str().into() },
        };
        let mut observed = Observed::ready(name, live, AliasOutputs { name: name.to_owned() }).known_by(made);
        if !ours {
            observed.foreign = Some(format!("it points at another key, {key_id}"));
        }
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let key = self.target_key_id.get()?;
        cx.kms.create_alias().alias_name(&self.name).target_key_id(key).send().await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("target_key_id") {
            let key = self.target_key_id.get()?;
            cx.kms.update_alias().alias_name(&observed.id).target_key_id(key).send().await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.kms.delete_alias().alias_name(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// Of a key that is pending deletion an alias still stands, and holds its name.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let keys = indexed_keys(cx).await?;
        let all = cx.pass.shared("kms.aliases", || aliases(cx)).await?;
        let found = |alias: &AliasListEntry| {
            let (_, tags) = keys.iter().find(|(id, _)| alias.target_key_id() == Some(id))?;
            Some(Found::new(format!("{}-alias", tags.get(TAG_NODE)?), alias.alias_name()?))
        };
        Ok(all.iter().filter_map(found).collect())
    }
}

/// Whether this id or ARN is that of the key with this id.
fn names_key(key: &str, id: &str) -> bool {
    key.rsplit('/').next() == Some(id)
}

/// The id of the key the alias points at and, where the list tells it, when the alias was made. All alias nodes share one list; where that lacks it and it should be there,
/// it is asked for by itself.
async fn target(cx: &Cx<'_>, name: &str, expected: bool) -> Result<Option<(String, Option<String>)>> {
    let all = cx.pass.shared("kms.aliases", || aliases(cx)).await?;
    let listed = all.iter().find(|alias| alias.alias_name() == Some(name));
    match listed {
        Some(alias) => {
            let made = alias.creation_date().map(ToString::to_string);
            Ok(alias.target_key_id.clone().map(|key| (key, made)))
        }
        None if expected => {
            let found = cx.kms.describe_key().key_id(name).send().await.if_present()?;
            Ok(found.and_then(|answer| answer.key_metadata).map(|key| (key.key_id, None)))
        }
        None => Ok(None),
    }
}

/// Every alias of the account in the region.
pub(super) async fn aliases(cx: &Cx<'_>) -> Result<Vec<AliasListEntry>> {
    Ok(cx.kms.list_aliases().into_paginator().items().send().try_collect().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_aws_names() {
        let check = |name: &str| Alias { name: name.into(), target_key_id: "k".into() }.check();
        assert_eq!(check("alias/student-rds-dev"), Ok(()));
        for wrong in ["student", "alias/", "alias/aws/rds", "alias/a b", &format!("alias/{}", "a".repeat(251))] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_named_by_id_or_arn() {
        assert!(names_key("arn:aws:kms:us-east-1:1:key/ab", "ab") && names_key("ab", "ab"));
        assert!(!names_key("arn:aws:kms:us-east-1:1:key/xab", "ab"));
    }
}
