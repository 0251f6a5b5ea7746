"""The targets that ECS registers with a load balancer, so that target health follows the service."""

from .tasks import running_tasks


def target_groups_of(call, service):
    groups = call.backend("elbv2").target_groups
    return [groups[lb["targetGroupArn"]] for lb in service["loadBalancers"] if lb.get("targetGroupArn") in groups]


def change_targets(call, service):
    """Exactly one target a running task."""
    for group in target_groups_of(call, service):
        for known in list(group.targets):
            group.targets.pop(known)
        addresses = [task["_address"] for task in running_tasks(call, service) if "_address" in task]
        port = port_of(service, group)
        group.register([{"Id": address, "Port": port} for address in addresses])


def port_of(service, group):
    """The container's own; a group's is for targets that are registered without one."""
    entries = [entry for entry in service["loadBalancers"] if entry.get("targetGroupArn") == group.arn]
    return next((entry["containerPort"] for entry in entries if entry.get("containerPort")), group.port)
