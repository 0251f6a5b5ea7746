"""Authorizers, request validators, models and gateway responses: parts of an API with the same few calls each."""

from ...common import picked
from ...registry import AwsError, operation
from .patches import as_bool, refuse, unescape
from .shared import api_of, found, fresh_id, listed, present


def part_calls(noun, part, id_param, fields, key="id", create_verb="Create"):
    """Enters create, get, list, update and delete of one kind of part."""

    def create(call):
        shelf = api_of(call)[part]
        if key == "name" and call.params["name"] in shelf:
            raise AwsError("ConflictException", f"{noun} name already exists for this REST API")
        item = {"id": fresh_id(shelf, 6)} | picked(call.params, *fields)
        shelf[item[key]] = item
        return present(item)

    def get(call):
        return present(found(api_of(call)[part], call.params[id_param], noun))

    def listing(call):
        return listed(call, [present(item) for item in api_of(call)[part].values()])

    def update(call):
        item = found(api_of(call)[part], call.params[id_param], noun)
        for patch in call.get("patchOperations", []):
            change(item, patch, fields)
        return present(item)

    def delete(call):
        found(api_of(call)[part], call.params[id_param], noun)
        check_unused(call, part)
        del api_of(call)[part][call.params[id_param]]
        return {}

    for name, function in ((f"{create_verb}{noun}", create), (f"Get{noun}", get), (f"Get{noun}s", listing)):
        operation("apigateway", name)(function)
    operation("apigateway", f"Update{noun}")(update)
    operation("apigateway", f"Delete{noun}")(delete)


def change(item, patch, fields):
    _, field, *rest = patch["path"].split("/", 2)
    if field not in fields:
        refuse(patch, [f"/{name}" for name in fields])
    value = patch.get("value")
    if field == "authorizerResultTtlInSeconds":
        value = int(value)
    elif field.startswith("validateRequest"):
        value = as_bool(value)
    if rest and isinstance(item.get(field, {}), dict):
        item.setdefault(field, {})[unescape(rest[0])] = value
    elif field == "providerARNs":
        arns = item.setdefault(field, [])
        arns.append(value) if patch["op"] == "add" else arns.remove(value)
    else:
        item[field] = value


def check_unused(call, part):
    """An authorizer or validator that a method names cannot go."""
    wanted = {"authorizers": ("authorizerId",), "validators": ("requestValidatorId",)}.get(part, ())
    for resource in api_of(call)["resources"].values():
        for method in resource["resourceMethods"].values():
            if any(method.get(name) in call.params.values() for name in wanted if method.get(name)):
                raise AwsError("ConflictException", f"{part.title()[:-1]} is still used by {resource['path']}")


part_calls(
    "Authorizer",
    "authorizers",
    "authorizerId",
    (
        "name",
        "type",
        "providerARNs",
        "authType",
        "authorizerUri",
        "authorizerCredentials",
        "identitySource",
        "identityValidationExpression",
        "authorizerResultTtlInSeconds",
    ),
)
part_calls(
    "RequestValidator",
    "validators",
    "requestValidatorId",
    ("name", "validateRequestBody", "validateRequestParameters"),
)
part_calls("Model", "models", "modelName", ("name", "description", "schema", "contentType"), key="name")


@operation("apigateway", "PutGatewayResponse")
def put_gateway_response(call):
    entry = {"responseType": call.params["responseType"], "defaultResponse": False}
    entry |= picked(call.params, "statusCode", "responseParameters", "responseTemplates")
    api_of(call)["gateway-responses"][entry["responseType"]] = entry
    return entry


@operation("apigateway", "GetGatewayResponse")
def get_gateway_response(call):
    return found(api_of(call)["gateway-responses"], call.params["responseType"], "Gateway Response")


@operation("apigateway", "GetGatewayResponses")
def get_gateway_responses(call):
    return listed(call, list(api_of(call)["gateway-responses"].values()))


@operation("apigateway", "DeleteGatewayResponse")
def delete_gateway_response(call):
    found(api_of(call)["gateway-responses"], call.params["responseType"], "Gateway Response")
    del api_of(call)["gateway-responses"][call.params["responseType"]]
    return {}
