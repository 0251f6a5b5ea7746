"""What AWS once answered: that the local AWS can serve it, and says the same in the same words."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from conftest import refused
from local_aws.answers import SERVICES

FOLDER = Path(__file__).parents[2] / "recorded"
LINES = [json.loads(line) for file in sorted(FOLDER.glob("*.jsonl")) for line in file.read_text().splitlines()]
ANSWERS = [line for line in LINES if "answer" in line]
POLICY = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}}'
# Parameters that an operation cannot do without, where any will do.
ANY = {"integer": 1, "long": 1, "list": [], "structure": {}, "boolean": True}


@pytest.fixture
def serving(local):
    yield lambda line: local.admin("POST", "/_local/answers", line)
    local.admin("DELETE", "/_local/answers")


def wanted(shape):
    """The least that a call takes."""
    if shape is None:
        return {}
    return {name: least(shape.members[name]) for name in shape.required_members}


def least(shape):
    if getattr(shape, "enum", None):
        return shape.enum[0]
    if shape.type_name == "structure":
        return wanted(shape)
    if shape.type_name == "list":
        return [least(shape.member)]
    if shape.type_name == "string":
        return "a" * max(shape.metadata.get("min", 0), 8)
    return ANY[shape.type_name]


def shown(value):
    """Without what a recorder adds or a format changes: times, and the order of keys."""
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value if isinstance(value, (int, float, bool, type(None))) else str(value)


@pytest.mark.parametrize("number", range(0, len(ANSWERS), 40))
def test_every_recorded_answer_arrives_as_it_was(local, serving, number):
    lost = []
    for line in ANSWERS[number : number + 40]:
        service, _, operation = line["operation"].partition(":")
        client = local(SERVICES.get(service, service))
        serving(line)
        params = wanted(client.meta.service_model.operation_model(operation).input_shape)
        if operation == "DescribeMountTargets":
            params["FileSystemId"] = "fs-0123456789abcdef0"
        arrived = client._make_api_call(operation, params)
        local.admin("DELETE", "/_local/answers")
        lost += [f"{line['operation']} {where} ({line['source']})" for where in differences(line["answer"], arrived)]
    assert lost == []


def differences(told, arrived, path=""):
    """Members that were recorded and did not arrive. Empty lists and texts have no form of their own in some formats."""
    if isinstance(told, dict):
        if not isinstance(arrived, dict):
            return [path] if told else []
        return [place for key, item in told.items() for place in differences(item, arrived.get(key), f"{path}.{key}")]
    if isinstance(told, list):
        if len(told) != len(arrived or []):
            return [f"{path}[]"]
        return [place for one, other in zip(told, arrived or [], strict=True) for place in differences(one, other, f"{path}[]")]
    return [path] if arrived is None and told not in (None, "") else []


def words_of(operation, code):
    return [line["error"]["message"] for line in LINES if "error" in line and line["operation"] == operation and line["error"]["code"] == code]


def test_what_is_not_there_is_told_in_the_words_of_aws(local, name):
    iam, secrets, plans = local("iam"), local("secretsmanager"), local("apigateway")
    with refused("NoSuchEntity") as role:
        iam.get_role(RoleName="test_role")
    assert role.message in words_of("iam:GetRole", "NoSuchEntity")
    with refused("NoSuchEntity") as role:
        iam.put_role_policy(RoleName="test_role", PolicyName="p", PolicyDocument=POLICY)
    assert role.message in words_of("iam:GetRole", "NoSuchEntity")
    with refused("ResourceNotFoundException") as secret:
        secrets.describe_secret(SecretId=f"missing-{name}")
    assert secret.message in words_of("secretsmanager:DescribeSecret", "ResourceNotFoundException")
    with pytest.raises(ClientError) as missing:
        secrets.describe_secret(SecretId=f"missing-{name}")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with refused("NotFoundException") as plan:
        plans.update_usage_plan(usagePlanId="missing", patchOperations=[{"op": "replace", "path": "/name", "value": "n"}])
    assert plan.message in words_of("apigateway:UpdateUsagePlan", "NotFoundException")


def test_a_file_system_tells_of_itself_in_the_words_of_aws(local, network):
    efs = local("efs")
    made = efs.create_file_system(CreationToken=network.vpc)["FileSystemId"]
    with refused("PolicyNotFound") as none:
        efs.describe_file_system_policy(FileSystemId=made)
    assert none.message in ("", *words_of("efs:DescribeFileSystemPolicy", "PolicyNotFound"))
    efs.create_mount_target(FileSystemId=made, SubnetId=network.subnets[0])
    with refused("FileSystemInUse") as used:
        efs.delete_file_system(FileSystemId=made)
    (recorded,) = words_of("efs:DeleteFileSystem", "FileSystemInUse")
    assert used.message == recorded.replace("fs-060ecb07cbc53b9ee", made)
    found = local("ec2").describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [network.subnets[0]]}])
    assert [(eni["InterfaceType"], eni["RequesterManaged"]) for eni in found["NetworkInterfaces"]] == [("efs", True)]
    with refused("BadRequest"):
        efs.describe_mount_targets()


def test_a_line_says_what_it_answers(local):
    assert "missing" in local.admin("POST", "/_local/answers", {"operation": "ec2:DescribeVpcs"})["error"]
