"""What the local AWS is beside AWS: the log, faults, endings, and how it says what it does not know."""

import hashlib
import http.client
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from conftest import Local, proves, refused

LOST = (ConnectionClosedError, EndpointConnectionError, ReadTimeoutError)


def last_entry(local):
    return local.admin("GET", "/_local/log")["entries"][-1]


def test_log_tells_reads_from_writes(local):
    local("ec2").describe_vpcs()
    read = last_entry(local)
    local("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    write = last_entry(local)
    assert (read["service"], read["operation"], read["write"]) == ("ec2", "DescribeVpcs", False)
    assert (write["operation"], write["write"], write["params"]) == ("CreateVpc", True, {"CidrBlock": "10.9.0.0/16"})
    assert write["seq"] > read["seq"] and write["status"] == 200 and write["error_code"] is None
    later = local.admin("GET", f"/_local/log?since={read['seq']}")["entries"]
    assert [entry["operation"] for entry in later] == ["CreateVpc"]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("sts", "get_caller_identity", {}, "sts"),
        ("kms", "list_keys", {}, "kms"),
        ("apigateway", "get_rest_apis", {}, "apigateway"),
        ("apigatewayv2", "get_vpc_links", {}, "apigatewayv2"),
        ("s3", "list_buckets", {}, "s3"),
        ("efs", "describe_file_systems", {}, "efs"),
        ("elbv2", "describe_load_balancers", {}, "elbv2"),
        ("resourcegroupstaggingapi", "get_resources", {}, "resourcegroupstaggingapi"),
        ("cloudwatch", "describe_alarms", {}, "cloudwatch"),
        (
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": "ecs"},
            "application-autoscaling",
        ),
    ],
)
def test_every_protocol_is_decoded(local, service, operation, params, expected):
    getattr(local(service), operation)(**params)
    entry = last_entry(local)
    assert (
        entry["service"] == expected and entry["operation"].lower() == operation.replace("_", "") and not entry["write"]
    )
    assert params.items() <= entry["params"].items()


def test_log_masks_secrets(local, name):
    local("secretsmanager").create_secret(Name=name, SecretString="hunter2")
    assert last_entry(local)["params"] == {"Name": name, "SecretString": "***"} | mask_token(local)
    local("apigateway").create_api_key(name=name, value="v" * 30)
    assert last_entry(local)["params"]["value"] == "***"
    assert "hunter2" not in str(local.admin("GET", "/_local/log"))


def mask_token(local):
    return {"ClientRequestToken": last_entry(local)["params"]["ClientRequestToken"]}


def test_log_remembers_errors(local):
    with refused("DBClusterNotFoundFault"):
        local("rds").describe_db_clusters(DBClusterIdentifier="none")
    entry = last_entry(local)
    assert (entry["status"], entry["error_code"]) == (404, "DBClusterNotFoundFault")


def test_unknown_operations_are_not_retried(local):
    """What nobody implements answers as AWS answers an operation it does not have, and shows in the log."""
    for service, call, params, code in (
        ("rds", "describe_valid_db_instance_modifications", {"DBInstanceIdentifier": "x"}, "InvalidAction"),
        ("kinesis", "list_channels", {}, "UnknownOperationException"),
    ):
        with refused(code):
            getattr(local(service), call)(**params)
        assert last_entry(local)["status"] == 400 and last_entry(local)["unsupported"]


def test_fault_strikes_the_nth_matching_call(local):
    wish = {
        "match": {"service": "kms", "operation": "ListKeys", "params": {"Limit": 5}},
        "nth": 2,
        "action": "error",
        "code": "ThrottlingException",
    }
    local.admin("POST", "/_local/faults", wish)
    kms = local("kms")
    kms.list_keys(Limit=5)
    kms.list_keys()
    local("ec2").describe_vpcs()
    with refused("ThrottlingException"):
        kms.list_keys(Limit=5)
    kms.list_keys(Limit=5)
    assert local.admin("GET", "/_local/faults")["faults"][0]["hit"] == 1


