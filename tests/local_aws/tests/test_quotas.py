"""What a fresh account has no room for, and where it tells."""

import json

import pytest
from conftest import make_network, proves, refused


@pytest.fixture
def account(name):
    """An account of its own, with nothing in it."""
    return f"{int(name[1:]):012}"


def test_quotas_are_those_of_a_fresh_account(local, at_most, account):
    at_most({})
    attributes = local("ec2", account=account).describe_account_attributes()["AccountAttributes"]
    told = {entry["AttributeName"]: entry["AttributeValues"][0]["AttributeValue"] for entry in attributes}
    assert told["vpc-max-elastic-ips"] == "5" and told["default-vpc"].startswith("vpc-")
    limits = {limit["Name"]: limit["Max"] for limit in local("elbv2").describe_account_limits()["Limits"]}
    assert (limits["application-load-balancers"], limits["target-groups"]) == ("50", "3000")
    summary = local("iam").get_account_summary()["SummaryMap"]
    assert (summary["RolesQuota"], summary["RolePolicySizeQuota"]) == (1000, 10240)
    told = local("kinesis", account=account).describe_limits()
    assert (told["ShardLimit"], told["OpenShardCount"], told["OnDemandStreamCountLimit"]) == (500, 0, 50)


def test_quotas_can_be_looked_up(local, at_most):
    at_most({"elastic-ips": 7})
    quotas = local("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-0263D0A3")["Quota"]["Value"] == 7
    assert {q["QuotaName"] for q in quotas.list_service_quotas(ServiceCode="vpc")["Quotas"]} >= {"VPCs per Region"}
    with refused("NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")


def test_every_place_tells_the_same_quota(local, at_most):
    at_most({"elastic-ips": 2, "load-balancers": 3, "shards": 9, "roles": 8})
    attributes = local("ec2").describe_account_attributes(AttributeNames=["vpc-max-elastic-ips"])["AccountAttributes"]
    assert [entry["AttributeValues"][0]["AttributeValue"] for entry in attributes] == ["2"]
    limits = {limit["Name"]: limit["Max"] for limit in local("elbv2").describe_account_limits()["Limits"]}
    assert limits["application-load-balancers"] == "3"
    assert local("kinesis").describe_limits()["ShardLimit"] == 9
    assert local("iam").get_account_summary()["SummaryMap"]["RolesQuota"] == 8


def test_unknown_quotas_are_refused(local):
    assert "unknown quotas" in local.admin("POST", "/_local/quotas", {"moons": 1})["error"]


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
NO_ROOM = {
    "ec2.vpcs": ("vpcs", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "VpcLimitExceeded"),
    "ec2.internet_gateways": ("internet-gateways", "create_internet_gateway", {}, "InternetGatewayLimitExceeded"),
    "ec2.addresses": ("elastic-ips", "allocate_address", {"Domain": "vpc"}, "AddressLimitExceeded"),
    "kinesis.shards": ("shards", "create_stream", {"StreamName": "s", "ShardCount": 1}, "LimitExceededException"),
    "efs.files": ("file-systems", "create_file_system", {"CreationToken": "full"}, "FileSystemLimitExceeded"),
    "apigateway.rest_apis": ("rest-apis", "create_rest_api", {"name": "full"}, "LimitExceededException"),
    "iam.roles": ("roles", "create_role", {"RoleName": "full", "AssumeRolePolicyDocument": TRUST}, "LimitExceeded"),
    "logs.resource_policies": (
        "log-resource-policies",
        "put_resource_policy",
        {"policyName": "full", "policyDocument": "{}"},
        "LimitExceededException",
    ),
    "guardduty.one_detector": ("detectors", "create_detector", {"Enable": True}, "BadRequestException"),
}


@proves(*NO_ROOM)
@pytest.mark.parametrize("rule", NO_ROOM)
def test_an_account_without_room(local, at_most, rule):
    quota, call, wish, code = NO_ROOM[rule]
    at_most({quota: 0})
    with refused(code):
        getattr(local(rule.split(".")[0]), call)(**wish)


def test_the_last_one_that_fits(local, at_most, account):
    at_most({"elastic-ips": 2})
    ec2 = local("ec2", account=account)
    first = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.allocate_address(Domain="vpc")
    with refused("AddressLimitExceeded"):
        ec2.allocate_address(Domain="vpc")
    ec2.release_address(AllocationId=first)
    ec2.allocate_address(Domain="vpc")


