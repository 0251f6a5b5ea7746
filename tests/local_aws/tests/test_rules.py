"""What every rule has: an AWS behaviour, where AWS says so, operations that exist, and a test."""

import json

from conftest import proven, refused
from local_aws.registry import ALL_RULES
from local_aws.wire import service_model


def test_rules_say_what_they_are_and_where_it_is_written():
    assert [rule.name for rule in ALL_RULES.values() if not (rule.says and rule.source)] == []


def test_rules_are_proven():
    assert [name for name in ALL_RULES if not proven.get(name)] == []


def test_rules_are_about_operations_that_exist():
    for rule in ALL_RULES.values():
        service = rule.name.partition(".")[0]
        unknown = set(rule.operations) - set(service_model(service).operation_names if rule.operations else ())
        assert not unknown, f"{rule.name}: {service} has no operations {sorted(unknown)}"


def test_rules_can_be_listed_with_their_sources(local):
    listed = {rule["name"]: rule for rule in local.admin("GET", "/_local/rules")["rules"]}
    assert len(listed) == len(ALL_RULES)
    assert listed["ec2.subnet_in_use"]["source"].endswith("error codes: DeleteSubnet")
    assert listed["ec2.addresses"]["source"] == "Amazon VPC quotas"


def test_what_two_racing_creates_are_answered_is_no_violation(local, network, name):
    """The one that comes second has made no mistake; a name that cannot be is one."""
    iam, ec2 = local("iam"), local("ec2")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"RoleName": name, "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [trust]})}
    group = {"GroupName": name, "Description": "d", "VpcId": network.vpc}
    subnet = {"VpcId": network.vpc, "CidrBlock": "10.0.9.0/24"}
    local.admin("DELETE", "/_local/violations")
    for call, wish, code in (
        (iam.create_role, role, "EntityAlreadyExists"),
        (ec2.create_security_group, group, "InvalidGroup.Duplicate"),
        (ec2.create_subnet, subnet, "InvalidSubnet.Conflict"),
    ):
        call(**wish)
        with refused(code):
            call(**wish)
    assert local.admin("GET", "/_local/violations")["violations"] == []
    with refused("InvalidParameterValue"):
        ec2.create_security_group(**group | {"GroupName": "sg-mine"})
    assert [v["rule"] for v in local.admin("GET", "/_local/violations")["violations"]] == ["ec2.security_group_name"]
