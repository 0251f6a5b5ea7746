"""What every rule has: an AWS behaviour, where AWS says so, operations that exist, and a test."""

from conftest import proven
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
