"""What a fresh account may not have more of."""

import json

from ..policies import document
from ..quotas import quotas
from ..registry import AwsError, rule
from ..services.apigatewayv2 import links
from ..services.cloudtrail import shadows
from ..services.ec2.shared import security_groups, subnets
from ..services.efs import file_systems
from ..services.elasticache import shared as elasticache
from ..services.kinesis import streams
from ..services.rds import shared as rds


def refuse_beyond(quota, number, code, message, status=None):
    if number > quotas[quota]:
        raise AwsError(code, message, status)


def refuse_another(quota, present, code, message, status=None):
    refuse_beyond(quota, len(present) + 1, code, message, status)


# EC2


@rule("quota", "ec2", "CreateVpc", says="5 VPCs in a region, the default one included", source="Amazon VPC quotas")
def vpcs(call):
    refuse_another("vpcs", call.backend("ec2").vpcs, "VpcLimitExceeded", "The maximum number of VPCs has been reached.")


@rule("quota", "ec2", "CreateInternetGateway", says="5 internet gateways in a region", source="Amazon VPC quotas")
def internet_gateways(call):
    message = "The maximum number of internet gateways has been reached."
    refuse_another("internet-gateways", call.backend("ec2").internet_gateways, "InternetGatewayLimitExceeded", message)


@rule("quota", "ec2", "AllocateAddress", says="5 elastic IP addresses in a region", source="Amazon VPC quotas")
def addresses(call):
    message = "The maximum number of addresses has been reached."
    refuse_another("elastic-ips", call.backend("ec2").addresses, "AddressLimitExceeded", message)


@rule("quota", "ec2", "CreateNatGateway", says="5 NAT gateways in a zone", source="Amazon VPC quotas")
def nat_gateways(call):
    subnet = subnets(call).get(call.params["SubnetId"])
    if subnet is None:
        return
    zone = subnet.availability_zone
    alive = [g for g in call.backend("ec2").nat_gateways.values() if g.state in ("pending", "available", "deleting")]
    there = [g for g in alive if g.subnet_id in subnets(call) and subnets(call)[g.subnet_id].availability_zone == zone]
    message = f"Performing this operation would exceed the limit of {quotas['nat-gateways']} NAT gateways in {zone}"
    refuse_another("nat-gateways", there, "NatGatewayLimitExceeded", message)


@rule(
    "quota",
    "ec2",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    says="60 rules in and 60 rules out of a security group",
    source="Amazon VPC quotas",
)
def rules_of_a_group(call):
    group = security_groups(call).get(call.get("GroupId"))
    if group is None:
        return
    present = group.ingress_rules if call.operation.endswith("Ingress") else group.egress_rules
    kinds = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    added = sum(len(permission.get(kind, [])) for permission in call.get("IpPermissions", []) for kind in kinds)
    message = "The maximum number of rules per security group has been reached."
    refuse_beyond("security-group-rules", len(present) + added, "RulesPerSecurityGroupLimitExceeded", message)


@rule("quota", "ec2", "CreateVpcEndpoint", says="50 interface endpoints in a VPC", source="Amazon VPC quotas")
def interface_endpoints(call):
    if call.get("VpcEndpointType", "Gateway") != "Interface":
        return
    endpoints = call.backend("ec2").vpc_end_points.values()
    there = [e for e in endpoints if e.vpc_id == call.params["VpcId"] and e.vpc_endpoint_type == "Interface"]
    message = "The maximum number of VPC endpoints has been reached."
    refuse_another("interface-endpoints", there, "VpcEndpointLimitExceeded", message)


# Load balancers and certificates


@rule(
    "quota",
    "elbv2",
    "CreateLoadBalancer",
    says="50 application load balancers in a region",
    source="Quotas for your Application Load Balancers",
)
def load_balancers(call):
    present = call.backend("elbv2").load_balancers.values()
    if call.params["Name"] not in {balancer.name for balancer in present}:
        message = "The maximum number of load balancers has been reached"
        refuse_another("load-balancers", present, "TooManyLoadBalancers", message)


@rule(
    "quota",
    "elbv2",
    "CreateTargetGroup",
    says="3,000 target groups in a region",
    source="Quotas for your Application Load Balancers",
)
def target_groups(call):
    present = call.backend("elbv2").target_groups.values()
    if call.params["Name"] not in {group.name for group in present}:
        message = "The maximum number of target groups has been reached"
        refuse_another("target-groups", present, "TooManyTargetGroups", message)


@rule("quota", "acm", "ImportCertificate", says="2,500 imported certificates", source="AWS Certificate Manager quotas")
def certificates(call):
    if not call.get("CertificateArn"):
        present = call.backend("acm")._certificates
        message = f"Error: you have reached your limit of {quotas['certificates']} imported certificates."
        refuse_another("certificates", present, "LimitExceededException", message)


# Databases, streams and files


@rule(
    "quota",
    "rds",
    "CreateDBCluster",
    "RestoreDBClusterFromSnapshot",
    "RestoreDBClusterToPointInTime",
    says="40 clusters in a region",
    source="Quotas and constraints for Amazon RDS",
)
def clusters(call):
    message = "Cannot create more than the allowed number of DB clusters."
    refuse_another("rds-clusters", rds.clusters(call), "DBClusterQuotaExceededFault", message)


@rule(
    "quota",
    "rds",
    "CreateDBInstance",
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
    says="40 database instances in a region",
    source="Quotas and constraints for Amazon RDS",
)
def instances(call):
    message = "Cannot create more than the allowed number of DB instances."
    refuse_another("rds-instances", rds.instances(call), "InstanceQuotaExceeded", message)


