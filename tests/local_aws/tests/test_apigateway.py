import copy
import json
from functools import cache

import pytest
from conftest import make_network, make_role, proves, refused

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/alb/0123456789abcdef"
EVENTS = {
    "post": {
        "security": [{"sigv4": []}],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "ok", "headers": {"X-Shard": {"schema": {"type": "string"}}}},
            "400": {"description": "bad"},
        },
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "httpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:kinesis:action/PutRecord",
            "credentials": "arn:aws:iam::123456789012:role/api-events",
            "requestParameters": {"integration.request.header.Content-Type": "'application/x-amz-json-1.1'"},
            "requestTemplates": {"application/json": '{"StreamName": "s"}'},
            "passthroughBehavior": "never",
            "responses": {
                "default": {"statusCode": "200", "responseTemplates": {"application/json": "{}"}},
                "4\\d{2}": {"statusCode": "400"},
            },
        },
    }
}
PROXY = {
    "get": {
        "operationId": "getStudent",
        "security": [{"sigv4": [], "api_key": []}],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {},
        "x-amazon-apigateway-integration": {
            "type": "http_proxy",
            "httpMethod": "GET",
            "uri": "https://alb.student.edu/students/{id}",
            "connectionType": "VPC_LINK",
            "integrationTarget": BALANCER,
            "requestParameters": {"integration.request.path.id": "method.request.path.id"},
            "timeoutInMillis": 20000,
        },
    }
}
SCHEMES = {
    "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
    "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
}


@cache
def link(local):
    """A link that is there, and the role of the events integration."""
    make_role(local, "api-events", "apigateway.amazonaws.com")
    made = local("apigatewayv2").create_vpc_link(Name="link", SubnetIds=make_network(local).subnets)
    return made["VpcLinkId"]


def proxy(local, **more):
    wish = copy.deepcopy(PROXY)
    wish["get"]["x-amazon-apigateway-integration"] |= {"connectionId": link(local)} | more
    return wish


def document(local, **paths):
    return {
        "openapi": "3.0.1",
        "info": {"title": "students", "version": "1", "description": "records"},
        "paths": {"/students/{id}": proxy(local), "/students/{id}/events": EVENTS} | paths,
        "components": {"securitySchemes": SCHEMES},
    }


@cache
def logging_role(local):
    managed = ["arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"]
    return make_role(local, "api-logs", "apigateway.amazonaws.com", managed)


@pytest.fixture
def api(local, name):
    gateway = local("apigateway")
    made = gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]}, tags={"Name": name})
    gateway.put_rest_api(restApiId=made["id"], mode="overwrite", body=json.dumps(document(local)))
    return made["id"]


@pytest.fixture
def stage(local, api):
    gateway = local("apigateway")
    deployment = gateway.create_deployment(restApiId=api, description="first")["id"]
    gateway.create_stage(restApiId=api, stageName="dev", deploymentId=deployment, tags={"a": "b"})
    return deployment


def methods(local, api):
    items = local("apigateway").get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    return {item["path"]: item.get("resourceMethods", {}) for item in items}


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def test_proxy_integration_comes_back_whole(local, api):
    method = methods(local, api)["/students/{id}"]["GET"]
    assert (method["authorizationType"], method["apiKeyRequired"]) == ("AWS_IAM", True)
    assert method["operationName"] == "getStudent" and method["requestParameters"] == {"method.request.path.id": True}
    integration = method["methodIntegration"]
    wanted = proxy(local)["get"]["x-amazon-apigateway-integration"]
    same = (
        "httpMethod",
        "uri",
        "connectionType",
        "connectionId",
        "integrationTarget",
        "requestParameters",
        "timeoutInMillis",
    )
    assert {key: integration[key] for key in same} == {key: wanted[key] for key in same}
    assert (integration["type"], integration["passthroughBehavior"]) == ("HTTP_PROXY", "WHEN_NO_MATCH")


def test_service_integration_comes_back_whole(local, api):
    method = methods(local, api)["/students/{id}/events"]["POST"]
    integration = method["methodIntegration"]
    assert (integration["type"], integration["passthroughBehavior"], integration["timeoutInMillis"]) == (
        "AWS",
        "NEVER",
        29000,
    )
    assert (
        integration["credentials"].endswith("role/api-events") and "application/json" in integration["requestTemplates"]
    )
    assert integration["integrationResponses"]["400"]["selectionPattern"] == "4\\d{2}"
    assert "selectionPattern" not in integration["integrationResponses"]["200"]
    assert method["methodResponses"]["200"]["responseParameters"] == {"method.response.header.X-Shard": False}
    assert method["apiKeyRequired"] is False


