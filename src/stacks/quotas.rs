//! Whether the account has room for what a plan creates. Only quotas that AWS itself tells by a cheap read are judged,
//! since a default may have been raised; and only those are asked that the plan would use up.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;
use aws_sdk_iam::types::SummaryKeyType;
use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::Value;

use super::cores;
use crate::aws::{Always, Aws};
use crate::error::{Class, Fault, Result};
use crate::plan::{Action, Plan};
use crate::resource::{Replace, Resource};
use crate::resources::apigatewayv2::{VpcLink, vpc_link};
use crate::resources::ec2::Vpc;
use crate::resources::guardduty::{Detector, detector};
use crate::resources::iam::{SharedRole, shared_role};
use crate::stack::Stack;

/// VPCs and VPC links a region has room for unless AWS raised that, which only its Service Quotas tells.
const DEFAULT_VPCS: i64 = 5;
const DEFAULT_VPC_LINKS: i64 = 10;

/// How much there may be of something, and how much there is.
struct Room {
    most: i64,
    used: i64,
}

type Ask<'a> = (&'static str, i64, LocalBoxFuture<'a, Result<Room>>);

/// Refuses a plan that needs more than the account has left, before anything is made. Answers what is worth a remark.
///
/// # Errors
/// Names every quota that is too small, how much of it is in use and how much more the plan needs.
pub async fn check(aws: &Aws, stack: &Stack, plan: &Plan) -> Result<Option<String>> {
    let asks: [Ask; 6] = [
        ("Elastic IP addresses", more(plan, "ec2.elastic_ip"), Box::pin(elastic_ips(aws))),
        ("application load balancers", more(plan, "elbv2.load_balancer"), Box::pin(load_balancers(aws))),
        ("target groups", more(plan, "elbv2.target_group"), Box::pin(target_groups(aws))),
        ("IAM roles", more(plan, "iam.role"), Box::pin(roles(aws))),
        ("CloudTrail trails", more(plan, "cloudtrail.trail"), Box::pin(trails(aws))),
        ("Kinesis shards", more_shards(stack, plan), Box::pin(shards(aws))),
    ];
    let needed = asks.into_iter().filter(|(_, needed, _)| *needed > 0);
    let short = join_all(needed.map(|(what, needed, room)| async move { shortfall(what, needed, room.await) })).await;
    let (never, remark) = tasks(aws, stack, plan).await;
    let short = short.into_iter().flatten().chain(no_room(aws, stack, plan).await);
    let short: Vec<String> = short.chain(never).collect();
    match short.is_empty() {
        true => {
            let told: Vec<String> = crowded(aws, plan).await?.into_iter().chain(remark).collect();
            Ok((!told.is_empty()).then(|| told.join("; ")))
        }
        false => Err(Fault::new(Class::Quota, "QuotaTooSmall", format!("in {}: {}", aws.region, short.join("; ")))),
    }
}

/// Where AWS does not tell, as where reading quotas is not permitted, only trying can.
fn shortfall(what: &str, needed: i64, room: Result<Room>) -> Option<String> {
    let Room { most, used } = room.inspect_err(|fault| tracing::debug!(%fault, what, "quota not known")).ok()?;
    (used + needed > most).then(|| format!("{needed} more {what} are needed, and {used} of at most {most} are in use"))
}

/// Why the tasks of a plan can never start, and why they may not.
async fn tasks(aws: &Aws, stack: &Stack, plan: &Plan) -> (Option<String>, Option<String>) {
    let needed = cores::needed(stack, plan);
    if needed == 0.0 {
        return (None, None);
    }
    let room = cores::room(aws).await.inspect_err(|fault| tracing::debug!(%fault, "vCPUs not known"));
    match room.ok().flatten() {
        None => (None, None),
        Some(room) => (room.shortfall(needed), room.remark(needed)),
    }
}

/// What stacks share takes a tag of each, and AWS allows so many on one object.
async fn no_room(aws: &Aws, stack: &Stack, plan: &Plan) -> Vec<String> {
    let joins = plan.steps.iter().filter(|step| step.action.diff().is_some_and(|diff| diff.has("joined")));
    let mut full = Vec::new();
    for (step, id) in joins.filter_map(|step| Some((step, step.id.as_deref()?))) {
        let owner = stack.owner(&step.node, "");
        let why = match step.kind.as_str() {
            SharedRole::KIND => shared_role::no_room(aws, &owner, id).await,
            Detector::KIND => detector::no_room(aws, &owner, id).await,
            _ => continue,
        };
        let why = why.inspect_err(|fault| tracing::debug!(%fault, id, "tags not known")).ok().flatten();
        full.extend(why.map(|why| format!("{} ({}): {why}", step.node, step.kind)));
    }
    full
}

