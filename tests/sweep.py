#!/usr/bin/env python3
"""Lists every object in an AWS account that tapctl could have made, by asking AWS and nobody else.

The tests use it to prove that a destroy leaves nothing and that nothing exists twice, so it shares no code with tapctl
and knows nothing of its state. What AWS makes by itself in every account (the default VPC, default groups,
service-linked roles, keys of AWS, the log group that API Gateway greets an account with) is left out.

    sweep.py --endpoint http://127.0.0.1:5555   one JSON object: {"ec2.vpc": [{"id": …, "name": …, "tags": …}], …}
    sweep.py --endpoint … --counts              {"ec2.vpc": 1, …}
    sweep.py --endpoint … --dump                all properties, ids replaced by names, to compare two accounts
"""

import argparse
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

KINDS = {}


def kind(name):
    def enter(function):
        KINDS[name] = function
        return function

    return enter


class Account:
    """Clients, and listings that several kinds need."""

    def __init__(self, endpoint, region, deep):
        self.endpoint, self.region, self.deep = endpoint, region, deep
        self.clients, self.kept = {}, {}
        self.config = Config(retries={"max_attempts": 3, "mode": "standard"}, max_pool_connections=32)
        for service in SERVICES:
            self.clients[service] = self.client(service)

    def client(self, service):
        access = {}
        if self.endpoint:
            access = {"endpoint_url": self.endpoint, "aws_access_key_id": "sweep", "aws_secret_access_key": "sweep"}
        return boto3.client(service, region_name=self.region, config=self.config, **access)

    def __getattr__(self, service):
        return self.clients[service.replace("_", "-")]

    def all(self, service, operation, key, **params):
        """Every item of a listing, page after page."""
        client = self.clients[service]
        if not client.can_paginate(operation):
            return getattr(client, operation)(**params).get(key, [])
        pages = client.get_paginator(operation).paginate(**params)
        return [item for found in pages for item in found.get(key, [])]

    def default_vpcs(self):
        if "default" not in self.kept:
            vpcs = self.all("ec2", "describe_vpcs", "Vpcs")
            self.kept["default"] = {vpc["VpcId"] for vpc in vpcs if vpc["IsDefault"]}
        return self.kept["default"]


SERVICES = (
    "ec2",
    "kms",
    "secretsmanager",
    "rds",
    "elasticache",
    "kinesis",
    "efs",
    "iam",
    "logs",
    "ecs",
    "elbv2",
    "acm",
    "application-autoscaling",
    "apigateway",
    "apigatewayv2",
    "s3",
    "cloudtrail",
    "cloudwatch",
    "sns",
    "wafv2",
    "guardduty",
    "cognito-idp",
)


def tag_map(tags):
    """Tags in any of the shapes AWS has for them."""
    if isinstance(tags, dict):
        return dict(tags)
    pairs = [
        (t.get("Key", t.get("key", t.get("TagKey"))), t.get("Value", t.get("value", t.get("TagValue"))))
        for t in tags or []
    ]
    return dict(pairs)


def entry(identifier, name=None, tags=None, record=None, aliases=(), **more):
    tags = tag_map(tags)
    out = {"id": identifier, "name": name or tags.get("Name") or identifier, "tags": tags} | more
    return out | {"_record": record or {}, "_aliases": [a for a in aliases if a]}


def attempt(function, key=None, **params):
    """A detail that may be absent, such as a policy nobody set."""
    try:
        answer = function(**params)
    except ClientError as error:
        return {"absent": error.response["Error"]["Code"]}
    answer.pop("ResponseMetadata", None)
    return answer.get(key) if key else answer


# EC2


def ec2_kind(name, operation, key, identifier, wanted=lambda aws, item: True):
    @kind(name)
    def listing(aws):
        for item in aws.all("ec2", operation, key):
            if item.get("VpcId") not in aws.default_vpcs() and wanted(aws, item):
                yield entry(item[identifier], tags=item.get("Tags", item.get("TagSet")), record=item, **state_of(item))


def state_of(item):
    found = item.get("State") or item.get("Status")
    return {"state": found} if isinstance(found, str) else {}


