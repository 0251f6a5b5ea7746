//! A customer-managed KMS key. It has neither name nor token, so it is found by its tags; it never dies at once. Pending
//! deletion it counts as gone to who asks by id; who has no other is led to it, and takes it back with all it encrypted.

use std::collections::BTreeSet;

use aws_sdk_kms::primitives::DateTimeFormat as Format;
use aws_sdk_kms::types::{AliasListEntry, KeyMetadata, KeyState, Tag};
use serde_json::{Value, json};

use super::alias::aliases;
use crate::aws::index::Entry;
use crate::error::Class;
use crate::resources::iam::policy;
use crate::resources::prelude::*;
use crate::resources::{elasticache, rds};

/// A symmetric key for encryption and decryption.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// What it is for; at most 8192 characters.
    pub description: String,
    /// The key policy. It must keep the statement that gives the account's root `kms:*`.
    pub policy: Value,
    /// Days between two rotations, 90-2560. `None`: no rotation.
    pub rotation_days: Option<i32>,
    /// Whether it rotates at all; AWS is asked to switch rotation off where this is false.
    pub rotation: bool,
    /// Days between the request to delete it and its end, 7-30.
    pub deletion_window_days: i32,
    /// The alias that will lead to it. A search for it passes over keys that have none but other aliases.
    #[serde(default)]
    pub alias: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyOutputs {
    /// The key's id.
    pub key_id: String,
    /// The key's ARN.
    pub arn: String,
}

impl Node<Key> {
    /// The key's id.
    pub fn key_id(&self) -> Out<String> {
        self.out("key_id")
    }

