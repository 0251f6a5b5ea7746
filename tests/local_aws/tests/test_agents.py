"""What GuardDuty puts into a network of tasks, and the words of AWS that tests of other services rely on."""

import pytest
from conftest import refused
from local_aws.world import world
from test_ecs import service  # noqa: F401


@pytest.fixture
def watched():
    world.settings.guardduty = True


def managed(local, network):
    within = [{"Name": "vpc-id", "Values": [network.vpc]}]
    endpoints = local("ec2").describe_vpc_endpoints(Filters=within)["VpcEndpoints"]
    groups = local("ec2").describe_security_groups(Filters=within)["SecurityGroups"]
    return endpoints, [group for group in groups if group["GroupName"].startswith("GuardDutyManagedSecurityGroup-")]


def test_tasks_of_fargate_bring_an_endpoint_and_its_group(local, network, service, watched):  # noqa: F811
    """GuardDuty User Guide: Using Infrastructure as Code (IaC) with GuardDuty automated security agents."""
    local("ecs").create_service(**service)
    (endpoint,), (group,) = managed(local, network)
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.guardduty-data"
    assert endpoint["Tags"] == group["Tags"] == [{"Key": "GuardDutyManaged", "Value": "true"}]
    assert endpoint["Groups"][0]["GroupId"] == group["GroupId"]
    assert sorted(endpoint["SubnetIds"]) == sorted(network.subnets)
    with refused("DependencyViolation"):
        local("ec2").delete_subnet(SubnetId=network.subnets[0])
    with refused("DependencyViolation"):
        local("ec2").delete_security_group(GroupId=group["GroupId"])


def test_the_endpoint_comes_again_while_a_task_runs_and_stays_without_one(local, network, service, watched):  # noqa: F811
    ecs, ec2 = local("ecs"), local("ec2")
    ecs.create_service(**service)
    (first,), _ = managed(local, network)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[first["VpcEndpointId"]])
    (second,), _ = managed(local, network)
    assert second["VpcEndpointId"] != first["VpcEndpointId"]
    ecs.delete_service(cluster=service["cluster"], service=service["serviceName"], force=True)
    assert managed(local, network)[0] == [second]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[second["VpcEndpointId"]])
    endpoints, (group,) = managed(local, network)
    assert endpoints == []
    ec2.delete_security_group(GroupId=group["GroupId"])
    for subnet in network.subnets:
        ec2.delete_subnet(SubnetId=subnet)


def test_nobody_watches_unless_asked_to(local, network, service):  # noqa: F811
    local("ecs").create_service(**service)
    assert managed(local, network) == ([], [])