def attached_elsewhere(aws, item):
    return not {a.get("VpcId") for a in item.get("Attachments", [])} & aws.default_vpcs()


ec2_kind("ec2.subnet", "describe_subnets", "Subnets", "SubnetId")
ec2_kind(
    "ec2.internet-gateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId", attached_elsewhere
)
ec2_kind("ec2.elastic-ip", "describe_addresses", "Addresses", "AllocationId")
ec2_kind(
    "ec2.security-group",
    "describe_security_groups",
    "SecurityGroups",
    "GroupId",
    lambda aws, g: g["GroupName"] != "default",
)
ec2_kind(
    "ec2.vpc-endpoint",
    "describe_vpc_endpoints",
    "VpcEndpoints",
    "VpcEndpointId",
    lambda aws, e: e["State"] != "deleted",
)
ec2_kind("ec2.flow-log", "describe_flow_logs", "FlowLogs", "FlowLogId")
ec2_kind("ec2.network-interface", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId")
ec2_kind(
    "ec2.nat-gateway", "describe_nat_gateways", "NatGateways", "NatGatewayId", lambda aws, n: n["State"] != "deleted"
)
ec2_kind(
    "ec2.route-table",
    "describe_route_tables",
    "RouteTables",
    "RouteTableId",
    lambda aws, table: not any(a.get("Main") for a in table["Associations"]),
)


@kind("ec2.vpc")
def vpcs(aws):
    for vpc in aws.all("ec2", "describe_vpcs", "Vpcs"):
        if vpc["VpcId"] in aws.default_vpcs():
            continue
        if aws.deep:
            for attribute in ("enableDnsSupport", "enableDnsHostnames"):
                vpc[attribute] = attempt(aws.ec2.describe_vpc_attribute, VpcId=vpc["VpcId"], Attribute=attribute)
            vpc["DefaultSecurityGroup"] = default_group(aws, vpc["VpcId"])
        yield entry(vpc["VpcId"], tags=vpc.get("Tags"), record=vpc)


def default_group(aws, vpc_id):
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    return aws.all("ec2", "describe_security_groups", "SecurityGroups", Filters=filters)


# KMS, Secrets Manager, ACM


def customer_keys(aws):
    for listed in aws.all("kms", "list_keys", "Keys"):
        key = aws.kms.describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
        if key["KeyManager"] == "CUSTOMER":
            yield key


def key_entry(aws, key):
    tags = attempt(aws.kms.list_resource_tags, "Tags", KeyId=key["KeyId"])
    if aws.deep and key["KeyState"] == "Enabled":
        key["Policy"] = attempt(aws.kms.get_key_policy, "Policy", KeyId=key["KeyId"], PolicyName="default")
        key["Rotation"] = attempt(aws.kms.get_key_rotation_status, KeyId=key["KeyId"])
    return entry(key["KeyId"], tags=tags, record=key, aliases=[key["Arn"]], state=key["KeyState"])


@kind("kms.key")
def keys(aws):
    return [key_entry(aws, key) for key in customer_keys(aws) if key["KeyState"] != "PendingDeletion"]


@kind("kms.key-pending-deletion")
def keys_pending_deletion(aws):
    return [key_entry(aws, key) for key in customer_keys(aws) if key["KeyState"] == "PendingDeletion"]


@kind("kms.alias")
def aliases(aws):
    for alias in aws.all("kms", "list_aliases", "Aliases"):
        if not alias["AliasName"].startswith("alias/aws/"):
            yield entry(alias["AliasName"], record=alias)


@kind("secretsmanager.secret")
def secrets(aws):
    for secret in aws.all("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True):
        if aws.deep:
            secret = attempt(aws.secretsmanager.describe_secret, SecretId=secret["ARN"])
        state = "scheduled for deletion" if secret.get("DeletedDate") else "present"
        yield entry(secret["ARN"], secret["Name"], secret.get("Tags"), secret, state=state)


@kind("acm.certificate")
def certificates(aws):
    types = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
    for listed in aws.all("acm", "list_certificates", "CertificateSummaryList", Includes={"keyTypes": types}):
        arn = listed["CertificateArn"]
        tags = attempt(aws.acm.list_tags_for_certificate, "Tags", CertificateArn=arn)
        record = attempt(aws.acm.describe_certificate, "Certificate", CertificateArn=arn) if aws.deep else {}
        yield entry(arn, listed.get("DomainName"), tags, record)


# RDS and ElastiCache


def rds_kind(name, operation, key, identifier, arn, wanted=lambda item: True, detail=None):
    @kind(name)
    def listing(aws):
        for item in aws.all("rds", operation, key):
            if not wanted(item):
                continue
            tags = item.get("TagList")
            if tags is None:
                tags = attempt(aws.rds.list_tags_for_resource, "TagList", ResourceName=item[arn])
            if aws.deep and detail:
                item = item | detail(aws, item)
            yield entry(item[identifier], tags=tags, record=item, aliases=[item[arn]], **state_of(item))


def user_parameters(operation, identifier):
    def detail(aws, group):
        found = aws.all("rds", operation, "Parameters", **{identifier: group[identifier]})
        return {"Parameters": [p for p in found if p["Source"] == "user"]}

    return detail


def not_default(identifier):
    return lambda item: not item[identifier].startswith("default")




def writers(aws, cluster):
    """Which member writes is up to Aurora, as after a failover; that it is one is not."""
    members = [dict(member) for member in cluster["DBClusterMembers"]]
    return {"Writers": sum(member.pop("IsClusterWriter") for member in members), "DBClusterMembers": members}


rds_kind(
    "rds.cluster", "describe_db_clusters", "DBClusters", "DBClusterIdentifier", "DBClusterArn", detail=writers
)
rds_kind("rds.instance", "describe_db_instances", "DBInstances", "DBInstanceIdentifier", "DBInstanceArn")
rds_kind(
    "rds.subnet-group",
    "describe_db_subnet_groups",
    "DBSubnetGroups",
    "DBSubnetGroupName",
    "DBSubnetGroupArn",
    not_default("DBSubnetGroupName"),
)
rds_kind(
    "rds.cluster-parameter-group",
    "describe_db_cluster_parameter_groups",
    "DBClusterParameterGroups",
    "DBClusterParameterGroupName",
    "DBClusterParameterGroupArn",
    not_default("DBClusterParameterGroupName"),
    user_parameters("describe_db_cluster_parameters", "DBClusterParameterGroupName"),
)
rds_kind(
    "rds.parameter-group",
    "describe_db_parameter_groups",
    "DBParameterGroups",
    "DBParameterGroupName",
    "DBParameterGroupArn",
    not_default("DBParameterGroupName"),
    user_parameters("describe_db_parameters", "DBParameterGroupName"),
)
rds_kind(
    "rds.cluster-snapshot",
    "describe_db_cluster_snapshots",
    "DBClusterSnapshots",
    "DBClusterSnapshotIdentifier",
    "DBClusterSnapshotArn",
)
rds_kind("rds.snapshot", "describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier", "DBSnapshotArn")
rds_kind("rds.proxy", "describe_db_proxies", "DBProxies", "DBProxyName", "DBProxyArn")


def cache_kind(name, operation, key, identifier, wanted=lambda item: True):
    @kind(name)
    def listing(aws):
        for item in aws.all("elasticache", operation, key):
            if wanted(item):
                tags = attempt(aws.elasticache.list_tags_for_resource, "TagList", ResourceName=item["ARN"])
                tags = tags if isinstance(tags, list) else []
                yield entry(item[identifier], tags=tags, record=item, aliases=[item["ARN"]], **state_of(item))


cache_kind("elasticache.replication-group", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId")
cache_kind(
    "elasticache.subnet-group",
    "describe_cache_subnet_groups",
    "CacheSubnetGroups",
    "CacheSubnetGroupName",
    not_default("CacheSubnetGroupName"),
)
cache_kind(
    "elasticache.parameter-group",
    "describe_cache_parameter_groups",
    "CacheParameterGroups",
    "CacheParameterGroupName",
    not_default("CacheParameterGroupName"),
)
cache_kind("elasticache.snapshot", "describe_snapshots", "Snapshots", "SnapshotName")
cache_kind("elasticache.user", "describe_users", "Users", "UserId", lambda user: user["UserId"] != "default")
cache_kind("elasticache.user-group", "describe_user_groups", "UserGroups", "UserGroupId")


@kind("elasticache.cluster")
def cache_clusters(aws):
    for item in aws.all("elasticache", "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True):
        yield entry(item["CacheClusterId"], record=item, aliases=[item["ARN"]], state=item["CacheClusterStatus"])


# Kinesis, EFS, logs


@kind("kinesis.stream")
def streams(aws):
    for name in aws.all("kinesis", "list_streams", "StreamNames"):
        record = aws.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        tags = attempt(aws.kinesis.list_tags_for_stream, "Tags", StreamName=name)
        yield entry(name, tags=tags, record=record, aliases=[record["StreamARN"]], state=record["StreamStatus"])


@kind("efs.file-system")
def file_systems(aws):
    for item in aws.all("efs", "describe_file_systems", "FileSystems"):
        if aws.deep:
            found = {"FileSystemId": item["FileSystemId"]}
            item["Lifecycle"] = attempt(aws.efs.describe_lifecycle_configuration, "LifecyclePolicies", **found)
            item["Backup"] = attempt(aws.efs.describe_backup_policy, "BackupPolicy", **found)
            item["Policy"] = attempt(aws.efs.describe_file_system_policy, "Policy", **found)
        arn = item.get("FileSystemArn")
        yield entry(item["FileSystemId"], tags=item["Tags"], record=item, aliases=[arn], state=item["LifeCycleState"])


@kind("efs.mount-target")
def mount_targets(aws):
    for system in aws.all("efs", "describe_file_systems", "FileSystems"):
        for item in aws.efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]:
            target = {"MountTargetId": item["MountTargetId"]}
            if aws.deep:
                item["SecurityGroups"] = attempt(
                    aws.efs.describe_mount_target_security_groups, "SecurityGroups", **target
                )
            name = f"{system.get('Name', '')} {item.get('AvailabilityZoneName', '')}"
            yield entry(item["MountTargetId"], name, record=item, state=item["LifeCycleState"])


@kind("efs.access-point")
def access_points(aws):
    for item in aws.all("efs", "describe_access_points", "AccessPoints"):
        arn = item["AccessPointArn"]
        yield entry(item["AccessPointId"], tags=item["Tags"], record=item, aliases=[arn], state=item["LifeCycleState"])


@kind("logs.log-group")
def log_groups(aws):
    for item in aws.all("logs", "describe_log_groups", "logGroups"):
        if item["logGroupName"] == "/aws/apigateway/welcome":
            continue
        arn = item["arn"].removesuffix(":*")
        tags = attempt(aws.logs.list_tags_for_resource, "tags", resourceArn=arn)
        yield entry(item["logGroupName"], tags=tags, record=item, aliases=[arn])


@kind("logs.resource-policy")
def log_policies(aws):
    return [entry(p["policyName"], record=p) for p in aws.all("logs", "describe_resource_policies", "resourcePolicies")]


# IAM


@kind("iam.role")
def roles(aws):
    for item in aws.all("iam", "list_roles", "Roles"):
        if item["Path"].startswith("/aws-service-role/"):
            continue
        name = item["RoleName"]
        tags = attempt(aws.iam.list_role_tags, "Tags", RoleName=name)
        if aws.deep:
            attached = aws.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
            item["AttachedPolicies"] = sorted(policy["PolicyArn"] for policy in attached)
            inline = aws.all("iam", "list_role_policies", "PolicyNames", RoleName=name)
            item["InlinePolicies"] = {
                policy: attempt(aws.iam.get_role_policy, "PolicyDocument", RoleName=name, PolicyName=policy)
                for policy in inline
            }
        yield entry(name, tags=tags, record=item, aliases=[item["Arn"], item["RoleId"]])


@kind("iam.policy")
def policies(aws):
    return [
        entry(p["Arn"], p["PolicyName"], record=p) for p in aws.all("iam", "list_policies", "Policies", Scope="Local")
    ]


# ECS and what scales it


def clusters_present(aws):
    arns = aws.all("ecs", "list_clusters", "clusterArns")
    return (
        aws.ecs.describe_clusters(clusters=arns, include=["TAGS", "SETTINGS", "CONFIGURATIONS"])["clusters"]
        if arns
        else []
    )


@kind("ecs.cluster")
def clusters(aws):
    for item in clusters_present(aws):
        yield entry(
            item["clusterName"], tags=item.get("tags"), record=item, aliases=[item["clusterArn"]], state=item["status"]
        )


@kind("ecs.service")
def services(aws):
    for cluster in clusters_present(aws):
        arns = aws.all("ecs", "list_services", "serviceArns", cluster=cluster["clusterName"])
        for start in range(0, len(arns), 10):
            wanted = {"cluster": cluster["clusterName"], "services": arns[start : start + 10], "include": ["TAGS"]}
            for item in aws.ecs.describe_services(**wanted)["services"]:
                item.pop("events", None)
                yield entry(item["serviceArn"], item["serviceName"], item.get("tags"), item, state=item["status"])


@kind("ecs.task-definition")
def task_definitions(aws):
    for status in ("ACTIVE", "INACTIVE"):
        for arn in aws.all("ecs", "list_task_definitions", "taskDefinitionArns", status=status):
            found = aws.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
            yield entry(arn, arn.rpartition("/")[2], found.get("tags"), found["taskDefinition"], state=status)


@kind("application-autoscaling.target")
def scalable_targets(aws):
    for item in aws.all(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"
    ):
        arn = item.get("ScalableTargetARN")
        tags = attempt(aws.application_autoscaling.list_tags_for_resource, "Tags", ResourceARN=arn) if arn else {}
        yield entry(item["ResourceId"], tags=tags, record=item, aliases=[arn])


@kind("application-autoscaling.policy")
def scaling_policies(aws):
    for item in aws.all(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="ecs"
    ):
        item.pop("Alarms", None)
        yield entry(item["PolicyARN"], item["PolicyName"], record=item)


# Load balancing


def elb_tags(aws, arn):
    found = attempt(aws.elbv2.describe_tags, "TagDescriptions", ResourceArns=[arn])
    return found[0]["Tags"] if isinstance(found, list) and found else []


@kind("elbv2.load-balancer")
def load_balancers(aws):
    for item in aws.all("elbv2", "describe_load_balancers", "LoadBalancers"):
        arn = item["LoadBalancerArn"]
        if aws.deep:
            item["Attributes"] = attempt(aws.elbv2.describe_load_balancer_attributes, "Attributes", LoadBalancerArn=arn)
        yield entry(arn, item["LoadBalancerName"], elb_tags(aws, arn), item, state=item["State"]["Code"])


@kind("elbv2.target-group")
def target_groups(aws):
    for item in aws.all("elbv2", "describe_target_groups", "TargetGroups"):
        arn = item["TargetGroupArn"]
        if aws.deep:
            item["Attributes"] = attempt(aws.elbv2.describe_target_group_attributes, "Attributes", TargetGroupArn=arn)
        yield entry(arn, item["TargetGroupName"], elb_tags(aws, arn), item)


@kind("elbv2.listener")
def listeners(aws):
    for balancer in aws.all("elbv2", "describe_load_balancers", "LoadBalancers"):
        for item in aws.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"]):
            name = f"{balancer['LoadBalancerName']}:{item['Port']}"
            yield entry(item["ListenerArn"], name, elb_tags(aws, item["ListenerArn"]), item)


@kind("elbv2.listener-rule")
def listener_rules(aws):
    for balancer in aws.all("elbv2", "describe_load_balancers", "LoadBalancers"):
        for item in aws.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"]):
            for rule in aws.all("elbv2", "describe_rules", "Rules", ListenerArn=item["ListenerArn"]):
                if not rule["IsDefault"]:
                    name = f"{balancer['LoadBalancerName']}:{item['Port']}:{rule['Priority']}"
                    yield entry(rule["RuleArn"], name, elb_tags(aws, rule["RuleArn"]), rule)


# API Gateway


@kind("apigateway.rest-api")
def rest_apis(aws):
    for item in aws.all("apigateway", "get_rest_apis", "items"):
        if aws.deep:
            item["resources"] = api_resources(aws, item["id"])
            item["deployments"] = len(aws.all("apigateway", "get_deployments", "items", restApiId=item["id"]))
        yield entry(item["id"], item["name"], item.get("tags"), item, aliases=[item.get("rootResourceId")])


def api_resources(aws, api_id):
    found = aws.all("apigateway", "get_resources", "items", restApiId=api_id, embed=["methods"], limit=500)
    authorizers = {item["id"]: item for item in aws.all("apigateway", "get_authorizers", "items", restApiId=api_id)}
    for resource in found:
        for method in resource.get("resourceMethods", {}).values():
            method.get("methodIntegration", {}).pop("cacheNamespace", None)
            if "authorizerId" in method:
                # Its id is drawn anew whenever the API's document is put.
                authorizer = dict(authorizers[method.pop("authorizerId")])
                del authorizer["id"]
                method["authorizer"] = authorizer
    return {resource["path"]: resource.get("resourceMethods", {}) for resource in found}


@kind("apigateway.stage")
def stages(aws):
    for api in aws.all("apigateway", "get_rest_apis", "items"):
        for item in aws.apigateway.get_stages(restApiId=api["id"])["item"]:
            name = f"{api['name']}/{item['stageName']}"
            yield entry(
                f"{api['id']}/{item['stageName']}", name, item.get("tags"), item, aliases=[item["deploymentId"]]
            )


@kind("apigateway.deployment")
def deployments(aws):
    for api in aws.all("apigateway", "get_rest_apis", "items"):
        for item in aws.all("apigateway", "get_deployments", "items", restApiId=api["id"]):
            yield entry(item["id"], f"{api['name']} {item.get('description', '')}", record=item)


@kind("apigateway.api-key")
def api_keys(aws):
    for item in aws.all("apigateway", "get_api_keys", "items"):
        yield entry(item["id"], item.get("name"), item.get("tags"), item)


@kind("apigateway.usage-plan")
def usage_plans(aws):
    for item in aws.all("apigateway", "get_usage_plans", "items"):
        if aws.deep:
            keys_of_plan = aws.all("apigateway", "get_usage_plan_keys", "items", usagePlanId=item["id"])
            item["keys"] = sorted(key["name"] for key in keys_of_plan)
        yield entry(item["id"], item["name"], item.get("tags"), item)


@kind("apigateway.vpc-link")
def vpc_links_v1(aws):
    return [
        entry(i["id"], i["name"], i.get("tags"), i, state=i["status"])
        for i in aws.all("apigateway", "get_vpc_links", "items")
    ]


@kind("apigatewayv2.vpc-link")
def vpc_links(aws):
    for item in aws.apigatewayv2.get_vpc_links()["Items"]:
        yield entry(item["VpcLinkId"], item["Name"], item.get("Tags"), item, state=item["VpcLinkStatus"])


@kind("apigateway.account")
def gateway_account(aws):
    try:
        role = aws.apigateway.get_account().get("cloudwatchRoleArn")
    except ClientError as error:
        # Where API Gateway was never used there is no account.
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        role = None
    return [entry("account", record={"cloudwatchRoleArn": role})] if role else []


# What other stacks and later layers make


@kind("s3.bucket")
def buckets(aws):
    for item in aws.s3.list_buckets()["Buckets"]:
        bucket = {"Bucket": item["Name"]}
        tags = attempt(aws.s3.get_bucket_tagging, "TagSet", **bucket)
        if aws.deep:
            item["Policy"] = attempt(aws.s3.get_bucket_policy, "Policy", **bucket)
            item["Lifecycle"] = attempt(aws.s3.get_bucket_lifecycle_configuration, "Rules", **bucket)
            item["Encryption"] = attempt(aws.s3.get_bucket_encryption, **bucket)
        listed = [aws.all("s3", "list_object_versions", key, **bucket) for key in ("Versions", "DeleteMarkers")]
        yield entry(item["Name"], tags=tags if isinstance(tags, list) else [], record=item, versions=sum(map(len, listed)))


@kind("cloudtrail.trail")
def trails(aws):
    for item in aws.cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]:
        arn = item["TrailARN"]
        tags = aws.cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"]
        if aws.deep:
            item["IsLogging"] = aws.cloudtrail.get_trail_status(Name=arn)["IsLogging"]
        yield entry(item["Name"], tags=tags, record=item, aliases=[arn])


@kind("cloudwatch.alarm")
def alarms(aws):
    for item in aws.all("cloudwatch", "describe_alarms", "MetricAlarms"):
        tags = attempt(aws.cloudwatch.list_tags_for_resource, "Tags", ResourceARN=item["AlarmArn"])
        yield entry(item["AlarmName"], tags=tags if isinstance(tags, list) else [], record=item)


@kind("cloudwatch.dashboard")
def dashboards(aws):
    for item in aws.all("cloudwatch", "list_dashboards", "DashboardEntries"):
        tags = attempt(aws.cloudwatch.list_tags_for_resource, "Tags", ResourceARN=item["DashboardArn"])
        if aws.deep:
            item["Body"] = attempt(aws.cloudwatch.get_dashboard, "DashboardBody", DashboardName=item["DashboardName"])
        yield entry(item["DashboardName"], tags=tags if isinstance(tags, list) else [], record=item)


@kind("sns.topic")
def topics(aws):
    for item in aws.all("sns", "list_topics", "Topics"):
        arn = item["TopicArn"]
        tags = attempt(aws.sns.list_tags_for_resource, "Tags", ResourceArn=arn)
        record = attempt(aws.sns.get_topic_attributes, "Attributes", TopicArn=arn) if aws.deep else item
        yield entry(arn, arn.rpartition(":")[2], tags if isinstance(tags, list) else [], record)


@kind("sns.subscription")
def subscriptions(aws):
    for item in aws.all("sns", "list_subscriptions", "Subscriptions"):
        state = item.pop("SubscriptionArn")
        yield entry(state, f"{item['Protocol']}:{item['Endpoint']}", record=item)


@kind("logs.metric-filter")
def metric_filters(aws):
    for item in aws.all("logs", "describe_metric_filters", "metricFilters"):
        name = f"{item['logGroupName']} {item['filterName']}"
        yield entry(name, record=item)


@kind("wafv2.web-acl")
def web_acls(aws):
    return [entry(i["ARN"], i["Name"], record=i) for i in aws.wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"]]


@kind("cognito.user-pool")
def user_pools(aws):
    for item in aws.all("cognito-idp", "list_user_pools", "UserPools", MaxResults=60):
        found = aws.cognito_idp.describe_user_pool(UserPoolId=item["Id"])["UserPool"]
        yield entry(item["Id"], item["Name"], found.get("UserPoolTags"), found, aliases=[found["Arn"]])


@kind("cognito.user-pool-client")
def user_pool_clients(aws):
    for pool in aws.all("cognito-idp", "list_user_pools", "UserPools", MaxResults=60):
        for item in aws.all("cognito-idp", "list_user_pool_clients", "UserPoolClients", UserPoolId=pool["Id"]):
            yield entry(item["ClientId"], f"{pool['Name']}/{item['ClientName']}", record=item)


@kind("guardduty.detector")
def detectors(aws):
    return [entry(detector) for detector in aws.all("guardduty", "list_detectors", "DetectorIds")]


# From the listings to the answer

VOLATILE = re.compile(
    r"(Time|Timestamp|Date|LastModified|CreatedAt|createdAt|updatedAt|registeredAt|Serial|Endpoint|Address|DNSName|DnsName|HostedZoneID?"
    r"|SerialNumber|ResourceId|PublicIp|public_ip|PrivateIp|IpAddress|AvailableIpAddressCount|DeploymentId|NotBefore|NotAfter|LockToken"
    r"|SizeInBytes|storedBytes|DnsEntries|ImportedAt|VersionIdsToStages|currentServiceDeployment|currentServiceRevisions"
    r"|CurrentKeyMaterialId|RoleLastUsed|Subject|LogGroupArn|DbiResourceId|deployments|clientToken|ClientToken|SecretArn)$",
    re.IGNORECASE,
)
RANDOM_ID = re.compile(r"-[0-9a-f]{8,17}$|^[a-z0-9]{6,10}$|[0-9a-f]{8}-[0-9a-f]{4}-")
RANDOM = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (
        re.compile(
            r"\b(eni|sgr|rtbassoc|eipassoc|aclassoc|dopt|vpc-cidr-assoc|pl|acl|subnet|vpc|sg|igw)-[0-9a-f]{8,17}\b"
        ),
        r"<\1>",
    ),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"), "<time>"),
    # Of the last quarter of a century and the next, in milliseconds, as the creation time of a log group is told.
    (re.compile(r"\b1[0-9]{12}\b"), "<time>"),
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "<hex>"),
    (re.compile(r"\b(cluster|db)-[A-Z2-7]{26}\b"), r"\1-<resource>"),
    (re.compile(r"\b[a-z0-9]{6,12}\.([a-z0-9-]+\.(?:rds|cache|elb)\.amazonaws\.com)"), r"<host>.\1"),
    (re.compile(r"\b[a-z0-9]{6,12}\.(use1\.cache\.amazonaws\.com)"), r"<host>.\1"),
    (re.compile(r"-\d{9,10}\.([a-z0-9-]+\.elb\.amazonaws\.com)"), r"-<number>.\1"),
    (re.compile(r"\b[a-z0-9]{10}\.(execute-api\.)"), r"<api>.\1"),
    # A database user that tapctl had drawn.
    (re.compile(r"\bu[a-z0-9]{15}\b"), "<user>"),
]


def collect(aws):
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(KINDS, pool.map(lambda name: list(KINDS[name](aws)), KINDS)))
    return {
        name: sorted(items, key=lambda item: (item["name"], item["id"]))
        for name, items in sorted(found.items())
        if items
    }


