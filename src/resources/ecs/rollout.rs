//! How a service's deployment is doing. A service looks stable after its circuit breaker has rolled it back, so what
//! counts is the deployment of the task definition we asked for.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{
    Deployment, DeploymentRolloutState, DesiredStatus, Service, ServiceDeploymentBrief, ServiceDeploymentStatus, Task,
};

use crate::resources::prelude::*;

/// How many events, and how many different reasons of stopped tasks, a failure tells.
const TOLD: usize = 3;

/// The phase of a service that should run the task definition `want`; `None`: whichever it runs. Of one that is
/// `autoscaled` the number of tasks goes up and down all day.
pub(super) async fn phase(cx: &Cx<'_>, service: &Service, want: Option<&str>, autoscaled: bool) -> Result<Phase> {
    if service.status() == Some("DRAINING") {
        return Ok(Phase::Deleting);
    }
    let Some(primary) = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY")) else {
        return Ok(Phase::Pending("no deployment yet".into()));
    };
    let runs = primary.task_definition().unwrap_or_default();
    let want = want.unwrap_or(runs);
    if runs != want {
        return Ok(match rolled_back(cx, service, want).await? {
            Some(reason) => Phase::Failed(explain(cx, service, want, reason).await),
            // Another task definition is deployed, and ours was not tried yet: an update can start it at any time.
            None => Phase::Ready,
        });
    }
    if primary.rollout_state() == Some(&DeploymentRolloutState::Failed) {
        return Ok(Phase::Failed(explain(cx, service, want, failure(primary)).await));
    }
    Ok(progress(primary, service.desired_count(), autoscaled))
}

/// The phase of a deployment that did not fail. Only its own tasks count, not those it is there to replace. Once it has
/// completed, tasks on their way up are no reason to wait where auto-scaling has asked for them.
fn progress(primary: &Deployment, desired: i32, autoscaled: bool) -> Phase {
    let running = primary.running_count();
    let finished = matches!(primary.rollout_state(), None | Some(DeploymentRolloutState::Completed));
    if finished && (running >= desired || autoscaled && running > 0) {
        return Phase::Ready;
    }
    let state = primary.rollout_state().map_or("PRIMARY", |state| state.as_str());
    let failed = match primary.failed_tasks() {
        0 => String::new(),
        count => format!(", {count} failed"),
    };
    Phase::Pending(format!("deployment {state}: {running} of {desired} tasks running{failed}"))
}

/// Why the deployment of `want` is over, if it is: in the service's own list as long as its tasks drain, and in the
/// history of deployments after that.
async fn rolled_back(cx: &Cx<'_>, service: &Service, want: &str) -> Result<Option<String>> {
    let failed = |deployment: &&Deployment| {
        deployment.task_definition() == Some(want)
            && deployment.rollout_state() == Some(&DeploymentRolloutState::Failed)
    };
    if let Some(deployment) = service.deployments().iter().find(failed) {
        return Ok(Some(failure(deployment)));
    }
    let call = cx.ecs.list_service_deployments();
    let call = call.set_cluster(service.cluster_arn.clone()).set_service(service.service_arn.clone());
    let history = call.send().await?;
    let newest = history.service_deployments().iter().max_by_key(|deployment| deployment.created_at().copied());
    let Some(newest) = newest.filter(|deployment| ended_badly(deployment)) else { return Ok(None) };
    let Some(revision) = newest.target_service_revision_arn() else { return Ok(None) };
    let answer = cx.ecs.describe_service_revisions().service_revision_arns(revision).send().await?;
    let ours = answer.service_revisions().iter().any(|revision| revision.task_definition() == Some(want));
    let status = newest.status().map_or("unknown", |status| status.as_str());
    Ok(ours.then(|| format!("deployment {status}: {}", newest.status_reason().unwrap_or("no reason given"))))
}

