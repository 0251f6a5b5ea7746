"""Who may call a stage, and how often: signatures, policies, tokens, keys, plans and the web ACL."""

import base64
import http.client
import json
import time
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import make_role, proves
from local_aws.world import world
from stages import guard, mock, send, stage_of, visible

FORBIDDEN = (403, "ForbiddenException", "Forbidden")
UNAUTHORIZED = (401, "UnauthorizedException", "Unauthorized")
INVOKE = "arn:aws:execute-api:us-east-1:123456789012"


def signed(local, name, **more):
    return stage_of(
        local, name, {"/a": {"get": mock(security=[{"sigv4": []}]), "post": mock(security=[{"sigv4": []}])}}, **more
    )


def policy(effect, resource, **more):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource} | more],
    }


@proves("apigateway.by_signature")
def test_unsigned_and_wrongly_signed_requests_are_refused(local, name):
    stage = signed(local, name)
    assert stage.call("GET", "/a?b=%20c&a=1", key="any").status == 200
    assert stage.call("POST", "/a", '{"a": 1}', {"Content-Type": "application/json"}, key="any").status == 200
    assert stage.call("GET", "/a").refusal == (
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )
    wrong = stage.call("GET", "/a", key="any", secret="other").refusal
    assert wrong[:2] == (403, "InvalidSignatureException") and wrong[2].startswith(
        "The request signature we calculated"
    )
    elsewhere = stage.call("GET", "/a", key="any", region="eu-west-1").refusal
    assert (
        elsewhere[:2] == (403, "InvalidSignatureException") and "scoped to a valid region: 'us-east-1'" in elsewhere[2]
    )
    unknown = stage.call("GET", "/a", key="AKIAABCDEFGHIJKLMNOP").refusal
    assert unknown == (403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    nonsense = stage.call("GET", "/a", headers={"Authorization": "Bearer x"}).refusal
    assert nonsense[:2] == (403, "IncompleteSignatureException")


def test_a_signature_is_over_all_that_was_sent_and_about_now(local, name):
    stage = signed(local, name)
    request = AWSRequest("POST", stage.url("/a"), data=b'{"a": 1}', headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials("any", "any"), "execute-api", "us-east-1").add_auth(request)
    headers = dict(request.headers)
    assert send(stage.url("/a"), "POST", b'{"a": 1}', headers).status == 200
    assert send(stage.url("/a"), "POST", b'{"a": 2}', headers).refusal[1] == "InvalidSignatureException"
    assert send(stage.url("/a?x=1"), "POST", b'{"a": 1}', headers).refusal[1] == "InvalidSignatureException"
    world.settings.ahead = 600
    try:
        assert send(stage.url("/a"), "POST", b'{"a": 1}', headers).refusal[2].startswith("Signature expired: ")
    finally:
        world.settings.ahead = 0


def user(local, name, *policies):
    iam = local("iam")
    iam.create_user(UserName=name)
    for number, document in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(document))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}


def test_a_user_needs_the_permission_for_just_that(local, name):
    stage = signed(local, name)
    reader = user(local, f"{name}-reader", policy("Allow", f"{INVOKE}:{stage.api}/dev/GET/a"))
    nobody = user(local, f"{name}-nobody")
    assert stage.call("GET", "/a", **reader).status == 200
    denied = stage.call("POST", "/a", **reader).refusal
    arn = f"arn:aws:iam::123456789012:user/{name}-reader"
    where = f"arn:aws:execute-api:us-east-1:********9012:{stage.api}/dev/POST/a"
    words = f"User: {arn} is not authorized to perform: execute-api:Invoke on resource: {where}"
    assert denied == (403, "AccessDeniedException", words)
    assert "Message" in stage.call("POST", "/a", **reader).json()
    assert stage.call("GET", "/a", **nobody).refusal[1] == "AccessDeniedException"


