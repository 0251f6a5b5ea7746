"""Objects that are there, and not yet everywhere: with `--lag K` the first K calls that refer to one do not find it.

Calls by id get the error of something that does not exist, lists leave the object out, and other services word their
refusal in their own way.
"""

from dataclasses import dataclass

from .registry import AwsError, Told
from .world import world


@dataclass
class Kind:
    """How objects of a kind are recognised: where a creation answers the id, where lists show it, what a miss says."""

    created: str
    code: str
    listed: str = ""
    key: str = ""
    status: int | None = None


KINDS = {
    "ec2:CreateVpc": Kind("Vpc.VpcId", "InvalidVpcID.NotFound", "DescribeVpcs.Vpcs", "VpcId"),
    "ec2:CreateSubnet": Kind("Subnet.SubnetId", "InvalidSubnetID.NotFound", "DescribeSubnets.Subnets", "SubnetId"),
    "ec2:CreateInternetGateway": Kind(
        "InternetGateway.InternetGatewayId",
        "InvalidInternetGatewayID.NotFound",
        "DescribeInternetGateways.InternetGateways",
        "InternetGatewayId",
    ),
    "ec2:CreateRouteTable": Kind(
        "RouteTable.RouteTableId", "InvalidRouteTableID.NotFound", "DescribeRouteTables.RouteTables", "RouteTableId"
    ),
    "ec2:CreateSecurityGroup": Kind(
        "GroupId", "InvalidGroup.NotFound", "DescribeSecurityGroups.SecurityGroups", "GroupId"
    ),
    "ec2:AllocateAddress": Kind(
        "AllocationId", "InvalidAllocationID.NotFound", "DescribeAddresses.Addresses", "AllocationId"
    ),
    "ec2:CreateNatGateway": Kind(
        "NatGateway.NatGatewayId", "NatGatewayNotFound", "DescribeNatGateways.NatGateways", "NatGatewayId"
    ),
    "ec2:CreateVpcEndpoint": Kind(
        "VpcEndpoint.VpcEndpointId",
        "InvalidVpcEndpointId.NotFound",
        "DescribeVpcEndpoints.VpcEndpoints",
        "VpcEndpointId",
    ),
    "iam:CreateRole": Kind("Role.Arn", "NoSuchEntity", "ListRoles.Roles", "Arn", 404),
    "kms:CreateKey": Kind("KeyMetadata.KeyId", "NotFoundException", "ListKeys.Keys", "KeyId"),
    "secretsmanager:CreateSecret": Kind("ARN", "ResourceNotFoundException", "ListSecrets.SecretList", "ARN"),
    "acm:ImportCertificate": Kind(
        "CertificateArn", "ResourceNotFoundException", "ListCertificates.CertificateSummaryList", "CertificateArn"
    ),
    "ecs:CreateCluster": Kind("cluster.clusterArn", "ClusterNotFoundException", "ListClusters.clusterArns"),
    "ecs:CreateService": Kind("service.serviceArn", "ServiceNotFoundException", "ListServices.serviceArns"),
    "apigateway:CreateRestApi": Kind("id", "NotFoundException", "GetRestApis.items", "id"),
}

