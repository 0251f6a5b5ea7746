"""Request validators: required parameters and models.

Source: API Gateway Developer Guide, "Request validation for REST APIs in API Gateway". A body without a model for its
content type is valid; an empty one is judged as `{}`. Recorded: localstack/localstack,
test_apigateway_common.snapshot.json, test_api_gateway_request_validator.
"""

import json

import jsonschema

from ....registry import behaviour
from .refusals import refuse


@behaviour(
    "apigateway",
    says="a validator refuses a missing parameter, and a body that its model does not fit",
    source="API Gateway Developer Guide: Request validation for REST APIs",
)
def validate(invocation):
    validator = invocation.api["validators"].get(invocation.method.get("requestValidatorId"))
    if validator and validator.get("validateRequestParameters"):
        missing = [name for name in required(invocation) if not given(invocation, name)]
        if missing:
            names = ", ".join(sorted(name.partition(".")[2] for name in missing))
            refuse("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{names}]")
    if validator and validator.get("validateRequestBody") and not body_fits(invocation):
        refuse("BAD_REQUEST_BODY", "Invalid request body")


def required(invocation):
    parameters = invocation.method.get("requestParameters") or {}
    return [name.removeprefix("method.request.") for name, needed in parameters.items() if needed]


def given(invocation, name):
    place, _, parameter = name.partition(".")
    if place == "header":
        return bool(invocation.header(parameter))
    return bool(invocation.path_values.get(parameter) if place == "path" else invocation.query.get(parameter))


def body_fits(invocation):
    models = invocation.method.get("requestModels") or {}
    kind = invocation.header("Content-Type", "application/json")
    name = models.get(kind, models.get(kind.partition(";")[0], models.get("$default")))
    model = invocation.api["models"].get(name)
    if model is None:
        return True
    try:
        jsonschema.validate(json.loads(invocation.text() or "{}"), schema_of(invocation.api, model))
    except (jsonschema.ValidationError, ValueError):
        return False
    return True


def schema_of(api, model):
    """The schema of a model, with what it refers to beside it."""
    others = {name: json.loads(other["schema"]) for name, other in api["models"].items()}
    return json.loads(model["schema"]) | {"components": {"schemas": others}, "definitions": others}
