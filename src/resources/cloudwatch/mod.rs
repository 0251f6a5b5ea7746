//! Amazon CloudWatch. Writing an alarm or a dashboard replaces all of it but its tags, which only the first write sets.

pub mod alarm;
pub mod dashboard;

pub use alarm::Alarm;
pub use dashboard::Dashboard;

use aws_sdk_cloudwatch::types::Tag;

use crate::aws::{Aws, Cx, tags};
use crate::error::Result;
use crate::resource::{Kinds, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Alarm>().with::<Dashboard>()
}

fn to_cloudwatch(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

async fn read_tags(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    let found = cx.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await?;
    let pairs = found.tags.unwrap_or_default().into_iter();
    Ok(tags::read(pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))))
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.cloudwatch.tag_resource().resource_arn(arn).set_tags(Some(to_cloudwatch(&set))).send().await?;
    }
    Ok(())
}
