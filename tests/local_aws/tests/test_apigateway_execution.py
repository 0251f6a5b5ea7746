"""What happens to a request on its way through a stage: routes, validators, templates, answers and logs."""

import json

import pytest
from conftest import make_role, proves
from stages import Answered, mock, send, stage_of

NOT_THERE = (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
INTERNAL = (500, "InternalServerErrorException", "Internal server error")


def saying(text, **more):
    """A method that answers a text."""
    answer = {"statusCode": "200", "responseTemplates": {"application/json": text}}
    return mock(responses={"default": answer}, **more)


@proves("apigateway.route")
def test_the_most_exact_path_is_taken_and_what_is_not_there_is_403(local, name):
    stage = stage_of(
        local,
        name,
        {
            "/students": {"get": saying("all")},
            "/students/search": {"get": saying("search")},
            "/students/{id}": {"get": saying("one $input.params('id')")},
            "/files/{path+}": {"x-amazon-apigateway-any-method": saying("file $input.params('path')")},
        },
    )
    said = {
        path: stage.call("GET", path).text
        for path in ("/students", "/students/search", "/students/a%22b", "/files/a/b")
    }
    assert said == {
        "/students": "all",
        "/students/search": "search",
        # The value of a part of a path stays as it was sent.
        "/students/a%22b": "one a%22b",
        "/files/a/b": "file a/b",
    }
    assert stage.call("DELETE", "/files/a").text == "file a"
    assert stage.call("GET", "/nothing").refusal == NOT_THERE
    assert stage.call("POST", "/students").refusal == NOT_THERE


def test_a_stage_answers_to_its_name_in_the_host_header_too(local, name):
    stage = stage_of(local, name, {"/students": {"get": saying("here")}})
    host = {"Host": f"{stage.api}.execute-api.us-east-1.amazonaws.com"}
    assert send(f"{local.url}/dev/students", headers=host).text == "here"
    missing = send(f"{local.url}/other/students", headers=host)
    assert missing.refusal == (403, "ForbiddenException", "Forbidden")


def test_a_stage_shows_its_deployment_and_not_the_api_as_it_is_now(local, name):
    stage = stage_of(local, name, {"/a": {"get": saying("old")}})
    gateway = local("apigateway")
    resource = next(r for r in gateway.get_resources(restApiId=stage.api)["items"] if r["path"] == "/a")
    gateway.update_integration_response(
        restApiId=stage.api,
        resourceId=resource["id"],
        httpMethod="GET",
        statusCode="200",
        patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": "new"}],
    )
    assert stage.call("GET", "/a").text == "old"
    assert stage.deploy().call("GET", "/a").text == "new"


@proves("apigateway.check_size")
def test_a_payload_over_10_mb_is_too_large(local, name):
    stage = stage_of(local, name, {"/a": {"post": saying("taken")}})
    assert stage.call("POST", "/a", b"x" * (10 * 1024 * 1024), {"Content-Type": "application/json"}).text == "taken"
    refused = stage.call("POST", "/a", b"x" * (10 * 1024 * 1024 + 1), {"Content-Type": "application/json"})
    assert refused.refusal == (413, "RequestEntityTooLargeException", "Request Too Long")


@proves("apigateway.validate")
def test_validators_refuse_missing_parameters_and_bodies_that_do_not_fit(local, name):
    query = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}
    method = saying("valid", parameters=[query], requestBody={"content": content})
    stage = stage_of(
        local,
        name,
        {"/a": {"post": method | {"x-amazon-apigateway-request-validator": "all"}}},
        components={"schemas": {"Event": {"type": "object", "minProperties": 1}}},
        **{
            "x-amazon-apigateway-request-validators": {
                "all": {"validateRequestBody": True, "validateRequestParameters": True}
            }
        },
    )
    as_json = {"Content-Type": "application/json"}
    assert stage.call("POST", "/a?q=1", '{"a": 1}', as_json).text == "valid"
    missing = stage.call("POST", "/a", '{"a": 1}', as_json)
    assert missing.refusal == (400, "BadRequestException", "Missing required request parameters: [q]")
    for body in ("{}", "", "[1]", "no json"):
        assert stage.call("POST", "/a?q=1", body, as_json).refusal == (
            400,
            "BadRequestException",
            "Invalid request body",
        )


@proves("apigateway.template_for")
@pytest.mark.parametrize(
    ("passthrough", "kind", "status"),
    [
        ("when_no_match", "text/plain", 201),
        ("when_no_templates", "text/plain", 415),
        ("never", "text/plain", 415),
        ("never", "application/json", 200),
        ("never", None, 200),
    ],
)
def test_a_body_without_a_template_passes_or_is_refused(local, name, passthrough, kind, status):
    """The body that passes as it is asks the mock for another status."""
    responses = {"default": {"statusCode": "200"}, "201": {"statusCode": "201"}}
    stage = stage_of(local, name, {"/a": {"post": mock(passthrough=passthrough, responses=responses)}})
    answer = stage.call("POST", "/a", '{"statusCode": 201}', {"Content-Type": kind} if kind else {})
    # Python's client names a type of its own where a body has none.
    if kind is None:
        assert stage.call("POST", "/a").status == 200
        return
    assert answer.status == status
    if status == 415:
        assert answer.refusal == (415, "BadRequestException", "Unsupported Media Type")