def brief(found):
    return {
        name: [{k: v for k, v in i.items() if not k.startswith("_")} for i in items] for name, items in found.items()
    }


def dump(found):
    """Everything about every object, without what differs between two accounts that hold the same."""
    rename = namer(found)
    return {name: sorted((rename(record_of(item)) for item in items), key=written) for name, items in found.items()}


def namer(found):
    """Puts names in place of this account's ids in whatever it is given, and leaves out what is never the same twice."""
    labels = {}
    for name, items in found.items():
        for item in items:
            for identifier in [item["id"], *item["_aliases"]]:
                # A name that somebody chose says the same in both accounts; only what AWS drew differs.
                if identifier != item["name"] or is_unnamed(item):
                    labels[identifier] = f"<{name}>" if is_unnamed(item) else f"<{name}:{item['name']}>"
    known = sorted(labels, key=len, reverse=True)
    words = "|".join(re.escape(identifier) for identifier in known)
    pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])") if known else re.compile(r"(?!)")
    return lambda value: normal(value, pattern, labels)


def is_unnamed(item):
    return item["name"] == item["id"] and bool(RANDOM_ID.search(item["id"]))


def record_of(item):
    return {"name": item["name"], "tags": item["tags"]} | item["_record"]


def written(value):
    return json.dumps(value, sort_keys=True)


def normal(value, pattern, labels):
    if isinstance(value, dict):
        return {
            normal(str(key), pattern, labels): normal(item, pattern, labels)
            for key, item in sorted(value.items(), key=lambda pair: str(pair[0]))
            if not VOLATILE.search(str(key))
        }
    if isinstance(value, (list, tuple, set)):
        return sorted(
            (normal(item, pattern, labels) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
    if isinstance(value, str):
        value = pattern.sub(lambda match: labels[match.group()], value)
        for random, stands_for in RANDOM:
            value = random.sub(stands_for, value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", help="where AWS is; without it, the real one")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--json", action="store_true", help="the default, and the only format")
    parser.add_argument("--counts", action="store_true", help="only how many of each kind")
    parser.add_argument("--dump", action="store_true", help="all properties, comparable between accounts")
    chosen = parser.parse_args()
    found = collect(Account(chosen.endpoint, chosen.region, chosen.dump))
    if chosen.counts:
        out = {name: len(items) for name, items in found.items()}
    else:
        out = dump(found) if chosen.dump else brief(found)
    json.dump(out, sys.stdout, indent=2, default=str)
    print()


if __name__ == "__main__":
    main()
