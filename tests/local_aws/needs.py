"""What AWS checks before it does what a call asks: actions, what each is about, and what its conditions may look at."""

from collections.abc import Callable
from dataclasses import dataclass

from .policies import as_list
from .resources import key_arn, resources_of

PREFIXES = {
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
}
# Tags given at creation need the service's tagging action as well.
TAGGING = {
    "acm": "acm:AddTagsToCertificate",
    "application-autoscaling": "application-autoscaling:TagResource",
    "cloudtrail": "cloudtrail:AddTags",
    "cloudwatch": "cloudwatch:TagResource",
    "cognito-idp": "cognito-idp:TagResource",
    "ec2": "ec2:CreateTags",
    "ecs": "ecs:TagResource",
    "efs": "elasticfilesystem:TagResource",
    "elasticache": "elasticache:AddTagsToResource",
    "elbv2": "elasticloadbalancing:AddTags",
    "guardduty": "guardduty:TagResource",
    "iam": "iam:TagRole",
    "kinesis": "kinesis:AddTagsToStream",
    "kms": "kms:TagResource",
    "logs": "logs:TagResource",
    "rds": "rds:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource",
    "sns": "sns:TagResource",
    "wafv2": "wafv2:TagResource",
}
INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
CREATES = ("Create", "Import", "Register", "Put", "Allocate", "Request", "RestoreDB")
# Where tags are in a call, for services that have them elsewhere than under `Tags`.
TAG_PARAMETERS = ("Tags", "tags", "TagsList", "UserPoolTags", "TagSpecifications")
# The parameters that hand over a role, and to whom.
PASSED_ROLES = {
    "apigateway": {"credentials": "apigateway.amazonaws.com"},
    "cloudtrail": {"CloudWatchLogsRoleArn": "cloudtrail.amazonaws.com"},
    "ec2": {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    "ecs": {"executionRoleArn": "ecs-tasks.amazonaws.com", "taskRoleArn": "ecs-tasks.amazonaws.com"},
    "rds": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com", "RoleArn": "rds.amazonaws.com"},
}


@dataclass
class Need:
    """An action on a resource, None if that cannot be told, and the values of condition keys, None for absent ones."""

    action: str
    resource: str | None
    context: Callable


def needs(call):
    action = base_action(call)
    about = resources_of(call)
    for resource in about or [None]:
        yield need(call, action, resource)
    if has_tags(call) and call.service in TAGGING and call.operation.startswith(CREATES):
        yield need(call, TAGGING[call.service], tagged(call, about), {"ec2:CreateAction": call.operation})
    for role, service in passed_roles(call):
        yield need(call, "iam:PassRole", role, {"iam:PassedToService": service})
    for action, key in HIDDEN.get(call.name, lambda call: ())(call):
        via = {"kms:ViaService": f"{PREFIXES.get(call.service, call.service)}.{call.region}.amazonaws.com"}
        more = via | {"kms:CallerAccount": call.account, "kms:GrantIsForAWSResource": "true"}
        yield need(call, action, key, more if action.startswith("kms:") else {})


def tagged(call, about):
    """What gets the tags of a creation; a file system's access point is not what the call names."""
    return about[0] if about and call.service != "efs" else None


def need(call, action, resource, more=None):
    known = {name.lower(): value for name, value in (more or {}).items()}
    known |= {"aws:requestedregion": call.region, "aws:principalaccount": call.account}
    known |= {"aws:resourceaccount": call.account, "iam:awsservicename": call.get("AWSServiceName")}
    known |= {"iam:policyarn": call.get("PolicyArn"), "iam:permissionsboundary": call.get("PermissionsBoundary")}

    def context(key):
        kind, _, name = key.partition("/")
        kind = kind.lower()
        if kind == "aws:requesttag":
            found = request_tags(call).get(name)
        elif kind == "aws:tagkeys":
            found = list(request_tags(call)) or None
        elif kind == "aws:resourcetag":
            found = resource_tags(call, resource).get(name)
        else:
            found = known.get(kind)
        return None if found is None else as_list(found)

    return Need(action, resource, context)


def has_tags(call):
    return any(call.get(name) for name in TAG_PARAMETERS)


def request_tags(call):
    from .rules.tags import tag_lists

    return {key: value for found in tag_lists(call) for key, value in found}


def resource_tags(call, resource):
    from .services.resourcegroupstaggingapi import tags_of

    return tags_of(call, resource) if resource else {}


def base_action(call):
    if call.service in ("apigateway", "apigatewayv2"):
        return f"apigateway:{call.request.method}"
    operation = S3_ACTIONS.get(call.operation, call.operation) if call.service == "s3" else call.operation
    return f"{PREFIXES.get(call.service, call.service)}:{operation}"


def passed_roles(call):
    """(role, service it is handed to) for each role a call passes on."""
    for name, service in PASSED_ROLES.get(call.service, {}).items():
        if isinstance(call.get(name), str) and ":role/" in call.params[name]:
            yield call.params[name], service
    gateway = "apigateway.amazonaws.com"
    for patch in call.get("patchOperations") or []:
        if patch.get("path") == "/cloudwatchRoleArn" and patch.get("value"):
            yield patch["value"], gateway
    if call.name in ("apigateway:PutRestApi", "apigateway:ImportRestApi"):
        yield from ((role, gateway) for role in sorted(roles_in_body(call)))


def roles_in_body(call):
    from .rules.apigateway import imported_integrations

    found = {integration.get("credentials") for _, _, _, integration in imported_integrations(call)}
    return {arn for arn in found if arn and ":role/" in arn}


def on_key(call, parameter, *actions):
    """What a service does with the caller's key, in the caller's name."""
    return [(action, key_arn(call, call.params[parameter])) for action in actions] if call.get(parameter) else []


def anywhere(*actions):
    return [(action, None) for action in actions]


def grants(call):
    return on_key(call, "KmsKeyId", "kms:CreateGrant", "kms:DescribeKey")


def database(call):
    yield from grants(call)
    if call.get("ManageMasterUserPassword"):
        yield from anywhere("secretsmanager:CreateSecret", "secretsmanager:TagResource")
        yield from on_key(call, "MasterUserSecretKmsKeyId", "kms:DescribeKey") or anywhere("kms:DescribeKey")


def final_snapshot(call):
    return [] if call.get("SkipFinalSnapshot") else anywhere("rds:CreateDBClusterSnapshot")


def final_cache_snapshot(call):
    """API reference, DeleteReplicationGroup: "CreateSnapshot permission is required to create a final snapshot"."""
    return anywhere("elasticache:CreateSnapshot") if call.get("FinalSnapshotIdentifier") else []


def private_names(call):
    return anywhere("route53:AssociateVPCWithHostedZone") if call.get("VpcEndpointType") == "Interface" else []


def encrypted_value(call):
    return on_key(call, "KmsKeyId", "kms:GenerateDataKey", "kms:Decrypt") if call.get("SecretString") else []


def guarded(call):
    arn = call.params["ResourceArn"]
    action = "apigateway:SetWebACL" if ":apigateway:" in arn else "elasticloadbalancing:SetWebAcl"
    return [(action, arn)]


def encrypted_record(call):
    """A record under the customer's own key; of the one that AWS keeps for Kinesis nobody is asked anything."""
    stream = call.backend("kinesis").streams.get(call.get("StreamName") or call.get("StreamARN", "").rpartition("/")[2])
    key = getattr(stream, "key_id", None)
    if key is None or stream.encryption_type != "KMS" or "alias/aws/" in key:
        return []
    return [("kms:GenerateDataKey", key_arn(call, key))]


HIDDEN = {
    "kinesis:PutRecord": encrypted_record,
    "kinesis:PutRecords": encrypted_record,
    "rds:CreateDBCluster": database,
    "rds:CreateDBInstance": database,
    "rds:DeleteDBCluster": final_snapshot,
    "rds:RestoreDBClusterFromSnapshot": grants,
    "rds:RestoreDBClusterToPointInTime": grants,
    "elasticache:CreateReplicationGroup": grants,
    "elasticache:DeleteReplicationGroup": final_cache_snapshot,
    "efs:CreateFileSystem": lambda call: on_key(
        call, "KmsKeyId", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"
    ),
    "efs:CreateMountTarget": lambda call: anywhere(*INTERFACES),
    "efs:DeleteMountTarget": lambda call: anywhere("ec2:DeleteNetworkInterface"),
    "ec2:CreateFlowLogs": lambda call: anywhere("logs:CreateLogDelivery"),
    "ec2:DeleteFlowLogs": lambda call: anywhere("logs:DeleteLogDelivery"),
    "ec2:CreateVpcEndpoint": private_names,
    "secretsmanager:CreateSecret": encrypted_value,
    "wafv2:AssociateWebACL": guarded,
    "wafv2:DisassociateWebACL": guarded,
}