def test_fault_on_any_write_several_times(local):
    local.admin(
        "POST", "/_local/faults", {"match": {"write": True}, "times": 2, "code": "InternalFailure", "status": 500}
    )
    ec2 = local("ec2")
    ec2.describe_vpcs()
    for _ in range(2):
        with refused("InternalFailure"):
            ec2.create_vpc(CidrBlock="10.9.0.0/16")
    ec2.create_vpc(CidrBlock="10.9.0.0/16")


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_lost_answers(local, name, when, made):
    local.admin("POST", "/_local/faults", {"match": {"operation": "CreateCluster"}, "when": when, "action": "reset"})
    with pytest.raises(LOST):
        local("ecs").create_cluster(clusterName=name)
    assert bool(local("ecs").describe_clusters(clusters=[name])["clusters"]) is made


def test_truncated_answer(local):
    local.admin("POST", "/_local/faults", {"match": {"operation": "ListKeys"}, "action": "truncate"})
    scope = "Credential=a/20260101/us-east-1/kms/aws4_request"
    headers = {
        "X-Amz-Target": "TrentService.ListKeys",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": scope,
    }
    connection = http.client.HTTPConnection(local.url.removeprefix("http://"))
    connection.request("POST", "/", "{}", headers)
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    local("kms").list_keys()


def test_bare_status(local):
    local.admin("POST", "/_local/faults", {"match": {"operation": "ListKeys"}, "action": "status", "status": 503})
    with pytest.raises(ClientError) as error:
        local("kms").list_keys()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_hanging_call_ends_when_the_fault_is_lifted(local):
    local.admin("POST", "/_local/faults", {"match": {"operation": "ListKeys"}, "action": "hang", "seconds": 0.2})
    started = time.monotonic()
    with pytest.raises(LOST):
        local("kms").list_keys()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("when", ["before", "after"])
def test_delayed_call_takes_effect_in_the_end(local, name, when):
    wish = {"match": {"operation": "CreateCluster"}, "when": when, "action": "delay", "seconds": 0.3}
    local.admin("POST", "/_local/faults", wish)
    ecs, started = local("ecs"), time.monotonic()
    ecs.create_cluster(clusterName=name)
    assert time.monotonic() - started >= 0.3
    assert ecs.describe_clusters(clusters=[name])["clusters"]


def codes_of_calls(local, count):
    """How `count` calls in a row were answered: `200`, an error code, or `lost`."""
    codes = []
    for _ in range(count):
        try:
            codes.append(local("kms").list_keys()["ResponseMetadata"]["HTTPStatusCode"])
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
        except LOST:
            codes.append("lost")
    return codes


def test_faults_by_chance(local):
    """As often as asked for, one kind beside the other, and the same calls again with the same seed."""
    moods = [
        {"probability": 0.2, "seed": 7, "action": "throttle"},
        {"probability": 0.1, "seed": 7, "when": "after", "action": "reset"},
    ]
    local.admin("POST", "/_local/faults", moods)
    codes = codes_of_calls(local, 200)
    assert 25 <= codes.count("ThrottlingException") <= 55 and 8 <= codes.count("lost") <= 30
    local.admin("DELETE", "/_local/faults")
    local.admin("POST", "/_local/faults", moods)
    assert codes_of_calls(local, 200) == codes
    local.admin("DELETE", "/_local/faults")
    local.admin("POST", "/_local/faults", [mood | {"seed": 8} for mood in moods])
    assert codes_of_calls(local, 200) != codes


