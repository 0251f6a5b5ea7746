"""A record on its way through a stage into a stream."""

import json

import pytest
from conftest import make_role, proves
from stages import stage_of

INTERNAL = (500, "InternalServerErrorException", "Internal server error")
JSON = {"Content-Type": "application/json"}
TEMPLATE = """#set($key = $input.json('$.partitionKey'))
#if(!$key.startsWith('"'))#set($key = '""')#end
{"StreamName": "%s", "Data": "$util.base64Encode($input.body)", "PartitionKey": $key}"""
KIND = """#set($type = $input.path('$.__type'))
#if($type.contains('ThroughputExceeded'))#set($context.responseOverride.status = 429)#end
{"kind": "$type"}"""


def method(stream, role, **more):
    integration = {
        "type": "aws",
        "httpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:kinesis:action/PutRecord",
        "credentials": role,
        "requestParameters": {"integration.request.header.Content-Type": "'application/x-amz-json-1.1'"},
        "requestTemplates": {"application/json": TEMPLATE % stream},
        "passthroughBehavior": "never",
        "responses": {
            "default": {
                "statusCode": "202",
                "responseTemplates": {"application/json": "{\"shard\": $input.json('$.ShardId')}"},
            },
            r"4\d{2}": {"statusCode": "400", "responseTemplates": {"application/json": KIND}},
            r"5\d{2}": {"statusCode": "502", "responseTemplates": {"application/json": '{"message": "not available"}'}},
        },
    } | more
    answers = {status: {"description": "an answer"} for status in ("202", "400", "502")}
    return {"post": {"responses": answers, "x-amazon-apigateway-integration": integration}}


@pytest.fixture
def ingest(local, name):
    """A stage that puts records into a stream of two shards, under the test's name."""
    local("kinesis").create_stream(StreamName=name, ShardCount=2)
    role = make_role(local, name, "apigateway.amazonaws.com", inline=["kinesis:PutRecord", "kms:GenerateDataKey"])
    return stage_of(local, name, {"/ingest": method(name, role)})


def records(local, stream):
    kinesis = local("kinesis")
    for shard in kinesis.describe_stream(StreamName=stream)["StreamDescription"]["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        yield from kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]


# What was put through another Velocity engine and another Kinesis with the same results.
TAKEN = {
    "plain": ('{"partitionKey": "k1", "value": 21.5}', "k1"),
    "utf-8": ('{"partitionKey": "Zürich-東京-😀"}', "Zürich-東京-😀"),
    "white space": (' \n{ "partitionKey" : "blank" }\n ', "blank"),
    "a key twice": ('{"partitionKey": "one", "partitionKey": "two"}', "two"),
    "escapes": ('{"partitionKey": "\\u6771\\u4eac"}', "東京"),
    "an apostrophe": ('{"partitionKey": "o\'neil"}', "o'neil"),
    "signs": ('{"partitionKey": "<a>/&b"}', "<a>/&b"),
    "an injection": ('{"partitionKey": "a\\", \\"StreamName\\": \\"x"}', 'a", "StreamName": "x'),
}
REFUSED = {
    "no key": '{"value": 1}',
    "a number": '{"partitionKey": 7}',
    "null": '{"partitionKey": null}',
    "an object": '{"partitionKey": {"a": "b"}}',
    "an empty key": '{"partitionKey": ""}',
    "a key of 257": json.dumps({"partitionKey": "k" * 257}),
    "an array": '[{"partitionKey": "x"}]',
    "no body": "",
}


@pytest.mark.parametrize(("body", "key"), TAKEN.values(), ids=TAKEN.keys())
def test_a_record_comes_out_as_it_was_sent(local, name, ingest, body, key):
    answer = ingest.call("POST", "/ingest", body, JSON)
    assert answer.status == 202 and answer.json()["shard"].startswith("shardId-")
    (record,) = records(local, name)
    assert (record["Data"].decode(), record["PartitionKey"]) == (body, key)


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_kinesis_refuses_a_record_without_a_key(local, name, ingest, body):
    answer = ingest.call("POST", "/ingest", body, JSON)
    assert (answer.status, answer.json()["kind"]) == (400, "ValidationException")
    assert list(records(local, name)) == []


def test_what_is_no_json_never_gets_to_kinesis(local, name, ingest):
    assert ingest.call("POST", "/ingest", "words", JSON).refusal[:2] == (400, "BadRequestException")
    assert ingest.call("POST", "/ingest", "{}", {"Content-Type": "text/plain"}).status == 415
    assert list(records(local, name)) == []


def test_records_of_one_key_stay_in_order(local, name, ingest):
    bodies = [json.dumps({"partitionKey": "one", "number": number}) for number in range(20)]
    assert {ingest.call("POST", "/ingest", body, JSON).status for body in bodies} == {202}
    assert [record["Data"].decode() for record in records(local, name)] == bodies


def put(local, name, **statement):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"} | statement]}
    local("iam").put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))


@proves("apigateway.role_of")
def test_the_role_decides_what_the_integration_may_do(local, name, ingest):
    body = '{"partitionKey": "k"}'
    stream = f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}"
    put(local, name, Action="kinesis:PutRecord", Resource=stream + "x")
    denied = ingest.call("POST", "/ingest", body, JSON)
    assert (denied.status, denied.json()["kind"]) == (400, "AccessDeniedException")
    put(local, name, Action="kinesis:PutRecord", Resource=stream)
    assert ingest.call("POST", "/ingest", body, JSON).status == 202
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    local("iam").update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    assert ingest.call("POST", "/ingest", body, JSON).refusal == INTERNAL


def test_the_role_needs_the_key_of_the_stream(local, name, key, ingest):
    local("kinesis").start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key)
    assert ingest.call("POST", "/ingest", '{"partitionKey": "k"}', JSON).status == 202
    put(local, name, Action="kinesis:PutRecord")
    denied = ingest.call("POST", "/ingest", '{"partitionKey": "k"}', JSON)
    assert (denied.status, denied.json()["kind"]) == (400, "KMSAccessDeniedException")


def test_the_policy_under_test_is_not_the_roles(local, name, ingest):
    """What the tool may do says nothing about what the integration may."""
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
    local.admin("POST", "/_local/iam", nothing)
    assert ingest.call("POST", "/ingest", '{"partitionKey": "k"}', JSON).status == 202


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"action": "error", "code": "ProvisionedThroughputExceededException", "status": 400}, 429, "kind"),
        ({"action": "error", "code": "InternalFailure", "status": 500}, 502, "message"),
    ],
)
def test_what_goes_wrong_in_kinesis_gets_to_the_response_templates(local, ingest, fault, status, body):
    local.admin("POST", "/_local/faults", {"match": {"operation": "PutRecord"}} | fault)
    answer = ingest.call("POST", "/ingest", '{"partitionKey": "k"}', JSON)
    assert answer.status == status and body in answer.json()


def test_a_connection_that_is_lost_is_a_network_error(local, ingest):
    local.admin("POST", "/_local/faults", {"match": {"operation": "PutRecord"}, "action": "reset"})
    answer = ingest.call("POST", "/ingest", '{"partitionKey": "k"}', JSON)
    assert answer.refusal == (504, "InternalServerErrorException", "Network error communicating with endpoint")
