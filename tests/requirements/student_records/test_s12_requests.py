"""S12: requests to the API, sent as campus systems send them: who gets in, what arrives, and what the log says."""

import gzip
import json

import pytest
from requirements.answers import TOLD, refused_by_kinesis
from requirements.calls import logged, put_since, reached
from requirements.campus import Campus

PROXIED = [
    "GET /students",
    "POST /students",
    "GET /students/1",
    "PUT /students/1",
    "DELETE /students/1",
    "GET /students/search",
]
# Of these API Gateway would make other paths of the service, or might: it decodes what stands in a path.
OTHER_PATHS = ["..%2Fadmin", "..%2fadmin", "..%5Cadmin", "..%252Fadmin", "1%3Fall=yes", "1%3fall=yes", "1%23"]
# And these are other paths to whoever takes "." and ".." for what they are in a directory.
DOTS = ["..", "%2e%2E", "."]
EVENT = '{"grade": "A", "note": "it\'s \\"good\\" – 学生"}'


@pytest.fixture(scope="module")
def campus(live, wanted):
    return Campus(live, wanted.has("cognito"))


@pytest.fixture
def arrived(live):
    return put_since(live.kinesis, live.name("events"))


@pytest.mark.parametrize("route", PROXIED)
def test_a_request_gets_to_the_service_as_it_was_sent(live, campus, route):
    """The local AWS has a small server in the place of the tasks, which answers what it was sent."""
    method, path = route.split(" ")
    body = EVENT if method in ("POST", "PUT") else ""
    answer = campus.call(method, path, body)
    assert answer.status < 500, answer
    if live.endpoint:
        found = answer.json()
        assert (answer.status, found["method"], found["path"], found["body"]) == (200, method, path, body)


@pytest.mark.parametrize("student", ["o'neil", "a.b-c_d~e", "anna%20maria", "m%C3%BCller", "a..b", "...", "1+1", "a@b"])
def test_an_id_gets_to_the_service_as_it_is(live, campus, student):
    answer = campus.call("GET", f"/students/{student}")
    assert answer.headers.get("x-amzn-ErrorType") != "ForbiddenException", answer
    if live.endpoint:
        assert (answer.status, answer.json()["path"]) == (200, f"/students/{student}")


@pytest.mark.parametrize("student", OTHER_PATHS + DOTS)
def test_no_id_is_another_path_of_the_service(live, campus, student):
    before = reached(live.endpoint) if live.endpoint else 0
    answer = campus.call("GET", f"/students/{student}")
    if live.endpoint or student not in DOTS:
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "ForbiddenException"), answer
        line = logged(live.logs, live.name("api-access"), answer.headers["x-amzn-RequestId"])
        assert (line["error"], line["wafStatus"], line["integrationStatus"]) == ("WAF_FILTERED", "WAF_BLOCK", "-")
    if live.endpoint:
        assert reached(live.endpoint) == before


def test_the_health_check_needs_no_key(campus):
    assert campus.call("GET", "/health", key=False).status < 400


@pytest.mark.parametrize("student", ["4711", "o'neil", "a.b-c_d~e"])
def test_an_event_comes_out_of_the_stream_byte_for_byte(campus, arrived, student):
    answer = campus.call("POST", f"/students/{student}/events", EVENT)
    assert answer.status == 202, answer
    assert arrived() == [(student, EVENT)]


def test_events_of_one_student_stay_in_order(campus, arrived):
    """One partition key, one shard, one order: the key is the student's id."""
    events = [json.dumps({"number": number}) for number in range(20)]
    assert {campus.call("POST", "/students/4711/events", event).status for event in events} == {202}
    assert arrived() == [("4711", event) for event in events]


def test_an_event_without_a_body_is_told_400_and_goes_nowhere(campus, arrived):
    """Of no body API Gateway makes {}, which is no event."""
    for body in ("", "{}"):
        assert campus.call("POST", "/students/4711/events", body).status == 400
    assert arrived() == []


def test_what_a_service_would_compress_arrives_whole(live, campus):
    """The small server compresses where it is asked to, as many do, and API Gateway takes its answer for a text."""
    answer = campus.call("GET", "/students/1", headers={"Accept-Encoding": "gzip"})
    body = gzip.decompress(answer.body) if answer.headers["Content-Encoding"] == "gzip" else answer.body
    if live.endpoint:
        assert json.loads(body)["path"] == "/students/1"


@pytest.mark.parametrize("code,status", TOLD)
def test_a_caller_knows_whether_to_send_an_event_again(live, campus, arrived, code, status):
    if live.endpoint:
        with refused_by_kinesis(live.endpoint, code):
            answer = campus.call("POST", "/students/4711/events", EVENT)
        assert (answer.status, "again" in answer.json()["message"]) == (status, status != 400)
        assert arrived() == []


def test_a_large_event_gets_through_the_web_acl(campus, arrived):
    event = json.dumps({"note": "x" * 10_000})
    assert campus.call("POST", "/students/4711/events", event).status == 202
    assert arrived() == [("4711", event)]


def test_nobody_gets_in_unknown(campus, arrived, wanted):
    """AWS answers who has not signed 403, and who has no token 401."""
    for method, path in (("GET", "/students"), ("GET", "/health"), ("POST", "/students/4711/events")):
        answer = campus.call(method, path, EVENT if method == "POST" else "", known=False)
        assert answer.status == (401 if wanted.has("cognito") else 403), answer
    assert arrived() == []


def test_nobody_gets_in_without_a_key(campus, arrived):
    for method, path in (("GET", "/students"), ("POST", "/students/4711/events")):
        answer = campus.call(method, path, EVENT if method == "POST" else "", key=False)
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "ForbiddenException"), answer
    assert arrived() == []


def test_the_access_log_says_who_called(live, campus, wanted):
    answer = campus.call("GET", "/students/4711")
    line = logged(live.logs, live.name("api-access"), answer.headers["x-amzn-RequestId"])
    assert (line["method"], line["route"], line["status"]) == ("GET", "/students/{id}", str(answer.status))
    # That one no caller can choose.
    assert line["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert line["path"] == f"/{live.stage['stageName']}/students/4711"
    assert line["apiKeyId"] != "-"
    if not wanted.has("cognito"):
        assert line["user"].startswith(f"arn:aws:iam::{live.account}:")
    refused = campus.call("GET", "/students/4711", known=False)
    line = logged(live.logs, live.name("api-access"), refused.headers["x-amzn-RequestId"])
    assert (line["user"], line["status"]) == ("-", str(refused.status))