def test_chance_can_be_limited(local):
    local.admin("POST", "/_local/faults", {"probability": 1, "times": 2, "action": "throttle"})
    assert codes_of_calls(local, 4) == ["ThrottlingException", "ThrottlingException", 200, 200]


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("apigateway", "get_rest_apis", "TooManyRequestsException", 429),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("ecs", "list_clusters", "ThrottlingException", 400),
        ("iam", "list_roles", "Throttling", 400),
        ("kinesis", "list_streams", "LimitExceededException", 400),
        ("rds", "describe_db_clusters", "Throttling", 400),
    ],
)
def test_each_service_throttles_in_its_own_words(local, service, call, code, status):
    local.admin("POST", "/_local/faults", {"action": "throttle"})
    with refused(code):
        getattr(local(service), call)()
    assert last_entry(local)["status"] == status


def every_role(local):
    return local("iam").get_paginator("list_roles").paginate().build_full_result()["Roles"]


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_silence_falls_on_all_that_follows(local, name, when, made):
    silence = {"match": {"operation": "CreateCluster"}, "nth": 2, "when": when, "action": "silence"}
    local.admin("POST", "/_local/faults", silence)
    local("ecs").create_cluster(clusterName=f"{name}-1")
    with ThreadPoolExecutor() as callers:
        asked = [callers.submit(local("ecs").create_cluster, clusterName=f"{name}-2")]
        until(lambda: local.admin("GET", "/_local/faults")["faults"][0]["hit"] == 1)
        asked.append(callers.submit(local("ecs").create_cluster, clusterName=f"{name}-3"))
        asked.append(callers.submit(local("iam").create_role, RoleName=name, AssumeRolePolicyDocument=TRUST))
        until(lambda: local.admin("GET", "/_local/faults")["faults"][0]["hit"] == 3)
        assert not any(call.done() for call in asked)
        local.admin("DELETE", "/_local/faults")
        for call in asked:
            with pytest.raises(LOST):
                call.result()
    found = local("ecs").describe_clusters(clusters=[f"{name}-1", f"{name}-2", f"{name}-3"])["clusters"]
    assert len(found) == (3 if made else 1)
    assert (name in [role["RoleName"] for role in every_role(local)]) is made


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_fork_begins_with_all_there_is_and_goes_its_own_way(local, name):
    local("ecs").create_cluster(clusterName=f"{name}-before")
    answer = local.admin("POST", "/_local/forks")
    fork = Local(answer["url"])
    local("ecs").create_cluster(clusterName=f"{name}-here")
    fork("ecs").create_cluster(clusterName=f"{name}-there")

    def clusters(of):
        return {arn.rpartition("/")[2] for arn in of("ecs").list_clusters()["clusterArns"]}

    assert {f"{name}-before", f"{name}-here"} <= clusters(local) and f"{name}-there" not in clusters(local)
    assert {f"{name}-before", f"{name}-there"} <= clusters(fork) and f"{name}-here" not in clusters(fork)
    assert len(fork.admin("GET", "/_local/log")["entries"]) > 0
    local.admin("DELETE", f"/_local/forks?port={answer['port']}")
    with pytest.raises(EndpointConnectionError):
        fork("ecs").list_clusters()
    again = local.admin("POST", "/_local/forks", {"port": answer["port"]})
    assert again == answer and f"{name}-here" in clusters(fork)
    local.admin("DELETE", f"/_local/forks?port={answer['port']}")


def test_watches_a_file(local, tmp_path):
    path = tmp_path / "state.json"
    local.admin("POST", "/_local/watch", {"file": str(path)})
    try:
        local("sts").get_caller_identity()
        assert last_entry(local)["file"] is None
        path.write_text("{}")
        local("sts").get_caller_identity()
        assert last_entry(local)["file"] == hashlib.sha256(b"{}").hexdigest()
    finally:
        local.admin("DELETE", "/_local/watch")
    local("sts").get_caller_identity()
    assert "file" not in last_entry(local)


def test_a_listing_is_kept_no_longer_than_it_is_true(local, network, held):
    ec2 = local("ec2")

    def tags():
        return ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"][0].get("Tags", [])

    assert tags() == tags() == []
    ec2.create_tags(Resources=[network.vpc], Tags=[{"Key": "a", "Value": "1"}])
    assert tags() == [{"Key": "a", "Value": "1"}]
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[0], ConnectivityType="private")["NatGateway"]["NatGatewayId"]

    def state():
        return ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]

    assert state() == state() == "pending"
    held()
    assert state() == "available"


