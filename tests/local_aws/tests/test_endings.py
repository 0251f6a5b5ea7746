"""How things turn out when a test decides it, and that they can be waited for in vain."""

import pytest


def wish(local, kind, ending="failed", **more):
    return local.admin("POST", "/_local/endings", {"kind": kind, "ending": ending} | more)


def test_nat_gateway(local, network):
    wish(local, "ec2.nat-gateway", message="no capacity")
    ec2 = local("ec2")
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[0], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    found = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]
    assert (found["State"], found["FailureMessage"]) == ("failed", "no capacity")


def test_endpoint(local, network):
    wish(local, "ec2.vpc-endpoint", name="*.logs", message="no address left")
    ec2 = local("ec2")
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    ask = {"VpcId": network.vpc, "VpcEndpointType": "Interface", "SubnetIds": network.subnets}
    found = {}
    for service in ("kms", "logs"):
        made = ec2.create_vpc_endpoint(**ask, ServiceName=f"com.amazonaws.us-east-1.{service}")["VpcEndpoint"][
            "VpcEndpointId"
        ]
        found[service] = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"][0]
    assert {service: endpoint["State"] for service, endpoint in found.items()} == {"kms": "available", "logs": "failed"}
    assert found["logs"]["LastError"]["Message"] == "no address left" and "LastError" not in found["kms"]


def test_load_balancer(local, network, name):
    wish(local, "elbv2.load-balancer", message="no capacity")
    elb = local("elbv2")
    elb.create_load_balancer(Name=name, Subnets=network.subnets, Scheme="internal")
    state = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["State"]
    assert state == {"Code": "failed", "Reason": "no capacity"}


def test_vpc_link(local, network, name):
    wish(local, "apigatewayv2.vpc-link", message="no addresses left")
    links = local("apigatewayv2")
    link = links.create_vpc_link(Name=name, SubnetIds=network.subnets)["VpcLinkId"]
    found = links.get_vpc_link(VpcLinkId=link)
    assert (found["VpcLinkStatus"], found["VpcLinkStatusMessage"]) == ("FAILED", "no addresses left")


def test_file_system_and_mount_target(local, network, name):
    efs = local("efs")
    wish(local, "efs.file-system", name=name)
    broken = efs.create_file_system(CreationToken=name)["FileSystemId"]
    assert efs.describe_file_systems(FileSystemId=broken)["FileSystems"][0]["LifeCycleState"] == "error"
    wish(local, "efs.mount-target")
    system = efs.create_file_system(CreationToken=f"{name}-2")["FileSystemId"]
    efs.create_mount_target(FileSystemId=system, SubnetId=network.subnets[0])
    assert efs.describe_mount_targets(FileSystemId=system)["MountTargets"][0]["LifeCycleState"] == "error"


@pytest.fixture
def database(local, network, name):
    local("rds").create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    return {
        "DBClusterIdentifier": name,
        "Engine": "aurora-postgresql",
        "MasterUsername": "app",
        "MasterUserPassword": "not-a-real-one",
        "DBSubnetGroupName": name,
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4},
    }


def test_database(local, database, name):
    rds = local("rds")
    wish(local, "rds.cluster", message="inaccessible-encryption-credentials: the key is gone")
    rds.create_db_cluster(**database)
    found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    assert found["Status"] == "inaccessible-encryption-credentials"
    events = rds.describe_events(SourceIdentifier=name, SourceType="db-cluster")["Events"]
    assert "the key is gone" in [event["Message"] for event in events]


def test_database_instance(local, database, name):
    rds = local("rds")
    wish(local, "rds.instance", message="incompatible-parameters: no")
    rds.create_db_cluster(**database)
    member = {"DBInstanceIdentifier": f"{name}-1", "DBClusterIdentifier": name, "Engine": "aurora-postgresql"}
    rds.create_db_instance(**member, DBInstanceClass="db.serverless")
    found = rds.describe_db_instances(DBInstanceIdentifier=f"{name}-1")["DBInstances"][0]
    assert found["DBInstanceStatus"] == "incompatible-parameters"


def test_stuck_for_ever(local, network, name, held):
    wish(local, "elbv2.load-balancer", "stuck")
    elb = local("elbv2")
    elb.create_load_balancer(Name=name, Subnets=network.subnets, Scheme="internal")
    held()
    assert elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["State"]["Code"] == "provisioning"


def test_a_wish_is_used_up(local, network, name):
    wish(local, "elbv2.load-balancer", times=1)
    elb = local("elbv2")
    for number in (1, 2):
        elb.create_load_balancer(Name=f"{name}-{number}", Subnets=network.subnets, Scheme="internal")
    found = elb.describe_load_balancers(Names=[f"{name}-1", f"{name}-2"])["LoadBalancers"]
    assert [balancer["State"]["Code"] for balancer in found] == ["failed", "active"]


def test_unknown_endings_are_refused(local):
    assert "kind and ending are of" in wish(local, "ec2.vpc")["error"]
    assert "unknown fields" in wish(local, "ec2.nat-gateway", nmae="x")["error"]