# What the consumer of a fresh object says, where that is not simply that the object does not exist. Of several it says
# one after the other.
UNSEEN_BY_LOGS = [
    (
        "AccessDeniedException",
        "The specified KMS key does not exist or is not allowed to be used with Arn",
    ),
    # https://github.com/hashicorp/terraform/issues/24194
    ("InvalidParameterException", "The specified KMS Key Id could not be found."),
]
CONSUMERS = {
    ("iam:CreateRole", "ec2:CreateFlowLogs"): ("InvalidParameter", "Unable to assume given IAM role"),
    ("iam:CreateRole", "apigateway:UpdateAccount"): (
        "BadRequestException",
        "The role ARN does not have required permissions configured. Please "
        "grant trust permission for API Gateway and add "
        "the required role policy.",
    ),
    ("iam:CreateRole", "ecs:RegisterTaskDefinition"): ("ClientException", "Role is not valid"),
    ("iam:CreateRole", "kms:PutKeyPolicy"): (
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    ),
    ("iam:CreateRole", "kms:CreateKey"): (
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    ),
    ("iam:CreateRole", "efs:PutFileSystemPolicy"): ("InvalidPolicyException", "Policy has an invalid principal."),
    ("iam:CreateRole", "rds:CreateDBCluster"): (
        "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),
    ("iam:CreateRole", "rds:CreateDBInstance"): (
        "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),
    ("kms:CreateKey", "logs:CreateLogGroup"): UNSEEN_BY_LOGS,
    ("kms:CreateKey", "logs:AssociateKmsKey"): UNSEEN_BY_LOGS,
    ("kms:CreateKey", "cloudtrail:CreateTrail"): [
        ("KmsKeyNotFoundException", "KMS key does not exist."),
        ("InsufficientEncryptionPolicyException", "Insufficient permissions to access S3 bucket or KMS key."),
    ],
    ("kms:CreateKey", "secretsmanager:CreateSecret"): (
        "EncryptionFailure",
        "Secrets Manager can't encrypt the protected secret text using the provided KMS key.",
    ),
    ("kms:CreateKey", "elasticache:CreateReplicationGroup"): ("InvalidKMSKeyFault", "The KMS key supplied is not valid."),
    ("iam:CreateRole", "cloudtrail:CreateTrail"): (
        "InvalidCloudWatchLogsRoleArnException",
        "Access denied. Check the trust relationships for your role.",
    ),
    ("kms:CreateKey", "kinesis:StartStreamEncryption"): ("KMSNotFoundException", "The key does not exist"),
    ("kms:CreateKey", "rds:CreateDBCluster"): ("KMSKeyNotAccessibleFault", "The specified KMS key does not exist."),
    ("kms:CreateKey", "rds:CreateDBInstance"): ("KMSKeyNotAccessibleFault", "The specified KMS key does not exist."),
    ("acm:ImportCertificate", "elbv2:CreateListener"): ("CertificateNotFound", "Certificate ARN is not valid"),
    ("ecs:CreateService", "application-autoscaling:RegisterScalableTarget"): (
        "ValidationException",
        "ECS service doesn't exist",
    ),
    ("ec2:CreateSecurityGroup", "rds:CreateDBCluster"): ("InvalidParameterValue", "Invalid security group"),
    ("ec2:CreateSecurityGroup", "elbv2:CreateLoadBalancer"): (
        "InvalidConfigurationRequest",
        "One or more security groups are invalid",
    ),
    ("ec2:CreateSubnet", "rds:CreateDBSubnetGroup"): ("InvalidSubnet", "Some input subnets are invalid."),
    ("ec2:CreateSubnet", "elasticache:CreateCacheSubnetGroup"): ("InvalidSubnet", "Some subnets are invalid."),
    ("ec2:CreateSubnet", "elbv2:CreateLoadBalancer"): ("SubnetNotFound", "The subnet is not valid"),
    ("ec2:CreateSubnet", "efs:CreateMountTarget"): ("SubnetNotFound", "The subnet does not exist"),
}
# Deletions and tags of a fresh object find it: they go to where it was made.
FINDS_AT_ONCE = ("Delete", "Release", "Tag", "CreateTags", "Untag")
NAMED_BY_ARN = ("iam:CreateRole", "ecs:CreateCluster", "ecs:CreateService")
# A filter that matches nothing is no error.
FILTERS = ("Filters", "Filter")


# Descriptions that list what they did not find, and succeed.
MISSES_POLITELY = {
    "ecs:DescribeClusters": ("clusters", "clusterArn"),
    "ecs:DescribeServices": ("services", "serviceArn"),
}


def fresh(call):
    """What is still to be missed: identifier to [creating call, calls left]."""
    return world.shelf(call.account, "any", "consistency.fresh")


def at(answer, path):
    for part in path.split("."):
        answer = answer.get(part, {}) if isinstance(answer, dict) else {}
    return answer or None


def remember(call, answer):
    kind = KINDS.get(call.name)
    identifier = kind and at(answer, kind.created)
    if world.settings.lag and identifier:
        entry = [call.name, world.settings.lag]
        for name in names_of(call, identifier):
            fresh(call)[name] = entry


def names_of(call, identifier):
    """What is named by an ARN is also known by the last part of it, and a key also by its ARN."""
    if call.name in NAMED_BY_ARN:
        return [identifier, identifier.rpartition("/")[2]]
    return [identifier, call.arn("kms", f"key/{identifier}")] if call.service == "kms" else [identifier]


def words(value):
    """Every string in the parameters of a call."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict):
        for item in value.values():
            yield from words(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from words(item)


def mentioned(call, known):
    """The first fresh object a call depends on: one of its own service, or one that its service is known to check."""
    said = list(words({name: value for name, value in call.params.items() if name not in FILTERS}))
    for identifier, (creator, _) in known.items():
        if (creator, call.name) in CONSUMERS:
            if any(identifier in word for word in said):
                return identifier
        elif creator.split(":")[0] == call.service and identifier in said:
            return identifier
    return None


def miss(call):
    """Refuses a call that refers to an object which is not visible yet."""
    known = fresh(call)
    if not known or call.operation.startswith(FINDS_AT_ONCE) or call.name in MISSES_POLITELY:
        return
    identifier = mentioned(call, known)
    if identifier is None:
        return
    creator, left = known[identifier]
    count_down(known, identifier)
    kind = KINDS[creator]
    said = CONSUMERS.get((creator, call.name), (kind.code, f"{identifier} does not exist"))
    code, message = said[left % len(said)] if isinstance(said, list) else said
    if call.name == "ec2:CreateFlowLogs" and every_second_time(call):
        raise Told(inside(call, message))
    raise AwsError(code, message, kind.status if code == kind.code else None)


def every_second_time(call):
    counts = call.shelf("consistency.counts")
    counts[call.name] = counts.get(call.name, 0) + 1
    return counts[call.name] % 2 == 0


def inside(call, message):
    """With the HTTP status for a code: hashicorp/terraform-provider-aws, TestAccVPCFlowLog_destinationError."""
    error = {"Code": "400", "Message": message}
    return {"FlowLogIds": [], "Unsuccessful": [{"ResourceId": call.params["ResourceIds"][0], "Error": error}]}


def count_down(known, identifier):
    """One miss less, under whatever name."""
    entry = known[identifier]
    entry[1] -= 1
    if entry[1] <= 0:
        for name in [name for name, other in known.items() if other is entry]:
            del known[name]


def hide(call, answer):
    """Leaves fresh objects out of a list, once for each call that they have to be missed by."""
    known = fresh(call)
    if call.name in MISSES_POLITELY:
        miss_politely(known, answer, *MISSES_POLITELY[call.name])
    for identifier, (creator, left) in list(known.items()):
        if left <= 0:
            continue
        kind = KINDS[creator]
        operation, _, key = kind.listed.partition(".")
        if call.service == creator.split(":")[0] and call.operation == operation and isinstance(answer.get(key), list):
            before = answer[key]
            answer[key] = [
                item for item in before if (item.get(kind.key) if isinstance(item, dict) else item) != identifier
            ]
            if len(answer[key]) < len(before):
                count_down(known, identifier)


def miss_politely(known, answer, key, arn):
    for item in list(answer[key]):
        if item[arn] in known:
            count_down(known, item[arn])
            answer[key].remove(item)
            answer["failures"].append({"arn": item[arn], "reason": "MISSING"})