def test_bad_faults_are_refused(local):
    assert "probability" in local.admin("POST", "/_local/faults", {"probability": 2})["error"]
    assert "probability" in local.admin("POST", "/_local/faults", {"probability": 0.5, "nth": 2})["error"]
    assert "action is one of" in local.admin("POST", "/_local/faults", {"action": "explode"})["error"]
    assert "unknown fields" in local.admin("POST", "/_local/faults", {"actoin": "error"})["error"]


def test_accounts_are_separate(local, name):
    local("ecs").create_cluster(clusterName=name)
    other = local("ecs", account="999999999999")
    assert other.describe_clusters(clusters=[name])["clusters"] == []
    assert local("sts", account="999999999999").get_caller_identity()["Account"] == "999999999999"


def test_regions_are_separate(local, name):
    local("kinesis").create_stream(StreamName=name, ShardCount=1)
    assert name not in local("kinesis", "eu-west-1").list_streams()["StreamNames"]


def test_log_file_holds_one_object_a_line(local, tmp_path):
    from local_aws.journal import journal

    journal.open(tmp_path / "log")
    try:
        local("ec2").describe_vpcs()
        lines = (tmp_path / "log").read_text().splitlines()
    finally:
        journal.file.close()
        journal.file = None
    assert [json.loads(line)["operation"] for line in lines] == ["DescribeVpcs"]


def test_connections_are_kept_alive(local):
    connection = http.client.HTTPConnection(local.url.removeprefix("http://"))
    for _ in range(3):
        connection.request("GET", "/_local/health")
        assert connection.getresponse().read()


def test_unknown_endpoint_names_the_known_ones(local):
    assert "GET /_local/log" in local.admin("GET", "/_local/nothing")["endpoints"]


def test_only_the_loopback_interface(server):
    assert server.server.server_address[0] == "127.0.0.1"


def test_many_callers_at_once(local, name):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda n: local("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"], range(32)))
    assert len(set(made)) == 32


def test_health(local):
    with urllib.request.urlopen(local.url + "/_local/health") as answer:
        assert answer.status == 200


@proves("consistency.not_visible_yet")
def test_new_objects_are_missed_by_the_first_calls(local, network, name, role):
    local.admin("POST", "/_local/settings", {"lag": 2})
    ec2 = local("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with refused("InvalidVpcID.NotFound"):
        ec2.describe_vpcs(VpcIds=[vpc])
    with refused("InvalidVpcID.NotFound"):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    listed = [{s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]} for _ in range(3)]
    assert [subnet in found for found in listed] == [False, False, True]
    local.admin("POST", "/_local/settings", {"lag": 2})
    arn = role("vpc-flow-logs.amazonaws.com")
    wish = {"ResourceIds": [network.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": name}
    with refused("InvalidParameter") as error:
        ec2.create_flow_logs(**wish, DeliverLogsPermissionArn=arn)
    assert error.message == "Unable to assume given IAM role"
    inside = ec2.create_flow_logs(**wish, DeliverLogsPermissionArn=arn)
    assert (inside["FlowLogIds"], inside["Unsuccessful"][0]["Error"]["Code"]) == ([], "400")
    assert inside["Unsuccessful"][0]["Error"]["Message"] == "Unable to assume given IAM role"
    assert ec2.create_flow_logs(**wish, DeliverLogsPermissionArn=arn)["FlowLogIds"]


@proves("limits.throttled")
def test_calls_are_throttled_as_on_aws(local, name):
    gateway, ec2 = local("apigateway"), local("ec2")
    local.admin("POST", "/_local/settings", {"limits": True})
    gateway.create_rest_api(name=name)
    with refused("TooManyRequestsException"):
        gateway.create_rest_api(name=name)
    for _ in range(4):
        ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])
    with refused("RequestLimitExceeded"):
        ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])
    ec2.describe_vpcs()


