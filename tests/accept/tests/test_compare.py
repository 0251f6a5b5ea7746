"""Where AWS and the local AWS differ is told, once and at its place; ids, names and times are no difference."""

from accept.compare import compare


def line(operation, answer=None, error=None, seconds=0.1):
    said = {"error": error} if error else {"answer": answer}
    return {"operation": operation, "seconds": seconds} | said


def error(code, message, status=400):
    return {"code": code, "message": message, "status": status}


def differences(aws, local, **nodes):
    return compare(aws, local, **nodes)


def test_what_is_drawn_is_no_difference():
    aws = {
        "Vpc": {
            "VpcId": "vpc-0123456789abcdef0",
            "State": "pending",
            "CidrBlock": "10.0.0.0/16",
            "Made": "2026-11-28T11:00:00+00:00",
        }
    }
    local = {
        "Vpc": {
            "VpcId": "vpc-fedcba98765432100",
            "State": "pending",
            "CidrBlock": "10.1.0.0/16",
            "Made": "2027-01-01T01:02:03.5Z",
        }
    }
    assert differences([line("ec2:CreateVpc", aws)], [line("ec2:CreateVpc", local)]) == []


def test_a_member_that_only_one_gives():
    aws = [line("ec2:DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "Options": {"Mode": "off", "Deep": {"x": 1}}}]})]
    local = [line("ec2:DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-2", "Extra": True}]})]
    assert differences(aws, local) == [
        {
            "operation": "ec2:DescribeVpcs",
            "what": "member",
            "path": "Vpcs[].Extra",
            "aws": "never",
            "local": "always",
            "example": True,
        },
        {
            "operation": "ec2:DescribeVpcs",
            "what": "member",
            "path": "Vpcs[].Options",
            "aws": "always",
            "local": "never",
        },
    ]


def test_how_often_a_member_is_given():
    aws = [line("kms:DescribeKey", {"Key": {"Id": 1, "Until": 5}}), line("kms:DescribeKey", {"Key": {"Id": 2}})]
    local = [line("kms:DescribeKey", {"Key": {"Id": 3}})]
    [one] = differences(aws, local)
    assert (one["path"], one["aws"], one["local"]) == ("Key.Until", "sometimes", "never")


def test_an_empty_list_is_a_member_too():
    aws = [line("ec2:DescribeSubnets", {"Subnets": [], "More": []})]
    local = [line("ec2:DescribeSubnets", {"Subnets": []})]
    assert [one["path"] for one in differences(aws, local)] == ["More"]


def test_values_that_have_nothing_in_common():
    aws = [
        line("ecs:CreateCluster", {"status": "ACTIVE", "on": True, "count": 3}),
        line("ecs:CreateCluster", {"status": "PROVISIONING", "on": True, "count": 3}),
    ]
    local = [line("ecs:CreateCluster", {"status": "active", "on": False, "count": 7})]
    found = differences(aws, local)
    assert [(one["what"], one["path"], one["aws"], one["local"]) for one in found] == [
        ("value", "on", [True], [False]),
        ("value", "status", ["ACTIVE", "PROVISIONING"], ["active"]),
    ]


def test_values_of_which_one_is_common_are_no_difference():
    aws = [line("ecs:D", {"status": "ACTIVE"}), line("ecs:D", {"status": "DRAINING"})]
    assert differences(aws, [line("ecs:D", {"status": "ACTIVE"})]) == []


def test_a_key_with_dots_is_one_member():
    aws = [line("apigateway:GetResources", {"map": {"method.response.header.X": "true"}})]
    local = [line("apigateway:GetResources", {"map": {"method.response.header.Y": "true"}})]
    paths = [(one["path"], one["aws"], one["local"]) for one in differences(aws, local)]
    assert paths == [
        ("map.method.response.header.X", "always", "never"),
        ("map.method.response.header.Y", "never", "always"),
    ]


def test_an_error_in_other_words_with_another_status_or_only_of_one():
    aws = [
        line(
            "ec2:DeleteVpc",
            error=error(
                "DependencyViolation", "The vpc 'vpc-0123456789abcdef0' has dependencies and cannot be deleted."
            ),
        ),
        line("efs:Delete", error=error("FileSystemInUse", "in use", 409)),
        line("iam:GetRole", error=error("NoSuchEntity", "The role with name a-1 cannot be found.", 404)),
    ]
    local = [
        line(
            "ec2:DeleteVpc",
            error=error(
                "DependencyViolation", "The vpc 'vpc-00000000000000001' has dependencies and cannot be deleted."
            ),
        ),
        line("efs:Delete", error=error("FileSystemInUse", "in use", 400)),
        line("iam:GetRole", error=error("NoSuchEntity", "Role a-2 not found", 404)),
        line("iam:GetRole", error=error("Throttling", "Rate exceeded")),
    ]
    found = [(one["operation"], one["what"], one["path"], one["aws"], one["local"]) for one in differences(aws, local)]
    assert found == [
        ("efs:Delete", "wording", "FileSystemInUse", ["409 in use"], ["400 in use"]),
        (
            "iam:GetRole",
            "wording",
            "NoSuchEntity",
            ["404 The role with name a-1 cannot be found."],
            ["404 Role a-2 not found"],
        ),
        ("iam:GetRole", "wording", "Throttling", "never", ["400 Rate exceeded"]),
    ]


def test_a_call_that_only_one_answers():
    aws = [line("s3:HeadBucket", {})]
    assert differences(aws, []) == [{"operation": "s3:HeadBucket", "what": "calls", "aws": 1, "local": 0}]
    refused = [line("s3:HeadBucket", error=error("403", "Forbidden", 403))]
    assert [one["what"] for one in differences(aws, refused)] == ["calls", "wording"]


def test_durations_that_are_far_apart():
    slow, quick = [line("rds:D", {}, seconds=9.0)], [line("rds:D", {}, seconds=0.1)]
    assert differences(slow, quick) == [{"operation": "rds:D", "what": "duration", "aws": 9.0, "local": 0.1}]
    assert differences([line("rds:D", {}, seconds=0.9)], quick) == []
    node = {"step": "apply", "verb": "created", "node": "cluster", "kind": "rds.db_cluster"}
    found = differences([], [], aws_nodes=[node | {"seconds": 600}], local_nodes=[node | {"seconds": 90}])
    assert found == [
        {"operation": "rds.db_cluster", "what": "duration", "path": "cluster created in apply", "aws": 600, "local": 90}
    ]


def test_lost_calls_say_nothing():
    assert differences([{"operation": "x", "lost": "reset", "seconds": 0}], []) == []
