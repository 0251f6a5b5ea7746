//! Tasks that hold a secret's former value. ECS gives a task the values of secrets when it starts and never again: ECS
//! Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables".

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretVersionsListEntry;

use crate::aws::Aws;
use crate::error::{Fault, Result};
use crate::resource::Resource;
use crate::resources::ecs::{Service, TaskDefinition, service};
use crate::resources::secretsmanager::CURRENT;
use crate::state::State;

/// Parts of an ARN of a secret; what follows names a field of its value.
const PARTS: usize = 7;

/// A sentence for each service of which tasks started before a secret of theirs was last changed. What AWS does not let be
/// asked is not told.
pub async fn remarks(aws: &Aws, state: &State) -> Vec<String> {
    let services = state.nodes.iter().filter(|(_, node)| node.kind == Service::KIND);
    let mut told = Vec::new();
    for (name, arn) in services.filter_map(|(name, node)| Some((name, node.id.as_deref()?))) {
        let found = of_service(aws, name, arn, &secrets(state)).await;
        told.extend(
            found.inspect_err(|fault| tracing::debug!(%fault, name, "age of secrets not known")).unwrap_or_default(),
        );
    }
    told
}

async fn of_service(aws: &Aws, name: &str, arn: &str, secrets: &BTreeSet<String>) -> Result<Option<String>> {
    let (Some(cluster), Some(own)) = (service::cluster_of(arn), arn.rsplit('/').next()) else { return Ok(None) };
    let starts = starts(aws, cluster, own).await?;
    for secret in secrets {
        let Some(changed) = changed(aws, secret).await? else { continue };
        let before = starts.iter().filter(|start| start.secs() < changed.secs()).count();
        if before > 0 {
            return Ok(Some(format!(
                "{name}: {before} of {} tasks started before {secret} was last changed and hold the value of then; restart \
                 them: aws ecs update-service --cluster {cluster} --service {own} --force-new-deployment",
                starts.len()
            )));
        }
    }
    Ok(None)
}

/// The secrets that tasks are given, by their ARNs.
fn secrets(state: &State) -> BTreeSet<String> {
    let definitions = state.nodes.values().filter(|node| node.kind == TaskDefinition::KIND);
    let containers = definitions.filter_map(|node| node.spec["containers"].as_object()).flat_map(|all| all.values());
    let given = containers.filter_map(|container| container["secrets"].as_object()).flat_map(|all| all.values());
    given.filter_map(|secret| secret.as_str()).map(whole).collect()
}

/// An ARN without the field that follows it.
fn whole(secret: &str) -> String {
    secret.split(':').take(PARTS).collect::<Vec<_>>().join(":")
}

/// When the version that is read now came to be.
async fn changed(aws: &Aws, secret: &str) -> Result<Option<DateTime>> {
    let ask = aws.secrets.list_secret_version_ids().secret_id(secret).send().await.map_err(Fault::from)?;
    let is_current = |version: &&SecretVersionsListEntry| version.version_stages().iter().any(|stage| stage == CURRENT);
    Ok(ask.versions().iter().find(is_current).and_then(|version| version.created_date().copied()))
}

/// When each running task of a service was begun.
async fn starts(aws: &Aws, cluster: &str, service: &str) -> Result<Vec<DateTime>> {
    // One page holds as many as are described in one call.
    let arns = aws.ecs.list_tasks().cluster(cluster).service_name(service).send().await?.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let answer = aws.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await?;
    Ok(answer.tasks().iter().filter_map(|task| task.created_at().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_value_is_no_part_of_the_secret() {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1-AbCdEf";
        assert_eq!(whole(&format!("{arn}:password::")), arn);
        assert_eq!(whole(arn), arn);
    }
}
