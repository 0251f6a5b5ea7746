"""Methods, their integrations, and the responses of both, one call at a time."""

from ...common import picked
from ...registry import AwsError, operation
from .patches import refuse, unescape
from .resources import resource_of, shown_integration, shown_method
from .shared import found, present

METHOD_FIELDS = (
    "authorizationType",
    "authorizerId",
    "apiKeyRequired",
    "operationName",
    "requestParameters",
    "requestModels",
    "requestValidatorId",
    "authorizationScopes",
)
INTEGRATION_FIELDS = (
    "type",
    "uri",
    "connectionType",
    "connectionId",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "cacheNamespace",
    "cacheKeyParameters",
    "contentHandling",
    "timeoutInMillis",
    "tlsConfig",
    "responseTransferMode",
    "integrationTarget",
)


def method_of(call):
    return found(resource_of(call)["resourceMethods"], call.params["httpMethod"], "Method")


def integration_of(call):
    method = method_of(call)
    if "methodIntegration" not in method:
        raise AwsError("NotFoundException", "Invalid Integration identifier specified")
    return method["methodIntegration"]


@operation("apigateway", "PutMethod")
def put_method(call):
    methods, name = resource_of(call)["resourceMethods"], call.params["httpMethod"]
    if name in methods:
        raise AwsError("ConflictException", "Method already exists for this resource")
    method = {"httpMethod": name, "apiKeyRequired": False} | picked(call.params, *METHOD_FIELDS)
    methods[name] = method
    return shown_method(method)


@operation("apigateway", "GetMethod")
def get_method(call):
    return shown_method(method_of(call))


@operation("apigateway", "DeleteMethod")
def delete_method(call):
    method_of(call)
    del resource_of(call)["resourceMethods"][call.params["httpMethod"]]
    return {}


@operation("apigateway", "UpdateMethod")
def update_method(call):
    method = method_of(call)
    for patch in call.get("patchOperations", []):
        patch_item(method, patch, METHOD_FIELDS)
    return shown_method(method)


@operation("apigateway", "PutIntegration")
def put_integration(call):
    method = method_of(call)
    integration = {
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": call.params["resourceId"],
        "cacheKeyParameters": [],
    } | picked(call.params, *INTEGRATION_FIELDS)
    if call.get("integrationHttpMethod"):
        integration["httpMethod"] = call.params["integrationHttpMethod"]
    method["methodIntegration"] = integration
    return shown_integration(integration)


@operation("apigateway", "GetIntegration")
def get_integration(call):
    return shown_integration(integration_of(call))


@operation("apigateway", "DeleteIntegration")
def delete_integration(call):
    integration_of(call)
    del method_of(call)["methodIntegration"]
    return {}


@operation("apigateway", "UpdateIntegration")
def update_integration(call):
    integration = integration_of(call)
    for patch in call.get("patchOperations", []):
        patch_item(integration, patch, (*INTEGRATION_FIELDS, "httpMethod"))
    return shown_integration(integration)


def patch_item(item, patch, fields):
    """/field replaces a value, /field/key changes one entry of a map."""
    _, field, *rest = patch["path"].split("/", 2)
    if field not in fields:
        refuse(patch, [f"/{name}" for name in fields])
    value = converted(field, patch.get("value"))
    if not rest:
        item.pop(field, None) if patch["op"] == "remove" else item.update({field: value})
    elif patch["op"] == "remove":
        item.get(field, {}).pop(unescape(rest[0]), None)
    else:
        item.setdefault(field, {})[unescape(rest[0])] = value


def converted(field, value):
    if field in ("apiKeyRequired",) or (field in ("requestParameters",) and value in ("true", "false")):
        return value == "true"
    return int(value) if field == "timeoutInMillis" else value


def response_calls(kind, holder, key, fields):
    """The four calls that methods and integrations alike have for their responses."""

    def shelf(call):
        return holder(call).setdefault(key, {})

    def put(call):
        status = call.params["statusCode"]
        if kind == "MethodResponse" and status in shelf(call):
            raise AwsError("ConflictException", "Response already exists for this resource")
        shelf(call)[status] = {"statusCode": status} | picked(call.params, *fields)
        return present(shelf(call)[status])

    def get(call):
        return present(found(shelf(call), call.params["statusCode"], "Response status code"))

    def update(call):
        response = found(shelf(call), call.params["statusCode"], "Response status code")
        for patch in call.get("patchOperations", []):
            patch_item(response, patch, fields)
        return present(response)

    def delete(call):
        found(shelf(call), call.params["statusCode"], "Response status code")
        del shelf(call)[call.params["statusCode"]]
        return {}

    for verb, function in (("Put", put), ("Get", get), ("Update", update), ("Delete", delete)):
        operation("apigateway", verb + kind)(function)


response_calls("MethodResponse", method_of, "methodResponses", ("responseParameters", "responseModels"))
response_calls(
    "IntegrationResponse",
    integration_of,
    "integrationResponses",
    ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling"),
)
