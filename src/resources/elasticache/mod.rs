//! Amazon ElastiCache. Names are stored in lower case; it takes no client tokens, so names are what finds an object
//! again.

mod backups;
pub(super) mod kept;
mod last_snapshot;
mod modify;
mod queue;
mod read;
pub mod replication_group;
mod rotation;
pub mod subnet_group;
mod versions;

pub use replication_group::{NOT_IN_AUTH_TOKENS, ReplicationGroup, Tls};
pub use subnet_group::SubnetGroup;
pub use versions::{has_way_back, is_ahead, short};

use aws_sdk_elasticache::types::Tag;

use crate::aws::{Aws, Cx, tags};
use crate::error::Result;
use crate::resource::{Kinds, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<ReplicationGroup>().with::<SubnetGroup>()
}

fn to_elasticache(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

async fn tags_of(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    let answer = cx.elasticache.list_tags_for_resource().resource_name(arn).send().await?;
    let pairs = answer.tag_list().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
    Ok(tags::read(pairs))
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.elasticache.remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        let ask = cx.elasticache.add_tags_to_resource().resource_name(arn);
        ask.set_tags(Some(to_elasticache(&set))).send().await?;
    }
    Ok(())
}
