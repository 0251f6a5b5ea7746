//! Elastic Load Balancing v2. A create call with a taken name and the same settings answers with what is there.

pub mod listener;
pub mod listener_default;
pub mod listener_rule;
pub mod load_balancer;
pub mod target_group;

pub use listener::Listener;
pub use listener_default::ListenerDefault;
pub use listener_rule::ListenerRule;
pub use load_balancer::LoadBalancer;
pub use target_group::TargetGroup;

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::Tag;

use crate::aws::{Aws, Cx, tags};
use crate::error::Result;
use crate::resource::{Kinds, Tags};

/// How many objects one DescribeTags call takes.
const TAGS_A_CALL: usize = 20;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds
        .with::<Listener>()
        .with::<ListenerDefault>()
        .with::<ListenerRule>()
        .with::<LoadBalancer>()
        .with::<TargetGroup>()
}

fn to_elb(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags of each of these objects, by ARN.
async fn tags_of(cx: &Cx<'_>, arns: &[String]) -> Result<BTreeMap<String, Tags>> {
    let mut all = BTreeMap::new();
    for some in arns.chunks(TAGS_A_CALL) {
        let answer = cx.elbv2.describe_tags().set_resource_arns(Some(some.to_vec())).send().await?;
        for description in answer.tag_descriptions() {
            let pairs = description.tags().iter().map(|tag| (tag.key(), tag.value()));
            let pairs = pairs.map(|(key, value)| (key.unwrap_or_default(), value.unwrap_or_default()));
            all.insert(description.resource_arn().unwrap_or_default().to_owned(), tags::read(pairs));
        }
    }
    Ok(all)
}

/// The tags of one object.
async fn tags_of_one(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    Ok(tags_of(cx, &[arn.to_owned()]).await?.remove(arn).unwrap_or_default())
}

/// Sets and removes tags of one object.
async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.elbv2.remove_tags().resource_arns(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.elbv2.add_tags().resource_arns(arn).set_tags(Some(to_elb(&set))).send().await?;
    }
    Ok(())
}

/// The rule for the names of load balancers and target groups.
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let edges = name.starts_with('-') || name.ends_with('-');
    if (1..=32).contains(&name.len()) && name.chars().all(allowed) && !edges {
        return Ok(());
    }
    Err(format!("name is {name:?}; AWS allows 1-32 letters, digits and hyphens, no hyphen at either end"))
}

/// Refuses numbers out of AWS's ranges: each a field, its value, the lowest and the highest allowed.
fn check_ranges(fields: &[(&str, i32, i32, i32)]) -> Result<(), String> {
    match fields.iter().find(|(_, value, low, high)| !(low..=high).contains(&value)) {
        Some((field, value, low, high)) => Err(format!("{field} is {value}; AWS allows {low}-{high}")),
        None => Ok(()),
    }
}