def test_overwriting_removes_what_is_no_longer_there(local, api):
    body = document(local) | {"paths": {"/health": proxy(local)}}
    local("apigateway").put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(body))
    assert sorted(methods(local, api)) == ["/", "/health"]
    local("apigateway").put_rest_api(restApiId=api, mode="merge", body=json.dumps(document(local)))
    assert "/health" in methods(local, api) and "/students/{id}" in methods(local, api)


def test_body_that_is_no_openapi(local, api):
    with refused("BadRequestException"):
        local("apigateway").put_rest_api(restApiId=api, mode="overwrite", body="{}")


def test_api_as_a_whole(local, api, name, held):
    gateway = local("apigateway")
    patches = [replace("/disableExecuteApiEndpoint", "true"), replace("/minimumCompressionSize", "1024")]
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "execute-api:/*"}]}'
    assert (
        gateway.update_rest_api(restApiId=api, patchOperations=[*patches, replace("/policy", policy)])["apiStatus"]
        == "UPDATING"
    )
    held()
    found = gateway.get_rest_api(restApiId=api)
    assert found["disableExecuteApiEndpoint"] and found["minimumCompressionSize"] == 1024
    assert (found["apiStatus"], found["tags"]) == ("AVAILABLE", {"Name": name})
    assert (
        found["policy"].startswith('{\\"Version')
        and f"arn:aws:execute-api:us-east-1:123456789012:{api}/*" in found["policy"]
    )


@proves("apigateway.deployment_in_use")
def test_deployment_in_use_cannot_be_deleted(local, api, stage):
    gateway = local("apigateway")
    with refused("BadRequestException") as error:
        gateway.delete_deployment(restApiId=api, deploymentId=stage)
    assert "Active stages" in error.message
    newer = gateway.create_deployment(restApiId=api, description="second")["id"]
    gateway.update_stage(restApiId=api, stageName="dev", patchOperations=[replace("/deploymentId", newer)])
    gateway.delete_deployment(restApiId=api, deploymentId=stage)
    assert [d["description"] for d in gateway.get_deployments(restApiId=api)["items"]] == ["second"]


def test_stage_patches_read_back(local, api, stage):
    gateway = local("apigateway")
    gateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", logging_role(local))])
    local("logs").create_log_group(logGroupName=f"access-{api}")
    patches = {
        "/accessLogSettings/destinationArn": f"arn:aws:logs:us-east-1:123456789012:log-group:access-{api}",
        "/accessLogSettings/format": '{"id": "$context.requestId"}',
        "/*/*/logging/loglevel": "INFO",
        "/*/*/logging/dataTrace": "false",
        "/*/*/metrics/enabled": "true",
        "/*/*/throttling/rateLimit": "50.5",
        "/*/*/throttling/burstLimit": "100",
        "/~1students/GET/logging/loglevel": "ERROR",
        "/variables/env": "dev",
        "/tracingEnabled": "true",
    }
    wish = [replace(path, value) for path, value in patches.items()]
    gateway.update_stage(restApiId=api, stageName="dev", patchOperations=wish)
    found = gateway.get_stage(restApiId=api, stageName="dev")
    settings = found["methodSettings"]["*/*"]
    assert (settings["loggingLevel"], settings["dataTraceEnabled"], settings["metricsEnabled"]) == ("INFO", False, True)
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (50.5, 100)
    assert found["methodSettings"]["~1students/GET"]["loggingLevel"] == "ERROR"
    assert found["accessLogSettings"]["format"] == patches["/accessLogSettings/format"]
    assert found["variables"] == {"env": "dev"} and found["tracingEnabled"]
    removal = [{"op": "remove", "path": path} for path in ("/variables/env", "/accessLogSettings", "/*/*")]
    found = gateway.update_stage(restApiId=api, stageName="dev", patchOperations=removal)
    assert "accessLogSettings" not in found and "*/*" not in found["methodSettings"] and not found.get("variables")


def test_unknown_patch_path_is_refused(local, api, stage):
    with refused("BadRequestException"):
        local("apigateway").update_stage(restApiId=api, stageName="dev", patchOperations=[replace("/nonsense", "1")])


def test_account_role(local):
    gateway = local("apigateway")
    role = logging_role(local)
    gateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])
    assert gateway.get_account()["cloudwatchRoleArn"] == role
    gateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", "")])
    assert "cloudwatchRoleArn" not in gateway.get_account()


