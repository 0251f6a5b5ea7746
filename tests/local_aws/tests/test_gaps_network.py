"""What moto forgets or lets pass in EC2, EFS and load balancing, each as AWS does it."""

import time

from conftest import refused
from local_aws.life import SECONDS
from local_aws.world import SPEEDS
from test_ec2 import endpoint, gateway, nat, nat_state, tagged


def interfaces(local, *ids):
    return local("ec2").describe_network_interfaces(NetworkInterfaceIds=list(ids))["NetworkInterfaces"]


def test_new_vpc_is_pending_and_has_its_tags(local, name):
    made = local("ec2").create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=tagged("vpc", name))["Vpc"]
    assert (made["State"], made["Tags"]) == ("pending", tagged("vpc", name)[0]["Tags"])
    assert local("ec2").describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"][0]["State"] == "available"


def test_new_nat_gateway_is_pending(local, network):
    gateway(local, network)
    address = local("ec2").allocate_address(Domain="vpc")["AllocationId"]
    made = local("ec2").create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"]
    assert made["State"] == "pending"


def test_deleted_nat_gateway_is_deleting_before_it_is_deleted(local, network):
    gateway(local, network)
    nat_id, _ = nat(local, network)
    local.admin("POST", "/_local/settings", {"speed": "fast"})
    local("ec2").delete_nat_gateway(NatGatewayId=nat_id)
    assert nat_state(local, nat_id)["State"] == "deleting"
    time.sleep(SECONDS["ec2.nat.delete"] / SPEEDS["fast"])
    assert nat_state(local, nat_id)["State"] == "deleted"


def test_subnet_of_a_nat_gateway_cannot_be_deleted(local, network):
    gateway(local, network)
    nat(local, network)
    with refused("DependencyViolation"):
        local("ec2").delete_subnet(SubnetId=network.subnets[0])


def test_new_security_group_answers_tags_and_arn(local, network, name):
    wish = {"GroupName": "tagged", "Description": "d", "VpcId": network.vpc}
    made = local("ec2").create_security_group(**wish, TagSpecifications=tagged("security-group", name))
    assert made["Tags"] == tagged("security-group", name)[0]["Tags"]
    assert made["SecurityGroupArn"].endswith(f":123456789012:security-group/{made['GroupId']}")


def test_interface_endpoint_tells_interfaces_names_and_groups(local, network, held):
    ec2 = local("ec2")
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    wish = endpoint(network, SubnetIds=network.subnets, SecurityGroupIds=[network.group])
    made = ec2.create_vpc_endpoint(**wish)["VpcEndpoint"]
    assert made["State"] == "pending"
    assert [g["GroupId"] for g in made["Groups"]] == [network.group]
    enis = interfaces(local, *made["NetworkInterfaceIds"])
    assert {eni["SubnetId"] for eni in enis} == set(network.subnets)
    held()
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])["VpcEndpoints"][0]
    names = [entry["DnsName"] for entry in found["DnsEntries"]]
    assert found["State"] == "available" and "logs.us-east-1.amazonaws.com" in names
    assert any(name.startswith(made["VpcEndpointId"]) and name.endswith(".vpce.amazonaws.com") for name in names)


def test_what_comes_with_a_vpc_goes_with_it(local):
    ec2 = local("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]

    def parts():
        return [
            len(ec2.describe_route_tables(Filters=filters)["RouteTables"]),
            len(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]),
            len(ec2.describe_network_acls(Filters=filters)["NetworkAcls"]),
        ]

    assert parts() == [1, 1, 1]
    ec2.delete_vpc(VpcId=vpc)
    assert parts() == [0, 0, 0]


def test_mount_target_tells_interface_address_and_zone(local, network, name, held):
    system = local("efs").create_file_system(CreationToken=name)["FileSystemId"]
    held()
    made = local("efs").create_mount_target(FileSystemId=system, SubnetId=network.subnets[0])
    assert (made["LifeCycleState"], made["AvailabilityZoneName"]) == ("creating", "us-east-1a")
    eni = interfaces(local, made["NetworkInterfaceId"])[0]
    assert (eni["SubnetId"], eni["PrivateIpAddress"]) == (network.subnets[0], made["IpAddress"])
    held()
    found = local("efs").describe_mount_targets(FileSystemId=system)["MountTargets"][0]
    assert found["LifeCycleState"] == "available" and made["IpAddress"] == found["IpAddress"]


def test_subnet_of_a_mount_target_cannot_be_deleted(local, network, name):
    system = local("efs").create_file_system(CreationToken=name)["FileSystemId"]
    target = local("efs").create_mount_target(FileSystemId=system, SubnetId=network.subnets[0])["MountTargetId"]
    with refused("DependencyViolation"):
        local("ec2").delete_subnet(SubnetId=network.subnets[0])
    local("efs").delete_mount_target(MountTargetId=target)
    local("ec2").delete_subnet(SubnetId=network.subnets[0])


def test_backup_policy_is_enabling_before_it_is_enabled(local, name, held):
    efs = local("efs")
    system = efs.create_file_system(CreationToken=name)["FileSystemId"]
    held()
    assert efs.put_backup_policy(FileSystemId=system, BackupPolicy={"Status": "ENABLED"})["BackupPolicy"] == {
        "Status": "ENABLING"
    }
    held()
    assert efs.describe_backup_policy(FileSystemId=system)["BackupPolicy"] == {"Status": "ENABLED"}


def test_security_group_of_a_load_balancer_cannot_be_deleted(local, network, name):
    wish = {"Name": name, "Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    local("elbv2").create_load_balancer(**wish)
    with refused("DependencyViolation"):
        local("ec2").delete_security_group(GroupId=network.group)
