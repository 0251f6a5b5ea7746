"""CreateService and its kin."""

from ...common import page, picked
from ...life import later
from ...registry import AwsError, now, operation
from .deployments import place_again, say, start_deployment
from .room import NO_ROOM, places
from .shared import cluster_of, name_of, service_of, services, services_of
from .targets import change_targets
from .task_definitions import entry_of
from .tasks import run_task_of, running_tasks, stop_task

KEPT = (
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "tags",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
DEPLOYED_ANEW = (
    "taskDefinition",
    "networkConfiguration",
    "loadBalancers",
    "platformVersion",
    "capacityProviderStrategy",
)


@operation("ecs", "CreateService")
def create_service(call):
    cluster = cluster_of(call)
    name = call.params["serviceName"]
    key = (cluster["clusterName"], name)
    existing = services(call).get(key)
    if existing and existing["status"] != "INACTIVE":
        return again(call, existing)
    service = new_service(call, cluster, name)
    services(call)[key] = service
    start_deployment(call, service)
    return {"service": shown(service, ["TAGS"])}


def again(call, existing):
    """Only a repetition with its token is the same request; anything else with a name in use is refused."""
    if existing["status"] == "DRAINING":
        raise AwsError("InvalidParameterException", "Unable to Start a service that is still Draining.")
    if call.get("clientToken") and call.get("clientToken") == existing["clientToken"]:
        return {"service": shown(existing, ["TAGS"])}
    raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")


def new_service(call, cluster, name):
    definition = entry_of(call, call.get("taskDefinition", ""), message="TaskDefinition not found.")["definition"]
    if definition["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    service = {
        "serviceArn": call.arn("ecs", f"service/{cluster['clusterName']}/{name}"),
        "serviceName": name,
        "clusterArn": cluster["clusterArn"],
        "status": "ACTIVE",
        "taskDefinition": definition["taskDefinitionArn"],
        "desiredCount": call.get("desiredCount", 0),
        "runningCount": 0,
        "pendingCount": call.get("desiredCount", 0),
        "loadBalancers": [],
        "serviceRegistries": [],
        "deployments": [],
        "events": [],
        "createdAt": now(),
        "createdBy": f"arn:{call.partition}:iam::{call.account}:root",
        "roleArn": f"arn:{call.partition}:iam::{call.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "platformFamily": "Linux",
        "placementConstraints": [],
        "placementStrategy": [],
        "healthCheckGracePeriodSeconds": 0,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "deploymentConfiguration": full_configuration(call.get("deploymentConfiguration", {})),
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
        "tags": [],
        "clientToken": call.get("clientToken"),
    } | picked(call.params, *KEPT)
    fill_network(service)
    if "capacityProviderStrategy" not in service:
        service.setdefault("launchType", "EC2")
    if service.get("launchType") == "FARGATE":
        service.setdefault("platformVersion", "LATEST")
    return service


def full_configuration(given):
    defaults = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    return defaults | {key: value for key, value in given.items() if value is not None}


def fill_network(service):
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network:
        network.setdefault("securityGroups", [])
        network.setdefault("assignPublicIp", "DISABLED")


def shown(service, include):
    hidden = {"clientToken", "lastGoodTaskDefinition", "_unplaced"} | (set() if "TAGS" in (include or ()) else {"tags"})
    return {key: value for key, value in service.items() if key not in hidden}


@operation("ecs", "DescribeServices")
def describe_services(call):
    cluster = cluster_of(call)
    found, failures = [], []
    for reference in call.params["services"]:
        service = services(call).get((cluster["clusterName"], name_of(reference)))
        if service:
            place_again(call, service)
            found.append(shown(service, call.get("include")))
        else:
            arn = call.arn("ecs", f"service/{cluster['clusterName']}/{name_of(reference)}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"services": found, "failures": failures}


@operation("ecs", "ListServices")
def list_services(call):
    found = [s for s in services_of(call, cluster_of(call)) if s["status"] != "INACTIVE"]
    found = [s for s in found if call.get("launchType") in (None, s.get("launchType"))]
    arns, more = page(call, [s["serviceArn"] for s in found], "maxResults", "nextToken", "nextToken", 10)
    return {"serviceArns": arns} | more


@operation("ecs", "UpdateService")
def update_service(call):
    service = service_of(call, call.params["service"])
    if service["status"] != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    before = {name: service.get(name) for name in DEPLOYED_ANEW}
    apply_settings(call, service)
    if call.get("forceNewDeployment") or before != {name: service.get(name) for name in DEPLOYED_ANEW}:
        start_deployment(call, service)
    elif call.get("desiredCount") is not None:
        scale(call, service)
    return {"service": shown(service, ["TAGS"])}


def apply_settings(call, service):
    if call.get("taskDefinition"):
        definition = entry_of(call, call.params["taskDefinition"], message="TaskDefinition not found.")["definition"]
        service["taskDefinition"] = definition["taskDefinitionArn"]
    service.update(picked(call.params, "desiredCount", *(name for name in KEPT if name != "tags")))
    if call.get("deploymentConfiguration"):
        service["deploymentConfiguration"] = service["deploymentConfiguration"] | call.params["deploymentConfiguration"]
    fill_network(service)


def scale(call, service):
    """The desired number is met later; until then the difference is pending."""
    primary = service["deployments"][0]
    primary["desiredCount"] = service["desiredCount"]
    primary["pendingCount"] = service["pendingCount"] = max(0, service["desiredCount"] - service["runningCount"])
    later("ecs.scale", lambda: meet_desired_count(call, service, primary))


def meet_desired_count(call, service, primary):
    if service["status"] != "ACTIVE" or primary["rolloutState"] != "COMPLETED" or primary not in service["deployments"]:
        return
    count, running = places(call, service), running_tasks(call, service)
    for task in running[count:]:
        stop_task(call, task, "Scaling activity initiated by deployment " + primary["id"])
    for _ in range(count - len(running)):
        run_task_of(call, service, primary)
    change_targets(call, service)
    primary |= {"runningCount": count, "pendingCount": 0}
    service |= {"runningCount": count, "pendingCount": 0}
    say(service, "has reached a steady state." if count == service["desiredCount"] else NO_ROOM)


@operation("ecs", "DeleteService")
def delete_service(call):
    service = service_of(call, call.params["service"])
    if service["status"] == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service["status"] == "ACTIVE":
        service |= {"status": "DRAINING", "desiredCount": 0, "pendingCount": 0}
        later("ecs.drain", lambda: drained(call, service))
    return {"service": shown(service, ["TAGS"])}


def drained(call, service):
    for task in running_tasks(call, service):
        stop_task(call, task, "Service deleted")
    change_targets(call, service)
    service |= {"status": "INACTIVE", "runningCount": 0, "deployments": []}