@proves("apigateway.in_a_usage_plan", "apigateway.plan_has_stages")
def test_usage_plans_and_keys(local, api, stage, name):
    gateway = local("apigateway")
    key = gateway.create_api_key(name=name, enabled=True, tags={"a": "b"})
    assert "value" not in gateway.get_api_key(apiKey=key["id"])
    assert gateway.get_api_key(apiKey=key["id"], includeValue=True)["value"] == key["value"]
    wish = {"throttle": {"rateLimit": 10, "burstLimit": 20}, "quota": {"limit": 1000, "period": "DAY"}}
    plan = gateway.create_usage_plan(name=name, apiStages=[{"apiId": api, "stage": "dev"}], **wish)["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    with refused("ConflictException"):
        gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert [k["name"] for k in gateway.get_usage_plan_keys(usagePlanId=plan)["items"]] == [name]
    gateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[replace("/throttle/rateLimit", "5"), {"op": "remove", "path": "/quota"}]
    )
    found = gateway.get_usage_plan(usagePlanId=plan)
    assert found["throttle"] == {"rateLimit": 5.0, "burstLimit": 20} and "quota" not in found
    for call, arguments in (
        (gateway.delete_usage_plan, {"usagePlanId": plan}),
        (gateway.delete_stage, {"restApiId": api, "stageName": "dev"}),
        (gateway.delete_rest_api, {"restApiId": api}),
    ):
        with refused("BadRequestException"):
            call(**arguments)
    gateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{api}:dev"}]
    )
    gateway.delete_usage_plan(usagePlanId=plan)
    gateway.delete_rest_api(restApiId=api)
    with refused("NotFoundException"):
        gateway.get_rest_api(restApiId=api)


def test_tags_on_everything(local, api, stage, name):
    gateway = local("apigateway")
    plan = gateway.create_usage_plan(name=name, tags={"a": "b"})["id"]
    for path in (f"restapis/{api}", f"restapis/{api}/stages/dev", f"usageplans/{plan}"):
        arn = f"arn:aws:apigateway:us-east-1::/{path}"
        gateway.tag_resource(resourceArn=arn, tags={"k": "v"})
        gateway.untag_resource(resourceArn=arn, tagKeys=["a", "Name"])
        assert gateway.get_tags(resourceArn=arn)["tags"] == {"k": "v"}
    assert gateway.get_stage(restApiId=api, stageName="dev")["tags"] == {"k": "v"}


def test_export_shows_what_was_deployed(local, api, stage):
    gateway = local("apigateway")
    gateway.put_rest_api(
        restApiId=api, mode="overwrite", body=json.dumps(document(local) | {"paths": {"/later": proxy(local)}})
    )
    wish = {"restApiId": api, "stageName": "dev", "exportType": "oas30", "parameters": {"extensions": "integrations"}}
    exported = json.loads(gateway.get_export(**wish)["body"].read())
    assert sorted(exported["paths"]) == ["/students/{id}", "/students/{id}/events"]
    integration = exported["paths"]["/students/{id}"]["get"]["x-amazon-apigateway-integration"]
    assert integration["integrationTarget"] == BALANCER


