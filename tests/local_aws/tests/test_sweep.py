"""The sweep that other tests rely on, in a region where nothing else happens."""

import json

import pytest
import sweep
from conftest import refused

REGION = "ap-southeast-2"
GLOBAL = {"cloudwatch.dashboard", "iam.role", "iam.policy", "s3.bucket"}


@pytest.fixture
def swept(local):
    def look(deep=False):
        found = sweep.collect(sweep.Account(local.url, REGION, deep))
        return {kind: items for kind, items in found.items() if kind not in GLOBAL}

    return look


def tags(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def make(local, name):
    """A few objects of different kinds, and what removes them again."""
    ec2, kms = local("ec2", REGION), local("kms", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", name))["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
    key = kms.create_key(Tags=[{"TagKey": "Name", "TagValue": name}])["KeyMetadata"]["KeyId"]
    local("ecs", REGION).create_cluster(clusterName=name)
    local("logs", REGION).create_log_group(logGroupName=name, tags={"a": "b"})

    def remove():
        ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=vpc)
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        local("ecs", REGION).delete_cluster(cluster=name)
        local("logs", REGION).delete_log_group(logGroupName=name)

    return remove


def test_sees_what_is_there_and_no_more(local, swept, name):
    assert swept() == {}
    remove = make(local, name)
    found = swept()
    assert set(found) == {"ec2.vpc", "ec2.security-group", "kms.key", "ecs.cluster", "logs.log-group"}
    assert found["ec2.vpc"][0]["tags"] == {"Name": name} and found["logs.log-group"][0]["tags"] == {"a": "b"}
    remove()
    after = swept()
    assert set(after) == {"kms.key-pending-deletion"}
    assert after["kms.key-pending-deletion"][0]["name"] == name
    local("kms", REGION).cancel_key_deletion(KeyId=after["kms.key-pending-deletion"][0]["id"])


def test_two_accounts_with_the_same_look_the_same(local, swept, name):
    dumps = []
    for _ in range(2):
        remove = make(local, name)
        found = swept(deep=True)
        mine = {kind: [item for item in items if item["name"] == name] for kind, items in found.items()}
        dumps.append(json.dumps(sweep.dump(mine), default=str))
        remove()
    assert '"CidrBlock": "10.0.0.0/16"' in dumps[0]
    first, second = (json.loads(text) for text in dumps)
    assert first["ec2.vpc"] == second["ec2.vpc"] and first["ecs.cluster"] == second["ecs.cluster"]


def test_as_a_program(local):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, sweep.__file__, "--endpoint", local.url, "--region", "eu-north-1", "--counts"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert isinstance(json.loads(done.stdout), dict)


NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


def test_nothing_is_hidden_from_the_sweep(local):
    """Whatever a test does to the others."""
    local.admin("POST", "/_local/settings", {"lag": 5})
    vpc = local("ec2", "eu-south-1").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    local.admin("POST", "/_local/faults", {"match": {"write": False}, "times": 100})
    local.admin("POST", "/_local/iam", NOTHING)
    found = sweep.collect(sweep.Account(local.url, "eu-south-1", False))
    assert [item["id"] for item in found["ec2.vpc"]] == [vpc]
    with refused("InternalFailure"):
        local("ec2", "eu-south-1").describe_vpcs()
    local.admin("DELETE", "/_local/faults")
    with refused("UnauthorizedOperation"):
        local("ec2", "eu-south-1").describe_vpcs()
    local.admin("DELETE", "/_local/iam")
    assert all(found["VpcId"] != vpc for found in local("ec2", "eu-south-1").describe_vpcs()["Vpcs"])