@proves("permissions.signed_in_time")
@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_request_signed_at_another_time_is_refused(local, ahead):
    local.admin("POST", "/_local/settings", {"ahead": ahead})
    for ask, code in (
        (local("sts").get_caller_identity, "SignatureDoesNotMatch"),
        (local("kms").list_keys, "InvalidSignatureException"),
        (local("ec2").describe_vpcs, "RequestExpired"),
    ):
        with refused(code):
            ask()
    local.admin("POST", "/_local/settings", {"ahead": 0})
    local("ec2").describe_vpcs()


@proves("permissions.region_enabled")
def test_a_region_that_is_not_enabled_takes_no_credentials(local):
    local.admin("POST", "/_local/settings", {"disabled_regions": ["af-south-1"]})
    for service, ask, code in (
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("kms", "list_keys", "UnrecognizedClientException"),
    ):
        with refused(code):
            getattr(local(service, "af-south-1"), ask)()
        getattr(local(service), ask)()
    local.admin("POST", "/_local/settings", {"disabled_regions": []})
    local("sts", "af-south-1").get_caller_identity()


def policy(*actions, resource="*", effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": resource}]}


@proves("permissions.allowed")
def test_only_what_a_policy_allows(local, network, name, role):
    arn = role("ecs-tasks.amazonaws.com")
    local.admin("POST", "/_local/iam", policy("ec2:Describe*", "ec2:CreateVpc", "kms:*", "apigateway:GET", "ecs:*"))
    ec2 = local("ec2")
    ec2.describe_vpcs()
    with refused("UnauthorizedOperation"):
        ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/24")
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    with refused("UnauthorizedOperation") as error:
        ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)
    assert "ec2:CreateTags" in error.message
    local("apigateway").get_rest_apis()
    with refused("AccessDeniedException"):
        local("apigateway").create_rest_api(name=name)
    with refused("AccessDenied"):
        local("rds").describe_db_clusters()
    container = {"name": "api", "image": "x"}
    with refused("AccessDeniedException") as error:
        local("ecs").register_task_definition(family=name, taskRoleArn=arn, containerDefinitions=[container])
    assert "iam:PassRole" in error.message and arn in error.message
    local("sts").get_caller_identity()
    report = local.admin("GET", "/_local/iam")
    assert "ec2:DescribeVpcs" in report["used"] and {"rds:DescribeDBClusters", "iam:PassRole"} <= {
        d["action"] for d in report["denied"]
    }
    local.admin("DELETE", "/_local/iam")
    local("rds").describe_db_clusters()


def test_a_policy_needs_a_statement(local):
    assert "at least one statement" in local.admin("POST", "/_local/iam", {})["error"]


def test_another_object_can_take_a_name(local, role, name):
    arn, iam, logs = role("ecs.amazonaws.com"), local("iam"), local("logs")
    role_name = arn.rpartition("/")[2]
    logs.create_log_group(logGroupName=name, tags={"k": "v"})

    def told():
        group = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
        return iam.get_role(RoleName=role_name)["Role"]["RoleId"], group["creationTime"]

    before = told()
    local.admin("POST", "/_local/strangers", [{"kind": "iam.role", "id": role_name}])
    local.admin("POST", "/_local/strangers", {"kind": "logs.log_group", "id": name})
    assert all(old != new for old, new in zip(before, told(), strict=True))
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"k": "v"}
    iam.delete_role(RoleName=role_name)
    logs.delete_log_group(logGroupName=name)
    for kind, error in (("iam.role", "there is no iam.role 'x'"), ("sns.topic", "'sns.topic' is none of apigateway.stage")):
        assert error in local.admin("POST", "/_local/strangers", {"kind": kind, "id": "x"})["error"]