@proves("ec2.nat_gateways", "ec2.rules_of_a_group", "ec2.interface_endpoints")
def test_networks_without_room(local, at_most, network):
    ec2, subnet = local("ec2"), network.subnets[0]
    elsewhere = make_network(local).subnets[1]
    at_most({"nat-gateways": 1, "security-group-rules": 60, "interface-endpoints": 0})
    ec2.create_nat_gateway(SubnetId=elsewhere, ConnectivityType="private")
    with refused("NatGatewayLimitExceeded"):
        for _ in range(len(ec2.describe_nat_gateways()["NatGateways"]) + 1):
            ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
    ranges = [{"CidrIp": f"10.1.{n}.0/24"} for n in range(61)]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}
    with refused("RulesPerSecurityGroupLimitExceeded"):
        ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[permission])
    service = "com.amazonaws.us-east-1.logs"
    with refused("VpcEndpointLimitExceeded"):
        ec2.create_vpc_endpoint(VpcId=network.vpc, VpcEndpointType="Interface", ServiceName=service)
    ec2.create_vpc_endpoint(VpcId=network.vpc, VpcEndpointType="Gateway", ServiceName="com.amazonaws.us-east-1.s3")


@proves("elbv2.load_balancers", "elbv2.target_groups", "apigatewayv2.vpc_links")
def test_load_balancers_without_room(local, at_most, network, name):
    elb = local("elbv2")
    wish = {"Name": name, "Subnets": network.subnets, "Scheme": "internal"}
    made = elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"]
    group = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    elb.create_target_group(**group)
    at_most({"load-balancers": 1, "target-groups": 1, "vpc-links": 0})
    # What exists takes no more room by being asked for again.
    assert elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"] == made
    elb.create_target_group(**group)
    with refused("TooManyLoadBalancers"):
        elb.create_load_balancer(**wish | {"Name": f"{name}-2"})
    with refused("TooManyTargetGroups"):
        elb.create_target_group(**group | {"Name": f"{name}-2"})
    with refused("TooManyRequestsException"):
        local("apigatewayv2").create_vpc_link(Name=name, SubnetIds=network.subnets)


@proves("rds.clusters", "rds.instances", "elasticache.nodes", "acm.certificates")
def test_databases_without_room(local, at_most, network, name):
    rds, cache = local("rds"), local("elasticache")
    at_most({"rds-clusters": 0, "rds-instances": 0, "elasticache-nodes": 1, "certificates": 0})
    users = {"MasterUsername": "someone", "ManageMasterUserPassword": True}
    with refused("DBClusterQuotaExceededFault"):
        rds.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-postgresql", **users)
    shape = {"DBInstanceClass": "db.t4g.medium", "Engine": "postgres", "AllocatedStorage": 20}
    with refused("InstanceQuotaExceeded"):
        rds.create_db_instance(DBInstanceIdentifier=name, **shape, **users)
    nodes = {"Engine": "redis", "CacheNodeType": "cache.t4g.micro", "NumCacheClusters": 2}
    with refused("NodeQuotaForCustomerExceeded"):
        cache.create_replication_group(ReplicationGroupId=name, ReplicationGroupDescription="d", **nodes)


@proves("kinesis.shards")
def test_streams_without_room(local, at_most, account, name):
    kinesis = local("kinesis", account=account)
    at_most({"shards": 3, "on-demand-streams": 1})
    kinesis.create_stream(StreamName=name, ShardCount=2)
    with refused("LimitExceededException"):
        kinesis.create_stream(StreamName=f"{name}-2", ShardCount=2)
    with refused("LimitExceededException"):
        kinesis.update_shard_count(StreamName=name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    kinesis.update_shard_count(StreamName=name, TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    assert kinesis.describe_limits()["OpenShardCount"] == 3
    on_demand = {"StreamMode": "ON_DEMAND"}
    at_most({"shards": 500})
    kinesis.create_stream(StreamName=f"{name}-3", StreamModeDetails=on_demand)
    with refused("LimitExceededException"):
        kinesis.create_stream(StreamName=f"{name}-4", StreamModeDetails=on_demand)


@proves("iam.trust_policy_size", "iam.inline_policy_size", "iam.attached_policies")
def test_sizes_of_policies(local, at_most, name):
    at_most({})
    iam = local("iam")
    services = [f"service-{number}-with-a-long-name.amazonaws.com" for number in range(60)]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    long = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with refused("LimitExceeded"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=long)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    resources = [f"arn:aws:s3:::bucket-{number:04}/*" for number in range(400)]
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    long = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    with refused("LimitExceeded"):
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=long)
    arns = [policy["Arn"] for policy in iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]]
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    with refused("LimitExceeded"):
        iam.attach_role_policy(RoleName=name, PolicyArn=arns[10])


def test_databases_tell_what_the_account_may_have(local, at_most, network, name):
    at_most({"rds-clusters": 7})
    rds = local("rds")
    told = {q["AccountQuotaName"]: q for q in rds.describe_account_attributes()["AccountQuotas"]}
    assert (told["DBClusters"]["Max"], told["DBInstances"]["Max"], told["DBSubnetGroups"]["Max"]) == (7, 40, 50)
    before = told["DBSubnetGroups"]["Used"]
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    told = {q["AccountQuotaName"]: q for q in rds.describe_account_attributes()["AccountQuotas"]}
    assert told["DBSubnetGroups"]["Used"] == before + 1 and told["SubnetsPerDBSubnetGroup"]["Used"] >= 2
