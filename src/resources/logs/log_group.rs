//! A CloudWatch log group. Services make it anew, without retention or key, when they write after it was deleted.

use aws_sdk_cloudwatchlogs::types::LogGroup as LogsGroup;

use crate::resources::prelude::*;

/// The retentions AWS offers, in days.
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name, 1-512 characters; may hold another node's id where AWS prescribes the name.
    pub name: Out<String>,
    /// ARN of the key that encrypts it, whose policy must let the log service use it. `None`: whatever it is.
    pub kms_key_arn: Option<Out<String>>,
    /// Days that events are kept, one of those AWS offers.
    pub retention_days: i32,
    /// Whether AWS refuses to delete it. `None`: whatever it does.
    #[serde(default)]
    pub deletion_protection: Option<bool>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroupOutputs {
    /// The group's name.
    pub name: String,
    /// The group's ARN, without `:*`.
    pub arn: String,
}

impl Node<LogGroup> {
    /// The group's name. (`name()` is the node's.)
    pub fn group_name(&self) -> Out<String> {
        self.out("name")
    }

    /// The group's ARN, without `:*`.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for LogGroup {
    type Cloud = Aws;
    type Outputs = LogGroupOutputs;
    const KIND: &'static str = "logs.log_group";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const PRECIOUS: Option<&'static str> = Some("the logs");
    const FORETOLD: &'static [&'static str] = &["name", "arn"];
    const REBORN: bool = true;
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        if !RETENTIONS.contains(&self.retention_days) {
            return Err(format!("retention_days is {}; AWS allows {RETENTIONS:?}", self.retention_days));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
        match self.name.known() {
            Some(name) if !(1..=512).contains(&name.len()) || !name.chars().all(allowed) => {
                Err(format!("name is {name:?}; AWS allows 1-512 letters, digits and .-_/#"))
            }
            _ => Ok(()),
        }
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        let live = Some(live.retention_days).filter(|days| *days > 0);
        Loss::of_shorter_than_ever("logs", "days", Some(self.retention_days), live)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = match id {
            Some(id) => id,
            None => self.name.get()?,
        };
        let Some(group) = find(cx, name).await? else { return Ok(None) };
        let made = group.creation_time.map(|milliseconds| milliseconds.to_string());
        let arn = group.log_group_arn.or(group.arn).always("log group ARN")?.trim_end_matches(":*").to_owned();
        // Without its tags it would pass for somebody else's.
        let tagged = cx.logs.list_tags_for_resource().resource_arn(&arn).send().await.if_present()?;
        let Some(tagged) = tagged else { return Ok(None) };
        let live = LogGroup {
            name: name.into(),
            kms_key_arn: group.kms_key_id.map(Out::from),
            // None means for ever, which no spec asks for.
            retention_days: group.retention_in_days.unwrap_or_default(),
            deletion_protection: Some(group.deletion_protection_enabled == Some(true)),
            tags: tags::read(tagged.tags.unwrap_or_default()),
        };
        let unchosen = live.kms_key_arn.is_none() && live.retention_days == 0 && live.tags.is_empty();
        let observed = Observed::ready(name, live, LogGroupOutputs { name: name.to_owned(), arn }).known_by(made);
        Ok(Some(Observed { unchosen, ..observed }))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let name = self.name.get()?;
        let key = self.kms_key_arn.as_ref().map(Out::get).transpose()?;
        cx.logs
            .create_log_group()
            .log_group_name(name)
            .set_kms_key_id(key.cloned())
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        Ok(name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let name = &observed.id;
        if let Some(key) = self.kms_key_arn.as_ref().filter(|_| diff.has("kms_key_arn")) {
            cx.logs.associate_kms_key().log_group_name(name).kms_key_id(key.get()?).send().await?;
        }
        if diff.has("retention_days") {
            let request = cx.logs.put_retention_policy().log_group_name(name);
            request.retention_in_days(self.retention_days).send().await?;
        }
        if let Some(protected) = self.deletion_protection.filter(|_| diff.has("deletion_protection")) {
            protect(cx, name, protected).await?;
        }
        if diff.has("tags") {
            self.retag(cx, observed).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        // What others have protected stays so.
        if self.deletion_protection == Some(true) && observed.live.deletion_protection == Some(true) {
            protect(cx, &observed.id, false).await?;
        }
        cx.logs.delete_log_group().log_group_name(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "logs", "log-group:", |_, name| Some(name.trim_end_matches(":*").to_owned())).await
    }
}

impl LogGroup {
    async fn retag(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let arn = &observed.outputs.arn;
        let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
        if !remove.is_empty() {
            cx.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
        }
        if !set.is_empty() {
            cx.logs.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect())).send().await?;
        }
        Ok(())
    }
}

async fn protect(cx: &Cx<'_>, name: &str, protected: bool) -> Result<()> {
    let ask = cx.logs.put_log_group_deletion_protection().log_group_identifier(name);
    ask.deletion_protection_enabled(protected).send().await?;
    Ok(())
}

/// The group of exactly this name: AWS searches by prefix only.
async fn find(cx: &Cx<'_>, name: &str) -> Result<Option<LogsGroup>> {
    let mut groups = cx.logs.describe_log_groups().log_group_name_prefix(name).into_paginator().items().send();
    while let Some(group) = groups.try_next().await? {
        if group.log_group_name() == Some(name) {
            return Ok(Some(group));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_aws_offers_passes() {
        let group = |name: &str, retention_days| LogGroup {
            name: name.into(),
            kms_key_arn: None,
            retention_days,
            deletion_protection: None,
            tags: Tags::new(),
        };
        assert_eq!(group("/aws/ecs/student-dev", 30).check(), Ok(()));
        assert!(group("/aws/ecs/student-dev", 31).check().unwrap_err().contains("31"));
        assert!(group("a b", 30).check().is_err());
    }
}
