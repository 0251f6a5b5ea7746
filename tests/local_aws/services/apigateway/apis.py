"""REST APIs as a whole: create, import, patch, delete."""

import json

from ...common import picked
from ...life import later
from ...registry import AwsError, now, operation
from . import openapi
from .patches import apply_patches, as_bool, refuse, unescape
from .shared import api_of, apis, fresh_id, listed, present

KEPT = (
    "description",
    "version",
    "binaryMediaTypes",
    "minimumCompressionSize",
    "apiKeySource",
    "endpointConfiguration",
    "disableExecuteApiEndpoint",
    "securityPolicy",
    "endpointAccessMode",
    "tags",
)
PATCHES = {
    "/name": ("name", str),
    "/description": ("description", str),
    "/apiKeySource": ("apiKeySource", str),
    "/minimumCompressionSize": ("minimumCompressionSize", int),
    "/disableExecuteApiEndpoint": ("disableExecuteApiEndpoint", as_bool),
    "/securityPolicy": ("securityPolicy", str),
    "/endpointAccessMode": ("endpointAccessMode", str),
    "/policy": ("policy", str),
    "/endpointConfiguration/ipAddressType": ("endpointConfiguration.ipAddressType", str),
}


def new_api(call, name):
    api_id, root = fresh_id(apis(call)), fresh_id()
    api = {
        "record": {
            "id": api_id,
            "name": name,
            "createdDate": now(),
            "apiKeySource": "HEADER",
            "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
            "tags": {},
            "disableExecuteApiEndpoint": False,
            "rootResourceId": root,
            "securityPolicy": "TLS_1_0",
            "apiStatus": "AVAILABLE",
        },
        "resources": {root: {"id": root, "path": "/", "resourceMethods": {}}},
    }
    for part in ("deployments", "stages", "authorizers", "validators", "models", "gateway-responses"):
        api[part] = {}
    apis(call)[api_id] = api
    return api


def touch(api):
    """Any change of the API as a whole takes a moment to arrive."""
    api["record"]["apiStatus"] = "UPDATING"
    later("apigateway.api", lambda: api["record"].update(apiStatus="AVAILABLE"))


def shown(call, api):
    record = present(api["record"])
    if "policy" in record:
        record["policy"] = escaped_policy(call, record)
    return record


def escaped_policy(call, record):
    """AWS completes abbreviated resources and answers the document with its quotes escaped once more."""
    full = f"arn:{call.partition}:execute-api:{call.region}:{call.account}:{record['id']}/"
    text = record["policy"].replace('"execute-api:/', f'"{full}')
    try:
        text = json.dumps(json.loads(text), separators=(",", ":"))
    except ValueError:
        pass
    return json.dumps(text)[1:-1]


@operation("apigateway", "CreateRestApi")
def create_rest_api(call):
    if call.get("cloneFrom"):
        raise AwsError("BadRequestException", "Cloning is not supported here")
    api = new_api(call, call.params["name"])
    given = picked(call.params, *KEPT, "policy")
    given["endpointConfiguration"] = api["record"]["endpointConfiguration"] | given.get("endpointConfiguration", {})
    api["record"].update(given)
    touch(api)
    return shown(call, api)


@operation("apigateway", "ImportRestApi")
def import_rest_api(call):
    api = new_api(call, "imported")
    types = (call.get("parameters") or {}).get("endpointConfigurationTypes")
    if types:
        api["record"]["endpointConfiguration"]["types"] = types.split(",")
    import_into(call, api, overwrite=True, rename=True)
    return shown(call, api)


@operation("apigateway", "PutRestApi")
def put_rest_api(call):
    api = api_of(call)
    import_into(call, api, overwrite=call.get("mode", "merge") == "overwrite", rename=True)
    return shown(call, api)


def import_into(call, api, overwrite, rename):
    document = openapi.read(call.params["body"])
    backup = json.loads(json.dumps(api["resources"], default=str))
    warnings = []
    try:
        openapi.load(call, api, document, overwrite, warnings)
    except AwsError:
        api["resources"] = backup
        raise
    if warnings and as_bool(call.get("failOnWarnings", False)):
        api["resources"] = backup
        raise AwsError("BadRequestException", f"Warnings found during import: {'; '.join(warnings)}")
    api["record"]["warnings"] = warnings
    touch(api)


@operation("apigateway", "GetRestApi")
def get_rest_api(call):
    return shown(call, api_of(call))


@operation("apigateway", "GetRestApis")
def get_rest_apis(call):
    return listed(call, [shown(call, api) for api in apis(call).values()])


@operation("apigateway", "UpdateRestApi")
def update_rest_api(call):
    api = api_of(call)
    apply_patches(call, api["record"], PATCHES, patch_lists)
    touch(api)
    return shown(call, api)


def patch_lists(record, patch):
    path, value = patch["path"], patch.get("value")
    if path.startswith("/binaryMediaTypes/"):
        change_list(record.setdefault("binaryMediaTypes", []), patch["op"], unescape(path.split("/", 2)[2]))
    elif path.startswith("/endpointConfiguration/types/"):
        record["endpointConfiguration"]["types"] = [value]
    elif path.startswith("/endpointConfiguration/vpcEndpointIds"):
        change_list(record["endpointConfiguration"].setdefault("vpcEndpointIds", []), patch["op"], value)
    else:
        refuse(patch, PATCHES)


def change_list(items, op, value):
    if op == "add" and value not in items:
        items.append(value)
    elif op == "remove" and value in items:
        items.remove(value)


@operation("apigateway", "DeleteRestApi")
def delete_rest_api(call):
    """Methods that go while they lead through a VPC link leave it in use.

    Source: API Gateway Developer Guide, "Amazon API Gateway important notes"."""
    api = api_of(call)
    for resource in api["resources"].values():
        for name, method in resource["resourceMethods"].items():
            link = method.get("methodIntegration", {}).get("connectionId")
            if link:
                call.shelf("apigateway.dangling").setdefault(link, []).append(f"{name}:{resource['id']}")
    del apis(call)[api["record"]["id"]]
    return {}
