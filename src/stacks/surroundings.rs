//! What account and region hold against a plan, or beside it: asked before anything is made.

use aws_sdk_ec2::types::{InternetGatewayBlockMode, VpcBlockPublicAccessExclusion};
use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;

use super::{ahead, rations};
use crate::aws::Aws;
use crate::config::{Config, IngressMode, StackKind};
use crate::error::{Class, Fault, Result};
use crate::plan::{Action, Observations, Plan};
use crate::resource::{Resource, Seen};
use crate::resources::apigateway::{Account, Stage, account};
use crate::resources::apigatewayv2::{VpcLink, vpc_link};
use crate::resources::ec2::Vpc;
use crate::resources::ecs;
use crate::resources::elbv2::LoadBalancer;
use crate::resources::guardduty::{Detector, detector};
use crate::resources::iam::SharedRole;
use crate::resources::rds::{DbInstance, failover};
use crate::stack::Stack;
use crate::state::State;

/// What a line of a log takes. API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs".
const WRITES: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// Refuses a plan that public access to VPCs, as the account or its organisation blocks it, would leave dead.
///
/// # Errors
/// Names the block and the ways out.
pub async fn check(aws: &Aws, config: &Config, plan: &Plan) -> Result<()> {
    if !plan.steps.iter().any(|step| step.kind == "ecs.service" && step.action == Action::Create) {
        return Ok(());
    }
    let public = config.stack == StackKind::StudentRecords && config.ingress.mode == IngressMode::Public;
    let vpc = plan.steps.iter().find(|step| step.kind == Vpc::KIND).and_then(|step| step.id.as_deref());
    match shut_off(aws, public, vpc).await {
        None => Ok(()),
        Some(text) => Err(Fault::new(Class::Invalid, "PublicAccessBlocked", text)),
    }
}

/// How VPC Block Public Access is in the way, and the ways out.
async fn shut_off(aws: &Aws, public: bool, vpc: Option<&str>) -> Option<String> {
    let why = match blocked(aws).await? {
        InternetGatewayBlockMode::BlockBidirectional => {
            "nothing in a VPC reaches the internet, so no task can pull its image"
        }
        InternetGatewayBlockMode::BlockIngress if public => {
            "nobody reaches the load balancer that ingress.mode = \"public\" asks for"
        }
        _ => return None,
    };
    if is_excluded(aws, vpc).await {
        return None;
    }
    Some(format!(
        "VPC Block Public Access is on in {}: {why}; take the VPC out of it (CreateVpcBlockPublicAccessExclusion, once it \
         exists), or have the account or its organisation lift it",
        aws.region
    ))
}

/// What a person should know of others who have a say here, a sentence each.
pub async fn remarks(aws: &Aws, stack: &Stack, plan: &Plan, seen: &Observations) -> Vec<String> {
    let leaving = plan.steps.iter().filter(|step| step.kind == DbInstance::KIND && step.action.destroys());
    let leaving = leaving.filter_map(|step| Some((step, step.id.as_deref()?)));
    let detectors = plan.steps.iter().filter(|step| step.kind == Detector::KIND).filter_map(|step| step.id.as_deref());
    let mut told = rations::remarks(plan);
    told.extend(of_objects(seen));
    told.extend(ahead::of_stack(stack, seen));
    for (step, id) in leaving {
        let heir = failover::heir(aws, id).await.inspect_err(|fault| tracing::debug!(%fault, "writer not known")).ok();
        told.extend(heir.flatten().map(|heir| {
            format!(
                "{}: {id} is the writer now; the database fails over to {heir} first, and takes no writes for about 30 s",
                step.node
            )
        }));
    }
    for id in detectors {
        let administrator = detector::administrator(aws, id).await;
        let administrator = administrator.inspect_err(|fault| tracing::debug!(%fault, "administrator not known")).ok();
        told.extend(administrator.flatten().map(|account| {
            format!("GuardDuty is run by account {account}: its detector here is used as it is, and nothing of it is changed")
        }));
    }
    let mut stages = stack.nodes.values().filter(|entry| entry.kind == Stage::KIND);
    let group = stages.find_map(|entry| entry.spec["access_log_group_arn"]["$ref"].as_str());
    let group = group.and_then(|reference| stack.nodes.get(reference.split('.').next()?)?.spec["name"].as_str());
    let account = plan.steps.iter().find(|step| step.kind == Account::KIND);
    if let (Some(step), Some(group)) = (account, group) {
        let group = aws.arn("logs", &format!("log-group:{group}"));
        let role = match seen.get(&step.node).and_then(Option::as_ref) {
            Some(account) => set_by_others(account),
            // Before there is a role of ours the account cannot be compared with it.
            None => not_of_the_stack(aws, stack).await,
        };
        told.extend(unlogged(aws, role, &group).await);
    }
    told
}

