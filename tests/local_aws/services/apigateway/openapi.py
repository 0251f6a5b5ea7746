"""Reads an OpenAPI document, with AWS's extensions, into a REST API."""

import json

import yaml

from ...registry import AwsError
from .shared import fresh_id

METHODS = {m: m.upper() for m in ("get", "put", "post", "delete", "options", "head", "patch")}
METHODS["x-amazon-apigateway-any-method"] = "ANY"
PLACES = {"query": "querystring", "header": "header", "path": "path"}
EXT = "x-amazon-apigateway-"
INTEGRATION_FIELDS = (
    "httpMethod",
    "uri",
    "credentials",
    "connectionType",
    "connectionId",
    "integrationTarget",
    "requestParameters",
    "requestTemplates",
    "contentHandling",
    "tlsConfig",
    "responseTransferMode",
)


def refuse(message):
    raise AwsError("BadRequestException", message)


def read(body):
    text = body.decode() if isinstance(body, (bytes, bytearray)) else body
    try:
        document = json.loads(text)
    except ValueError:
        document = read_yaml(text)
    if not isinstance(document, dict) or not ({"openapi", "swagger"} & set(document)):
        refuse("Invalid OpenAPI input.")
    return document


def read_yaml(text):
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        refuse("Unable to parse API definition because of a malformed document")


def load(call, api, document, overwrite, warnings):
    if overwrite:
        clear(api)
    load_settings(api["record"], document, overwrite)
    load_models(api, document)
    load_validators(api, document)
    load_gateway_responses(api, document)
    schemes = load_schemes(api, document)
    default_validator = document.get(EXT + "request-validator")
    for path, item in (document.get("paths") or {}).items():
        resource = resource_at(api, path)
        for key, method in METHODS.items():
            if key in item:
                loader = Method(
                    api, resource, document, schemes, default_validator, item.get("parameters", []), warnings
                )
                resource["resourceMethods"][method] = loader.load(method, item[key])


def clear(api):
    root = api["record"]["rootResourceId"]
    api["resources"] = {root: {"id": root, "path": "/", "resourceMethods": {}}}
    for part in ("authorizers", "validators", "models", "gateway-responses"):
        api[part].clear()


def load_settings(record, document, overwrite):
    info = document.get("info", {})
    if info.get("title"):
        record["name"] = info["title"]
    for source, field in (("description", "description"), ("version", "version")):
        if source in info:
            record[field] = str(info[source])
        elif overwrite:
            record.pop(field, None)
    for key, field in (
        ("binary-media-types", "binaryMediaTypes"),
        ("minimum-compression-size", "minimumCompressionSize"),
    ):
        if EXT + key in document:
            record[field] = document[EXT + key]
        elif overwrite:
            record.pop(field, None)
    if EXT + "api-key-source" in document:
        record["apiKeySource"] = document[EXT + "api-key-source"]
    if EXT + "policy" in document:
        record["policy"] = json.dumps(document[EXT + "policy"])
    elif overwrite:
        record.pop("policy", None)
    load_endpoint(record, document)


def load_endpoint(record, document):
    holders = [document] + [server for server in document.get("servers", []) if isinstance(server, dict)]
    for holder in holders:
        endpoint = holder.get(EXT + "endpoint-configuration", {})
        if "disableExecuteApiEndpoint" in endpoint:
            record["disableExecuteApiEndpoint"] = endpoint["disableExecuteApiEndpoint"]
        if "vpcEndpointIds" in endpoint:
            record["endpointConfiguration"]["vpcEndpointIds"] = endpoint["vpcEndpointIds"]


def load_models(api, document):
    schemas = document.get("components", {}).get("schemas", {}) or document.get("definitions", {})
    for name, schema in schemas.items():
        model = {
            "id": fresh_id(length=6),
            "name": name,
            "contentType": "application/json",
            "schema": json.dumps(schema),
        }
        api["models"][name] = model


def load_validators(api, document):
    for name, wish in document.get(EXT + "request-validators", {}).items():
        existing = [v for v in api["validators"].values() if v["name"] == name]
        validator = existing[0] if existing else {"id": fresh_id(length=6), "name": name}
        validator["validateRequestBody"] = bool(wish.get("validateRequestBody"))
        validator["validateRequestParameters"] = bool(wish.get("validateRequestParameters"))
        api["validators"][validator["id"]] = validator


def load_gateway_responses(api, document):
    for kind, wish in document.get(EXT + "gateway-responses", {}).items():
        entry = {"responseType": kind, "defaultResponse": False}
        entry["responseParameters"] = wish.get("responseParameters", {})
        entry["responseTemplates"] = wish.get("responseTemplates", {})
        if wish.get("statusCode"):
            entry["statusCode"] = str(wish["statusCode"])
        api["gateway-responses"][kind] = entry


def load_schemes(api, document):
    """What each security scheme means for a method: fields of the method."""
    schemes = document.get("components", {}).get("securitySchemes", {}) or document.get("securityDefinitions", {})
    return {name: scheme_fields(api, name, scheme) for name, scheme in schemes.items()}


def scheme_fields(api, name, scheme):
    kind = scheme.get(EXT + "authtype", "").lower()
    if kind == "awssigv4":
        return {"authorizationType": "AWS_IAM"}
    wish = scheme.get(EXT + "authorizer")
    if wish:
        authorizer = make_authorizer(api, name, scheme, wish)
        kind = "COGNITO_USER_POOLS" if wish["type"].lower() == "cognito_user_pools" else "CUSTOM"
        return {"authorizationType": kind, "authorizerId": authorizer["id"]}
    if scheme.get("type") == "apiKey" and scheme.get("name", "").lower() == "x-api-key":
        return {"apiKeyRequired": True}
    return {}


