//! The index of the Resource Groups Tagging API: what carries our tags, of all services of one region in one search.
//!
//! It shows no IAM role ("The GetResources operation does not currently support IAM users and roles", its API reference),
//! and lags behind both ways: what was just made may be missing, what is gone may still be there. So what it names must
//! be looked at, and what a service lists by itself is better asked of that.

use std::rc::Rc;

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::{Cx, tags};
use crate::error::Result;
use crate::resource::{Found, TAG_ENV, TAG_NODE, TAG_STACK, Tags};

/// An object the index shows.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its ARN.
    pub arn: String,
    /// Its tags.
    pub tags: Tags,
}

impl Entry {
    /// What stands in the ARN after this service and this beginning: `db-name` of `…:rds:…:db:db-name` for `rds`, `db:`.
    pub fn rest(&self, service: &str, start: &str) -> Option<&str> {
        let mut parts = self.arn.splitn(6, ':').skip(2);
        let named = parts.next()? == service;
        parts.nth(2)?.strip_prefix(start).filter(|_| named)
    }
}

/// Everything of this stack, environment and region that the index shows. All kinds share one search.
///
/// # Errors
/// Where AWS does not answer.
pub async fn entries(cx: &Cx<'_>) -> Result<Rc<Vec<Entry>>> {
    cx.pass.shared("tag-index", || read(cx)).await
}

/// The objects of one kind: those whose ARN has this service and goes on so, by what `id` makes of the ARN and what
/// follows there. Those of which it makes nothing are of another kind.
///
/// # Errors
/// Where AWS does not answer.
pub async fn list(
    cx: &Cx<'_>,
    service: &str,
    start: &str,
    id: impl Fn(&str, &str) -> Option<String>,
) -> Result<Vec<Found>> {
    let all = entries(cx).await?;
    let found = |entry: &Entry| {
        let rest = entry.rest(service, start)?;
        Some(Found::new(entry.tags.get(TAG_NODE)?, id(&entry.arn, rest)?))
    };
    Ok(all.iter().filter_map(found).collect())
}

/// For kinds whose id is the ARN.
pub fn by_arn(arn: &str, _: &str) -> Option<String> {
    Some(arn.to_owned())
}

/// For kinds whose id is all that follows in the ARN, unless that names a part of the object.
pub fn by_rest(_: &str, rest: &str) -> Option<String> {
    (!rest.contains(['/', ':'])).then(|| rest.to_owned())
}

async fn read(cx: &Cx<'_>) -> Result<Vec<Entry>> {
    let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
    let ask = cx.tagging.get_resources();
    let ask = ask.tag_filters(filter(TAG_STACK, &cx.owner.stack)).tag_filters(filter(TAG_ENV, &cx.owner.env));
    let mut pages = ask.into_paginator().items().send();
    let mut entries = Vec::new();
    while let Some(mapping) = pages.next().await {
        let mapping = mapping?;
        let tags = tags::read(mapping.tags().iter().map(|tag| (tag.key(), tag.value())));
        if let Some(arn) = mapping.resource_arn.filter(|_| cx.owner.owns_any(&tags)) {
            entries.push(Entry { arn, tags });
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_its_kind_and_what_follows() {
        let entry = |arn: &str| Entry { arn: arn.to_owned(), tags: Tags::new() };
        let cluster = entry("arn:aws:rds:us-east-1:123456789012:cluster:student-dev");
        assert_eq!(cluster.rest("rds", "cluster:"), Some("student-dev"));
        assert_eq!(cluster.rest("rds", "cluster-pg:"), None);
        assert_eq!(cluster.rest("efs", "cluster:"), None);
        let api = entry("arn:aws:apigateway:us-east-1::/restapis/ab/stages/v1");
        assert_eq!(api.rest("apigateway", "/restapis/"), Some("ab/stages/v1"));
        assert_eq!(by_rest("", "ab/stages/v1"), None);
        assert_eq!(entry("arn:aws:s3:::bucket").rest("s3", ""), Some("bucket"));
    }
}