/// What a person should know of what stands, a sentence each: what has been set around it, and what of it sleeps.
pub async fn of_what_stands(aws: &Aws, state: &State, seen: &Observations) -> Vec<String> {
    let of = |kind| state.nodes.iter().filter(move |(_, node)| node.kind == kind);
    let mut told: Vec<String> = of_objects(seen).chain(ahead::of_state(state, seen)).collect();
    if of(ecs::Service::KIND).next().is_some() {
        let public = of(LoadBalancer::KIND).any(|(_, node)| node.spec["scheme"] == "internet-facing");
        let vpc = of(Vpc::KIND).find_map(|(_, node)| node.id.as_deref());
        told.extend(shut_off(aws, public, vpc).await);
    }
    for (name, id) in of(VpcLink::KIND).filter_map(|(name, node)| Some((name, node.id.as_deref()?))) {
        let asleep = vpc_link::is_inactive(aws, id).await;
        let asleep = asleep.inspect_err(|fault| tracing::debug!(%fault, "VPC link not known")).unwrap_or_default();
        told.extend(asleep.then(|| {
            format!("{name}: {id} is INACTIVE after 60 days without a request; the first ones fail until it is up, minutes later")
        }));
    }
    let group = of(Stage::KIND).find_map(|(_, node)| node.spec["access_log_group_arn"].as_str());
    if let (Some((name, _)), Some(group)) = (of(Account::KIND).next(), group) {
        let role = seen.get(name).and_then(Option::as_ref).and_then(set_by_others);
        told.extend(unlogged(aws, role, group).await);
    }
    told
}

/// What AWS says of single objects.
fn of_objects(seen: &Observations) -> impl Iterator<Item = String> {
    let nodes = seen.iter().filter_map(|(node, seen)| Some((node, seen.as_ref()?)));
    nodes.flat_map(|(node, seen)| seen.besides.remarks.iter().map(move |remark| format!("{node} {remark}")))
}

/// The role of the account's logs, where it is not the one that the stack would set.
fn set_by_others(account: &Seen) -> Option<String> {
    let role = account.outputs["cloudwatch_role_arn"].as_str()?;
    (account.live["cloudwatch_role_arn"] != role).then(|| role.to_owned())
}

/// The same of an account that was not looked at.
async fn not_of_the_stack(aws: &Aws, stack: &Stack) -> Option<String> {
    let role =
        account::role(aws).await.inspect_err(|fault| tracing::debug!(%fault, "role of the logs not known")).ok()??;
    let mut own = stack.nodes.values().filter(|entry| entry.kind == SharedRole::KIND);
    let is_own = own.any(|entry| entry.spec["name"].as_str().is_some_and(|name| role.ends_with(&format!("/{name}"))));
    (!is_own).then_some(role)
}

/// What API Gateway cannot do with a role of others that it was given for its logs.
async fn unlogged(aws: &Aws, role: Option<String>, group: &str) -> Option<String> {
    let role = role?;
    let streams = format!("{}:*", group.trim_end_matches(":*"));
    let ask = aws.iam.simulate_principal_policy().policy_source_arn(&role).resource_arns(streams);
    let answer = ask.set_action_names(Some(WRITES.map(str::to_owned).into())).send().await.map_err(Fault::from);
    let answer = answer.inspect_err(|fault| tracing::debug!(%fault, role, "rights not known")).ok()?;
    let denied = answer.evaluation_results().iter().filter(|one| one.eval_decision() != &Decision::Allowed);
    let denied: Vec<&str> = denied.map(|one| one.eval_action_name()).collect();
    (!denied.is_empty()).then(|| {
        format!(
            "API Gateway writes its logs in {} with {role}, which others have set and which may not {}: what this API is \
             asked is not logged until that role may, as with the policy AmazonAPIGatewayPushToCloudWatchLogs",
            aws.region,
            denied.join(" and ")
        )
    })
}

/// What is blocked, as far as it may be asked.
async fn blocked(aws: &Aws) -> Option<InternetGatewayBlockMode> {
    let answer = aws.ec2.describe_vpc_block_public_access_options().send().await.map_err(Fault::from);
    let answer = answer.inspect_err(|fault| tracing::debug!(%fault, "public access not known")).ok()?;
    answer.vpc_block_public_access_options?.internet_gateway_block_mode
}

/// Whether the VPC that stands, or one of its subnets, was taken out.
async fn is_excluded(aws: &Aws, vpc: Option<&str>) -> bool {
    let Some(vpc) = vpc else { return false };
    let answer = aws.ec2.describe_vpc_block_public_access_exclusions().send().await;
    let exclusions = answer.ok().and_then(|answer| answer.vpc_block_public_access_exclusions).unwrap_or_default();
    let of_it = |exclusion: &VpcBlockPublicAccessExclusion| {
        exclusion.resource_arn().is_some_and(|arn| arn.ends_with(&format!("/{vpc}")))
    };
    exclusions.iter().any(of_it)
}
