"""Task definitions. Every registration is a new revision, and the numbers of a family are never used again."""

import copy

from ...common import page, picked
from ...life import later
from ...registry import AwsError, now, operation
from .shared import name_of, task_definitions

KEPT = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
CONTAINER_DEFAULTS = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}


@operation("ecs", "RegisterTaskDefinition")
def register_task_definition(call):
    family = call.params["family"]
    counters = call.shelf("ecs.revisions")
    revision = counters[family] = counters.get(family, 0) + 1
    definition = {
        "taskDefinitionArn": call.arn("ecs", f"task-definition/{family}:{revision}"),
        "family": family,
        "revision": revision,
        "status": "ACTIVE",
        "volumes": [],
        "placementConstraints": [],
        "requiresAttributes": [],
        "compatibilities": ["EC2", "FARGATE"] if call.get("networkMode") == "awsvpc" else ["EC2"],
        "registeredAt": now(),
        "registeredBy": f"arn:{call.partition}:iam::{call.account}:root",
        "containerDefinitions": [filled(c, call.get("networkMode")) for c in call.params["containerDefinitions"]],
    } | picked(call.params, *KEPT, "requiresCompatibilities")
    for volume in definition["volumes"]:
        fill_volume(volume)
    task_definitions(call)[f"{family}:{revision}"] = {"definition": definition, "tags": call.get("tags", [])}
    return {"taskDefinition": definition, "tags": call.get("tags", [])}


def filled(container, network_mode):
    """What AWS adds to a container definition, which a comparison has to expect."""
    out = copy.deepcopy(CONTAINER_DEFAULTS) | copy.deepcopy(container)
    for mapping in out["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        mapping.setdefault("hostPort", mapping["containerPort"] if network_mode == "awsvpc" else 0)
    if "logConfiguration" in out:
        out["logConfiguration"].setdefault("options", {})
        out["logConfiguration"].setdefault("secretOptions", [])
    if "healthCheck" in out:
        out["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3} | out["healthCheck"]
    return out


def fill_volume(volume):
    efs = volume.get("efsVolumeConfiguration")
    if efs is None:
        volume.setdefault("host", {})
    else:
        efs.setdefault("rootDirectory", "/")


def entry_of(call, reference, code="ClientException", message="Unable to describe task definition."):
    shelf = task_definitions(call)
    key = name_of(reference)
    if ":" not in key:
        family = [e["definition"] for e in shelf.values() if e["definition"]["family"] == key]
        active = [d["revision"] for d in family if d["status"] == "ACTIVE"]
        key = f"{key}:{max(active, default=0)}"
    if key not in shelf:
        raise AwsError(code, message)
    return shelf[key]


@operation("ecs", "DescribeTaskDefinition")
def describe_task_definition(call):
    entry = entry_of(call, call.params["taskDefinition"])
    tags = {"tags": entry["tags"]} if "TAGS" in call.get("include", []) else {}
    return {"taskDefinition": entry["definition"]} | tags


@operation("ecs", "ListTaskDefinitions")
def list_task_definitions(call):
    family, status = call.get("familyPrefix"), call.get("status", "ACTIVE")
    found = [e["definition"] for e in task_definitions(call).values() if e["definition"]["status"] == status]
    found = [d for d in found if family in (None, d["family"])]
    found.sort(key=lambda d: (d["family"], d["revision"]), reverse=call.get("sort") == "DESC")
    arns, more = page(call, [d["taskDefinitionArn"] for d in found], "maxResults", "nextToken", "nextToken")
    return {"taskDefinitionArns": arns} | more


@operation("ecs", "ListTaskDefinitionFamilies")
def list_task_definition_families(call):
    prefix, status = call.get("familyPrefix", ""), call.get("status", "ACTIVE")
    found = {
        e["definition"]["family"]
        for e in task_definitions(call).values()
        if status in ("ALL", e["definition"]["status"])
    }
    return {"families": sorted(family for family in found if family.startswith(prefix))}


@operation("ecs", "DeregisterTaskDefinition")
def deregister_task_definition(call):
    if ":" not in name_of(call.params["taskDefinition"]):
        raise AwsError("ClientException", "Task definition revision must be given.")
    entry = entry_of(call, call.params["taskDefinition"], message="The specified task definition does not exist.")
    if entry["definition"]["status"] == "ACTIVE":
        entry["definition"] |= {"status": "INACTIVE", "deregisteredAt": now()}
    return {"taskDefinition": entry["definition"]}


@operation("ecs", "DeleteTaskDefinitions")
def delete_task_definitions(call):
    deleted, failures = [], []
    for reference in call.params["taskDefinitions"]:
        key = name_of(reference)
        entry = task_definitions(call).get(key)
        if entry is None:
            failures.append({"arn": reference, "reason": "TASK_DEFINITION_NOT_FOUND"})
        elif entry["definition"]["status"] == "ACTIVE":
            detail = (
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
            failures.append({"arn": reference, "reason": "CLIENT", "detail": detail})
        else:
            entry["definition"] |= {"status": "DELETE_IN_PROGRESS", "deleteRequestedAt": now()}
            deleted.append(dict(entry["definition"]))
            later("ecs.task-definition.delete", lambda key=key: task_definitions(call).pop(key, None))
    return {"taskDefinitions": deleted, "failures": failures}
