//! An SNS topic. Making one that exists succeeds only where nothing differs, so it is created bare but for its tags,
//! and its key and policy follow.

use aws_sdk_sns::types::Tag;
use serde_json::Value;

use crate::resources::iam::policy;
use crate::resources::prelude::*;
use crate::resources::values::{check_text, key};

/// The longest policy AWS takes, in characters.
const LONGEST: usize = 30_720;

const KEY: &str = "KmsMasterKeyId";
const POLICY: &str = "Policy";

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    /// Its name, 1-256 letters, digits, underscores and hyphens.
    pub name: String,
    /// The key that encrypts messages, by id or ARN. Its policy must let the services that publish use it.
    pub kms_key_id: Out<String>,
    /// Who may publish and subscribe. It names the topic's own ARN, which follows from the name.
    pub policy: Value,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TopicOutputs {
    /// Its ARN.
    pub arn: String,
}

impl Node<Topic> {
    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Topic {
    type Cloud = Aws;
    type Outputs = TopicOutputs;
    const KIND: &'static str = "sns.topic";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const FORETOLD: &'static [&'static str] = &["arn"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_text("name", &self.name, 1, 256, |c| c.is_ascii_alphanumeric() || "_-".contains(c))?;
        match policy::size(&self.policy) {
            Some(size) if size > LONGEST => Err(format!("policy has {size} characters; AWS allows {LONGEST}")),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let arn = id.map_or_else(|| cx.arn("sns", &self.name), str::to_owned);
        let Some(found) = cx.sns.get_topic_attributes().topic_arn(&arn).send().await.if_present()? else {
            return Ok(None);
        };
        // Without its tags it would pass for somebody else's.
        let tagged = cx.sns.list_tags_for_resource().resource_arn(&arn).send().await.if_present()?;
        let Some(tagged) = tagged else { return Ok(None) };
        let attribute = |name| found.attributes().and_then(|all| all.get(name)).map(String::as_str);
        let document = policy::parse(attribute(POLICY).always("topic policy")?)?;
        let live = Topic {
            name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
            kms_key_id: key(&self.kms_key_id, attribute(KEY)),
            policy: policy::as_wanted(Some(&self.policy), document),
            tags: tags::read(tagged.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
        };
        Ok(Some(Observed::ready(&arn, live, TopicOutputs { arn: arn.clone() })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx.sns.create_topic().name(&self.name).set_tags(Some(to_sns(&self.tags)?)).send().await?;
        made.topic_arn.always("topic ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        let set =
            |name, value| cx.sns.set_topic_attributes().topic_arn(arn).attribute_name(name).attribute_value(value);
        if diff.has("kms_key_id") {
            set(KEY, self.kms_key_id.get()?.clone()).send().await?;
        }
        if diff.has("policy") {
            set(POLICY, self.policy.to_string()).send().await?;
        }
        if diff.has("tags") {
            let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
            if !remove.is_empty() {
                cx.sns.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
            }
            if !set.is_empty() {
                cx.sns.tag_resource().resource_arn(arn).set_tags(Some(to_sns(&set)?)).send().await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.sns.delete_topic().topic_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "sns", "", index::by_arn).await
    }
}

fn to_sns(tags: &Tags) -> Result<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| Fault::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_aws_would_refuse_is_refused() {
        let topic = |name: &str, policy| Topic { name: name.into(), kms_key_id: "k".into(), policy, tags: Tags::new() };
        assert_eq!(topic("student-alarms-dev", json!({})).check(), Ok(()));
        assert!(topic("a.fifo", json!({})).check().is_err());
        assert!(topic("", json!({})).check().is_err());
        assert!(topic("a", json!({"Sid": "x".repeat(LONGEST)})).check().is_err());
    }
}
