"""What AWS does at once and without a word, and what leaves something that serves without a way: a route, a table, a rule,
a listener, a target, a mount.

A service serves while tasks of it run. A change of what stands should give it the new way before it takes the old one; a
teardown takes the service first. A call that does neither is noted as a violation, where `gaps` is set.
"""

from ..registry import AwsError, rule
from ..services.ecs.shared import name_of, services, task_definitions
from ..services.ec2.shared import subnets
from .ecs import service_in
from .elbv2 import balancers, target_groups

SOURCE = "Amazon VPC User Guide, Elastic Load Balancing and Amazon EFS documentation: the change takes effect at once"


TROUBLE = "User Guide for Application Load Balancers: troubleshooting"


def gap(message):
    raise AwsError("Gap", message)


def serving(call):
    """The services that have tasks running."""
    return [one for one in services(call).values() if one["status"] == "ACTIVE" and one.get("runningCount", 0) > 0]


def subnets_of(service):
    return set(service.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("subnets", []))


def groups_of(service):
    return set(service.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("securityGroups", []))


def serving_in(call, subnet_ids):
    """A service that has tasks in one of these subnets."""
    return next((one for one in serving(call) if subnets_of(one) & set(subnet_ids)), None)


def tables(call):
    return call.backend("ec2").route_tables


def users_of_table(call, table):
    service = serving_in(call, table._associations.values())
    return service and service["serviceName"]


@rule("gaps", "ec2", "DeleteRoute", says="tasks lose a way out with its route; ReplaceRoute has no gap", source=SOURCE)
def route_gone(call):
    table = tables(call).get(call.params["RouteTableId"])
    user = table and users_of_table(call, table)
    if user:
        gap(f"{call.params.get('DestinationCidrBlock')} leads nowhere for the tasks of {user}")


@rule(
    "gaps",
    "ec2",
    "DeleteNatGateway",
    "DetachInternetGateway",
    says="a route to a gateway that is deleted or detached leads nowhere",
    source=SOURCE,
)
def gateway_gone(call):
    gateway = call.params.get("NatGatewayId") or call.params.get("InternetGatewayId")
    for table in tables(call).values():
        leads = any(
            gateway in (getattr(route.nat_gateway, "id", None), getattr(route.gateway, "id", None))
            for route in table.routes
        )
        user = users_of_table(call, table) if leads else None
        if user:
            gap(f"{gateway} is where the tasks of {user} go out")


@rule(
    "gaps",
    "ec2",
    "DisassociateRouteTable",
    says="a subnet without a table of its own falls back to the main one; ReplaceRouteTableAssociation has no gap",
    source=SOURCE,
)
def table_gone(call):
    for table in tables(call).values():
        subnet = table._associations.get(call.params["AssociationId"])
        service = serving_in(call, [subnet]) if subnet in subnets(call) else None
        if service:
            gap(f"the tasks of {service['serviceName']} in {subnet} lose their routes")


def revoked(call):
    """Groups that had a rule taken away, by the way they had it for."""
    return call.shelf("gaps.revoked")


@rule(
    "gaps",
    "ec2",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    says="a rule that is revoked before its successor is authorised stops what it let through",
    source=SOURCE,
)
def rule_revoked_first(call):
    group, way = call.params.get("GroupId"), call.operation.removeprefix("Revoke").removeprefix("Authorize")
    used = any(group in {g.id for g in eni.group_set} for eni in call.backend("ec2").enis.values())
    if call.operation.startswith("Revoke"):
        if used and serving(call):
            revoked(call)[(group, way)] = True
    elif revoked(call).pop((group, way), None):
        gap(f"{group} was without a rule until now: authorise the new one, then revoke the old one")


def forwarding(call, listener):
    """The target groups a listener forwards to."""
    return forwarding_of(listener.default_actions)


def forwarding_of(actions):
    """The target groups these actions forward to."""
    arns = set()
    for action in actions:
        data = getattr(action, "data", action) or {}
        arns.add(data.get("TargetGroupArn"))
        arns |= {one.get("TargetGroupArn") for one in (data.get("ForwardConfig") or {}).get("TargetGroups", [])}
    return arns - {None}


def listeners(call):
    return [listener for balancer in balancers(call).values() for listener in balancer.listeners.values()]


def is_forwarded_to(call, arn):
    """Whether any listener or rule forwards there."""
    by_rules = {arn for listener in listeners(call) for one in listener.rules.values() for arn in forwarding_of(one.actions)}
    return arn in by_rules or any(arn in forwarding(call, listener) for listener in listeners(call))


def listener_of(call):
    return next((listener for listener in listeners(call) if listener.arn == call.params["ListenerArn"]), None)