def test_the_session_of_a_role_is_judged_by_the_role(local, name):
    stage = signed(local, name)
    role = make_role(local, name, "ec2.amazonaws.com", inline="execute-api:Invoke")
    given = local("sts").assume_role(RoleArn=role, RoleSessionName="campus")["Credentials"]
    session = {"key": given["AccessKeyId"], "secret": given["SecretAccessKey"], "token": given["SessionToken"]}
    assert stage.call("GET", "/a", **session).status == 200
    local("iam").delete_role_policy(RoleName=name, PolicyName="inline")
    denied = stage.call("GET", "/a", **session).refusal
    assert f"User: arn:aws:sts::123456789012:assumed-role/{name}/campus is not authorized" in denied[2]


def test_the_policy_of_the_api_allows_or_denies_beside_the_callers_own(local, name):
    everybody = {"Principal": "*"}
    stage = signed(
        local, name, **{"x-amazon-apigateway-policy": policy("Allow", "execute-api:/dev/GET/*", **everybody)}
    )
    nobody = user(local, f"{name}-nobody")
    assert stage.call("GET", "/a", **nobody).status == 200
    assert stage.call("POST", "/a", **nobody).refusal[1] == "AccessDeniedException"
    closed = signed(local, name + "d", **{"x-amazon-apigateway-policy": policy("Deny", "execute-api:/*", **everybody)})
    assert closed.call("GET", "/a", key="any").refusal[2].endswith("with an explicit deny")


@proves("apigateway.by_policy_alone")
def test_without_iam_the_policy_of_the_api_has_to_allow_a_call(local, name):
    allowing = policy("Allow", "execute-api:/dev/GET/*", Principal="*")
    stage = stage_of(local, name, {"/a": {"get": mock(), "post": mock()}}, **{"x-amazon-apigateway-policy": allowing})
    assert stage.call("GET", "/a").status == 200
    assert stage.call("POST", "/a").refusal[:2] == (403, "AccessDeniedException")


def test_the_policy_under_test_is_for_the_accounts_own_keys_too(local, name):
    stage = signed(local, name)
    document = policy("Allow", f"{INVOKE}:{stage.api}/dev/GET/a")
    local.admin("POST", "/_local/iam", document)
    assert stage.call("GET", "/a", key="any").status == 200
    assert stage.call("POST", "/a", key="any").refusal[1] == "AccessDeniedException"
    assert stage.call("POST", "/a", key="sweep").status == 200


@pytest.fixture
def pool(local, name):
    """A user pool with a client, and a stage whose method wants its scope."""
    cognito = local("cognito-idp")
    found = cognito.create_user_pool(PoolName=name)["UserPool"]
    scopes = [{"ScopeName": scope, "ScopeDescription": scope} for scope in ("read", "write")]
    cognito.create_resource_server(UserPoolId=found["Id"], Identifier="records", Name="records", Scopes=scopes)
    client = cognito.create_user_pool_client(
        UserPoolId=found["Id"],
        ClientName="campus",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["records/read", "records/write"],
    )["UserPoolClient"]
    cognito.create_user_pool_domain(Domain=f"pool-{name}", UserPoolId=found["Id"])
    return Pool(local, name, found, client)


class Pool:
    def __init__(self, local, name, pool, client):
        self.local, self.name, self.pool, self.client = local, name, pool, client

    def ask(self, secret=None, headers=None, **form):
        pair = f"{self.client['ClientId']}:{secret or self.client['ClientSecret']}"
        basic = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        form = urllib.parse.urlencode({"grant_type": "client_credentials"} | form)
        url = f"{self.local.url}/_local/cognito/pool-{self.name}/oauth2/token"
        return send(url, "POST", form, basic | kind | (headers or {}))

    def token(self, **form):
        return self.ask(**form).json()["access_token"]

    def stage(self, name, scopes):
        authorizer = {"type": "cognito_user_pools", "providerARNs": [self.pool["Arn"]]}
        scheme = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": authorizer,
        }
        components = {"securitySchemes": {"pool": scheme}}
        return stage_of(self.local, name, {"/a": {"get": mock(security=[{"pool": scopes}])}}, components=components)


