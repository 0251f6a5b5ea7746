"""What is asked and refused before anything is made."""

import pytest
from accept.__main__ import main
from accept.prices import STACKS, Bill

from .conftest import client, ask

WORDS = ["--region", "us-east-1", "--stack", "data-pipeline", "--yes"]


def refused(capsys, words, code):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == code
    return capsys.readouterr()


def writes(aws):
    return [entry["operation"] for entry in ask(aws, "GET", "/_local/log")["entries"] if entry["write"]]


@pytest.fixture
def words(aws, tmp_path):
    return [*WORDS, "--endpoint", aws, "--folder", str(tmp_path / "written"), "--local-speed", "off"]


def stand(aws, region, stack="student-records", env="prod"):
    tags = [{"Key": "tapctl:stack", "Value": stack}, {"Key": "tapctl:env", "Value": env}]
    wanted = [{"ResourceType": "vpc", "Tags": tags}]
    client(aws, "ec2", region).create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=wanted)
    ask(aws, "DELETE", "/_local/log")


def test_an_account_with_another_environment_is_refused_unless_that_is_named(aws, words, capsys):
    stand(aws, "eu-west-3")
    said = refused(capsys, [*words, "--hours", "1", "--max-cost", "50"], 1).err
    assert "student-records-prod in eu-west-3: 1 objects" in said and "--beside student-records-prod" in said
    assert writes(aws) == []
    # Named, it is not what it is refused for.
    beside = [*words, "--beside", "student-records-prod", "--hours", "1", "--max-cost", "0.01"]
    assert "the ceiling is 0.01" in refused(capsys, beside, 64).err
    stand(aws, "us-east-1", "data-pipeline", "qa")
    said = refused(capsys, beside, 1).err
    assert "data-pipeline-qa in us-east-1" in said and "student-records-prod" not in said


def test_a_key_that_waits_for_its_deletion_is_no_environment(aws, words, capsys):
    kms = client(aws, "kms")
    tags = [{"TagKey": "tapctl:stack", "TagValue": "data-pipeline"}, {"TagKey": "tapctl:env", "TagValue": "acc1"}]
    key = kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    bounds = [*words, "--hours", "1", "--max-cost", "0.01"]
    assert "data-pipeline-acc1" in refused(capsys, bounds, 1).err
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert "the ceiling is 0.01" in refused(capsys, bounds, 64).err


def test_what_is_deleted_and_still_seen_is_no_environment(aws, words, capsys):
    ec2 = client(aws, "ec2")
    tags = [{"Key": "tapctl:stack", "Value": "data-pipeline"}, {"Key": "tapctl:env", "Value": "acc1"}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    tagged = [{"ResourceType": "natgateway", "Tags": tags}]
    made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private", TagSpecifications=tagged)
    ec2.describe_nat_gateways()
    bounds = [*words, "--hours", "1", "--max-cost", "0.01"]
    assert "data-pipeline-acc1" in refused(capsys, bounds, 1).err
    ec2.delete_nat_gateway(NatGatewayId=made["NatGateway"]["NatGatewayId"])
    assert "the ceiling is 0.01" in refused(capsys, bounds, 64).err


def test_nothing_is_made_without_ceilings(aws, words, capsys):
    assert "--max-cost and --hours" in refused(capsys, words, 64).err
    without_yes = [word for word in words if word != "--yes"]
    assert "no terminal to ask at" in refused(capsys, without_yes, 64).err
    said = refused(capsys, [*words, "--hours", "100", "--max-cost", "4"], 64)
    assert "100 hours may cost" in said.err and "that pays for" in said.err
    assert "NAT gateway" in said.out, "what it costs is shown before"
    assert writes(aws) == []


@pytest.mark.parametrize(
    "more", [["--stack", "nothing"], ["--hours", "0"], ["--max-cost", "-1"], ["--local-speed", "warp"]]
)
def test_wrong_usage_is_refused(words, capsys, more):
    refused(capsys, [*words, *more], 64)


def test_a_region_must_be_named(capsys):
    assert "--region is missing" in refused(capsys, [], 64).err


def test_a_folder_in_use_is_not_written_to(words, tmp_path, capsys):
    (tmp_path / "written").mkdir()
    (tmp_path / "written" / "mine").touch()
    assert "is not empty" in refused(capsys, [*words, "--hours", "1", "--max-cost", "50"], 64).err


@pytest.mark.parametrize("stack", STACKS)
def test_a_bill_names_what_it_counts(stack):
    bill = Bill(stack, "us-east-1")
    table = bill.table()
    assert all(item.what in table and item.counted in table for item in STACKS[stack])
    assert all(item.price > 0 and item.count > 0 and "pricing" in item.page for item in STACKS[stack])
    assert bill.of(2) - bill.of(1) == pytest.approx(bill.hourly)
    assert bill.of(bill.hours_for(10)) == pytest.approx(10)
    assert Bill(stack, "eu-west-3").of(3) > bill.of(3), (
        "a region that is not known to be as cheap is taken to cost more"
    )
