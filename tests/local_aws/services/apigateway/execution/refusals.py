"""What API Gateway answers itself: a type, which an API may give a form of its own, a status, and an error type.

Sources: API Gateway Developer Guide, "Gateway response types for API Gateway" for types and their statuses; the error
types as recorded from real API Gateway in localstack/localstack: test_apigateway_common.snapshot.json
(test_routing_not_found), test_apigateway_integrations.snapshot.json (test_apigateway_header_remapping_aws), and the
table of its gateway_response.py where no recording is.
"""

import json
import re
from dataclasses import dataclass, field

# Status and x-amzn-ErrorType of each type of gateway response.
TYPES = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": (500, "AuthorizerFailureException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "EXPIRED_TOKEN": (403, "ExpiredTokenException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "INVALID_SIGNATURE": (403, "InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "QUOTA_EXCEEDED": (429, "LimitExceededException"),
    "REQUEST_TOO_LARGE": (413, "RequestEntityTooLargeException"),
    "RESOURCE_NOT_FOUND": (404, "NotFoundException"),
    "THROTTLED": (429, "TooManyRequestsException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "BadRequestException"),
    "WAF_FILTERED": (403, "ForbiddenException"),
}


@dataclass
class Refusal(Exception):
    """Ends an invocation with a gateway response."""

    kind: str
    message: str
    error_type: str = ""


def refuse(kind, message, error_type=""):
    raise Refusal(kind, message, error_type)


@dataclass
class Answer:
    """What a caller gets."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""


def gateway_response(refusal, api, context):
    """The answer to a refused request, in the form the API gives to refusals of its type."""
    status, error_type = TYPES[refusal.kind]
    form = form_of(refusal.kind, status, api["gateway-responses"])
    error = {"message": refusal.message, "messageString": json.dumps(refusal.message), "responseType": refusal.kind}
    context["error"] = error
    templates = form.get("responseTemplates") or {}
    # Of what policies deny the name of the member is with a capital.
    member = "Message" if refusal.kind == "ACCESS_DENIED" else "message"
    body = json.dumps({member: refusal.message}, separators=(",", ":"))
    if templates:
        body = filled(next(iter(templates.values())), context)
    headers = {"Content-Type": next(iter(templates), "application/json")}
    headers["x-amzn-ErrorType"] = refusal.error_type or error_type
    for name, value in (form.get("responseParameters") or {}).items():
        headers[name.rpartition(".")[2]] = value.strip("'") if value.startswith("'") else filled("$" + value, context)
    return Answer(int(form.get("statusCode") or status), headers, body.encode())


def form_of(kind, status, forms):
    """One's own, or else that of all of its class."""
    return forms.get(kind) or forms.get("DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX") or {}


def filled(template, context):
    """Gateway responses and access logs know variables only, and nothing else of Velocity."""
    return re.sub(r"\$\{?context\.([A-Za-z0-9_.]+[A-Za-z0-9_])\}?", lambda found: text_of(context, found[1]), template)


def text_of(context, path):
    """The variable at a path, `-` where there is none."""
    value = context
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value in (None, "") or isinstance(value, dict):
        return "-"
    return str(value)