def make_authorizer(api, name, scheme, wish):
    existing = [a for a in api["authorizers"].values() if a["name"] == name]
    authorizer = existing[0] if existing else {"id": fresh_id(length=6), "name": name}
    authorizer |= {
        "type": wish["type"].upper(),
        "authType": scheme.get(EXT + "authtype", ""),
        "authorizerUri": wish.get("authorizerUri"),
        "authorizerCredentials": wish.get("authorizerCredentials"),
        "providerARNs": wish.get("providerARNs"),
        "identityValidationExpression": wish.get("identityValidationExpression"),
        "authorizerResultTtlInSeconds": wish.get("authorizerResultTtlInSeconds", 300),
        "identitySource": wish.get("identitySource") or f"method.request.header.{scheme.get('name', 'Authorization')}",
    }
    api["authorizers"][authorizer["id"]] = authorizer
    return authorizer


def resource_at(api, path):
    """The resource with that path, together with all above it."""
    by_path = {resource["path"]: resource for resource in api["resources"].values()}
    if path in by_path:
        return by_path[path]
    above, _, part = path.rstrip("/").rpartition("/")
    parent = resource_at(api, above or "/")
    resource_id = fresh_id(api["resources"], 6)
    resource = {"id": resource_id, "parentId": parent["id"], "pathPart": part, "path": path, "resourceMethods": {}}
    api["resources"][resource_id] = resource
    return resource


class Method:
    def __init__(self, api, resource, document, schemes, default_validator, shared_parameters, warnings):
        self.api, self.resource, self.document, self.schemes = api, resource, document, schemes
        self.default_validator, self.shared, self.warnings = default_validator, shared_parameters, warnings

    def load(self, method, wish):
        out = {"httpMethod": method, "authorizationType": "NONE", "apiKeyRequired": False}
        if wish.get("operationId"):
            out["operationName"] = wish["operationId"]
        out |= self.security(wish)
        out["requestParameters"] = self.parameters(wish)
        out["requestModels"] = self.models(wish.get("requestBody", {}).get("content", {}))
        out["methodResponses"] = self.responses(wish.get("responses", {}))
        validator = wish.get(EXT + "request-validator", self.default_validator)
        if validator:
            out["requestValidatorId"] = self.validator_id(validator)
        if EXT + "integration" in wish:
            out["methodIntegration"] = self.integration(wish[EXT + "integration"])
        return out

    def security(self, wish):
        out = {}
        for requirement in wish.get("security", self.document.get("security", [])):
            for name, scopes in requirement.items():
                if name not in self.schemes:
                    self.warnings.append(f"Unable to find security definition {name}")
                out |= self.schemes.get(name, {})
                if scopes and "authorizerId" in out:
                    out["authorizationScopes"] = scopes
        kind = wish.get(EXT + "auth", {}).get("type", "").upper()
        return out | ({"authorizationType": kind} if kind else {})

    def parameters(self, wish):
        out = {}
        for parameter in [*self.shared, *wish.get("parameters", [])]:
            parameter = self.resolved(parameter)
            if parameter.get("in") in PLACES:
                key = f"method.request.{PLACES[parameter['in']]}.{parameter['name']}"
                out[key] = bool(parameter.get("required", False))
        return out

    def resolved(self, item):
        if "$ref" not in item:
            return item
        found = self.document
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found.get(part, {})
        return found

    def models(self, content):
        names = {}
        for kind, media in (content or {}).items():
            reference = (media or {}).get("schema", {}).get("$ref")
            if reference:
                names[kind] = reference.rpartition("/")[2]
        return names

    def responses(self, wishes):
        out = {}
        for status, wish in wishes.items():
            if not str(status).isdigit():
                continue
            wish = self.resolved(wish)
            headers = {f"method.response.header.{name}": False for name in wish.get("headers", {})}
            entry = {
                "statusCode": str(status),
                "responseParameters": headers,
                "responseModels": self.models(wish.get("content")),
            }
            out[str(status)] = {key: value for key, value in entry.items() if value}
        return out

    def validator_id(self, name):
        for validator in self.api["validators"].values():
            if validator["name"] == name:
                return validator["id"]
        refuse(f"Unable to find request validator {name}")

    def integration(self, wish):
        if "type" not in wish:
            refuse("Invalid integration: type is missing")
        out = {"type": wish["type"].upper()}
        out |= {name: wish[name] for name in INTEGRATION_FIELDS if wish.get(name) is not None}
        out["passthroughBehavior"] = wish.get("passthroughBehavior", "when_no_match").upper()
        out["timeoutInMillis"] = wish.get("timeoutInMillis", 29000)
        out["cacheNamespace"] = wish.get("cacheNamespace", self.resource["id"])
        out["cacheKeyParameters"] = wish.get("cacheKeyParameters", [])
        out["integrationResponses"] = integration_responses(wish.get("responses", {}))
        return out


def integration_responses(wishes):
    """The key is the pattern that selects the response; `default` stands for none."""
    out = {}
    for pattern, wish in wishes.items():
        entry = {"statusCode": str(wish["statusCode"])}
        if pattern != "default":
            entry["selectionPattern"] = pattern
        for name in ("responseParameters", "responseTemplates", "contentHandling"):
            if wish.get(name):
                entry[name] = wish[name]
        out[entry["statusCode"]] = entry
    return out