/// How many objects of a kind there will be in addition to those there are.
fn more(plan: &Plan, kind: &str) -> i64 {
    let made = plan.steps.iter().filter(|step| step.kind == kind);
    let adds = made.filter(|step| match step.action {
        Action::Create => true,
        Action::Replace { .. } => step.replace == Replace::CreateFirst,
        _ => false,
    });
    i64::try_from(adds.count()).unwrap_or(i64::MAX)
}

fn more_shards(stack: &Stack, plan: &Plan) -> i64 {
    let made = plan.steps.iter().filter(|step| step.kind == "kinesis.stream" && step.action == Action::Create);
    let specs = made.filter_map(|step| stack.nodes.get(&step.node)).map(|entry| &entry.spec);
    specs.filter_map(|spec| spec.get("shards").and_then(Value::as_i64)).sum()
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

fn number(text: Option<&str>) -> Result<i64> {
    text.and_then(|text| text.parse().ok()).always("quota")
}

async fn elastic_ips(aws: &Aws) -> Result<Room> {
    let attributes = aws.ec2.describe_account_attributes().send().await?;
    let most = attributes
        .account_attributes()
        .iter()
        .find(|attribute| attribute.attribute_name() == Some("vpc-max-elastic-ips"))
        .and_then(|attribute| attribute.attribute_values().first()?.attribute_value());
    let addresses = aws.ec2.describe_addresses().send().await?;
    Ok(Room { most: number(most)?, used: count(addresses.addresses()) })
}

async fn balancer_limit(aws: &Aws, name: &str) -> Result<i64> {
    let limits = aws.elbv2.describe_account_limits().page_size(400).send().await?;
    number(limits.limits().iter().find(|limit| limit.name() == Some(name)).and_then(|limit| limit.max()))
}

async fn load_balancers(aws: &Aws) -> Result<Room> {
    let most = balancer_limit(aws, "application-load-balancers").await?;
    let mut all = aws.elbv2.describe_load_balancers().into_paginator().items().send().try_collect().await?;
    all.retain(|balancer| balancer.r#type() == Some(&LoadBalancerTypeEnum::Application));
    Ok(Room { most, used: count(&all) })
}

async fn target_groups(aws: &Aws) -> Result<Room> {
    let most = balancer_limit(aws, "target-groups").await?;
    let all = aws.elbv2.describe_target_groups().into_paginator().items().send().try_collect().await?;
    Ok(Room { most, used: count(&all) })
}

async fn roles(aws: &Aws) -> Result<Room> {
    let summary = aws.iam.get_account_summary().send().await?.summary_map.unwrap_or_default();
    let entry = |key: &str| summary.get(&SummaryKeyType::from(key)).copied().map(i64::from).always(key);
    Ok(Room { most: entry("RolesQuota")?, used: entry("Roles")? })
}

/// Five a region, which AWS raises for nobody. A trail of all regions counts in every one of them.
async fn trails(aws: &Aws) -> Result<Room> {
    let trails = aws.cloudtrail.describe_trails().include_shadow_trails(true).send().await?;
    Ok(Room { most: 5, used: count(trails.trail_list()) })
}

async fn shards(aws: &Aws) -> Result<Room> {
    let limits = aws.kinesis.describe_limits().send().await?;
    Ok(Room { most: limits.shard_limit.into(), used: limits.open_shard_count.into() })
}

/// A quota that was never raised may be used up; one that was may not.
async fn crowded(aws: &Aws, plan: &Plan) -> Result<Vec<String>> {
    let mut told = Vec::new();
    for (what, kind, most) in [("VPCs", Vpc::KIND, DEFAULT_VPCS), ("VPC links", VpcLink::KIND, DEFAULT_VPC_LINKS)] {
        let needed = more(plan, kind);
        if needed == 0 {
            continue;
        }
        let used = match kind {
            Vpc::KIND => count(&aws.ec2.describe_vpcs().into_paginator().items().send().try_collect().await?),
            _ => vpc_link::count(aws).await?,
        };
        told.extend((used + needed > most).then(|| {
            format!(
                "{} has {used} {what} and this plan makes {needed} more; AWS allows {most} unless it raised that quota",
                aws.region
            )
        }));
    }
    Ok(told)
}
