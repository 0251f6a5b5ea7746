"""A port that is closed while tasks still listen on it."""

from ..registry import AwsError, rule
from .elbv2 import target_groups
from .gaps import groups_of, serving


def listened_on(call, service):
    """The ports of the targets that a running service has behind a load balancer."""
    groups = [target_groups(call).get(entry.get("targetGroupArn")) for entry in service.get("loadBalancers", [])]
    return {int(target["Port"]) for group in groups if group is not None for target in group.targets.values()}


@rule(
    "gaps",
    "ec2",
    "RevokeSecurityGroupIngress",
    says="targets on a port are not reached any more once no rule lets anything through to it",
    source="User Guide for Application Load Balancers: health checks, and security groups",
)
def closed_on_targets(call):
    for service in serving(call):
        if call.params.get("GroupId") not in groups_of(service):
            continue
        for permission in call.get("IpPermissions", []):
            ports = range(permission.get("FromPort", 0), permission.get("ToPort", 65_535) + 1)
            closed = sorted(port for port in listened_on(call, service) if port in ports)
            if closed:
                raise AwsError("Gap", f"tasks of {service['serviceName']} still listen on {closed[0]}")
