"""P8: /ingest takes a record from whoever signs for it, and hands it to the stream under the record's own key."""

import json
import os

import pytest
from pipeline import one
from records import BAD, GOOD_TEXTS, NOT_JSON
from requirements.answers import TOLD, judge, refused_by_kinesis
from requirements.calls import Door, logged, put_since


@pytest.fixture(scope="module")
def integration(live):
    return live.methods["POST /ingest"]["methodIntegration"]


@pytest.fixture(scope="module")
def door(live):
    return Door(os.environ.get("AWS_ENDPOINT_URL"), live.region, live.api["id"], live.stage["stageName"])


@pytest.fixture
def arrived(live):
    return put_since(live.client("kinesis"), live.stream["StreamName"])


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


def test_callers_know_what_to_send_again(integration):
    judge(integration, "record")


@pytest.mark.parametrize("code,status", TOLD)
def test_a_caller_knows_whether_to_send_a_record_again(door, arrived, code, status):
    if door.endpoint:
        with refused_by_kinesis(door.endpoint, code):
            answer = door.call("POST", "/ingest", '{"partitionKey": "x"}')
        assert (answer.status, "again" in answer.json()["message"]) == (status, status != 400)
        assert arrived() == []


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_json_is_json_with_its_characters_named_or_not(integration, door, arrived, kind):
    assert len(set(integration["requestTemplates"].values())) == 1
    assert kind in integration["requestTemplates"]
    assert door.call("POST", "/ingest", '{"partitionKey": "x"}', {"Content-Type": kind}).status == 202
    assert arrived() == [("x", '{"partitionKey": "x"}')]


@pytest.mark.parametrize("body", GOOD_TEXTS.values(), ids=GOOD_TEXTS.keys())
def test_a_record_comes_out_of_the_stream_under_its_key_byte_for_byte(door, arrived, body):
    answer = door.call("POST", "/ingest", body)
    assert answer.status == 202, answer
    assert set(answer.json()) == {"sequenceNumber", "shardId"}
    assert arrived() == [(json.loads(body)["partitionKey"], body)]


def test_records_of_one_key_come_out_in_order(door, arrived):
    bodies = [json.dumps({"partitionKey": "in order", "number": number}) for number in range(20)]
    assert {door.call("POST", "/ingest", body).status for body in bodies} == {202}
    assert arrived() == [("in order", body) for body in bodies]


@pytest.mark.parametrize("body", (BAD | NOT_JSON).values(), ids=(BAD | NOT_JSON).keys())
def test_what_is_no_record_with_a_usable_key_is_told_400_and_goes_nowhere(door, arrived, body):
    assert door.call("POST", "/ingest", body).status == 400
    assert arrived() == []


def test_what_does_not_say_that_it_is_json_is_told_415(door, arrived):
    assert door.call("POST", "/ingest", '{"partitionKey": "x"}', {"Content-Type": "text/plain"}).status == 415
    assert arrived() == []


def test_nobody_gets_in_unsigned(door, arrived):
    answer = door.call("POST", "/ingest", '{"partitionKey": "x"}', signed=False)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    assert arrived() == []


def test_the_access_log_says_who_called(live, door):
    group, logs = live.name("api-access"), live.client("logs")
    taken = door.call("POST", "/ingest", '{"partitionKey": "who"}')
    line = logged(logs, group, taken.headers["x-amzn-RequestId"])
    assert line["user"].startswith(f"arn:aws:iam::{live.account}:")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/ingest", "202")
    assert line["extendedRequestId"] == taken.headers["x-amz-apigw-id"]
    refused = door.call("POST", "/ingest", "{}", signed=False)
    line = logged(logs, group, refused.headers["x-amzn-RequestId"])
    assert (line["user"], line["status"]) == ("-", "403")


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
