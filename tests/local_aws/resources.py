"""The ARNs of what a call is about, as far as its parameters tell, for a policy to be compared with.

A service that is not in these tables, and a call that names nothing, is about anything.
"""

from urllib.parse import unquote

from .services.kms import key_of
from .services.secretsmanager import secret_named

# The last part of an ARN, by the parameter that names the object: first what the call is about, then what it refers to.
# A parameter that holds an ARN is taken as it is.
BY_PARAMETER = {
    "cloudtrail": {"Name": "trail/{}", "TrailName": "trail/{}"},
    "cloudwatch": {"AlarmName": "alarm:{}", "AlarmNames": "alarm:{}"},
    "cognito-idp": {"UserPoolId": "userpool/{}"},
    "efs": {"FileSystemId": "file-system/{}", "AccessPointId": "access-point/{}"},
    "elasticache": {
        "ReplicationGroupId": "replicationgroup:{}",
        "UserGroupId": "usergroup:{}",
        "UserId": "user:{}",
        "CacheClusterId": "cluster:{}",
        "CacheParameterGroupName": "parametergroup:{}",
        "CacheSubnetGroupName": "subnetgroup:{}",
    },
    "guardduty": {"DetectorId": "detector/{}"},
    "kinesis": {"StreamName": "stream/{}"},
    "logs": {"logGroupName": "log-group:{}:*", "logGroupIdentifier": "log-group:{}:*"},
    "rds": {
        "DBInstanceIdentifier": "db:{}",
        "DBClusterIdentifier": "cluster:{}",
        "SourceDBClusterIdentifier": "cluster:{}",
        "SourceDBInstanceIdentifier": "db:{}",
        "TargetDBInstanceIdentifier": "db:{}",
        "SnapshotIdentifier": "cluster-snapshot:{}",
        "DBClusterParameterGroupName": "cluster-pg:{}",
        "DBParameterGroupName": "pg:{}",
        "DBSubnetGroupName": "subgrp:{}",
    },
    "sns": {"Name": "{}", "TopicArn": "{}"},
}
IN_ARNS = {"efs": "elasticfilesystem"}
ARN_PARAMETERS = ("ResourceARN", "ResourceArn", "resourceArn", "ResourceName", "StreamARN", "resourceArns")
# Names that AWS stores and compares in lower case.
LOWERED = ("elasticache", "rds")


def as_names(value):
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def resources_of(call):
    """The ARNs, or nothing if they cannot be told."""
    found = SPECIAL[call.service](call) if call.service in SPECIAL else by_parameter(call)
    return list(found) or [arn for name in ARN_PARAMETERS for arn in as_names(call.get(name)) if arn.startswith("arn:")]


def by_parameter(call):
    for parameter, shape in BY_PARAMETER.get(call.service, {}).items():
        for name in as_names(call.get(parameter)):
            name = name.lower() if call.service in LOWERED else name
            service = IN_ARNS.get(call.service, call.service)
            yield name if name.startswith("arn:") else call.arn(service, shape.format(name))


def apigateway(call):
    path = call.request.path.removeprefix("/v2") if call.service == "apigatewayv2" else call.request.path
    yield f"arn:{call.partition}:apigateway:{call.region}::{unquote(path)}"


def ecs(call):
    clusters = [name.rpartition("/")[2] for name in as_names(call.get("clusters") or call.get("cluster") or "default")]
    services = [name for key in ("service", "serviceName", "services") for name in as_names(call.get(key))]
    if services:
        yield from (call.arn("ecs", f"service/{clusters[0]}/{name.rpartition('/')[2]}") for name in services)
    elif call.operation.endswith(("Cluster", "Clusters", "ClusterSettings")) and call.operation != "CreateCluster":
        yield from (call.arn("ecs", f"cluster/{name}") for name in clusters if not call.operation.startswith("List"))


# A random part that nobody knows before AWS has made it.
UNKNOWN = "0123456789abcdef"


def elbv2(call):
    if call.operation == "CreateLoadBalancer":
        kind = {"network": "net", "gateway": "gwy"}.get(call.get("Type"), "app")
        yield call.arn("elasticloadbalancing", f"loadbalancer/{kind}/{call.params['Name']}/{UNKNOWN}")
    elif call.operation == "CreateTargetGroup":
        yield call.arn("elasticloadbalancing", f"targetgroup/{call.params['Name']}/{UNKNOWN}")
    elif not call.operation.startswith("Describe"):
        given = ("ListenerArn", "LoadBalancerArn", "TargetGroupArn", "ResourceArns")
        yield from next((as_names(call.params[name]) for name in given if call.get(name)), [])


def iam(call):
    base, name = f"arn:{call.partition}:iam::{call.account}:", call.get("RoleName")
    if call.operation == "CreateServiceLinkedRole":
        yield f"{base}role/aws-service-role/{call.params['AWSServiceName']}/AWSServiceRole"
    elif name:
        known = [role.arn for role in call.backend("iam").roles.values() if role.name == name]
        yield from known or [f"{base}role{call.get('Path', '/')}{name}"]
    elif call.operation == "CreatePolicy":
        yield f"{base}policy{call.get('Path', '/')}{call.params['PolicyName']}"
    elif call.get("PolicyArn"):
        yield call.params["PolicyArn"]


def kms(call):
    if call.get("AliasName"):
        yield call.arn("kms", call.params["AliasName"])
    if call.get("KeyId") or call.get("TargetKeyId"):
        yield key_arn(call)


def key_arn(call, reference=None):
    reference = reference or call.get("KeyId") or call.get("TargetKeyId")
    key = key_of(call, reference)
    return key.arn if key else reference if reference.startswith("arn:") else call.arn("kms", f"key/{reference}")


def s3(call):
    bucket, keys = call.get("Bucket"), as_names(call.get("Key"))
    keys += [item["Key"] for item in (call.get("Delete") or {}).get("Objects", [])]
    if bucket:
        yield from [f"arn:{call.partition}:s3:::{bucket}/{key}" for key in keys] or [f"arn:{call.partition}:s3:::{bucket}"]


def secretsmanager(call):
    if call.operation == "CreateSecret":
        yield call.arn("secretsmanager", f"secret:{call.params['Name']}-{UNKNOWN[:6]}")
    elif call.get("SecretId"):
        name = call.params["SecretId"]
        secret = secret_named(call, name)
        arn = name if name.startswith("arn:") else call.arn("secretsmanager", f"secret:{name}")
        yield secret.arn if secret else arn


SPECIAL = {
    "apigateway": apigateway,
    "apigatewayv2": apigateway,
    "ecs": ecs,
    "elbv2": elbv2,
    "iam": iam,
    "kms": kms,
    "s3": s3,
    "secretsmanager": secretsmanager,
}
