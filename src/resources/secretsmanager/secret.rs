//! A secret. Its first value is made by AWS or left for people to set, and is never read back into a spec. Scheduled for
//! deletion it counts as gone to who asks by id; by its name, which it keeps, it is found and restored, value and all.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::types::KeyState;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::Tag;
use serde_json::{Value, json};

use super::CURRENT;
use crate::error::Class;
use crate::resources::prelude::*;
use crate::resources::values::{check_range, key, text};

/// Characters that no password of RDS may have, and those that break strings and shells.
pub(super) const NOT_IN_PASSWORDS: &str = "/@\" \\'`$";
/// What a secret is that can still be restored.
const DELETED: &str = "scheduled for deletion; apply restores it";
/// Days in which what people typed can be restored where nothing longer is asked for: there may be no copy of it anywhere.
/// The fewest that AWS takes (API reference, DeleteSecret, RecoveryWindowInDays).
const OF_WHAT_PEOPLE_SET: i32 = 7;
/// The members of a credentials object that are made, and cannot be given.
const MADE: [&str; 2] = ["username", "password"];

/// Where the value of a secret comes from. Only its creation looks at this: a value that exists is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretValue {
    /// AWS makes a random text.
    Generated {
        /// Its length in characters, 4-4096.
        length: i32,
        /// Characters it must not contain.
        exclude_characters: String,
    },
    /// AWS makes a random user name and password; with what else is said of a database they become a JSON object, in the
    /// form that RDS, its proxy and its rotation read. The host is not in it, for the database that has one is made with
    /// this user: who connects gets it from that.
    Credentials {
        /// The password's length in characters, 8-128; Aurora takes 41 at most.
        password_length: i32,
        /// What stands beside `username` and `password`, as `engine`, `port` and `dbname`.
        fields: BTreeMap<String, Out<String>>,
    },
    /// People set it; until then it is `{}`.
    SetByPeople,
}

/// A secret and how it begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    /// Its name, 1-512 characters.
    pub name: String,
    /// What it is for; at most 2048 characters.
    pub description: String,
    /// The key that encrypts it.
    pub kms_key_id: Out<String>,
    /// Where its first value comes from.
    pub value: SecretValue,
    /// Days in which a deleted secret can be restored, 7-30. `None`: one whose value was made is gone at once, and one that
    /// people have set can be restored for 7 days.
    pub recovery_window_days: Option<i32>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretOutputs {
    /// Its ARN, which ends in six random characters.
    pub arn: String,
    /// Its name.
    pub secret_name: String,
    /// The version that whoever names none gets; empty where it has no value yet.
    pub current_ids: BTreeSet<String>,
    /// Every version that has a label: the current one, the one before it and one that waits to become it.
    pub valid_ids: BTreeSet<String>,
}

impl Node<Secret> {
    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// Its name, known once it exists.
    pub fn secret_name(&self) -> Out<String> {
        self.out("secret_name")
    }

    /// The version that whoever names none gets.
    pub fn current_ids(&self) -> Out<BTreeSet<String>> {
        self.out("current_ids")
    }

    /// Every version that has a label: the current one, the one before it and one that waits to become it.
    pub fn valid_ids(&self) -> Out<BTreeSet<String>> {
        self.out("valid_ids")
    }
}

