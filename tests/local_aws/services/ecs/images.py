"""What becomes of a container when its task starts: whether its image can be pulled, and whether it stays up.

An image whose tag begins with `needs-tmp` stands for all that write into /tmp as soon as they run.
"""

import fnmatch
import re

from ...policies import allows, as_list, roles_by_arn, statements
from .task_definitions import entry_of

# Amazon ECR user guide: private registries have hosts for IPv4, for FIPS, and for both kinds of addresses.
PRIVATE = re.compile(
    r"(\d{12})\.(?:dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com|dkr-ecr(?:-fips)?\.([a-z0-9-]+)\.on\.aws)/([^:@]+)"
)
NEEDS_TMP = re.compile(r":needs-tmp[\w.-]*$")
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def trouble(call, service):
    """Why no task of the service's task definition starts, or None."""
    definition = entry_of(call, service["taskDefinition"])["definition"]
    role = roles_by_arn(call).get(definition.get("executionRoleArn"))
    for container in definition["containerDefinitions"]:
        repository = repository_of(container["image"])
        if repository and not (role and may_pull(role, repository)):
            return (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                f"{container['image']}: User is not authorized to perform: ecr:BatchGetImage on resource: {repository}"
            )
        paths = {mount.get("containerPath") for mount in container.get("mountPoints", [])}
        fixed = container.get("readonlyRootFilesystem") and "/tmp" not in paths
        if NEEDS_TMP.search(container["image"]) and fixed:
            return "Essential container in task exited"
    return None


def repository_of(image):
    found = PRIVATE.match(image)
    if not found:
        return None
    account, one, other, path = found.groups()
    return f"arn:aws:ecr:{one or other}:{account}:repository/{path}"


def may_pull(role, repository):
    policies = [*role.policies.values()]
    policies += [v.document for p in role.managed_policies.values() for v in p.versions if v.is_default]
    entries = [s for policy in policies for s in statements(policy) if s.get("Effect") == "Allow"]

    def permits(action, resource):
        return any(
            allows(entry, action) and any(fnmatch.fnmatch(resource, one) for one in as_list(entry.get("Resource", [])))
            for entry in entries
        )

    return all(permits(action, repository) for action in PULL) and permits("ecr:GetAuthorizationToken", "*")
