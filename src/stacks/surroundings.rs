//! What account and region hold against a plan, or beside it: asked before anything is made.

use aws_sdk_ec2::types::{InternetGatewayBlockMode, VpcBlockPublicAccessExclusion};

use crate::aws::Aws;
use crate::config::{Config, IngressMode, StackKind};
use crate::error::{Class, Fault, Result};
use crate::plan::{Action, Plan};
use crate::resource::Resource;
use crate::resources::ec2::Vpc;
use crate::resources::guardduty::{Detector, detector};

/// Refuses a plan that public access to VPCs, as the account or its organisation blocks it, would leave dead.
///
/// # Errors
/// Names the block and the ways out.
pub async fn check(aws: &Aws, config: &Config, plan: &Plan) -> Result<()> {
    if !plan.steps.iter().any(|step| step.kind == "ecs.service" && step.action == Action::Create) {
        return Ok(());
    }
    let public = config.stack == StackKind::StudentRecords && config.ingress.mode == IngressMode::Public;
    let why = match blocked(aws).await {
        Some(InternetGatewayBlockMode::BlockBidirectional) => {
            "nothing in a VPC reaches the internet, so no task can pull its image"
        }
        Some(InternetGatewayBlockMode::BlockIngress) if public => {
            "nobody reaches the load balancer that ingress.mode = \"public\" asks for"
        }
        _ => return Ok(()),
    };
    if is_excluded(aws, plan).await {
        return Ok(());
    }
    let text = format!(
        "VPC Block Public Access is on in {}: {why}; take the VPC out of it (CreateVpcBlockPublicAccessExclusion, once it \
         exists), or have the account or its organisation lift it",
        aws.region
    );
    Err(Fault::new(Class::Invalid, "PublicAccessBlocked", text))
}

/// What a person should know of others who have a say here, a sentence each.
pub async fn remarks(aws: &Aws, plan: &Plan) -> Vec<String> {
    let detectors = plan.steps.iter().filter(|step| step.kind == Detector::KIND).filter_map(|step| step.id.as_deref());
    let mut told = Vec::new();
    for id in detectors {
        let administrator = detector::administrator(aws, id).await;
        let administrator = administrator.inspect_err(|fault| tracing::debug!(%fault, "administrator not known")).ok();
        told.extend(administrator.flatten().map(|account| {
            format!("GuardDuty is run by account {account}: its detector here is used as it is, and nothing of it is changed")
        }));
    }
    told
}

/// What is blocked, as far as it may be asked.
async fn blocked(aws: &Aws) -> Option<InternetGatewayBlockMode> {
    let answer = aws.ec2.describe_vpc_block_public_access_options().send().await.map_err(Fault::from);
    let answer = answer.inspect_err(|fault| tracing::debug!(%fault, "public access not known")).ok()?;
    answer.vpc_block_public_access_options?.internet_gateway_block_mode
}

/// Whether the VPC that stands, or one of its subnets, was taken out.
async fn is_excluded(aws: &Aws, plan: &Plan) -> bool {
    let vpc = plan.steps.iter().find(|step| step.kind == Vpc::KIND).and_then(|step| step.id.as_deref());
    let Some(vpc) = vpc else { return false };
    let answer = aws.ec2.describe_vpc_block_public_access_exclusions().send().await;
    let exclusions = answer.ok().and_then(|answer| answer.vpc_block_public_access_exclusions).unwrap_or_default();
    let of_it = |exclusion: &VpcBlockPublicAccessExclusion| {
        exclusion.resource_arn().is_some_and(|arn| arn.ends_with(&format!("/{vpc}")))
    };
    exclusions.iter().any(of_it)
}
