"""Task definitions of ECS."""

import re

from ..policies import roles_by_arn
from ..registry import rule
from ..trusts import trusts
from .ecs import client, on_fargate
from .helpers import invalid

STEP = 1024
FARGATE_MEMORY = {
    256: {512, 1024, 2048},
    512: set(range(1024, 4097, STEP)),
    1024: set(range(2048, 8193, STEP)),
    2048: set(range(4096, 16385, STEP)),
    4096: set(range(8192, 30721, STEP)),
    8192: set(range(16384, 61441, 4 * STEP)),
    16384: set(range(32768, 122881, 8 * STEP)),
    32768: {61440, 122880, 249856},
}
FARGATE_LOG_DRIVERS = {"awslogs", "splunk", "awsfirelens"}


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="Fargate has certain pairs of CPU and memory",
    source="Amazon ECS Developer Guide: Fargate task size",
)
def fargate_size(call):
    if not on_fargate(call):
        return
    try:
        cpu, memory = int(call.get("cpu", "")), int(call.get("memory", ""))
    except ValueError:
        client("Fargate requires that 'cpu' and 'memory' be defined at the task level.")
    if memory not in FARGATE_MEMORY.get(cpu, ()):
        client(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="Fargate needs the network mode awsvpc",
    source="Amazon ECS Developer Guide: Fargate network mode",
)
def fargate_network(call):
    if on_fargate(call) and call.get("networkMode") != "awsvpc":
        client("Fargate only supports network mode 'awsvpc'.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="Fargate pulls, logs and reads secrets by an execution role",
    source="Amazon ECS Developer Guide: task execution IAM role",
)
def execution_role(call):
    if not on_fargate(call) or call.get("executionRoleArn"):
        return
    for container in call.params["containerDefinitions"]:
        if container.get("secrets"):
            client("Fargate requires task definition to have execution role ARN to support secrets.")
        if container.get("logConfiguration", {}).get("logDriver") == "awslogs":
            client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
        if ".dkr.ecr." in container.get("image", ""):
            client("Fargate requires task definition to have execution role ARN to support ECR images.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="containers have names of their own, an image, and one of them is essential",
)
def containers(call):
    names = [container.get("name") for container in call.params["containerDefinitions"]]
    if not names or len(set(names)) < len(names) or not all(names):
        client("Container names must be given, and unique within a task definition.")
    if not all(container.get("image") for container in call.params["containerDefinitions"]):
        client("Container.image should not be null or empty.")
    if not any(container.get("essential", True) for container in call.params["containerDefinitions"]):
        client("A task definition must have at least one essential container.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="awslogs has a group and a region, and Fargate certain log drivers",
    source="Amazon ECS Developer Guide: awslogs log driver",
)
def logging(call):
    for container in call.params["containerDefinitions"]:
        logs = container.get("logConfiguration")
        if not logs:
            continue
        if on_fargate(call) and logs["logDriver"] not in FARGATE_LOG_DRIVERS:
            client(f"Log driver {logs['logDriver']} is not supported by Fargate.")
        missing = {"awslogs-group", "awslogs-region"} - set(logs.get("options", {}))
        if logs["logDriver"] == "awslogs" and missing:
            client(f"Log driver awslogs requires options: {', '.join(sorted(missing))}")
        if logs["logDriver"] == "awslogs" and on_fargate(call) and "awslogs-stream-prefix" not in logs["options"]:
            client("Log driver awslogs requires options: awslogs-stream-prefix on Fargate.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="a log is blocking or non-blocking, and only a non-blocking one has a buffer, of so many k or m",
    source="Amazon ECS API Reference: LogConfiguration",
)
def log_mode(call):
    for container in call.params["containerDefinitions"]:
        options = (container.get("logConfiguration") or {}).get("options", {})
        mode, size = options.get("mode"), options.get("max-buffer-size")
        if mode not in (None, "blocking", "non-blocking"):
            client(f"Invalid log option mode: {mode}")
        if size is not None and (mode == "blocking" or not re.fullmatch(r"[1-9]\d*[kmg]?", size)):
            client(f"Invalid log option max-buffer-size: {size}")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="with awsvpc a host port is the container port, and no port is mapped twice",
    source="Amazon ECS API Reference: PortMapping",
)
def ports(call):
    taken = []
    for container in call.params["containerDefinitions"]:
        for mapping in container.get("portMappings", []):
            port, host = mapping.get("containerPort"), mapping.get("hostPort")
            if call.get("networkMode") == "awsvpc" and host not in (None, 0, port):
                client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
            taken.append((port, mapping.get("protocol", "tcp")))
    if call.get("networkMode") == "awsvpc" and len(set(taken)) < len(taken):
        client("The same container port is mapped more than once.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="mount points refer to volumes of the task definition",
    source="Amazon ECS API Reference: MountPoint",
)
def mount_points(call):
    volumes = {volume.get("name") for volume in call.get("volumes", [])}
    for container in call.params["containerDefinitions"]:
        for mount in container.get("mountPoints", []):
            if mount.get("sourceVolume") not in volumes:
                client(f"Unknown volume '{mount.get('sourceVolume')}'.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="an EFS access point needs encryption in transit and the root directory /",
    source="Amazon ECS API Reference: EFSVolumeConfiguration",
)
def efs_volumes(call):
    for volume in call.get("volumes", []):
        efs = volume.get("efsVolumeConfiguration", {})
        access = efs.get("authorizationConfig", {})
        if (access.get("accessPointId") or access.get("iam") == "ENABLED") and efs.get(
            "transitEncryption"
        ) != "ENABLED":
            client("EFS IAM authorization and access points require transit encryption to be ENABLED.")
        if access.get("accessPointId") and efs.get("rootDirectory", "/") != "/":
            client("rootDirectory must be / or omitted with an access point.")


@rule("strict", "ecs", "RegisterTaskDefinition", says="a family has up to 255 letters, digits, hyphens and underscores")
def family(call):
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,255}", call.params["family"]):
        client("Family contains invalid characters, or is longer than 255.")


@rule(
    "strict",
    "ecs",
    "RegisterTaskDefinition",
    says="ephemeral storage is 21 to 200 GiB",
    source="Amazon ECS API Reference: EphemeralStorage",
)
def ephemeral_storage(call):
    storage = call.get("ephemeralStorage")
    if storage and not 21 <= storage["sizeInGiB"] <= 200:
        client("The value for sizeInGiB must be between 21 and 200.")


@rule(
    "order",
    "ecs",
    "RegisterTaskDefinition",
    says="roles of a task exist and trust ecs-tasks",
    source="Amazon ECS Developer Guide: task IAM role",
)
def task_roles(call):
    for name in ("taskRoleArn", "executionRoleArn"):
        arn = call.get(name)
        if arn and not trusts(call, roles_by_arn(call).get(arn), "ecs-tasks.amazonaws.com"):
            client("Role is not valid")