@proves("apigateway.deployable")
def test_one_call_at_a_time(local, name):
    gateway = local("apigateway")
    made = gateway.create_rest_api(name=name)
    wish = {"restApiId": made["id"], "parentId": made["rootResourceId"], "pathPart": "students"}
    resource = gateway.create_resource(**wish)["id"]
    with refused("ConflictException"):
        gateway.create_resource(**wish)
    where = {"restApiId": made["id"], "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="AWS_IAM")
    with refused("ConflictException"):
        gateway.put_method(**where, authorizationType="NONE")
    with refused("BadRequestException"):
        gateway.create_deployment(restApiId=made["id"])
    gateway.put_integration(
        **where,
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri="https://x",
        connectionType="VPC_LINK",
        connectionId=link(local),
        integrationTarget=BALANCER,
    )
    gateway.update_integration(**where, patchOperations=[replace("/integrationTarget", BALANCER + "0")])
    assert gateway.get_integration(**where)["integrationTarget"] == BALANCER + "0"


def test_vpc_link_to_a_load_balancer(local, network, name, held):
    links = local("apigatewayv2")
    made = links.create_vpc_link(
        Name=name, SubnetIds=network.subnets, SecurityGroupIds=[network.group], Tags={"a": "b"}
    )
    assert made["VpcLinkStatus"] == "PENDING"
    held()
    found = links.get_vpc_link(VpcLinkId=made["VpcLinkId"])
    assert (found["VpcLinkStatus"], found["Tags"], found["SubnetIds"]) == ("AVAILABLE", {"a": "b"}, network.subnets)
    links.tag_resource(ResourceArn=f"arn:aws:apigateway:us-east-1::/vpclinks/{made['VpcLinkId']}", Tags={"c": "d"})
    links.update_vpc_link(VpcLinkId=made["VpcLinkId"], Name="other")
    assert [i["Name"] for i in links.get_vpc_links()["Items"] if i["VpcLinkId"] == made["VpcLinkId"]] == ["other"]
    links.delete_vpc_link(VpcLinkId=made["VpcLinkId"])
    assert links.get_vpc_link(VpcLinkId=made["VpcLinkId"])["VpcLinkStatus"] == "DELETING"
    held()
    with refused("NotFoundException"):
        links.get_vpc_link(VpcLinkId=made["VpcLinkId"])


@proves("apigatewayv2.link_in_use")
def test_a_vpc_link_goes_once_no_method_and_no_stage_leads_through_it(local, network):
    api, links = local("apigateway"), local("apigatewayv2")
    link = links.create_vpc_link(Name="held", SubnetIds=network.subnets)["VpcLinkId"]
    rest = api.create_rest_api(name="leads")["id"]
    where = {"restApiId": rest, "resourceId": api.get_resources(restApiId=rest)["items"][0]["id"], "httpMethod": "GET"}
    api.put_method(**where, authorizationType="AWS_IAM")
    through = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://localhost"}
    through |= {"connectionType": "VPC_LINK", "connectionId": link, "integrationTarget": BALANCER}
    api.put_integration(**where, **through)
    with refused("BadRequestException") as live:
        links.delete_vpc_link(VpcLinkId=link)
    assert f"Vpc link '{link}', is referenced in [GET:{where['resourceId']}] in format of [Method:Resource]" in live.message
    first = api.create_deployment(restApiId=rest, stageName="v1")["id"]
    api.put_integration(**where, type="MOCK")
    with refused("BadRequestException") as deployed:
        links.delete_vpc_link(VpcLinkId=link)
    assert f"[{rest}:GET:{where['resourceId']}:v1] in format of [RESTApiId:Method:Resource:Stage]" in deployed.message
    api.create_deployment(restApiId=rest, stageName="v1")
    api.delete_deployment(restApiId=rest, deploymentId=first)
    links.delete_vpc_link(VpcLinkId=link)


@proves("apigatewayv2.link_in_use")
def test_a_method_that_goes_while_it_leads_through_a_link_leaves_it_in_use(local, network):
    api, links = local("apigateway"), local("apigatewayv2")
    through = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://localhost"}
    for idle in (True, False):
        link = links.create_vpc_link(Name=f"idle-{idle}", SubnetIds=network.subnets)["VpcLinkId"]
        rest = api.create_rest_api(name=f"goes-{idle}")["id"]
        root = api.get_resources(restApiId=rest)["items"][0]["id"]
        where = {"restApiId": rest, "resourceId": root, "httpMethod": "GET"}
        api.put_method(**where, authorizationType="AWS_IAM")
        link_of = {"connectionType": "VPC_LINK", "connectionId": link, "integrationTarget": BALANCER}
        api.put_integration(**where, **through, **link_of)
        if idle:
            api.put_integration(**where, type="MOCK")
        api.delete_rest_api(restApiId=rest)
        if idle:
            links.delete_vpc_link(VpcLinkId=link)
            continue
        with refused("BadRequestException") as dangling:
            links.delete_vpc_link(VpcLinkId=link)
        assert f"[GET:{root}] in format of [Method:Resource]" in dangling.message


@proves("apigateway.description")
def test_a_description_says_something(local):
    with refused("BadRequestException") as empty:
        local("apigateway").create_rest_api(name="mute", description="")
    assert empty.message == "Description cannot be an empty string"


def test_the_role_of_the_account_leaves_a_log_group(local, role):
    """aws-cloudformation/cloudformation-coverage-roadmap#2312 on GitHub."""
    push = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    arn = role("apigateway.amazonaws.com", managed=[push])
    change = {"op": "replace", "path": "/cloudwatchRoleArn"}
    local("apigateway").update_account(patchOperations=[change | {"value": arn}])
    found = local("logs").describe_log_groups(logGroupNamePrefix="/aws/apigateway/")["logGroups"]
    assert [(group["logGroupName"], group.get("retentionInDays")) for group in found] == [("/aws/apigateway/welcome", None)]
    local("apigateway").update_account(patchOperations=[change | {"value": ""}])


def test_vpc_link_of_the_first_kind_fails_with_an_application_load_balancer(local, name):
    link = local("apigateway").create_vpc_link(name=name, targetArns=[BALANCER])["id"]
    found = local("apigateway").get_vpc_link(vpcLinkId=link)
    assert found["status"] == "FAILED" and "NLB" in found["statusMessage"]


def changed(local, **more):
    return document(local) | {"paths": {"/students/{id}": proxy(local, **more)}}


def events(**more):
    wish = copy.deepcopy(EVENTS)
    wish["post"]["x-amazon-apigateway-integration"] |= more
    return {"/students/{id}/events": wish}


BODIES = {
    "apigateway.timeout": lambda local: changed(local, timeoutInMillis=30000),
    "apigateway.integration_target": lambda local: changed(local, uri=""),
    "apigateway.private_integration": lambda local: changed(local, integrationTarget=None),
    "apigateway.request_mapping": lambda local: changed(
        local, requestParameters={"integration.request.path.id": "method.request.path.nr"}
    ),
    "apigateway.declared_responses": lambda local: document(
        local, **events(responses={"default": {"statusCode": "201"}})
    ),
    "apigateway.declared_schemes": lambda local: document(local) | {"components": {}},
    "apigateway.imported_paths": lambda local: (
        document(local) | {"paths": {"/s/{id}": proxy(local), "/s/{nr}": proxy(local)}}
    ),
    "apigateway.link_ready": lambda local: changed(local, connectionId="none00"),
}


@proves(*BODIES)
@pytest.mark.parametrize("rule", BODIES)
def test_bodies_that_cannot_be(local, api, rule):
    before = methods(local, api)
    with refused("BadRequestException"):
        local("apigateway").put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(BODIES[rule](local)))
    assert methods(local, api) == before


