"""Which IAM actions a call needs, and whether a policy that a test has installed allows them.

Without a policy everything is allowed; the actions used are kept in any case, so that a test can compare them with the
policy a tool says it needs.
"""

import fnmatch

from .policies import allows, as_list, statements
from .registry import AwsError
from .world import world

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
    "ec2": "ec2:CreateTags",
    "ecs": "ecs:TagResource",
    "efs": "elasticfilesystem:TagResource",
    "elasticache": "elasticache:AddTagsToResource",
    "elbv2": "elasticloadbalancing:AddTags",
    "iam": "iam:TagRole",
    "kinesis": "kinesis:AddTagsToStream",
    "kms": "kms:TagResource",
    "logs": "logs:TagResource",
    "rds": "rds:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource",
}
PASSED_ROLES = (
    "executionRoleArn",
    "taskRoleArn",
    "DeliverLogsPermissionArn",
    "MonitoringRoleArn",
    "RoleArn",
    "credentials",
)
PASSING_SERVICES = {"ec2", "ecs", "rds", "apigateway"}
INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
DENIALS = {
    "apigateway": ("AccessDeniedException", 403),
    "apigatewayv2": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "efs": ("AccessDeniedException", 403),
}
QUERY_PROTOCOLS = ("query", "rest-xml")
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}


class Permissions:
    def __init__(self):
        self.policy = None
        self.clear()

    def clear(self):
        self.policy, self.used, self.denied = None, {}, []

    def install(self, policy):
        if not statements(policy):
            raise ValueError("a policy document has at least one statement")
        self.clear()
        self.policy = policy

    def report(self):
        return {"policy": self.policy, "used": dict(sorted(self.used.items())), "denied": self.denied}

    def check(self, call):
        for action, resource in needs(call):
            self.used[action] = self.used.get(action, 0) + 1
            if self.policy is not None and action not in ALWAYS_ALLOWED and not self.allowed(action, resource):
                self.denied.append({"action": action, "resource": resource, "call": call.name})
                raise denial(call, action, resource)

    def allowed(self, action, resource):
        fitting = [s for s in statements(self.policy) if allows(s, action) and covers(s, resource)]
        return any(s["Effect"] == "Allow" for s in fitting) and not any(s["Effect"] == "Deny" for s in fitting)


def covers(statement, resource):
    """A resource of * stands for one that is not looked at."""
    patterns = as_list(statement.get("Resource", "*"))
    return resource == "*" or any(fnmatch.fnmatchcase(resource, pattern) for pattern in patterns)


def denial(call, action, resource):
    code, status = DENIALS.get(call.service, ("AccessDeniedException", 400))
    if call.service not in DENIALS and call.protocol in QUERY_PROTOCOLS:
        code, status = "AccessDenied", 403
    where = "" if resource == "*" else f" on resource: {resource}"
    user = f"arn:aws:iam::{call.account}:user/{call.principal}"
    return AwsError(code, f"User: {user} is not authorized to perform: {action}{where}", status)


def needs(call):
    """(action, resource) for everything AWS checks before it does what a call asks."""
    yield base_action(call)
    if has_tags(call) and call.service in TAGGING and call.operation.startswith(CREATES):
        yield TAGGING[call.service], "*"
    for role in passed_roles(call):
        yield "iam:PassRole", role
    for action in HIDDEN.get(call.name, lambda call: ())(call):
        yield action, "*"


CREATES = ("Create", "Import", "Register", "Put", "Allocate", "Request")


def base_action(call):
    if call.service in ("apigateway", "apigatewayv2"):
        path = call.request.path.removeprefix("/v2") if call.service == "apigatewayv2" else call.request.path
        return f"apigateway:{call.request.method}", f"arn:aws:apigateway:{call.region}::{path}"
    operation = S3_ACTIONS.get(call.operation, call.operation) if call.service == "s3" else call.operation
    return f"{PREFIXES.get(call.service, call.service)}:{operation}", "*"


def has_tags(call):
    return any(call.get(name) for name in ("Tags", "tags", "TagSpecifications"))


def passed_roles(call):
    if call.service in PASSING_SERVICES:
        for name in PASSED_ROLES:
            if isinstance(call.get(name), str) and ":role/" in call.params[name]:
                yield call.params[name]
    for patch in call.get("patchOperations") or []:
        if patch.get("path") == "/cloudwatchRoleArn" and patch.get("value"):
            yield patch["value"]
    if call.name in ("apigateway:PutRestApi", "apigateway:ImportRestApi"):
        yield from sorted(roles_in_body(call))


def roles_in_body(call):
    from .rules.apigateway import imported_integrations

    found = {integration.get("credentials") for _, _, _, integration in imported_integrations(call)}
    return {arn for arn in found if arn and ":role/" in arn}


def key_grants(call):
    return ("kms:CreateGrant", "kms:DescribeKey") if call.get("KmsKeyId") else ()


def cluster_needs(call):
    yield from key_grants(call)
    if call.get("ManageMasterUserPassword"):
        yield from ("secretsmanager:CreateSecret", "secretsmanager:TagResource", "kms:DescribeKey")


HIDDEN = {
    "rds:CreateDBCluster": cluster_needs,
    "rds:CreateDBInstance": cluster_needs,
    "rds:DeleteDBCluster": lambda call: () if call.get("SkipFinalSnapshot") else ("rds:CreateDBClusterSnapshot",),
    "elasticache:CreateReplicationGroup": key_grants,
    "efs:CreateFileSystem": lambda call: (
        ("kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext") if call.get("KmsKeyId") else ()
    ),
    "efs:CreateMountTarget": lambda call: INTERFACES,
    "efs:DeleteMountTarget": lambda call: ("ec2:DeleteNetworkInterface",),
    "ec2:CreateFlowLogs": lambda call: ("logs:CreateLogDelivery",),
    "ec2:DeleteFlowLogs": lambda call: ("logs:DeleteLogDelivery",),
    "ec2:CreateVpcEndpoint": lambda call: (
        ("route53:AssociateVPCWithHostedZone",) if call.get("VpcEndpointType") == "Interface" else ()
    ),
    "secretsmanager:CreateSecret": lambda call: (
        ("kms:GenerateDataKey", "kms:Decrypt") if call.get("KmsKeyId") and call.get("SecretString") else ()
    ),
}

permissions = Permissions()
world.on_reset.append(permissions.clear)