def rule_of(call):
    """A rule and its listener."""
    for listener in listeners(call):
        if call.params["RuleArn"] in listener.rules:
            return listener.rules[call.params["RuleArn"]], listener
    return None, None


def is_shadowed(one, listener):
    """Whether another rule is asked first that looks at the same."""
    others = [other for other in listener.rules.values() if other is not one and not getattr(other, "is_default", False)]
    return any(other.conditions == one.conditions and int(other.priority) < int(one.priority) for other in others)


def served_through(call, arns):
    """A running service that is reached through one of these target groups."""
    for service in serving(call):
        if arns & {entry.get("targetGroupArn") for entry in service.get("loadBalancers", [])}:
            return service["serviceName"]
    return None


@rule("gaps", "elbv2", "DeleteListener", says="a service that a listener forwards to is not reached without", source=SOURCE)
def listener_gone(call):
    listener = listener_of(call)
    service = served_through(call, forwarding(call, listener)) if listener else None
    if service:
        gap(f"{service} is reached through this listener")


@rule(
    "gaps",
    "elbv2",
    "ModifyListener",
    says="a target group without a target answers 503",
    source=TROUBLE,
)
def forwards_to_nobody(call):
    listener = listener_of(call)
    if listener and served_through(call, forwarding(call, listener)):
        refuse_empty(call, call.get("DefaultActions", []))


def refuse_empty(call, actions):
    for arn in {action.get("TargetGroupArn") for action in actions} - {None}:
        group = target_groups(call).get(arn)
        if group is not None and not group.targets:
            gap(f"{arn} has no targets yet")


@rule("gaps", "elbv2", "ModifyRule", says="a target group without a target answers 503", source=TROUBLE)
def rule_forwards_to_nobody(call):
    one, _ = rule_of(call)
    if one and served_through(call, forwarding_of(one.actions)):
        refuse_empty(call, call.get("Actions", []))


@rule("gaps", "elbv2", "DeleteRule", says="a service that a listener's rule forwards to is not reached without", source=SOURCE)
def listener_rule_gone(call):
    one, listener = rule_of(call)
    service = served_through(call, forwarding_of(one.actions)) if one else None
    if service and not is_shadowed(one, listener):
        gap(f"{service} is reached through this rule")


@rule("gaps", "elbv2", "DeregisterTargets", says="a target group without a target answers 503", source=TROUBLE)
def last_target_gone(call):
    arn = call.params["TargetGroupArn"]
    group, going = target_groups(call).get(arn), {target["Id"] for target in call.params["Targets"]}
    service = served_through(call, {arn}) if group is not None and is_forwarded_to(call, arn) else None
    if service and not set(group.targets) - going:
        gap(f"{service} has no other targets in {arn}")


@rule("gaps", "ecs", "UpdateService", says="a service that leaves a target group leaves it without a target", source=TROUBLE)
def service_leaves_its_listener(call):
    service = service_in(call)
    if service not in serving(call) or "loadBalancers" not in call.params:
        return
    stays = {entry.get("targetGroupArn") for entry in call.params["loadBalancers"]}
    for arn in {entry.get("targetGroupArn") for entry in service.get("loadBalancers", [])} - stays:
        if is_forwarded_to(call, arn):
            gap(f"a listener still forwards to {arn}, which {service['serviceName']} leaves")


@rule("gaps", "ecs", "DeleteService", says="a service that goes takes its targets along", source=TROUBLE)
def service_gone(call):
    service = service_in(call)
    if service in serving(call):
        for arn in {entry.get("targetGroupArn") for entry in service.get("loadBalancers", [])}:
            if is_forwarded_to(call, arn):
                gap(f"a load balancer still leads to {arn}, where the tasks of {service['serviceName']} are")


@rule("gaps", "ecs", "UpdateService", says="a service without tasks has no targets", source=TROUBLE)
def service_stops(call):
    if call.params.get("desiredCount") == 0:
        service_gone(call)


@rule("gaps", "efs", "DeleteMountTarget", says="what has mounted a file system loses it with its mount target", source=SOURCE)
def mount_gone(call):
    target = call.shelf("efs.mount-targets").get(call.params["MountTargetId"])
    if target is None:
        return
    for service in serving(call):
        definition = task_definitions(call).get(name_of(service["taskDefinition"]), {"definition": {}})["definition"]
        volumes = (volume.get("efsVolumeConfiguration") or {} for volume in definition.get("volumes", []))
        mounted = any(volume.get("fileSystemId") == target["FileSystemId"] for volume in volumes)
        if mounted and target["SubnetId"] in subnets_of(service):
            gap(f"{name_of(service['serviceArn'])} has mounted {target['FileSystemId']} here")