@proves(
    "apigateway.access_log_format",
    "apigateway.access_log_destination",
    "apigateway.access_log_group",
    "apigateway.logging_needs_account",
)
def test_logging_that_cannot_be(local, api, stage):
    gateway = local("apigateway")
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:"
    gateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", "")])
    local("logs").create_log_group(logGroupName=f"access-{api}")
    for path, value in (
        ("/*/*/logging/loglevel", "INFO"),
        ("/accessLogSettings/destinationArn", f"{arn}access-{api}"),
    ):
        with refused("BadRequestException") as error:
            gateway.update_stage(restApiId=api, stageName="dev", patchOperations=[replace(path, value)])
        assert "account settings" in error.message
    gateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", logging_role(local))])
    for path, value in (
        ("/accessLogSettings/destinationArn", f"{arn}none"),
        ("/accessLogSettings/destinationArn", "access"),
        ("/accessLogSettings/format", "$context.status"),
    ):
        with refused("BadRequestException"):
            gateway.update_stage(restApiId=api, stageName="dev", patchOperations=[replace(path, value)])


@proves("apigateway.integration_role")
def test_role_of_another_account(local, api):
    body = document(local, **events(credentials="arn:aws:iam::999999999999:role/theirs"))
    with refused("AccessDeniedException"):
        local("apigateway").put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(body))


@proves("apigateway.account_role")
def test_account_role_must_be_able_to_log(local):
    for arn in ("arn:aws:iam::123456789012:role/none", make_role(local, "api-nothing", "apigateway.amazonaws.com")):
        with refused("BadRequestException"):
            local("apigateway").update_account(patchOperations=[replace("/cloudwatchRoleArn", arn)])


@proves(
    "apigateway.stage_name",
    "apigateway.path_part",
    "apigateway.compression",
    "apigateway.key_value",
    "apigatewayv2.link_network",
)
def test_small_things_that_cannot_be(local, api, stage, name):
    gateway = local("apigateway")
    root = gateway.get_rest_api(restApiId=api)["rootResourceId"]
    for call, wish in (
        (gateway.create_stage, {"restApiId": api, "stageName": "a b", "deploymentId": stage}),
        (gateway.create_resource, {"restApiId": api, "parentId": root, "pathPart": "a b"}),
        (gateway.create_rest_api, {"name": name, "minimumCompressionSize": -1}),
        (gateway.create_api_key, {"name": name, "value": "short"}),
        (local("apigatewayv2").create_vpc_link, {"Name": name, "SubnetIds": ["subnet-0123456789abcdef0"]}),
    ):
        with refused("BadRequestException"):
            call(**wish)


@proves("apigateway.concurrent_modification")
def test_writes_inside_an_api_are_serial(local, api):
    from local_aws import inflight

    key = ("123456789012", "us-east-1", api)
    inflight.writing[key] += 1
    try:
        with refused("ConflictException"):
            local("apigateway").create_deployment(restApiId=api)
        local("apigateway").get_resources(restApiId=api)
    finally:
        inflight.writing[key] -= 1
    local("apigateway").create_deployment(restApiId=api)
