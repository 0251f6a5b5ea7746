//! Amazon ECS. Describe calls answer 200 where objects are missing, and name them in `failures`.

pub mod cluster;
pub mod container;
pub mod deployment;
mod rollout;
pub mod service;
pub mod task_definition;
pub mod volume;

pub use cluster::Cluster;
pub use service::Service;
pub use task_definition::TaskDefinition;

use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::types::{Failure, Tag};

use crate::aws::{Aws, Cx, tags};
use crate::error::{Class, Fault, Result};
use crate::resource::{Kinds, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Cluster>().with::<Service>().with::<TaskDefinition>()
}

fn to_ecs(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn from_ecs(list: &[Tag]) -> Tags {
    tags::read(list.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// Sets and removes tags of one object.
async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.ecs.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.ecs.tag_resource().resource_arn(arn).set_tags(Some(to_ecs(&set))).send().await?;
    }
    Ok(())
}

/// The refusals inside an answer of status 200; an object that is merely missing is not one.
fn refused(failures: &[Failure]) -> Result<()> {
    let Some(failure) = failures.iter().find(|failure| failure.reason() != Some("MISSING")) else { return Ok(()) };
    let message = format!("{} {}", failure.arn().unwrap_or_default(), failure.detail().unwrap_or_default());
    Err(Fault::new(Class::Other, failure.reason().unwrap_or("Failure"), message.trim()))
}

/// What a builder of the SDK gave; it only fails on a required field that was not set.
fn built<T>(result: Result<T, BuildError>) -> Result<T> {
    result.map_err(|error| Fault::invalid(error.to_string()))
}

/// The rule ECS has for the names of clusters, services, families, containers and volumes.
fn check_name(field: &str, name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=255).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(format!("{field} is {name:?}; AWS allows 1-255 letters, digits, hyphens and underscores"))
}
