"""API Gateway: what a request may say."""

import re
from urllib.parse import urlsplit

from ..registry import AwsError, rule
from ..services.apigateway import openapi
from ..services.apigateway.shared import apis

STAGE_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
PATH_PART = re.compile(r"\{[a-zA-Z0-9._:-]+\+?\}|[a-zA-Z0-9._:$-]+")
MAPPED_FROM = re.compile(
    r"'.*'|context\.[\w.]+|stageVariables\.\w+|method\.request\.(?:path|querystring|header|multivaluequerystring|multivalueheader)\.[^\s]+|method\.request\.body(?:\..+)?",
    re.DOTALL,
)
IMPORTS = ("PutRestApi", "ImportRestApi")


def bad(message):
    raise AwsError("BadRequestException", message)


def api_in(call):
    return apis(call).get(call.get("restApiId"))


def patches(call, path):
    return [p for p in call.get("patchOperations", []) if p.get("path") == path]


def integrations(call):
    """(where, declared request parameters, method responses, integration) for each method a call brings."""
    if call.operation == "PutIntegration":
        method = method_in(call)
        if method is not None:
            fields = dict(call.params) | {"httpMethod": call.get("integrationHttpMethod")}
            yield f"{call.params['httpMethod']}", method.get("requestParameters", {}), None, fields
        return
    yield from imported_integrations(call)


def method_in(call):
    api = api_in(call)
    resource = api["resources"].get(call.params["resourceId"]) if api else None
    return resource["resourceMethods"].get(call.params["httpMethod"]) if resource else None


def imported_integrations(call):
    try:
        document = openapi.read(call.params["body"])
    except AwsError:
        return
    for path, item in (document.get("paths") or {}).items():
        for key in openapi.METHODS:
            wish = item.get(key)
            if wish and openapi.EXT + "integration" in wish:
                reader = openapi.Method({}, {"id": ""}, document, {}, None, item.get("parameters", []), [])
                responses = set(map(str, wish.get("responses", {})))
                yield f"{key.upper()} {path}", reader.parameters(wish), responses, wish[openapi.EXT + "integration"]


BRINGS = ("PutIntegration", *IMPORTS)


@rule(
    "strict",
    "apigateway",
    "CreateStage",
    "CreateDeployment",
    says="a stage name has letters, digits, hyphens and underscores",
)
def stage_name(call):
    name = call.get("stageName")
    if name is not None and not STAGE_NAME.fullmatch(name):
        bad("Stage name only allows a-zA-Z0-9_-")


@rule(
    "strict",
    "apigateway",
    *BRINGS,
    says="an integration waits 50 to 29000 ms",
    source="Amazon API Gateway quotas: integration timeout",
)
def timeout(call):
    for where, _, _, integration in integrations(call):
        if not 50 <= int(integration.get("timeoutInMillis") or 29000) <= 29000:
            bad(f"Timeout should be between 50 ms and 29000 ms: {where}")


@rule(
    "strict",
    "apigateway",
    *BRINGS,
    says="an HTTP or AWS integration has a method and a URI, an AWS one credentials or a Lambda",
)
def integration_target(call):
    for where, _, _, integration in integrations(call):
        kind = str(integration.get("type", "")).upper()
        if kind == "MOCK":
            continue
        if not integration.get("httpMethod"):
            bad(f"Integration HTTP method is required: {where}")
        if not integration.get("uri"):
            bad(f"Integration uri is required: {where}")
        if kind == "AWS" and not re.fullmatch(
            rf"arn:{call.partition}:apigateway:[\w-]+:[\w.-]+:(?:path|action)/.+", integration["uri"]
        ):
            bad(f"AWS ARN for integration must contain path or action: {where}")


# What no public name ends in.
PRIVATE_NAMES = (".internal", ".local", ".localhost", ".test", ".corp", ".home", ".lan")


@rule(
    "strict",
    "apigateway",
    *BRINGS,
    says="the host of an HTTP integration has a name that can be public, behind a VPC link too",
    source="https://github.com/aws/aws-cdk/issues/24017; in an import: https://github.com/pulumi/pulumi-aws-apigateway/issues/91",
)
def public_host(call):
    for where, _, _, integration in integrations(call):
        if not str(integration.get("type", "")).upper().startswith("HTTP"):
            continue
        host = (urlsplit(integration.get("uri") or "").hostname or "").lower()
        if host.endswith(PRIVATE_NAMES):
            method, _, path = where.partition(" ")
            inner = f"Unable to put integration on '{method}' for resource at path '{path}': " if path else ""
            bad(("Errors found during import:\n\t" + inner if path else "") + "Invalid HTTP endpoint specified for URI")


@rule(
    "strict",
    "apigateway",
    *BRINGS,
    says="a private integration names its link, and with a link of the second kind its load balancer",
    source="API Gateway Developer Guide: private integrations",
)
def private_integration(call):
    for where, _, _, integration in integrations(call):
        link = integration.get("connectionId")
        if integration.get("connectionType") != "VPC_LINK":
            continue
        if not link:
            bad(f"Connection id is required for a private integration: {where}")
        if link in call.shelf("apigatewayv2.vpc-links") and not integration.get("integrationTarget"):
            bad("IntegrationTarget is required for VpcLinkV2")


@rule(
    "strict",
    "apigateway",
    *BRINGS,
    says="what a request mapping takes from the method is declared there",
    source="API Gateway Developer Guide: mapping request parameters",
)
def request_mapping(call):
    for where, declared, _, integration in integrations(call):
        for target, source in (integration.get("requestParameters") or {}).items():
            if not re.fullmatch(r"integration\.request\.(?:path|querystring|header)\..+", target):
                bad(f"Invalid mapping expression specified: {target} ({where})")
            if not MAPPED_FROM.fullmatch(source) or (
                source.startswith("method.request.") and not known_source(source, declared)
            ):
                message = "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                bad(f"{message}[Invalid mapping expression parameter specified: {source}] ({where})")


