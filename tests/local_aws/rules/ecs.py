"""ECS clusters and services, and Application Auto Scaling."""

import re

from ..registry import AwsError, rule
from ..services.ecs.shared import clusters, name_of, services, task_definitions, tasks_of
from .helpers import invalid


def client(message):
    raise AwsError("ClientException", message)


def parameter(message):
    raise AwsError("InvalidParameterException", message)


def on_fargate(call):
    return "FARGATE" in call.get("requiresCompatibilities", [])


def definition_of(call):
    """The task definition a service call names, or that its service has now."""
    reference = call.get("taskDefinition")
    if reference is None:
        service = service_in(call)
        reference = service["taskDefinition"] if service else ""
    key = name_of(reference)
    if ":" not in key:
        mine = [e["definition"] for e in task_definitions(call).values() if e["definition"]["family"] == key]
        return max((d for d in mine if d["status"] == "ACTIVE"), key=lambda d: d["revision"], default=None)
    return task_definitions(call).get(key, {}).get("definition")


def service_in(call):
    cluster = name_of(call.get("cluster", "default"))
    return services(call).get((cluster, name_of(call.get("service") or call.get("serviceName") or "")))


@rule(
    "strict",
    "ecs",
    "CreateCluster",
    "CreateService",
    says="names have up to 255 letters, digits, hyphens and underscores",
)
def names(call):
    name = call.get("serviceName") or call.get("clusterName")
    if name and not re.fullmatch(r"[a-zA-Z0-9_-]{1,255}", name):
        parameter("The name contains invalid characters, or is longer than 255.")


@rule("strict", "ecs", "DescribeServices", says="10 services a call")
def services_a_call(call):
    if not 1 <= len(call.params["services"]) <= 10:
        parameter("Services cannot have more than 10 elements.")


@rule("strict", "ecs", "DescribeClusters", "DescribeTasks", says="100 clusters or tasks a call")
def many_a_call(call):
    if len(call.get("clusters") or call.get("tasks") or []) > 100:
        parameter("At most 100 elements can be described in one call.")


@rule(
    "strict",
    "ecs",
    "CreateService",
    "UpdateService",
    says="a task with a network of its own needs subnets of one VPC, at most 16, and at most 5 groups",
    source="Amazon ECS API Reference: AwsVpcConfiguration",
)
def network(call):
    definition = definition_of(call)
    settings = call.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if definition and definition.get("networkMode") == "awsvpc" and not settings and call.operation == "CreateService":
        parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if settings and (len(settings["subnets"]) > 16 or len(settings.get("securityGroups", [])) > 5):
        parameter("At most 16 subnets and 5 security groups can be given.")


@rule("strict", "ecs", "CreateService", says="a task definition supports the launch type of its service")
def launch_type(call):
    definition = definition_of(call)
    wanted = call.get("launchType", "EC2")
    providers = [item["capacityProvider"] for item in call.get("capacityProviderStrategy", [])]
    if call.get("launchType") and providers:
        parameter("Specifying both a launch type and capacity provider strategy is not supported.")
    if definition and wanted == "FARGATE" and "FARGATE" not in definition.get("requiresCompatibilities", []):
        parameter("Task definition does not support launch_type FARGATE.")


@rule(
    "strict",
    "ecs",
    "CreateService",
    "UpdateService",
    says="a load balancer leads to a container port of the task definition",
)
def container_of_load_balancer(call):
    definition = definition_of(call)
    for balancer in call.get("loadBalancers", []) if definition else []:
        found = [c for c in definition["containerDefinitions"] if c["name"] == balancer.get("containerName")]
        if not found:
            parameter(f"The container {balancer.get('containerName')} does not exist in the task definition.")
        if balancer.get("containerPort") not in {m["containerPort"] for m in found[0]["portMappings"]}:
            name, port = balancer.get("containerName"), balancer.get("containerPort")
            parameter(f"The container {name} did not have a container port {port} defined.")


@rule("strict", "ecs", "CreateService", "UpdateService", says="a grace period needs a load balancer")
def grace_period(call):
    service = service_in(call) or {}
    balancers = call.get("loadBalancers", service.get("loadBalancers", []))
    if call.get("healthCheckGracePeriodSeconds") and not balancers:
        parameter("Health check grace period is only valid for services configured to use load balancers")


@rule(
    "strict",
    "ecs",
    "CreateService",
    "UpdateService",
    says="a deployment may not lower healthy tasks below none, nor raise them to less than all",
    source="Amazon ECS API Reference: DeploymentConfiguration",
)
def deployment_bounds(call):
    bounds = call.get("deploymentConfiguration", {})
    low, high = bounds.get("minimumHealthyPercent", 100), bounds.get("maximumPercent", 200)
    if high < 100 or low < 0 or low >= high:
        parameter("maximumPercent must be at least 100 and greater than minimumHealthyPercent.")
    breaker = bounds.get("deploymentCircuitBreaker")
    if breaker is not None and breaker.get("rollback") and not breaker.get("enable"):
        parameter("A circuit breaker that rolls back must be enabled.")