@rule(
    "quota",
    "elasticache",
    "CreateReplicationGroup",
    "IncreaseReplicaCount",
    says="300 cache nodes in a region",
    source="Amazon ElastiCache quotas",
)
def nodes(call):
    wanted = call.get("NumCacheClusters") or call.get("NewReplicaCount", 0) + 1
    others = [
        group for key, group in elasticache.groups(call).items() if key != call.params["ReplicationGroupId"].lower()
    ]
    total = wanted + sum(len(group["_members"]) for group in others)
    message = "Request would exceed the quota of nodes for this customer."
    refuse_beyond("elasticache-nodes", total, "NodeQuotaForCustomerExceeded", message)


@rule(
    "quota",
    "kinesis",
    "CreateStream",
    "UpdateShardCount",
    says="500 shards in a region, and 50 on-demand streams",
    source="Kinesis Data Streams quotas",
)
def shards(call):
    if call.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
        on_demand = [stream for stream in streams(call).values() if stream.stream_mode["StreamMode"] == "ON_DEMAND"]
        message = f"You have reached the limit of {quotas['on-demand-streams']} on-demand streams."
        return refuse_another("on-demand-streams", on_demand, "LimitExceededException", message)
    others = [stream for stream in streams(call).values() if stream.stream_name != call.get("StreamName")]
    total = sum(open_shards(stream) for stream in others) + (call.get("TargetShardCount") or call.get("ShardCount", 0))
    message = (
        f"This request would exceed the shard limit for the account {call.account} in {call.region}. "
        f"Limit: {quotas['shards']}. Number of additional shards that would have been created by this request: {total}."
    )
    refuse_beyond("shards", total, "LimitExceededException", message)


def open_shards(stream):
    return sum(shard.is_open for shard in stream.shards.values())


@rule("quota", "efs", "CreateFileSystem", says="1,000 file systems", source="Amazon EFS quotas")
def files(call):
    message = "The maximum number of file systems for this account has been reached."
    refuse_another("file-systems", file_systems(call), "FileSystemLimitExceeded", message, 403)


# API Gateway


@rule(
    "quota",
    "apigateway",
    "CreateRestApi",
    "ImportRestApi",
    says="600 regional APIs",
    source="Amazon API Gateway quotas",
)
def rest_apis(call):
    message = "Maximum number of REST APIs for this account has been reached."
    refuse_another("rest-apis", call.backend("apigateway").apis, "LimitExceededException", message, 429)


@rule("quota", "apigatewayv2", "CreateVpcLink", says="10 VPC links in a region", source="Amazon API Gateway quotas")
def vpc_links(call):
    message = "Maximum number of VPC links for this account has been reached."
    refuse_another("vpc-links", links(call), "TooManyRequestsException", message, 429)


# IAM and logs


@rule("quota", "iam", "CreateRole", says="1,000 roles", source="IAM and AWS STS quotas")
def roles(call):
    message = f"Cannot exceed quota for RolesPerAccount: {quotas['roles']}"
    refuse_another("roles", call.backend("iam").roles, "LimitExceeded", message, 409)


@rule(
    "quota",
    "iam",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    says="a trust policy has 2,048 characters at most, without white space",
    source="IAM and AWS STS quotas",
)
def trust_policy_size(call):
    policy = document(call.get("AssumeRolePolicyDocument") or call.get("PolicyDocument"))
    size = len(json.dumps(policy, separators=(",", ":")))
    message = f"Cannot exceed quota for ACLSizePerRole: {quotas['trust-policy-characters']}"
    refuse_beyond("trust-policy-characters", size, "LimitExceeded", message, 409)


def role_named(call):
    return next((role for role in call.backend("iam").roles.values() if role.name == call.params["RoleName"]), None)


@rule(
    "quota",
    "iam",
    "PutRolePolicy",
    says="the inline policies of a role have 10,240 characters, without white space",
    source="IAM and AWS STS quotas",
)
def inline_policy_size(call):
    role = role_named(call)
    texts = dict(role.policies) if role else {}
    texts[call.params["PolicyName"]] = call.params["PolicyDocument"]
    size = sum(len("".join(str(text).split())) for text in texts.values())
    message = (
        f"Maximum policy size of {quotas['inline-policy-characters']} bytes exceeded for role {call.params['RoleName']}"
    )
    refuse_beyond("inline-policy-characters", size, "LimitExceeded", message, 409)


@rule("quota", "iam", "AttachRolePolicy", says="10 managed policies a role", source="IAM and AWS STS quotas")
def attached_policies(call):
    role = role_named(call)
    if role and call.params["PolicyArn"] not in role.managed_policies:
        message = f"Cannot exceed quota for PoliciesPerRole: {quotas['managed-policies']}"
        refuse_another("managed-policies", role.managed_policies, "LimitExceeded", message, 409)


@rule("quota", "logs", "PutResourcePolicy", says="10 resource policies in a region", source="CloudWatch Logs quotas")
def resource_policies(call):
    known = call.backend("logs").resource_policies
    if call.get("policyName") not in known:
        refuse_another("log-resource-policies", known, "LimitExceededException", "Resource limit exceeded.")


# Auditing


@rule(
    "quota",
    "cloudtrail",
    "CreateTrail",
    says="5 trails in a region, the shadows of trails of all regions included",
    source="AWS CloudTrail quotas",
)
def trails(call):
    present = [*call.backend("cloudtrail").trails, *shadows(call)]
    message = f"User: {call.account} already has {len(present)} trails in {call.region}."
    refuse_another("trails", present, "MaximumNumberOfTrailsExceededException", message)


@rule("quota", "guardduty", "CreateDetector", says="one detector in a region", source="Amazon GuardDuty quotas")
def one_detector(call):
    message = "The request is rejected because a detector already exists for the current account."
    refuse_another("detectors", call.backend("guardduty").detectors, "BadRequestException", message)
