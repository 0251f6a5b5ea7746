"""How many tasks Fargate still lets the account run: the quota counts the vCPUs of all that run at once."""

from ...quotas import quotas
from .shared import name_of, task_definitions, tasks

NO_ROOM = (
    "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently."
)
UNITS_A_VCPU = 1024


def places(call, service):
    """Tasks that the service may have running, given what the others run."""
    if service.get("launchType") != "FARGATE":
        return service["desiredCount"]
    taken = sum(units(call, task["taskDefinitionArn"]) for task in running(call) if not belongs_to(task, service))
    free = quotas["fargate-vcpus"] * UNITS_A_VCPU - taken
    return min(service["desiredCount"], max(0, free // units(call, service["taskDefinition"])))


def running(call):
    return [t for t in tasks(call).values() if t["lastStatus"] == "RUNNING" and t["launchType"] == "FARGATE"]


def vcpus_in_use(call):
    return sum(units(call, task["taskDefinitionArn"]) for task in running(call)) / UNITS_A_VCPU


def belongs_to(task, service):
    return task["clusterArn"] == service["clusterArn"] and task["group"] == f"service:{service['serviceName']}"


def units(call, definition_arn):
    """A quarter of a vCPU, the least there is, for a task definition that was deleted from under its tasks."""
    entry = task_definitions(call).get(name_of(definition_arn), {"definition": {}})
    return int(entry["definition"].get("cpu", UNITS_A_VCPU // 4))