@proves("cognito-idp.issue")
def test_a_client_gets_a_token_for_its_secret(local, name, pool):
    given = pool.ask()
    assert given.status == 200 and given.json()["token_type"] == "Bearer" and given.json()["expires_in"] == 3600
    claims = json.loads(base64.urlsafe_b64decode(given.json()["access_token"].split(".")[1] + "=="))
    assert claims["client_id"] == claims["sub"] == pool.client["ClientId"]
    assert (claims["token_use"], claims["scope"]) == ("access", "records/read records/write")
    assert pool.ask(secret="other").json() == {"error": "invalid_client"}
    assert pool.ask(scope="records/none").json() == {"error": "invalid_scope"}
    assert pool.ask(grant_type="password").json() == {"error": "unsupported_grant_type"}
    host = {"Host": f"pool-{name}.auth.us-east-1.amazoncognito.com"}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    secret = {"client_id": pool.client["ClientId"], "client_secret": pool.client["ClientSecret"]}
    form = urllib.parse.urlencode({"grant_type": "client_credentials"} | secret)
    assert send(f"{local.url}/oauth2/token", "POST", form, host | kind).status == 200


def test_an_import_leaves_callers_their_authorizer_until_it_is_deployed(local, name, pool):
    stage = pool.stage(name, ["records/read"])
    token = {"Authorization": pool.token(scope="records/read")}
    document = {"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": {"/b": {"get": mock()}}}
    local("apigateway").put_rest_api(restApiId=stage.api, mode="overwrite", body=json.dumps(document))
    assert stage.call("GET", "/a", headers=token).status == 200
    assert stage.deploy().call("GET", "/b").status == 200


@proves("apigateway.by_token")
def test_a_method_wants_a_token_with_its_scope(local, name, pool):
    stage = pool.stage(name, ["records/read"])
    token = pool.token(scope="records/read")
    assert stage.call("GET", "/a", headers={"Authorization": token}).status == 200
    assert stage.call("GET", "/a", headers={"Authorization": f"Bearer {token}"}).status == 200
    for given in (
        {},
        {"Authorization": "x"},
        {"Authorization": pool.token(scope="records/write")},
        {"Authorization": token[:-4] + "AAAA"},
    ):
        assert stage.call("GET", "/a", headers=given).refusal == UNAUTHORIZED
    # Without scopes a method wants an identity token, and a machine has none.
    assert pool.stage(name + "i", []).call("GET", "/a", headers={"Authorization": token}).refusal == UNAUTHORIZED
    world.settings.ahead = 2 * 3600
    try:
        expired = stage.call("GET", "/a", headers={"Authorization": token}).refusal
        assert expired == (401, "UnauthorizedException", "The incoming token has expired")
    finally:
        world.settings.ahead = 0


