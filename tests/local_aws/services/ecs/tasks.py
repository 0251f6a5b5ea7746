"""Tasks, as far as they explain why a deployment does or does not succeed."""

from ... import agents, enis
from ...registry import AwsError, now, operation
from ...world import new_id
from .shared import cluster_of, name_of, services, tasks, tasks_of
from .task_definitions import entry_of


def new_task(call, cluster_arn, definition_arn, group, started_by):
    return {
        "taskArn": call.arn("ecs", f"task/{name_of(cluster_arn)}/{new_id(32)}"),
        "clusterArn": cluster_arn,
        "taskDefinitionArn": definition_arn,
        "group": group,
        "startedBy": started_by,
        "launchType": "FARGATE",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "healthStatus": "UNKNOWN",
        "createdAt": now(),
        "containers": [],
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "platformVersion": "1.4.0",
        "version": 1,
        "tags": [],
    }


def run_task_of(call, service, deployment, stopped_reason=None):
    group = f"service:{service['serviceName']}"
    task = new_task(call, service["clusterArn"], deployment["taskDefinition"], group, deployment["id"])
    if stopped_reason:
        task |= {"lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
        task |= {"stoppedReason": stopped_reason, "stopCode": "TaskFailedToStart", "stoppedAt": now()}
    else:
        attach_interface(call, service, task)
    tasks(call)[task["taskArn"]] = task
    return task


def shown(task):
    return {key: value for key, value in task.items() if not key.startswith("_")}


@operation("ecs", "RunTask")
def run_task(call):
    """Tasks that no service keeps."""
    cluster, definition = cluster_of(call), entry_of(call, call.params["taskDefinition"])["definition"]
    ran = []
    for _ in range(call.get("count", 1)):
        group = call.get("group", f"family:{definition['family']}")
        task = new_task(
            call, cluster["clusterArn"], definition["taskDefinitionArn"], group, call.get("startedBy", "")
        )
        attach_interface(call, call.params | {"clusterArn": cluster["clusterArn"], "serviceName": ""}, task)
        tasks(call)[task["taskArn"]] = task | {"tags": call.get("tags", [])}
        ran.append(shown(task))
    return {"tasks": ran, "failures": []}


@operation("ecs", "StopTask")
def stop_task_of(call):
    found = [task for task in tasks_of(call, cluster_of(call)) if name_of(task["taskArn"]) == name_of(call.params["task"])]
    if not found:
        raise AwsError("InvalidParameterException", "The referenced task was not found.")
    stop_task(call, found[0], call.get("reason", "Task stopped by user"))
    leave_targets(call, found[0])
    return {"task": shown(found[0])}


def leave_targets(call, task):
    """A load balancer sends nothing to a task that has stopped."""
    from .targets import change_targets

    for service in services(call).values():
        if service["clusterArn"] == task["clusterArn"] and task["group"] == f"service:{service['serviceName']}":
            change_targets(call, service)


def attach_interface(call, service, task):
    """Every task with a network of its own has an interface, in one zone after the other; a set of subnets has no order."""
    settings = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not settings:
        return
    known = call.backend("ec2")
    subnets = sorted(settings["subnets"], key=lambda subnet: known.get_subnet(subnet).availability_zone)
    subnet = subnets[len(running_tasks(call, service)) % len(subnets)]
    eni = enis.attach(call, task["taskArn"], subnet, settings["securityGroups"], task["taskArn"], "amazon-ecs")
    agents.arrive(call, settings["subnets"])
    if eni is not None:
        details = {"subnetId": subnet, "networkInterfaceId": eni.id, "privateIPv4Address": eni.private_ip_address}
        named = [{"name": key, "value": value} for key, value in details.items()]
        task["attachments"] = [
            {"id": new_id(36), "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": named}
        ]
        task["availabilityZone"] = eni.subnet.availability_zone
        task["_address"] = eni.private_ip_address


def stop_task(call, task, reason):
    task |= {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedReason": reason, "stoppedAt": now()}
    enis.release(call, task["taskArn"])


def running_tasks(call, service):
    group = f"service:{service['serviceName']}"
    mine = [t for t in tasks(call).values() if t["clusterArn"] == service["clusterArn"] and t["group"] == group]
    return [task for task in mine if task["lastStatus"] == "RUNNING"]


@operation("ecs", "ListTasks")
def list_tasks(call):
    wanted = call.get("desiredStatus", "RUNNING")
    found = [task for task in tasks_of(call, cluster_of(call)) if task["desiredStatus"] == wanted]
    if call.get("serviceName"):
        found = [task for task in found if task["group"] == f"service:{name_of(call.params['serviceName'])}"]
    if call.get("family"):
        found = [t for t in found if name_of(t["taskDefinitionArn"]).split(":")[0] == call.params["family"]]
    if call.get("startedBy"):
        found = [task for task in found if task["startedBy"] == call.params["startedBy"]]
    return {"taskArns": [task["taskArn"] for task in found]}


@operation("ecs", "DescribeTasks")
def describe_tasks(call):
    by_id = {name_of(task["taskArn"]): task for task in tasks_of(call, cluster_of(call))}
    found = [by_id[name_of(arn)] for arn in call.params["tasks"] if name_of(arn) in by_id]
    missing = [arn for arn in call.params["tasks"] if name_of(arn) not in by_id]
    return {"tasks": [shown(task) for task in found], "failures": [{"arn": arn, "reason": "MISSING"} for arn in missing]}