impl Resource for Secret {
    type Cloud = Aws;
    type Outputs = SecretOutputs;
    const KIND: &'static str = "secretsmanager.secret";
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack =
        WayBack::Otherwise("no backups; deleted, it can be restored until its recovery window ends");
    const FORETOLD: &'static [&'static str] = &["secret_name"];
    const WAIT: Wait = Wait::seconds(3, 120, 300);

    fn check(&self) -> std::result::Result<(), String> {
        let letter = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if !(1..=512).contains(&self.name.len()) || !self.name.chars().all(letter) {
            return Err(format!("name is {:?}; AWS allows 1-512 letters, digits and /_+=.@-", self.name));
        }
        if self.description.len() > 2048 {
            return Err(format!("description has {} characters; AWS allows 2048", self.description.len()));
        }
        self.value.check()?;
        self.recovery_window_days.map_or(Ok(()), |days| check_range("recovery_window_days", days, 7, 30))
    }

    fn remains(&self) -> Option<String> {
        self.recovery_days().map(|days| format!("scheduled for deletion in {days} days, until then it can be restored"))
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let ask = cx.secrets.describe_secret().secret_id(id.unwrap_or(&self.name));
        let Some(secret) = ask.send().await.if_present()? else { return Ok(None) };
        let phase = match secret.deleted_date() {
            None => Phase::Ready,
            Some(_) if id.is_some() => return Ok(None),
            Some(_) => Phase::Failed(DELETED.to_owned()),
        };
        let live = Secret {
            name: text(secret.name()),
            description: text(secret.description()),
            kms_key_id: key(&self.kms_key_id, secret.kms_key_id()),
            value: self.value.clone(),
            recovery_window_days: self.recovery_window_days,
            tags: from_secrets(secret.tags()),
        };
        let arn = text(secret.arn());
        let outputs = SecretOutputs {
            arn: arn.clone(),
            secret_name: live.name.clone(),
            current_ids: versions(&secret, |label| label == CURRENT),
            valid_ids: labelled(&secret),
        };
        Ok(Some(Observed::ready(arn, live, outputs).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let value = self.first_value(cx).await?;
        let made = cx
            .secrets
            .create_secret()
            .name(&self.name)
            .description(&self.description)
            .client_request_token(cx.owner.token())
            .kms_key_id(self.kms_key_id.get()?)
            .secret_string(value)
            .set_tags(Some(to_secrets(&self.tags)))
            .send()
            .await;
        match made.map_err(Fault::from) {
            Ok(made) => made.arn.always("secret ARN"),
            // One deleted without recovery may hold its name for a moment longer than it can be seen.
            Err(fault) if fault.class == Class::Exists && self.observe(cx, None).await?.is_none() => {
                Err(Fault { class: Class::NotYet, ..fault })
            }
            Err(fault) => Err(fault),
        }
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        if matches!(observed.phase, Phase::Failed(_)) {
            cx.secrets.restore_secret().secret_id(id).send().await?;
        }
        if diff.has("kms_key_id") {
            let ask = cx.secrets.update_secret().secret_id(id).kms_key_id(self.kms_key_id.get()?);
            // AWS could not carry over a value that nobody can read any more; it stays as the previous version.
            let value = match is_lost(cx, &observed.live.kms_key_id).await? {
                true => Some(self.first_value(cx).await?),
                false => None,
            };
            ask.set_secret_string(value).send().await?;
        }
        if diff.has("description") {
            cx.secrets.update_secret().secret_id(id).description(&self.description).send().await?;
        }
        if diff.has("tags") {
            let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
            if !remove.is_empty() {
                cx.secrets.untag_resource().secret_id(id).set_tag_keys(Some(remove)).send().await?;
            }
            if !set.is_empty() {
                cx.secrets.tag_resource().secret_id(id).set_tags(Some(to_secrets(&set))).send().await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let ask = cx.secrets.delete_secret().secret_id(&observed.id);
        let ask = match self.recovery_days() {
            Some(days) => ask.recovery_window_in_days(days.into()),
            None => ask.force_delete_without_recovery(true),
        };
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "secretsmanager", "secret:", index::by_arn).await
    }

    /// The longest time to restore it.
    fn careful() -> Value {
        json!({ "recovery_window_days": 30, "value": SecretValue::SetByPeople })
    }

    async fn kept(cx: &Cx<'_>, id: &str) -> Result<Option<String>> {
        let Some(secret) = cx.secrets.describe_secret().secret_id(id).send().await.if_present()? else {
            return Ok(None);
        };
        Ok(secret.deleted_date().map(|_| DELETED.to_owned()))
    }
}

impl Secret {
    /// Days in which it can be restored once it is deleted; none where it is gone at once.
    fn recovery_days(&self) -> Option<i32> {
        self.recovery_window_days.or((self.value == SecretValue::SetByPeople).then_some(OF_WHAT_PEOPLE_SET))
    }

    /// The value it begins with. One that AWS makes goes straight into the next request.
    async fn first_value(&self, cx: &Cx<'_>) -> Result<String> {
        match &self.value {
            SecretValue::SetByPeople => Ok("{}".to_owned()),
            SecretValue::Generated { length, exclude_characters } => random(cx, *length, exclude_characters).await,
            SecretValue::Credentials { password_length, fields } => {
                let mut value = serde_json::Map::new();
                for (name, field) in fields {
                    value.insert(name.clone(), field.get()?.as_str().into());
                }
                value.insert("username".to_owned(), user_name(cx).await?.into());
                value.insert("password".to_owned(), random(cx, *password_length, NOT_IN_PASSWORDS).await?.into());
                Ok(Value::Object(value).to_string())
            }
        }
    }
}

impl SecretValue {
    fn check(&self) -> std::result::Result<(), String> {
        match self {
            SecretValue::SetByPeople => Ok(()),
            SecretValue::Generated { length, .. } => check_range("value.generated.length", *length, 4, 4096),
            SecretValue::Credentials { password_length, fields } => {
                check_range("value.credentials.password_length", *password_length, 8, 128)?;
                match MADE.iter().find(|name| fields.contains_key(**name)) {
                    Some(name) => Err(format!("value.credentials.fields has {name}, which is made and not given")),
                    None => Ok(()),
                }
            }
        }
    }
}

pub(super) async fn random(cx: &Cx<'_>, length: i32, exclude: &str) -> Result<String> {
    let ask = cx.secrets.get_random_password().password_length(length.into());
    let exclude = Some(exclude.to_owned()).filter(|characters| !characters.is_empty());
    ask.set_exclude_characters(exclude).send().await?.random_password.always("random password")
}

/// A name that every engine takes: 16 letters in lower case and digits, a letter first. No reserved word is as long.
async fn user_name(cx: &Cx<'_>) -> Result<String> {
    let ask = cx.secrets.get_random_password().password_length(15).exclude_punctuation(true).exclude_uppercase(true);
    // AWS would otherwise insist on one of each kind of character, the excluded kinds too.
    let ask = ask.require_each_included_type(false);
    Ok(format!("u{}", ask.send().await?.random_password.always("random name")?))
}

/// Whether what this key encrypted can no longer be read, because the key is gone or about to go.
async fn is_lost(cx: &Cx<'_>, key_id: &Out<String>) -> Result<bool> {
    let key_id = key_id.get()?;
    if key_id.is_empty() {
        return Ok(false);
    }
    let Some(answer) = cx.kms.describe_key().key_id(key_id).send().await.if_present()? else { return Ok(true) };
    let state = answer.key_metadata.and_then(|metadata| metadata.key_state);
    Ok(state == Some(KeyState::PendingDeletion))
}

/// The versions that have a label: AWS forgets those that have none.
pub(super) fn labelled(secret: &DescribeSecretOutput) -> BTreeSet<String> {
    versions(secret, |_| true)
}

fn versions(secret: &DescribeSecretOutput, has: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let all = secret.version_ids_to_stages().into_iter().flatten();
    let labelled = all.filter(|(_, labels)| labels.iter().any(|label| has(label)));
    labelled.map(|(version, _)| version.clone()).collect()
}

fn from_secrets(tags: &[Tag]) -> Tags {
    tags::read(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

fn to_secrets(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_is_gone_at_once() {
        let secret = |value, recovery_window_days| Secret {
            name: "student-third-party-dev/credentials".to_owned(),
            description: String::new(),
            kms_key_id: "k".into(),
            value,
            recovery_window_days,
            tags: Tags::new(),
        };
        let made = || SecretValue::Generated { length: 64, exclude_characters: String::new() };
        assert_eq!(secret(made(), None).remains(), None);
        assert_eq!(secret(SecretValue::SetByPeople, None).recovery_days(), Some(7));
        for value in [made(), SecretValue::SetByPeople] {
            assert_eq!(secret(value, Some(30)).recovery_days(), Some(30));
        }
    }

    #[test]
    fn credentials_are_made_and_not_given() {
        let value = |password_length, field: &str| SecretValue::Credentials {
            password_length,
            fields: [(field.to_owned(), "postgres".into())].into(),
        };
        assert_eq!(value(32, "engine").check(), Ok(()));
        assert!(value(7, "engine").check().unwrap_err().contains("password_length is 7"));
        assert!(value(32, "password").check().unwrap_err().contains("has password"));
    }
}