@pytest.fixture
def metered(local, name):
    """A stage that wants a key, the key and its plan."""
    gateway = local("apigateway")
    stage = stage_of(local, name, {"/a": {"get": mock(security=[{"api_key": []}])}})
    plan = gateway.create_usage_plan(name=name, apiStages=[{"apiId": stage.api, "stage": "dev"}])["id"]
    key = gateway.create_api_key(name=name, enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return stage, plan, key


@proves("apigateway.key_of")
def test_a_key_is_enabled_and_of_a_plan_with_the_stage(local, name, metered):
    stage, plan, key = metered
    gateway, with_key = local("apigateway"), {"x-api-key": key["value"]}
    assert stage.call("GET", "/a", headers=with_key).status == 200
    assert stage.call("GET", "/a").refusal == FORBIDDEN
    assert stage.call("GET", "/a", headers={"x-api-key": "other"}).refusal == FORBIDDEN
    other = gateway.create_api_key(name=name, enabled=True)["value"]
    assert stage.call("GET", "/a", headers={"x-api-key": other}).refusal == FORBIDDEN
    gateway.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    assert stage.call("GET", "/a", headers=with_key).refusal == FORBIDDEN


@proves("apigateway.spend")
def test_beyond_burst_and_rate_callers_wait(local, metered):
    stage, plan, key = metered
    change = [
        {"op": "replace", "path": "/throttle/rateLimit", "value": "20"},
        {"op": "replace", "path": "/throttle/burstLimit", "value": "2"},
    ]
    local("apigateway").update_usage_plan(usagePlanId=plan, patchOperations=change)
    statuses = [stage.call("GET", "/a", headers={"x-api-key": key["value"]}) for _ in range(4)]
    assert statuses[0].status == 200
    late = [answer.refusal for answer in statuses if answer.status != 200]
    assert late and set(late) == {(429, "TooManyRequestsException", "Too Many Requests")}
    time.sleep(0.1)
    assert stage.call("GET", "/a", headers={"x-api-key": key["value"]}).status == 200


def test_a_stage_has_limits_of_its_own(local, name):
    stage = stage_of(local, name, {"/a": {"get": mock()}})
    stage.patch(("/*/*/throttling/rateLimit", "1"), ("/*/*/throttling/burstLimit", "1"))
    assert [stage.call("GET", "/a").status for _ in range(3)] == [200, 429, 429]


@proves("apigateway.count")
def test_a_quota_is_for_a_period(local, metered):
    stage, plan, key = metered
    change = [
        {"op": "replace", "path": "/quota/limit", "value": "2"},
        {"op": "replace", "path": "/quota/period", "value": "DAY"},
    ]
    local("apigateway").update_usage_plan(usagePlanId=plan, patchOperations=change)
    headers = {"x-api-key": key["value"]}
    assert [stage.call("GET", "/a", headers=headers).status for _ in range(2)] == [200, 200]
    assert stage.call("GET", "/a", headers=headers).refusal == (429, "LimitExceededException", "Limit Exceeded")
    world.settings.ahead = 24 * 3600
    try:
        assert stage.call("GET", "/a", headers=headers).status == 200
    finally:
        world.settings.ahead = 0


def common(**more):
    group = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"} | more
    return {
        "Name": "common",
        "Priority": 1,
        "Statement": {"ManagedRuleGroupStatement": group},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": visible("common"),
    }


@proves("wafv2.group_verdict")
def test_the_common_rules_block_bodies_over_8_kb_unless_that_is_counted(local, name):
    stage = stage_of(local, name, {"/a": {"post": mock()}})
    guard(local, stage, name, common())
    as_json = {"Content-Type": "application/json"}
    assert stage.call("POST", "/a", "x" * 8192, as_json).status == 200
    assert stage.call("POST", "/a", "x" * 8193, as_json).refusal == FORBIDDEN
    assert stage.call("POST", "/a?" + "q" * 2049, "x", as_json).refusal == FORBIDDEN
    counting = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    other = stage_of(local, name + "c", {"/a": {"post": mock()}})
    guard(local, other, name + "c", common(RuleActionOverrides=counting))
    assert other.call("POST", "/a", "x" * 8193, as_json).status == 200
    assert other.call("POST", "/a?" + "q" * 2049, "x", as_json).refusal == FORBIDDEN


def test_a_stage_tells_which_web_acl_guards_it(local, name):
    stage, gateway = stage_of(local, name, {"/a": {"post": mock()}}), local("apigateway")
    assert "webAclArn" not in gateway.get_stage(restApiId=stage.api, stageName="dev")
    guard(local, stage, name, common())
    assert f"/webacl/{name}/" in gateway.get_stage(restApiId=stage.api, stageName="dev")["webAclArn"]
    assert f"/webacl/{name}/" in gateway.get_stages(restApiId=stage.api)["item"][0]["webAclArn"]


def from_address(url, source):
    """The status of a request from another address of this machine."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, source_address=(source, 0))
    connection.request("GET", parts.path, headers={"User-Agent": "test"})
    status = connection.getresponse().status
    connection.close()
    return status


@proves("wafv2.too_often")
def test_a_rate_rule_counts_each_address(local, name):
    rule = {
        "Name": "rate",
        "Priority": 2,
        "Statement": {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}},
        "Action": {"Block": {}},
        "VisibilityConfig": visible("rate"),
    }
    stage = stage_of(local, name, {"/a": {"get": mock()}})
    guard(local, stage, name, rule)
    assert [stage.call("GET", "/a").status for _ in range(10)] == [200] * 10
    assert stage.call("GET", "/a").refusal == FORBIDDEN
    assert from_address(stage.url("/a"), "127.0.0.2") == 200
    world.settings.ahead = 301
    try:
        assert stage.call("GET", "/a").status == 200
    finally:
        world.settings.ahead = 0
