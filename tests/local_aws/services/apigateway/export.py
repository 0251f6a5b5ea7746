"""GetExport: the API of a stage, as OpenAPI, in the state its deployment froze."""

import json

from ...registry import AwsError, operation
from .openapi import EXT, METHODS, PLACES
from .shared import api_of, found

KEYS = {name: key for key, name in METHODS.items()}
SIGV4 = {"type": "apiKey", "name": "Authorization", "in": "header", EXT + "authtype": "awsSigv4"}
API_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}


@operation("apigateway", "GetExport")
def get_export(call):
    api = api_of(call)
    stage = found(api["stages"], call.params["stageName"], "stage")
    if call.params["exportType"] not in ("oas30", "swagger"):
        raise AwsError("BadRequestException", "exportType must be oas30 or swagger")
    wanted = {part for part in (call.get("parameters") or {}).get("extensions", "").split(",") if part}
    document = exported(call, api, api["deployments"][stage["deploymentId"]], wanted)
    name = f"{call.params['exportType']}_{stage['stageName']}.json"
    return {
        "contentType": "application/json",
        "contentDisposition": f'attachment; filename="{name}"',
        "body": json.dumps(document, indent=2).encode(),
    }


def exported(call, api, deployment, extensions):
    record = api["record"]
    host = f"https://{record['id']}.execute-api.{call.region}.amazonaws.com/{{basePath}}"
    document = {
        "openapi": "3.0.1",
        "info": {"title": record["name"], "version": record.get("version", "1.0")},
        "servers": [{"url": host}],
        "paths": {},
    }
    if record.get("description"):
        document["info"]["description"] = record["description"]
    schemes = {}
    for resource in sorted(deployment["_snapshot"].values(), key=lambda r: r["path"]):
        methods = {KEYS[n]: exported_method(m, extensions, schemes) for n, m in resource["resourceMethods"].items()}
        if methods:
            document["paths"][resource["path"]] = methods
    if schemes:
        document["components"] = {"securitySchemes": schemes}
    return document


def exported_method(method, extensions, schemes):
    out = {}
    if method.get("operationName"):
        out["operationId"] = method["operationName"]
    out["parameters"] = exported_parameters(method.get("requestParameters") or {})
    out["responses"] = {status: exported_response(r) for status, r in (method.get("methodResponses") or {}).items()}
    security = exported_security(method, schemes)
    if security:
        out["security"] = [security]
    if "integrations" in extensions or "apigateway" in extensions:
        out[EXT + "integration"] = exported_integration(method["methodIntegration"])
    return {key: value for key, value in out.items() if value}


def exported_parameters(parameters):
    places = {short: name for name, short in PLACES.items()}
    found_parameters = []
    for key, required in parameters.items():
        place, name = key.removeprefix("method.request.").split(".", 1)
        found_parameters.append({"name": name, "in": places[place], "required": required, "schema": {"type": "string"}})
    return found_parameters


def exported_response(response):
    headers = [key.rpartition(".")[2] for key in response.get("responseParameters", {})]
    out = {"description": f"{response['statusCode']} response", "content": {}}
    return out | ({"headers": {name: {"schema": {"type": "string"}} for name in headers}} if headers else {})


def exported_security(method, schemes):
    out = {}
    if method.get("authorizationType") == "AWS_IAM":
        schemes["sigv4"], out["sigv4"] = SIGV4, []
    if method.get("apiKeyRequired"):
        schemes["api_key"], out["api_key"] = API_KEY, []
    return out


def exported_integration(integration):
    hidden = ("integrationResponses", "cacheNamespace", "cacheKeyParameters")
    out = {key: value for key, value in integration.items() if key not in hidden and value}
    out["type"] = integration["type"].lower()
    out["passthroughBehavior"] = integration["passthroughBehavior"].lower()
    responses = integration.get("integrationResponses") or {}
    if responses:
        out["responses"] = {
            r.get("selectionPattern", "default"): {k: v for k, v in r.items() if k != "selectionPattern"}
            for r in responses.values()
        }
    return out