fn ended_badly(deployment: &ServiceDeploymentBrief) -> bool {
    use ServiceDeploymentStatus::{
        RollbackFailed, RollbackInProgress, RollbackRequested, RollbackSuccessful, StopRequested, Stopped,
    };
    matches!(
        deployment.status(),
        Some(RollbackFailed | RollbackInProgress | RollbackRequested | RollbackSuccessful | StopRequested | Stopped)
    )
}

fn failure(deployment: &Deployment) -> String {
    format!("deployment FAILED: {}", deployment.rollout_state_reason().unwrap_or("no reason given"))
}

/// A failure in ECS's own words: what became of the deployment, why its tasks stopped, the service's latest events.
async fn explain(cx: &Cx<'_>, service: &Service, task_definition: &str, headline: String) -> String {
    let mut lines = vec![headline];
    match stopped_tasks(cx, service).await {
        Ok(tasks) => {
            let ours = tasks.iter().filter(|task| task.task_definition_arn() == Some(task_definition));
            let reasons: BTreeSet<String> = ours.map(reason).collect();
            lines.extend(reasons.into_iter().take(TOLD).map(|reason| format!("stopped task: {reason}")));
        }
        // What is known must not be lost because more cannot be found out.
        Err(fault) => lines.push(format!("the stopped tasks cannot be read: {fault}")),
    }
    let events = service.events().iter().filter_map(|event| event.message()).take(TOLD);
    lines.extend(events.map(|message| format!("event: {message}")));
    lines.join("; ")
}

/// Up to a hundred tasks that stopped; ECS forgets them after an hour.
async fn stopped_tasks(cx: &Cx<'_>, service: &Service) -> Result<Vec<Task>> {
    let call = cx.ecs.list_tasks().set_cluster(service.cluster_arn.clone());
    let call = call.set_service_name(service.service_name.clone()).desired_status(DesiredStatus::Stopped);
    let arns = call.send().await?.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let call = cx.ecs.describe_tasks().set_cluster(service.cluster_arn.clone()).set_tasks(Some(arns));
    Ok(call.send().await?.tasks.unwrap_or_default())
}

fn reason(task: &Task) -> String {
    let containers = task.containers().iter().filter_map(|container| {
        let name = container.name().unwrap_or_default();
        match (container.reason(), container.exit_code()) {
            (Some(reason), _) => Some(format!("{name}: {reason}")),
            (None, Some(code)) => Some(format!("{name}: exit code {code}")),
            (None, None) => None,
        }
    });
    let containers = containers.collect::<Vec<_>>().join(", ");
    match (task.stopped_reason().unwrap_or("no reason given"), containers.as_str()) {
        (reason, "") => reason.to_owned(),
        (reason, containers) => format!("{reason} ({containers})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(state: DeploymentRolloutState) -> Deployment {
        Deployment::builder().rollout_state(state).running_count(2).failed_tasks(1).build()
    }

    #[test]
    fn a_deployment_is_ready_once_completed_and_at_its_count() {
        let completed = deployment(DeploymentRolloutState::Completed);
        assert_eq!(progress(&completed, 2, false), Phase::Ready);
        assert!(matches!(progress(&completed, 4, false), Phase::Pending(_)));
        let pending = Phase::Pending("deployment IN_PROGRESS: 2 of 2 tasks running, 1 failed".into());
        assert_eq!(progress(&deployment(DeploymentRolloutState::InProgress), 2, true), pending);
    }

    #[test]
    fn an_autoscaled_service_is_ready_while_it_grows_but_not_without_a_task() {
        let completed = deployment(DeploymentRolloutState::Completed);
        assert_eq!(progress(&completed, 4, true), Phase::Ready);
        let empty = Deployment::builder().rollout_state(DeploymentRolloutState::Completed).build();
        assert!(matches!(progress(&empty, 4, true), Phase::Pending(_)));
    }

    #[test]
    fn a_stopped_task_tells_its_containers_reasons() {
        let container = aws_sdk_ecs::types::Container::builder().name("api").exit_code(137).build();
        let task = Task::builder().stopped_reason("Essential container in task exited").containers(container).build();
        assert_eq!(reason(&task), "Essential container in task exited (api: exit code 137)");
    }
}
