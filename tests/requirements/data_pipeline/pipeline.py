"""The live objects of one pipeline, found by their names and ownership tags through boto3, and nothing else."""

import json
import os
from functools import cache, cached_property

import boto3
from botocore.config import Config


def one(items):
    """The only one there is."""
    items = list(items)
    assert len(items) == 1, f"{len(items)} instead of one: {items}"
    return items[0]


def tag_map(tags):
    """Tags in any of the shapes AWS has for them."""
    if isinstance(tags, dict):
        return tags
    names = [("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")]
    return {tag[k]: tag[v] for tag in tags or [] for k, v in names if k in tag}


def as_list(value):
    return value if isinstance(value, list) else [value]


class Pipeline:
    def __init__(self, project, env):
        self.project, self.env = project, env
        self.region = os.environ.get("AWS_REGION", "us-east-1")

    @cache
    def client(self, service):
        access = {}
        if os.environ.get("AWS_ENDPOINT_URL"):
            # Faults, limits and lag of the local AWS are not for this key.
            access = {"aws_access_key_id": "sweep", "aws_secret_access_key": "sweep"}
        # AWS shall judge what is sent, and not boto3.
        config = Config(parameter_validation=False)
        return boto3.client(service, region_name=self.region, config=config, **access)

    def name(self, thing):
        return f"{self.project}-{self.env}-{thing}"

    def owns(self, tags):
        tags = tag_map(tags)
        return tags.get("tapctl:stack") == "data-pipeline" and tags.get("tapctl:env") == self.env

    def ec2(self, operation, key):
        """Every object of a kind that carries our ownership tags, by name."""
        owner = {"tag:tapctl:stack": "data-pipeline", "tag:tapctl:env": self.env}
        filters = [{"Name": name, "Values": [value]} for name, value in owner.items()]
        param = "Filter" if operation in ("describe_nat_gateways", "describe_flow_logs") else "Filters"
        found = getattr(self.client("ec2"), operation)(**{param: filters})[key]
        present = [item for item in found if item.get("State") not in ("deleted", "deleting")]
        return {tag_map(item["Tags"])["Name"]: item for item in present}

    @cached_property
    def account(self):
        return self.client("sts").get_caller_identity()["Account"]

    @cached_property
    def key(self):
        kms = self.client("kms")
        alias = f"alias/{self.name('data-key')}"
        return kms.describe_key(KeyId=alias)["KeyMetadata"]

    @property
    def key_arn(self):
        return self.key["Arn"]

    @cached_property
    def vpc(self):
        return self.ec2("describe_vpcs", "Vpcs")[self.name("vpc")]

    @cached_property
    def subnets(self):
        return self.ec2("describe_subnets", "Subnets")

    def subnet_ids(self, side):
        prefix = self.name(f"subnet-{side}-")
        return {subnet["SubnetId"] for name, subnet in self.subnets.items() if name.startswith(prefix)}

    @cached_property
    def groups(self):
        filters = [{"Name": "vpc-id", "Values": [self.vpc["VpcId"]]}]
        found = self.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        return {group["GroupName"]: group for group in found}

    @cached_property
    def stream(self):
        kinesis = self.client("kinesis")
        return kinesis.describe_stream_summary(StreamName=self.name("stream"))["StreamDescriptionSummary"]

    @cached_property
    def secret(self):
        return self.client("secretsmanager").describe_secret(SecretId=self.name("db-credentials"))

    @property
    def credentials(self):
        value = self.client("secretsmanager").get_secret_value(SecretId=self.secret["ARN"])
        return json.loads(value["SecretString"])

    @cached_property
    def database(self):
        return one(self.client("rds").describe_db_instances(DBInstanceIdentifier=self.name("db"))["DBInstances"])

    @cached_property
    def log_groups(self):
        pages = self.client("logs").get_paginator("describe_log_groups").paginate()
        found = [group for page in pages for group in page["logGroups"]]
        tags = self.client("logs").list_tags_for_resource
        owned = [g for g in found if self.owns(tags(resourceArn=g["arn"].removesuffix(":*"))["tags"])]
        return {group["logGroupName"]: group for group in owned}

    @cached_property
    def cluster(self):
        ecs = self.client("ecs")
        return one(ecs.describe_clusters(clusters=[self.name("cluster")], include=["SETTINGS", "TAGS"])["clusters"])

    @cached_property
    def service(self):
        ecs = self.client("ecs")
        found = ecs.describe_services(cluster=self.name("cluster"), services=[self.name("data-processor")])
        return one(found["services"])

    @cached_property
    def task(self):
        found = self.client("ecs").describe_task_definition(taskDefinition=self.service["taskDefinition"])
        return found["taskDefinition"]

    def role(self, thing):
        """A role's trust, and what it allows: {action: (resources, conditions)}."""
        iam, name = self.client("iam"), self.name(thing)
        role = iam.get_role(RoleName=name)["Role"]
        allowed = {}
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow", statement
                for action in as_list(statement["Action"]):
                    assert action not in allowed, f"{action} is allowed twice"
                    allowed[action] = (set(as_list(statement["Resource"])), statement.get("Condition", {}))
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        return role["AssumeRolePolicyDocument"], allowed

    @cached_property
    def api(self):
        found = self.client("apigateway").get_rest_apis(limit=500)["items"]
        return one(api for api in found if self.owns(api.get("tags")))

    @cached_property
    def methods(self):
        found = self.client("apigateway").get_resources(restApiId=self.api["id"], embed=["methods"], limit=500)
        return {
            f"{verb} {resource['path']}": method
            for resource in found["items"]
            for verb, method in resource.get("resourceMethods", {}).items()
        }

    @cached_property
    def stage(self):
        return one(self.client("apigateway").get_stages(restApiId=self.api["id"])["item"])

    @cached_property
    def alarms(self):
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
        found = [alarm for page in pages for alarm in page["MetricAlarms"]]
        prefix = self.name("")
        return {a["AlarmName"].removeprefix(prefix): a for a in found if a["AlarmName"].startswith(prefix)}
