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
        group.register([{"Id": address, "Port": group.port} for address in addresses])
