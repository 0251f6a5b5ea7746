//! API Gateway, REST APIs. All writes inside one API must be serial; updates are JSON patches, whose values are texts
//! whatever they mean.

pub mod account;
pub mod api_key;
pub mod deployment;
mod openapi;
pub mod rest_api;
pub mod route;
pub mod stage;
pub mod usage_plan;
pub mod usage_plan_key;

pub use account::Account;
pub use api_key::ApiKey;
pub use deployment::Deployment;
pub use rest_api::RestApi;
pub use route::{Authorization, AwsService, HttpProxy, Integration, Link, Response, Route};
pub use stage::Stage;
pub use usage_plan::UsagePlan;
pub use usage_plan_key::UsagePlanKey;

use aws_sdk_apigateway::types::{Op, PatchOperation};

use crate::aws::{Aws, Cx, tags};
use crate::error::{Fault, Result};
use crate::resource::{Found, Kinds, TAG_NODE, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds
        .with::<Account>()
        .with::<ApiKey>()
        .with::<Deployment>()
        .with::<RestApi>()
        .with::<Stage>()
        .with::<UsagePlan>()
        .with::<UsagePlanKey>()
}

/// The ARN under which API Gateway tags things; it names no account.
pub(super) fn arn(cx: &Cx<'_>, path: &str) -> String {
    format!("arn:{}:apigateway:{}::{path}", cx.partition, cx.region)
}

/// The ARN that policies for callers name.
fn execution_arn(cx: &Cx<'_>, rest_api_id: &str) -> String {
    cx.arn("execute-api", rest_api_id)
}

/// The two halves of an id that names an object inside another.
fn halves(id: &str) -> Result<(&str, &str)> {
    id.split_once('|').ok_or_else(|| Fault::invalid(format!("{id} is no id of the form outer|inner")))
}

fn patch(op: Op, path: &str, value: impl ToString) -> PatchOperation {
    PatchOperation::builder().op(op).path(path).value(value.to_string()).build()
}

fn replace(path: &str, value: impl ToString) -> PatchOperation {
    patch(Op::Replace, path, value)
}

fn remove(path: &str) -> PatchOperation {
    PatchOperation::builder().op(Op::Remove).path(path).build()
}

/// An object that List calls give whole, tags included, but without a filter.
trait Listed: Clone + 'static {
    /// Under which the list is shared within a pass.
    const KEY: &'static str;
    fn id(&self) -> &str;
    fn tags(&self) -> Tags;
    /// Every object of the region, the oldest first where AWS tells their age.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Self>>;
    async fn get(cx: &Cx<'_>, id: &str) -> Result<Option<Self>>;
}

/// The object with this id, or every one that carries this node's ownership tags. All nodes of a kind share one list.
async fn find<T: Listed>(cx: &Cx<'_>, id: Option<&str>) -> Result<Vec<T>> {
    let all = cx.pass.shared(T::KEY, || T::list(cx)).await?;
    let Some(id) = id else {
        return Ok(all.iter().filter(|object| cx.owner.owns(&object.tags())).cloned().collect());
    };
    match all.iter().find(|object| object.id() == id) {
        Some(object) => Ok(vec![object.clone()]),
        None => Ok(T::get(cx, id).await?.into_iter().collect()),
    }
}

/// Every object of this stack, environment and region.
async fn list<T: Listed>(cx: &Cx<'_>) -> Result<Vec<Found>> {
    let all = cx.pass.shared(T::KEY, || T::list(cx)).await?;
    let found = |object: &T| {
        let tags = object.tags();
        let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags))?;
        Some(Found::new(node, object.id()))
    };
    Ok(all.iter().filter_map(found).collect())
}

/// Sets and removes tags of one object.
async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.apigateway.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.apigateway.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect())).send().await?;
    }
    Ok(())
}
