"""P8: /ingest takes a record from whoever signs for it, and hands it to the stream under the record's own key.

The local AWS keeps APIs but does not run them, so the last leg is walked in two steps: the template that the live API
has is evaluated as API Gateway does it, and what comes out is sent to the live stream.
"""

import json
from base64 import b64decode

import pytest
from botocore.exceptions import ClientError
from gateway import evaluate
from pipeline import one
from records import BAD, GOOD_TEXTS


@pytest.fixture(scope="module")
def integration(live):
    return live.methods["POST /ingest"]["methodIntegration"]


@pytest.fixture(scope="module")
def template(integration):
    (content_type, template), = integration["requestTemplates"].items()
    assert content_type == "application/json"
    return template


def test_there_is_one_method_and_it_wants_a_signature(live):
    assert set(live.methods) == {"POST /ingest"}
    assert live.methods["POST /ingest"]["authorizationType"] == "AWS_IAM"


def test_it_puts_records_with_the_role_made_for_it(live, integration):
    assert integration["type"] == "AWS"
    assert integration["uri"] == f"arn:aws:apigateway:{live.region}:kinesis:action/PutRecord"
    assert integration["credentials"] == f"arn:aws:iam::{live.account}:role/{live.name('api-ingest')}"
    assert integration["passthroughBehavior"] == "NEVER"
    header = integration["requestParameters"]["integration.request.header.Content-Type"]
    assert header == "'application/x-amz-json-1.1'"


def test_callers_are_told_how_it_went(integration):
    answers = integration["integrationResponses"]
    assert {answer.get("selectionPattern", ""): status for status, answer in answers.items()} == {
        "": "202",
        r"4\d{2}": "400",
        r"5\d{2}": "502",
    }


def put(live, request):
    """The request as API Gateway sends it, in the shape boto3 takes."""
    assert set(request) == {"StreamName", "Data", "PartitionKey"}
    request["Data"] = b64decode(request["Data"])
    return live.client("kinesis").put_record(**request)


def read(live, put):
    kinesis = live.client("kinesis")
    start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": put["SequenceNumber"]}
    iterator = kinesis.get_shard_iterator(StreamName=live.stream["StreamName"], ShardId=put["ShardId"], **start)
    return kinesis.get_records(ShardIterator=iterator["ShardIterator"], Limit=1)["Records"][0]


@pytest.mark.parametrize("body", GOOD_TEXTS.values(), ids=GOOD_TEXTS.keys())
def test_a_record_ends_in_the_stream_under_its_key(live, template, body):
    record = read(live, put(live, json.loads(evaluate(template, body))))
    assert record["PartitionKey"] == json.loads(body)["partitionKey"]
    assert record["Data"].decode() == body


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_kinesis_refuses_what_becomes_of_a_record_without_a_usable_key(live, template, body):
    with pytest.raises(ClientError) as refused:
        put(live, json.loads(evaluate(template, body)))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_the_stage_logs_without_the_records(live):
    assert live.stage["stageName"] == "prod"
    settings = live.stage["methodSettings"]["*/*"]
    assert settings["loggingLevel"] == "INFO"
    assert settings["metricsEnabled"] is True
    assert settings["dataTraceEnabled"] is False
    assert live.stage["tracingEnabled"] is True


def test_access_is_logged_as_json_into_a_group_of_ours(live):
    access = live.stage["accessLogSettings"]
    assert access["destinationArn"].split(":log-group:")[1] == live.name("api-access")
    assert json.loads(access["format"])["requestId"] == "$context.requestId"
    assert "$input" not in access["format"]


def test_the_account_has_a_role_for_the_logs(live):
    arn = live.client("apigateway").get_account()["cloudwatchRoleArn"]
    role = live.client("iam").get_role(RoleName=arn.rsplit("/", 1)[1])["Role"]
    assert one(role["AssumeRolePolicyDocument"]["Statement"])["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_what_is_served_is_what_was_deployed_last(live):
    found = live.client("apigateway").get_deployments(restApiId=live.api["id"])["items"]
    assert live.stage["deploymentId"] == max(found, key=lambda item: item["createdDate"])["id"]