def known_source(source, declared):
    return source.startswith("method.request.body") or source in declared


@rule(
    "strict",
    "apigateway",
    *IMPORTS,
    says="a status that an integration answers is declared by the method",
    source="API Gateway Developer Guide: x-amazon-apigateway-integration",
)
def declared_responses(call):
    for where, _, responses, integration in integrations(call):
        kind = str(integration.get("type", "")).upper()
        if kind.endswith("_PROXY"):
            continue
        for wish in integration.get("responses", {}).values():
            if responses is not None and str(wish.get("statusCode")) not in responses:
                bad(f"Invalid mapping: no method response {wish.get('statusCode')} is declared ({where})")


@rule(
    "strict",
    "apigateway",
    *IMPORTS,
    says="a security requirement names a scheme of the document",
    source="OpenAPI Specification: Security Requirement Object",
)
def declared_schemes(call):
    try:
        document = openapi.read(call.params["body"])
    except AwsError:
        return
    known = document.get("components", {}).get("securitySchemes", {}) or document.get("securityDefinitions", {})
    for path, item in (document.get("paths") or {}).items():
        for key in openapi.METHODS:
            for requirement in (item.get(key) or {}).get("security", []):
                for name in requirement:
                    if name not in known:
                        bad(f"Unable to find security definition {name} ({key.upper()} {path})")


@rule(
    "strict", "apigateway", "CreateResource", says="a path part is a word, or a word in braces, with + only in the last"
)
def path_part(call):
    part, api = call.params["pathPart"], api_in(call)
    if not PATH_PART.fullmatch(part):
        bad(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable "
            f"and curly braces at the beginning and the end: {part}"
        )
    parent = api["resources"].get(call.params["parentId"]) if api else None
    if parent and parent.get("pathPart", "").endswith("+}"):
        bad("Cannot create a child of a resource with a greedy path variable")
    check_sibling(api, call.params["parentId"], part)


def check_sibling(api, parent_id, part):
    for other in api["resources"].values() if api and part.startswith("{") else ():
        if other.get("parentId") == parent_id and other["pathPart"].startswith("{") and other["pathPart"] != part:
            bad(
                f"A sibling ({other['pathPart']}) of this resource already has a "
                "variable path part -- only one is allowed"
            )


@rule(
    "strict",
    "apigateway",
    *IMPORTS,
    says="a path has one variable a level, and a greedy one only at its end",
    source="API Gateway Developer Guide: greedy path variables",
)
def imported_paths(call):
    try:
        paths = list(openapi.read(call.params["body"]).get("paths") or {})
    except AwsError:
        return
    seen = {}
    for path in paths:
        parts = [part for part in path.split("/") if part]
        if (
            not path.startswith("/")
            or any(not PATH_PART.fullmatch(p) for p in parts)
            or any(p.endswith("+}") for p in parts[:-1])
        ):
            bad(f"Unable to create resource at path '{path}': the path is not valid")
        for depth, part in enumerate(parts):
            if part.startswith("{") and seen.setdefault("/".join(parts[:depth]), part) != part:
                bad(
                    f"Unable to create resource at path '{path}': A sibling "
                    f"({seen['/'.join(parts[:depth])]}) already has a variable path part"
                )


@rule(
    "strict",
    "apigateway",
    "UpdateStage",
    says="an access log line says $context.requestId or $context.extendedRequestId",
    source="API Gateway Developer Guide: CloudWatch logging",
)
def access_log_format(call):
    for patch in patches(call, "/accessLogSettings/format"):
        if patch["op"] == "replace" and not re.search(
            r"\$context\.(?:requestId|extendedRequestId)", patch.get("value") or ""
        ):
            bad("Access Log format must contain at least $context.requestId or $context.extendedRequestId")


@rule(
    "strict",
    "apigateway",
    "UpdateStage",
    says="access logs go to a log group or a delivery stream, named by ARN",
    source="API Gateway Developer Guide: CloudWatch logging",
)
def access_log_destination(call):
    for patch in patches(call, "/accessLogSettings/destinationArn"):
        wanted = rf"arn:{call.partition}:logs:[\w-]+:\d{{12}}:log-group:[^:*]+(?::\*)?"
        wanted += rf"|arn:{call.partition}:firehose:[\w-]+:\d{{12}}:deliverystream/amazon-apigateway-.+"
        if patch["op"] == "replace" and not re.fullmatch(wanted, patch.get("value") or ""):
            bad(
                "Invalid ARN specified in the request. ARNs must start with 'arn:' "
                "and name a log group or a delivery stream"
            )


@rule(
    "strict",
    "apigateway",
    "CreateRestApi",
    says="the description of an API, if there is one, says something",
    source="localstack/localstack on GitHub, snapshot of test_create_rest_api_with_optional_params, taken on AWS",
)
def description(call):
    if call.get("description") == "":
        bad("Description cannot be an empty string")


@rule("strict", "apigateway", "CreateRestApi", "UpdateRestApi", says="compression begins at 0 to 10485760 bytes")
def compression(call):
    sizes = [call.get("minimumCompressionSize")] + [p.get("value") for p in patches(call, "/minimumCompressionSize")]
    for size in sizes:
        if size not in (None, "") and not 0 <= int(size) <= 10485760:
            bad("Invalid minimum compression size, must be between 0 and 10485760")


@rule("strict", "apigateway", "CreateApiKey", says="a key value has 20 to 128 characters")
def key_value(call):
    value = call.get("value")
    if value is not None and not 20 <= len(value) <= 128:
        bad("API Key value should be at least 20 characters and at most 128")