@proves("apigateway.selected")
def test_a_response_is_selected_by_the_whole_status(local, name):
    template = '{"statusCode": $input.params("s")}'
    responses = {
        "default": {"statusCode": "202"},
        r"4\d{2}": {"statusCode": "400"},
        "5": {"statusCode": "502"},
    }
    stage = stage_of(
        local,
        name,
        {"/a": {"get": mock(template, responses)}, "/b": {"get": mock(template, {"2..": {"statusCode": "200"}})}},
    )
    assert [stage.call("GET", f"/a?s={s}").status for s in (200, 404, 429, 500)] == [202, 400, 400, 202]
    assert stage.call("GET", "/b?s=200").status == 200
    assert stage.call("GET", "/b?s=404").refusal == INTERNAL


@proves("apigateway.status_of")
def test_a_template_overrides_status_and_headers_once(local, name):
    def overriding(template):
        return {
            "get": mock(
                responses={"default": {"statusCode": "200", "responseTemplates": {"application/json": template}}}
            )
        }

    once = "#set($context.responseOverride.status = 429)#set($context.responseOverride.header.Retry-After = '1')"
    once = once.replace("header.Retry-After", "header['Retry-After']") + '{"message": "later"}'
    stage = stage_of(
        local,
        name,
        {
            "/once": overriding(once),
            "/twice": overriding("#set($context.responseOverride.status = 400)" + once),
            "/none": overriding("#set($context.responseOverride.status = 'many')x"),
        },
    )
    answer = stage.call("GET", "/once")
    assert (answer.status, answer.headers["Retry-After"], answer.json()) == (429, "1", {"message": "later"})
    assert stage.call("GET", "/twice").refusal == INTERNAL
    assert stage.call("GET", "/none").status == 200


def test_an_api_gives_its_refusals_a_form(local, name):
    form = {
        "DEFAULT_4XX": {
            "statusCode": 404,
            "responseParameters": {"gatewayresponse.header.X-Kind": "'none'"},
            "responseTemplates": {
                "application/json": '{"error": $context.error.messageString, "kind": "$context.error.responseType"}'
            },
        }
    }
    stage = stage_of(local, name, {"/a": {"get": saying("a")}}, **{"x-amazon-apigateway-gateway-responses": form})
    answer = stage.call("GET", "/b")
    assert (answer.status, answer.headers["X-Kind"]) == (404, "none")
    assert answer.json() == {"error": "Missing Authentication Token", "kind": "MISSING_AUTHENTICATION_TOKEN"}


def test_answers_are_compressed_from_a_size_on(local, name):
    more = {"x-amazon-apigateway-minimum-compression-size": 10}
    stage = stage_of(local, name, {"/a": {"get": saying("a" * 100)}, "/b": {"get": saying("b")}}, **more)
    assert stage.call("GET", "/a", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert stage.call("GET", "/a").text == "a" * 100
    assert stage.call("GET", "/b", headers={"Accept-Encoding": "gzip"}).text == "b"


FORMAT = {
    "id": "$context.requestId",
    "user": "$context.identity.userArn",
    "caller": "$context.identity.caller",
    "ip": "$context.identity.sourceIp",
    "route": "$context.httpMethod $context.resourcePath",
    "path": "$context.path",
    "status": "$context.status",
    "why": "$context.error.responseType",
    "sub": "$context.authorizer.claims.sub",
}
LOGGING = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


def lines(local, group):
    return [event["message"] for event in local("logs").filter_log_events(logGroupName=group)["events"]]


def logged(local, stage, group, role):
    gateway, logs = local("apigateway"), local("logs")
    gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    stage.patch(
        ("/accessLogSettings/destinationArn", arn),
        ("/accessLogSettings/format", json.dumps(FORMAT)),
        ("/*/*/logging/loglevel", "INFO"),
    )


@proves("apigateway.write")
def test_a_stage_logs_who_called_for_what_and_what_came_of_it(local, name):
    stage = stage_of(local, name, {"/a/{id}": {"get": saying("a", security=[{"sigv4": []}])}})
    logged(local, stage, name, make_role(local, f"{name}-logs", "apigateway.amazonaws.com", managed=[LOGGING]))
    answer = stage.call("GET", "/a/1", key="campus")
    refused = stage.call("GET", "/a/2")
    first, second = (json.loads(line) for line in lines(local, name))
    assert first == {
        "id": answer.headers["x-amzn-RequestId"],
        "user": "arn:aws:iam::123456789012:user/campus",
        "caller": "campus",
        "ip": "127.0.0.1",
        "route": "GET /a/{id}",
        "path": "/dev/a/1",
        "status": "200",
        "why": "-",
        "sub": "-",
    }
    assert (second["user"], second["status"], second["why"]) == ("-", "403", "MISSING_AUTHENTICATION_TOKEN")
    assert refused.status == 403
    execution = lines(local, f"API-Gateway-Execution-Logs_{stage.api}/dev")
    assert f"({first['id']}) Method completed with status: 200" in execution


def test_nothing_is_logged_once_the_role_may_not_write(local, name):
    stage = stage_of(local, name, {"/a": {"get": saying("a")}})
    role = make_role(local, f"{name}-logs", "apigateway.amazonaws.com", managed=[LOGGING])
    logged(local, stage, name, role)
    assert isinstance(stage.call("GET", "/a"), Answered) and len(lines(local, name)) == 1
    local("iam").detach_role_policy(RoleName=f"{name}-logs", PolicyArn=LOGGING)
    stage.call("GET", "/a")
    assert len(lines(local, name)) == 1