    /// The key's ARN. Services see a fresh ARN sooner than a fresh alias.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Key {
    type Cloud = Aws;
    type Outputs = KeyOutputs;
    const KIND: &'static str = "kms.key";
    const WITNESSES: &'static [&'static str] = &["alias"];
    const TWINS: bool = true;
    const STATEFUL: bool = true;

    fn check(&self) -> std::result::Result<(), String> {
        if !(7..=30).contains(&self.deletion_window_days) {
            return Err(format!("deletion_window_days is {}; AWS allows 7-30", self.deletion_window_days));
        }
        match self.rotation_days {
            Some(days) if !(90..=2560).contains(&days) => Err(format!("rotation_days is {days}; AWS allows 90-2560")),
            _ => Ok(()),
        }
    }

    fn remains(&self) -> Option<String> {
        Some(format!("pending deletion for {} days, until then it can be taken back", self.deletion_window_days))
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        match id {
            Some(id) => match describe(cx, id).await? {
                Some(key) if !is_dying(&key) => self.read(cx, key).await,
                _ => Ok(None),
            },
            None => self.find(cx).await,
        }
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .kms
            .create_key()
            .description(&self.description)
            .policy(self.policy.to_string())
            .set_tags(Some(to_kms(&self.tags)?))
            .send()
            .await?;
        Ok(made.key_metadata.always("key metadata")?.key_id)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        if matches!(observed.phase, Phase::Failed(_)) {
            take_back(cx, id).await?;
        }
        if diff.has("policy") {
            cx.kms.put_key_policy().key_id(id).policy_name("default").policy(self.policy.to_string()).send().await?;
        }
        if diff.has("description") {
            cx.kms.update_key_description().key_id(id).description(&self.description).send().await?;
        }
        if diff.has_any(&["rotation", "rotation_days"]) {
            match self.rotation {
                true => drop(
                    cx.kms
                        .enable_key_rotation()
                        .key_id(id)
                        .set_rotation_period_in_days(self.rotation_days)
                        .send()
                        .await?,
                ),
                false => drop(cx.kms.disable_key_rotation().key_id(id).send().await?),
            }
        }
        if diff.has("tags") {
            let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
            if !remove.is_empty() {
                cx.kms.untag_resource().key_id(id).set_tag_keys(Some(remove)).send().await?;
            }
            if !set.is_empty() {
                cx.kms.tag_resource().key_id(id).set_tags(Some(to_kms(&set)?)).send().await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.kms
            .schedule_key_deletion()
            .key_id(&observed.id)
            .pending_window_in_days(self.deletion_window_days)
            .send()
            .await
            .if_present()?;
        Ok(())
    }

    /// What is kept of data is noise without its key. Once nothing is left that it opens, it goes.
    async fn stays(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Option<String>> {
        let mut opens = rds::kept::under_key(cx, &observed.id).await?;
        opens.extend(elasticache::kept::under_key(cx, &observed.id).await?);
        Ok(match opens.as_slice() {
            [] => None,
            [one] => Some(format!("kept for {one}; once that is gone, run destroy again")),
            all => Some(format!("kept for {}; once these are gone, run destroy again", all.join(", "))),
        })
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "kms", "key/", index::by_rest).await
    }

    /// The longest time to take it back.
    fn careful() -> Value {
        json!({ "deletion_window_days": 30 })
    }

    async fn kept(cx: &Cx<'_>, id: &str) -> Result<Option<String>> {
        Ok(describe(cx, id).await?.filter(is_dying).and_then(|key| match phase(&key) {
            Phase::Failed(why) => Some(why),
            _ => None,
        }))
    }
}

impl Key {
    /// The living key that carries this node's ownership tags or, where there is none, the one that is to be deleted
    /// and can be taken back.
    ///
    /// The tagging API finds it in one call but may lag behind, and may only know a predecessor that is dying. So where
    /// it knows no living one, the keys that it knows nothing of are asked for their tags, each by itself: a key that was
    /// made and forgotten costs money every month. A key that has aliases, but not the one that leads to this, is another's.
    async fn find(&self, cx: &Cx<'_>) -> Result<Option<Observed<Self>>> {
        let indexed = indexed_keys(cx).await?;
        let mut keys = described(cx, of_this_node(cx, &indexed)).await?;
        if keys.iter().all(is_dying) {
            let unindexed = self.unindexed(cx).await?;
            let known = keys.iter().map(|key| key.key_id.clone()).collect::<Vec<_>>();
            let new = of_this_node(cx, &unindexed).into_iter().filter(|id| !known.contains(id)).collect();
            keys.extend(described(cx, new).await?);
        }
        keys.sort_by_key(|key| key.creation_date);
        let (mut dying, living): (Vec<_>, Vec<_>) = keys.into_iter().partition(is_dying);
        let mut living = living.into_iter();
        let Some(oldest) = living.next() else {
            // The newest is the one that was in use last.
            return match dying.pop() {
                Some(newest) => self.read(cx, newest).await,
                None => Ok(None),
            };
        };
        let found = self.read(cx, oldest).await?;
        Ok(found.map(|found| Observed { duplicates: living.map(|key| key.key_id).collect(), ..found }))
    }

    /// The keys that the tagging API knows nothing of and that may be this node's, with their tags.
    async fn unindexed(&self, cx: &Cx<'_>) -> Result<Vec<(String, Tags)>> {
        let bare = cx.pass.shared("kms.unindexed-keys", || unindexed_keys(cx)).await?;
        let aliases = cx.pass.shared("kms.aliases", || aliases(cx)).await?;
        let mut keys = cx.pass.shared("kms.tags-of-bare-keys", || tags_of_bare(cx, &bare, &aliases)).await?.to_vec();
        // What was recorded before keys knew their aliases may have any but AWS's.
        let leads_here = |alias: &&AliasListEntry| match &self.alias {
            Some(own) => alias.alias_name() == Some(own),
            None => !alias.alias_name().unwrap_or_default().starts_with("alias/aws/"),
        };
        for id in aliases.iter().filter(leads_here).filter_map(|alias| alias.target_key_id.as_ref()) {
            if bare.contains(id) {
                keys.extend(tags_if_told(cx, id).await?.map(|tags| (id.clone(), tags)));
            }
        }
        Ok(keys)
    }

    /// All of a key. Just made, it is known to one call and not yet to the next: then it is not there.
    async fn read(&self, cx: &Cx<'_>, metadata: KeyMetadata) -> Result<Option<Observed<Self>>> {
        let id = &metadata.key_id;
        let policy = cx.kms.get_key_policy().key_id(id).policy_name("default").send().await.if_present()?;
        let rotation = cx.kms.get_key_rotation_status().key_id(id).send().await.if_present()?;
        let tags = key_tags(cx, id).await.if_present()?;
        let (Some(policy), Some(rotation), Some(tags)) = (policy, rotation, tags) else { return Ok(None) };
        let policy = policy::parse(&policy.policy.always("policy")?)?;
        let phase = phase(&metadata);
        let live = Key {
            description: metadata.description.unwrap_or_default(),
            policy: policy::as_wanted(Some(&self.policy), policy),
            rotation_days: rotation.rotation_period_in_days,
            rotation: rotation.key_rotation_enabled,
            deletion_window_days: self.deletion_window_days,
            alias: self.alias.clone(),
            tags,
        };
        let outputs = KeyOutputs { key_id: metadata.key_id.clone(), arn: metadata.arn.always("key ARN")? };
        Ok(Some(Observed::ready(metadata.key_id, live, outputs).in_phase(phase)))
    }
}

fn is_dying(key: &KeyMetadata) -> bool {
    matches!(key.key_state, Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
}

fn phase(key: &KeyMetadata) -> Phase {
    match key.key_state {
        Some(KeyState::Creating | KeyState::Updating) => Phase::Pending("Creating".into()),
        Some(KeyState::Disabled) => Phase::Failed("Disabled; apply enables it".into()),
        _ if is_dying(key) => {
            let day = last_day(key);
            Phase::Failed(format!("PendingDeletion, its deletion is scheduled for {day}; apply takes it back"))
        }
        _ => Phase::Ready,
    }
}

/// The day on which a key that is dying is deleted.
fn last_day(key: &KeyMetadata) -> String {
    let date = key.deletion_date.and_then(|date| date.fmt(Format::DateTime).ok()).unwrap_or_default();
    date.split('T').next().unwrap_or_default().to_owned()
}

/// The key that a backup was written under, and what keeps it from being used. Asked once a key in a pass.
pub(in crate::resources) async fn of_backup(cx: &Cx<'_>, arn: Option<&str>) -> Result<Option<BackupKey>> {
    let Some(arn) = arn.filter(|arn| !arn.is_empty()) else { return Ok(None) };
    let trouble = cx.pass.shared(&format!("kms.trouble {arn}"), || trouble(cx, arn)).await?;
    Ok(Some(BackupKey { arn: arn.to_owned(), trouble: (*trouble).clone() }))
}

/// A key of another account may not be ours to ask about, and yet be ours to use.
async fn trouble(cx: &Cx<'_>, arn: &str) -> Result<Option<String>> {
    match describe(cx, arn).await {
        Ok(key) => Ok(trouble_with(key.as_ref())),
        Err(fault) if fault.class == Class::Denied => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn trouble_with(key: Option<&KeyMetadata>) -> Option<String> {
    let Some(key) = key else { return Some("its key is gone: it can never be read again".to_owned()) };
    match &key.key_state {
        None | Some(KeyState::Enabled) => None,
        Some(KeyState::Disabled) => Some("its key is disabled: it cannot be read until that is enabled".to_owned()),
        Some(_) if is_dying(key) => {
            Some(format!("its key is scheduled for deletion on {}: unreadable after that", last_day(key)))
        }
        Some(state) => Some(format!("its key is {}", state.as_str())),
    }
}

async fn describe(cx: &Cx<'_>, id: &str) -> Result<Option<KeyMetadata>> {
    let described = cx.kms.describe_key().key_id(id).send().await.if_present()?;
    described.map(|described| described.key_metadata.always("key metadata")).transpose()
}

async fn described(cx: &Cx<'_>, ids: Vec<String>) -> Result<Vec<KeyMetadata>> {
    let mut keys = Vec::new();
    for id in ids {
        keys.extend(describe(cx, &id).await?);
    }
    Ok(keys)
}

/// Cancels the deletion of a key, after which it is disabled, and enables it.
async fn take_back(cx: &Cx<'_>, id: &str) -> Result<()> {
    if describe(cx, id).await?.is_some_and(|key| is_dying(&key)) {
        cx.kms.cancel_key_deletion().key_id(id).send().await?;
    }
    cx.kms.enable_key().key_id(id).send().await?;
    Ok(())
}

async fn key_tags(cx: &Cx<'_>, id: &str) -> Result<Tags> {
    let mut pages = cx.kms.list_resource_tags().key_id(id).into_paginator().items().send();
    let mut pairs = Vec::new();
    while let Some(tag) = pages.next().await {
        let tag = tag?;
        pairs.push((tag.tag_key, tag.tag_value));
    }
    Ok(tags::read(pairs))
}

fn to_kms(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| Tag::builder().tag_key(key).tag_value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| Fault::invalid(error.to_string()))
}

fn of_this_node(cx: &Cx<'_>, keys: &[(String, Tags)]) -> Vec<String> {
    keys.iter().filter(|(_, tags)| cx.owner.owns(tags)).map(|(id, _)| id.clone()).collect()
}

/// Every key of this stack and environment that the tagging API knows.
pub(super) async fn indexed_keys(cx: &Cx<'_>) -> Result<Vec<(String, Tags)>> {
    let key = |entry: &Entry| Some((entry.rest("kms", "key/")?.to_owned(), entry.tags.clone()));
    Ok(index::entries(cx).await?.iter().filter_map(key).collect())
}

/// The ids of the keys of the account that the tagging API has no tags of.
async fn unindexed_keys(cx: &Cx<'_>) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    let mut pages = cx.kms.list_keys().into_paginator().items().send();
    while let Some(entry) = pages.next().await {
        ids.insert(entry?.key_id.always("key id")?);
    }
    let index = cx.tagging.get_resources().resource_type_filters("kms:key").resources_per_page(100);
    let mut pages = index.into_paginator().items().send();
    while let Some(mapping) = pages.next().await {
        let mapping = mapping?;
        if !mapping.tags().is_empty() {
            ids.remove(mapping.resource_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default());
        }
    }
    Ok(ids)
}

/// The tags of those keys that no alias leads to.
async fn tags_of_bare(cx: &Cx<'_>, keys: &BTreeSet<String>, aliases: &[AliasListEntry]) -> Result<Vec<(String, Tags)>> {
    let named: BTreeSet<&String> = aliases.iter().filter_map(|alias| alias.target_key_id.as_ref()).collect();
    let mut found = Vec::new();
    for id in keys.iter().filter(|id| !named.contains(id)) {
        found.extend(tags_if_told(cx, id).await?.map(|tags| (id.clone(), tags)));
    }
    Ok(found)
}

/// A key whose policy hides its tags from us is not ours. Any other failure could hide one that is.
async fn tags_if_told(cx: &Cx<'_>, id: &str) -> Result<Option<Tags>> {
    match key_tags(cx, id).await {
        Ok(tags) => Ok(Some(tags)),
        Err(fault) if matches!(fault.class, Class::Denied | Class::Absent | Class::Busy) => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::primitives::DateTime;

    use super::*;

    #[test]
    fn what_is_written_under_a_key_is_read_as_long_as_that_can_be_used() {
        let key = |state: KeyState| {
            let date = DateTime::from_secs(1_797_033_600);
            KeyMetadata::builder().key_id("ab").key_state(state).deletion_date(date).build().unwrap()
        };
        assert_eq!(trouble_with(Some(&key(KeyState::Enabled))), None);
        let dying = trouble_with(Some(&key(KeyState::PendingDeletion))).unwrap();
        assert_eq!(dying, "its key is scheduled for deletion on 2026-12-12: unreadable after that");
        assert!(trouble_with(Some(&key(KeyState::Disabled))).unwrap().starts_with("its key is disabled"));
        assert!(trouble_with(None).unwrap().starts_with("its key is gone"));
    }
}
