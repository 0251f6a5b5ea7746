"""How a service gets from one task definition to the next, and what it says about it meanwhile."""

import math

from ... import logs_left
from ...life import conclude, later
from ...registry import AwsError, now, operation
from ...world import new_id, world
from .images import trouble
from .room import NO_ROOM, places
from .shared import name_of, service_deployments, service_of, service_revisions
from .tasks import run_task_of, running_tasks, stop_task

BREAKER_MESSAGE = "ECS deployment circuit breaker: tasks failed to start."
STOPPED_REASON = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"


def say(service, message):
    service["events"].insert(
        0, {"id": new_id(36), "createdAt": now(), "message": f"(service {service['serviceName']}) {message}"}
    )


def start_deployment(call, service):
    """Makes the present settings of a service its PRIMARY deployment; the former one stays ACTIVE until it is done."""
    for older in service["deployments"]:
        older["status"] = "ACTIVE"
    deployment = new_deployment(service)
    service["deployments"].insert(0, deployment)
    record = new_service_deployment(call, service, deployment)
    say(service, f"has started {service['desiredCount']} tasks.")
    # Without a way out no image can be pulled.
    blocked = world.account("block_public_access") == "block-bidirectional"
    why = STOPPED_REASON if blocked else trouble(call, service)
    if why:
        later("ecs.rollout", lambda: fail(call, service, deployment, record, why))
        return deployment
    conclude(
        "ecs.rollout",
        "ecs.deployment",
        service["serviceName"],
        lambda: complete(call, service, deployment, record),
        lambda text: fail(call, service, deployment, record, text or STOPPED_REASON),
    )
    return deployment


def new_deployment(service):
    shared = (
        "taskDefinition",
        "desiredCount",
        "launchType",
        "capacityProviderStrategy",
        "platformFamily",
        "networkConfiguration",
    )
    deployment = {name: service[name] for name in shared if name in service}
    return deployment | {
        "id": f"ecs-svc/{new_id(19, '0123456789')}",
        "status": "PRIMARY",
        "pendingCount": service["desiredCount"],
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now(),
        "updatedAt": now(),
        "platformVersion": "1.4.0",
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "ECS deployment in progress.",
    }


def new_service_deployment(call, service, deployment):
    path = f"{name_of(service['clusterArn'])}/{service['serviceName']}"
    revision_arn = call.arn("ecs", f"service-revision/{path}/{new_id(19, '0123456789')}")
    service_revisions(call)[revision_arn] = new_revision(service, revision_arn)
    arn = call.arn("ecs", f"service-deployment/{path}/{new_id(21)}")
    record = {
        "serviceDeploymentArn": arn,
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": now(),
        "startedAt": now(),
        "updatedAt": now(),
        "status": "IN_PROGRESS",
        "targetServiceRevision": {
            "arn": revision_arn,
            "requestedTaskCount": service["desiredCount"],
            "runningTaskCount": 0,
            "pendingTaskCount": service["desiredCount"],
        },
        "sourceServiceRevisions": service.get("currentServiceRevisions", []),
        "deploymentConfiguration": service["deploymentConfiguration"],
        "deploymentCircuitBreaker": breaker_state(service, "MONITORING"),
    }
    stop_unfinished(call, service)
    service_deployments(call)[arn] = record
    service["currentServiceDeployment"] = arn
    deployment_ids(call)[deployment["id"]] = arn
    return record


def deployment_ids(call):
    return call.shelf("ecs.deployment-ids")


def stop_unfinished(call, service):
    for record in service_deployments(call).values():
        if record["serviceArn"] == service["serviceArn"] and record["status"] == "IN_PROGRESS":
            record |= {"status": "STOPPED", "statusReason": "Service deployment was replaced.", "finishedAt": now()}


def new_revision(service, arn):
    shared = (
        "serviceArn",
        "clusterArn",
        "taskDefinition",
        "launchType",
        "platformVersion",
        "networkConfiguration",
        "loadBalancers",
    )
    return {name: service[name] for name in shared if name in service} | {"serviceRevisionArn": arn, "createdAt": now()}


def breaker_state(service, status, failures=0):
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    threshold = min(200, max(3, math.ceil(service["desiredCount"] / 2)))
    return {"status": status if breaker["enable"] else "DISABLED", "failureCount": failures, "threshold": threshold}


def superseded(service, deployment):
    return (
        deployment not in service["deployments"] or deployment["status"] != "PRIMARY" or service["status"] != "ACTIVE"
    )


def complete(call, service, deployment, record):
    if superseded(service, deployment):
        return
    count = places(call, service)
    replace_tasks(call, service, deployment, count)
    if count < service["desiredCount"]:
        return wait_for_room(service, deployment, record, count)
    deployment |= {"runningCount": count, "pendingCount": 0, "desiredCount": count, "updatedAt": now()}
    deployment |= {"rolloutState": "COMPLETED", "rolloutStateReason": f"ECS deployment {deployment['id']} completed."}
    service["deployments"][:] = [deployment]
    service |= {"runningCount": count, "pendingCount": 0}
    record |= {"status": "SUCCESSFUL", "finishedAt": now(), "updatedAt": now()}
    record["deploymentCircuitBreaker"] = breaker_state(service, "MONITORING_COMPLETE")
    record["targetServiceRevision"] |= {"runningTaskCount": count, "pendingTaskCount": 0}
    service["currentServiceRevisions"] = [dict(record["targetServiceRevision"])]
    service["lastGoodTaskDefinition"] = service["taskDefinition"]
    say(service, f"(deployment {deployment['id']}) deployment completed.")
    say(service, "has reached a steady state.")
    logs_left.make_all(call)