@rule("order", "ecs", "CreateService", "UpdateService", says="subnets and security groups exist before the service")
def network_exists(call):
    settings = call.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnets = {s.id: s.vpc_id for zone in call.backend("ec2").subnets.values() for s in zone.values()}
    for subnet in settings.get("subnets", []):
        if subnet not in subnets:
            parameter(f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist")
    vpcs = {subnets[subnet] for subnet in settings.get("subnets", [])}
    groups = {g: vpc for vpc, found in call.backend("ec2").groups.items() for g in found}
    for group in settings.get("securityGroups", []):
        if group not in groups:
            parameter(
                f"Error retrieving security group information for [{group}]: The "
                f"security group '{group}' does not exist"
            )
        vpcs.add(groups[group])
    if len(vpcs) > 1:
        parameter("The subnets and security groups are not all in the same VPC.")


@rule(
    "order",
    "ecs",
    "CreateService",
    "UpdateService",
    says="a target group exists, takes IP addresses, and a listener leads to it before the service is made",
    source="Amazon ECS Developer Guide: service load balancing",
)
def target_group_ready(call):
    known = call.backend("elbv2").target_groups
    for balancer in call.get("loadBalancers", []):
        arn = balancer.get("targetGroupArn")
        if arn not in known:
            parameter(f"The target group {arn} does not exist.")
        if known[arn].target_type != "ip":
            message = (
                f"The provided target group {arn} has target type {known[arn].target_type}, "
                "which is incompatible with the "
            )
            parameter(message + "awsvpc network mode specified in the task definition.")
        if not call.backend("elbv2")._any_listener_using(arn):
            parameter(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")


@rule("order", "ecs", "DeleteService", says="a service with tasks wanted is deleted by force only")
def scaled_above_zero(call):
    service = service_in(call)
    if service and service["status"] == "ACTIVE" and service["desiredCount"] > 0 and not call.get("force"):
        parameter("The service cannot be stopped while it is scaled above 0.")


@rule("order", "ecs", "DeleteCluster", says="a cluster with services cannot be deleted")
def cluster_has_services(call):
    name = name_of(call.params["cluster"])
    if any(key[0] == name and service["status"] != "INACTIVE" for key, service in services(call).items()):
        raise AwsError("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")


@rule("order", "ecs", "DeleteCluster", says="a cluster with tasks cannot be deleted")
def cluster_has_tasks(call):
    cluster = clusters(call).get(name_of(call.params["cluster"]))
    if cluster and any(task["lastStatus"] != "STOPPED" for task in tasks_of(call, cluster)):
        raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")


# Application Auto Scaling


@rule("strict", "application-autoscaling", "RegisterScalableTarget", says="the least is not more than the most")
def capacity_range(call):
    low, high = call.get("MinCapacity"), call.get("MaxCapacity")
    if low is not None and high is not None and not 0 <= low <= high:
        invalid("application-autoscaling", "Maximum capacity cannot be less than minimum capacity")


@rule(
    "strict",
    "application-autoscaling",
    "PutScalingPolicy",
    says="requests per target are counted at a target group of the service",
)
def resource_label(call):
    metric = call.get("TargetTrackingScalingPolicyConfiguration", {}).get("PredefinedMetricSpecification", {})
    if metric.get("PredefinedMetricType") != "ALBRequestCountPerTarget":
        return
    match = re.fullmatch(r"(app/[^/]+/[0-9a-f]+)/(targetgroup/[^/]+/[0-9a-f]+)", metric.get("ResourceLabel", ""))
    service = services(call).get(tuple(call.params["ResourceId"].split("/")[1:]))
    attached = [b.get("targetGroupArn", "") for b in service["loadBalancers"]] if service else []
    if not match or not any(arn.endswith(":" + match.group(2)) for arn in attached):
        message = f"ALB not found, or its target group is not attached to the service: {metric.get('ResourceLabel')}"
        invalid("application-autoscaling", message)


@rule("strict", "application-autoscaling", "PutScalingPolicy", says="a target tracking policy has exactly one metric")
def tracked_metric(call):
    if call.get("PolicyType") != "TargetTrackingScaling":
        return
    settings = call.get("TargetTrackingScalingPolicyConfiguration", {})
    given = {"PredefinedMetricSpecification", "CustomizedMetricSpecification"} & set(settings)
    if len(given) != 1:
        invalid("application-autoscaling", "A target tracking policy needs exactly one metric specification.")
