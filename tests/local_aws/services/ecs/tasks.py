"""Tasks, as far as they explain why a deployment does or does not succeed."""

from ... import enis
from ...registry import now, operation
from ...world import new_id
from .shared import cluster_of, name_of, tasks, tasks_of


def run_task_of(call, service, deployment, stopped_reason=None):
    task_id = new_id(32)
    arn = call.arn("ecs", f"task/{name_of(service['clusterArn'])}/{task_id}")
    task = {
        "taskArn": arn,
        "clusterArn": service["clusterArn"],
        "taskDefinitionArn": deployment["taskDefinition"],
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "launchType": "FARGATE",
        "lastStatus": "STOPPED" if stopped_reason else "RUNNING",
        "desiredStatus": "STOPPED" if stopped_reason else "RUNNING",
        "healthStatus": "UNKNOWN",
        "createdAt": now(),
        "containers": [],
        "tags": [],
    }
    if stopped_reason:
        task |= {"stoppedReason": stopped_reason, "stopCode": "TaskFailedToStart", "stoppedAt": now()}
    else:
        attach_interface(call, service, task)
    tasks(call)[arn] = task
    return task


def attach_interface(call, service, task):
    """Every task with a network of its own has an interface, in one zone after the other; a set of subnets has no order."""
    settings = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not settings:
        return
    known = call.backend("ec2")
    subnets = sorted(settings["subnets"], key=lambda subnet: known.get_subnet(subnet).availability_zone)
    subnet = subnets[len(running_tasks(call, service)) % len(subnets)]
    eni = enis.attach(call, task["taskArn"], subnet, settings["securityGroups"], task["taskArn"], "amazon-ecs")
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
    shown = [{key: value for key, value in task.items() if not key.startswith("_")} for task in found]
    return {"tasks": shown, "failures": [{"arn": arn, "reason": "MISSING"} for arn in missing]}