def wait_for_room(service, deployment, record, count):
    """AWS goes on trying; here the next one who looks at the service does."""
    missing = service["desiredCount"] - count
    deployment |= {"runningCount": count, "pendingCount": 0, "updatedAt": now()}
    service |= {"runningCount": count, "pendingCount": 0, "_unplaced": (deployment, record)}
    record["targetServiceRevision"] |= {"runningTaskCount": count, "pendingTaskCount": missing}
    say(service, NO_ROOM)


def place_again(call, service):
    deployment, record = service.pop("_unplaced", (None, None))
    if deployment is None:
        return
    found = places(call, service)
    if found == service["desiredCount"] or found > service["runningCount"]:
        complete(call, service, deployment, record)
    elif not superseded(service, deployment):
        service["_unplaced"] = (deployment, record)


def replace_tasks(call, service, deployment, count):
    from .targets import change_targets

    for task in running_tasks(call, service):
        stop_task(call, task, "Scaling activity initiated by deployment " + deployment["id"])
    for _ in range(count):
        run_task_of(call, service, deployment)
    change_targets(call, service)


def fail(call, service, deployment, record, reason):
    """Without a circuit breaker AWS goes on trying for ever; with one it gives up, and rolls back if told to."""
    if superseded(service, deployment):
        return
    failures = breaker_state(service, "")["threshold"]
    for _ in range(failures):
        run_task_of(call, service, deployment, stopped_reason=reason)
    deployment |= {
        "failedTasks": failures,
        "runningCount": 0,
        "pendingCount": service["desiredCount"],
        "updatedAt": now(),
    }
    say(service, f"was unable to start a task successfully: {reason}")
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    if not breaker["enable"]:
        service |= {"runningCount": 0, "pendingCount": service["desiredCount"]}
        return
    deployment |= {
        "rolloutState": "FAILED",
        "rolloutStateReason": BREAKER_MESSAGE,
        "desiredCount": 0,
        "pendingCount": 0,
    }
    record["deploymentCircuitBreaker"] = breaker_state(service, "TRIGGERED", failures)
    record |= {"statusReason": BREAKER_MESSAGE, "updatedAt": now()}
    roll_back(call, service, deployment, record, breaker["rollback"])


def roll_back(call, service, failed, record, wanted):
    good = service.get("lastGoodTaskDefinition")
    if not wanted or good is None:
        record |= {"status": "ROLLBACK_FAILED" if wanted else "STOPPED", "finishedAt": now()}
        service |= {"runningCount": 0, "pendingCount": 0}
        return
    record["status"] = "ROLLBACK_IN_PROGRESS"
    record["rollback"] = {"reason": BREAKER_MESSAGE, "startedAt": now()}
    service["taskDefinition"] = good
    failed["status"] = "ACTIVE"
    deployment = new_deployment(service)
    deployment["rolloutStateReason"] = "ECS deployment circuit breaker: rolling back to " + good
    service["deployments"].insert(0, deployment)
    later("ecs.rollout", lambda: rolled_back(call, service, deployment, record))


def rolled_back(call, service, deployment, record):
    complete(call, service, deployment, record)
    record["status"] = "ROLLBACK_SUCCESSFUL"


@operation("ecs", "ListServiceDeployments")
def list_service_deployments(call):
    service = service_of(call, call.params["service"])
    found = [r for r in service_deployments(call).values() if r["serviceArn"] == service["serviceArn"]]
    wanted = call.get("status", [])
    found = [record for record in found if not wanted or record["status"] in wanted]
    short = (
        "serviceDeploymentArn",
        "serviceArn",
        "clusterArn",
        "createdAt",
        "startedAt",
        "finishedAt",
        "status",
        "statusReason",
    )
    brief = [
        {k: r[k] for k in short if k in r} | {"targetServiceRevisionArn": r["targetServiceRevision"]["arn"]}
        for r in found
    ]
    return {"serviceDeployments": brief[::-1]}


@operation("ecs", "DescribeServiceDeployments")
def describe_service_deployments(call):
    shelf = service_deployments(call)
    wanted = call.params["serviceDeploymentArns"]
    failures = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in shelf]
    return {"serviceDeployments": [shelf[arn] for arn in wanted if arn in shelf], "failures": failures}


@operation("ecs", "DescribeServiceRevisions")
def describe_service_revisions(call):
    shelf = service_revisions(call)
    wanted = call.params["serviceRevisionArns"]
    failures = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in shelf]
    return {"serviceRevisions": [shelf[arn] for arn in wanted if arn in shelf], "failures": failures}


@operation("ecs", "StopServiceDeployment")
def stop_service_deployment(call):
    arn = call.params["serviceDeploymentArn"]
    record = service_deployments(call).get(arn)
    if record is None:
        raise AwsError("ServiceDeploymentNotFoundException", "The service deployment cannot be found.")
    record["status"] = "STOPPED"
    return {"serviceDeploymentArn": arn}
