"""Live objects of one environment, found by their names and ownership tags through boto3, and nothing else."""

import json
from functools import cache, cached_property

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

STACK = "student-records"


def one(items):
    """The only one there is."""
    items = list(items)
    assert len(items) == 1, f"{len(items)} instead of one: {items}"
    return items[0]


def tag_map(tags):
    """Tags in any of the shapes AWS has for them."""
    if isinstance(tags, dict):
        return tags
    return {t.get("Key", t.get("key")): t.get("Value", t.get("value")) for t in tags or []}


def as_list(value):
    return value if isinstance(value, list) else [value]


def document(policy):
    """A policy document; AWS gives some parsed and others as text."""
    return json.loads(policy) if isinstance(policy, str) else policy


class Live:
    def __init__(self, endpoint, region, env):
        self.endpoint, self.region, self.env = endpoint, region, env
        self.client = cache(self._client)

    def _client(self, service, region):
        access = {}
        if self.endpoint:
            # Faults, limits and lag of the local AWS are not for this key.
            access = {"endpoint_url": self.endpoint, "aws_access_key_id": "sweep", "aws_secret_access_key": "sweep"}
        return boto3.client(service, region_name=region, config=Config(retries={"mode": "standard"}), **access)

    def __getattr__(self, service):
        if service.startswith("_"):
            raise AttributeError(service)
        return self.client(service.replace("_", "-"), self.region)

    def all(self, service, operation, key, **params):
        """Every item of a listing, page after page."""
        client = self.client(service, self.region)
        if not client.can_paginate(operation):
            return getattr(client, operation)(**params).get(key, [])
        return [item for page in client.get_paginator(operation).paginate(**params) for item in page.get(key, [])]

    def name(self, thing):
        return f"student-{thing}-{self.env}"

    def owns(self, tags):
        tags = tag_map(tags)
        return tags.get("tapctl:stack") == STACK and tags.get("tapctl:env") == self.env

    @cached_property
    def account(self):
        return self.sts.get_caller_identity()["Account"]

    def arn(self, service, resource, region=None):
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{resource}"

    # The network

    def of_ec2(self, operation, key, tags="Tags"):
        """Every object of a kind that carries our ownership tags, by name."""
        filters = [{"Name": f"tag:tapctl:{tag}", "Values": [v]} for tag, v in (("stack", STACK), ("env", self.env))]
        param = "Filter" if operation in ("describe_nat_gateways", "describe_flow_logs") else "Filters"
        found = self.all("ec2", operation, key, **{param: filters})
        gone = ("deleted", "deleting")
        present = [item for item in found if item.get("State") not in gone]
        return {tag_map(item[tags])["Name"]: item for item in present}

    @cached_property
    def vpc(self):
        return self.of_ec2("describe_vpcs", "Vpcs")[self.name("vpc")]

    @cached_property
    def vpc_id(self):
        return self.vpc["VpcId"]

    @cached_property
    def subnets(self):
        return self.of_ec2("describe_subnets", "Subnets")

    def side(self, side):
        """The public or the private subnets, in the order of their names."""
        return [self.subnets[name] for name in sorted(self.subnets) if name.startswith(f"student-subnet-{side}-")]

    def subnet_ids(self, side):
        return {subnet["SubnetId"] for subnet in self.side(side)}

    @cached_property
    def route_tables(self):
        return self.of_ec2("describe_route_tables", "RouteTables")

    @cached_property
    def nat_gateways(self):
        return self.of_ec2("describe_nat_gateways", "NatGateways")

    @cached_property
    def endpoints(self):
        found = self.of_ec2("describe_vpc_endpoints", "VpcEndpoints").values()
        return {item["ServiceName"].removeprefix(f"com.amazonaws.{self.region}."): item for item in found}

    @cached_property
    def groups(self):
        """Security groups by what they are for: alb, service, rds and so on."""
        found = self.all("ec2", "describe_security_groups", "SecurityGroups", Filters=self.in_vpc)
        prefix, suffix = "student-", f"-{self.env}"
        return {g["GroupName"].removeprefix(prefix).removesuffix(suffix): g["GroupId"] for g in found}

    @property
    def in_vpc(self):
        return [{"Name": "vpc-id", "Values": [self.vpc_id]}]

    @cached_property
    def rules(self):
        """Every rule of the VPC: (group, direction, protocol, first port, last port, peer)."""
        names = {identifier: name for name, identifier in self.groups.items()}
        filters = [{"Name": "group-id", "Values": list(names)}]
        found = self.all("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=filters)
        return [self._rule(rule, names) for rule in found]

    @staticmethod
    def _rule(rule, names):
        referenced = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        peer = (
            rule.get("CidrIpv4")
            or rule.get("CidrIpv6")
            or rule.get("PrefixListId")
            or names.get(referenced, referenced)
        )
        direction = "egress" if rule["IsEgress"] else "ingress"
        return (names[rule["GroupId"]], direction, rule["IpProtocol"], rule["FromPort"], rule["ToPort"], peer)

    def rules_of(self, group, direction):
        """Ports and peers that a group lets in or out."""
        found = [rule for rule in self.rules if rule[:2] == (group, direction)]
        assert all(rule[2] == "tcp" and rule[3] == rule[4] for rule in found), found
        return {(rule[3], rule[5]) for rule in found}

    # Keys, secrets, roles, logs

    @cached_property
    def keys(self):
        """The keys behind our aliases, with policy and rotation: rds, cache and so on."""
        prefix, suffix = "alias/student-", f"-{self.env}"
        aliases = self.all("kms", "list_aliases", "Aliases")
        ours = [a for a in aliases if a["AliasName"].startswith(prefix) and a["AliasName"].endswith(suffix)]
        named = {a["AliasName"].removeprefix(prefix).removesuffix(suffix): a["TargetKeyId"] for a in ours}
        return {thing: self._key(identifier) for thing, identifier in named.items()}

    def _key(self, identifier):
        key = self.kms.describe_key(KeyId=identifier)["KeyMetadata"]
        policy = self.kms.get_key_policy(KeyId=identifier, PolicyName="default")["Policy"]
        rotation = self.kms.get_key_rotation_status(KeyId=identifier)
        tags = self.all("kms", "list_resource_tags", "Tags", KeyId=identifier)
        tags = {tag["TagKey"]: tag["TagValue"] for tag in tags}
        return key | {"Policy": document(policy), "Rotation": rotation, "Tags": tags}

    def key_arn(self, thing):
        return self.keys[thing]["Arn"]

    @cached_property
    def secrets(self):
        found = self.all("secretsmanager", "list_secrets", "SecretList")
        return {s["Name"]: self.secretsmanager.describe_secret(SecretId=s["ARN"]) for s in found}

    @cached_property
    def third_party_secret(self):
        return self.secrets[f"{self.name('third-party')}/credentials"]

    @cached_property
    def cache_secret(self):
        return self.secrets[f"{self.name('cache')}/credentials"]

    @cached_property
    def origin_secret(self):
        """Of the key that the API shows to a load balancer on the internet."""
        return self.secrets[f"{self.name('origin')}/credentials"]

    @cached_property
    def master_secret(self):
        return self.secretsmanager.describe_secret(SecretId=self.database["MasterUserSecret"]["SecretArn"])

    @cached_property
    def roles(self):
        """Our roles, with trust and permissions: execution, task and so on."""
        prefix, suffix = "student-", f"-{self.env}"
        names = [role["RoleName"] for role in self.all("iam", "list_roles", "Roles")]
        ours = [name for name in names if name.startswith(prefix) and name.endswith(suffix)]
        return {name.removeprefix(prefix).removesuffix(suffix): self.role(name) for name in ours}

    def role(self, name):
        role = self.iam.get_role(RoleName=name)["Role"]
        inline = self.all("iam", "list_role_policies", "PolicyNames", RoleName=name)
        documents = {p: self.iam.get_role_policy(RoleName=name, PolicyName=p)["PolicyDocument"] for p in inline}
        attached = self.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        return {
            "name": name,
            "arn": role["Arn"],
            "tags": tag_map(role.get("Tags")),
            "trust": document(role["AssumeRolePolicyDocument"]),
            "inline": {policy: document(text) for policy, text in documents.items()},
            "attached": sorted(policy["PolicyArn"] for policy in attached),
        }

    def allowed(self, role):
        """What a role may do: {action: (resources, condition)}."""
        allowed = {}
        for policy in self.roles[role]["inline"].values():
            for statement in policy["Statement"]:
                assert statement["Effect"] == "Allow", statement
                for action in as_list(statement["Action"]):
                    resources, conditions = allowed.setdefault(action, (set(), []))
                    resources.update(as_list(statement["Resource"]))
                    conditions.append(statement.get("Condition", {}))
        return allowed

    @cached_property
    def log_groups(self):
        found = self.all("logs", "describe_log_groups", "logGroups")
        arns = {group["logGroupName"]: group["arn"].removesuffix(":*") for group in found}
        tags = {name: self.logs.list_tags_for_resource(resourceArn=arn)["tags"] for name, arn in arns.items()}
        return {group["logGroupName"]: group for group in found if self.owns(tags[group["logGroupName"]])}

    # Data

    @cached_property
    def database(self):
        return one(self.rds.describe_db_clusters(DBClusterIdentifier=self.name("aurora"))["DBClusters"])

    @cached_property
    def instances(self):
        filters = [{"Name": "db-cluster-id", "Values": [self.database["DBClusterIdentifier"]]}]
        return self.all("rds", "describe_db_instances", "DBInstances", Filters=filters)

    @cached_property
    def cache(self):
        name = self.name("redis")
        return one(self.elasticache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"])

    @cached_property
    def cache_nodes(self):
        found = self.all("elasticache", "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True)
        return [node for node in found if node.get("ReplicationGroupId") == self.name("redis")]

    @cached_property
    def stream(self):
        return self.kinesis.describe_stream_summary(StreamName=self.name("events"))["StreamDescriptionSummary"]

    @cached_property
    def files(self):
        found = self.all("efs", "describe_file_systems", "FileSystems")
        return one(item for item in found if self.owns(item["Tags"]))

    @cached_property
    def access_point(self):
        return one(self.efs.describe_access_points(FileSystemId=self.files["FileSystemId"])["AccessPoints"])

    # The service and the way to it

    @cached_property
    def cluster(self):
        return one(self.ecs.describe_clusters(clusters=[self.name("cluster")], include=["SETTINGS"])["clusters"])

    @cached_property
    def service(self):
        return one(self.ecs.describe_services(cluster=self.name("cluster"), services=[self.name("api")])["services"])

    @cached_property
    def task(self):
        return self.ecs.describe_task_definition(taskDefinition=self.service["taskDefinition"])["taskDefinition"]

    @cached_property
    def container(self):
        return one(self.task["containerDefinitions"])

    @cached_property
    def balancer(self):
        return one(self.elbv2.describe_load_balancers(Names=[self.name("alb")])["LoadBalancers"])

    @cached_property
    def balancer_attributes(self):
        arn = self.balancer["LoadBalancerArn"]
        return tag_map(self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])

    @cached_property
    def listeners(self):
        found = self.elbv2.describe_listeners(LoadBalancerArn=self.balancer["LoadBalancerArn"])["Listeners"]
        return {listener["Port"]: listener for listener in found}

    @cached_property
    def targets(self):
        found = self.elbv2.describe_target_groups(LoadBalancerArn=self.balancer["LoadBalancerArn"])["TargetGroups"]
        return one(found)

    # The API

    @cached_property
    def api(self):
        found = self.all("apigateway", "get_rest_apis", "items")
        return one(item for item in found if self.owns(item.get("tags")))

    @cached_property
    def methods(self):
        """Every method with its integration, by `GET /path`."""
        found = self.all("apigateway", "get_resources", "items", restApiId=self.api["id"], embed=["methods"], limit=500)
        return {
            f"{verb} {resource['path']}": method
            for resource in found
            for verb, method in resource.get("resourceMethods", {}).items()
        }

    @cached_property
    def stages(self):
        return self.apigateway.get_stages(restApiId=self.api["id"])["item"]

    @cached_property
    def stage(self):
        return one(self.stages)

    @property
    def stage_arn(self):
        return f"arn:aws:apigateway:{self.region}::/restapis/{self.api['id']}/stages/{self.stage['stageName']}"

    @cached_property
    def plans(self):
        found = self.all("apigateway", "get_usage_plans", "items")
        return [plan for plan in found if self.owns(plan.get("tags"))]

    @cached_property
    def web_acl(self):
        """The web ACL before the stage."""
        found = self.wafv2.get_web_acl_for_resource(ResourceArn=self.stage_arn)
        return found.get("WebACL")

    @cached_property
    def user_pool(self):
        pools = self.all("cognito-idp", "list_user_pools", "UserPools", MaxResults=60)
        ours = one(pool for pool in pools if pool["Name"] == self.name("callers"))
        return self.cognito_idp.describe_user_pool(UserPoolId=ours["Id"])["UserPool"]

    # Audit and monitoring

    @cached_property
    def trail(self):
        found = self.cloudtrail.describe_trails(trailNameList=[self.name("trail")], includeShadowTrails=False)
        return one(found["trailList"])

    @cached_property
    def audit_bucket(self):
        return self.trail["S3BucketName"]

    @cached_property
    def topic_arn(self):
        return self.arn("sns", self.name("alarms"))

    @cached_property
    def topic(self):
        return self.sns.get_topic_attributes(TopicArn=self.topic_arn)["Attributes"]

    @cached_property
    def alarms(self):
        found = self.all("cloudwatch", "describe_alarms", "MetricAlarms", AlarmTypes=["MetricAlarm"])
        ours = [alarm for alarm in found if self.topic_arn in alarm["AlarmActions"]]
        return {alarm["AlarmName"]: alarm for alarm in ours}


def absent(call, **params):
    """The error code of a call that must not find anything."""
    try:
        call(**params)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{params} exists")
