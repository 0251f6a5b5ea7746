"""AWS integrations: a call of another service, made with a role.

Sources: API Gateway Developer Guide, "Amazon API Gateway permissions model for invoking an API" and "Set up an AWS
integration" (`arn:aws:apigateway:{region}:{service}:action/{action}`, the role, the action's body). Recorded:
localstack/localstack, test_apigateway_kinesis.snapshot.json.
"""

import io
import re

from moto.moto_server.werkzeug_app import BackendRequest

from .... import wire
from ....policies import roles_by_arn
from ....registry import behaviour
from ....trusts import trusts
from .principals import session_of
from .refusals import Answer, refuse

URI = re.compile(r"arn:[a-z-]+:apigateway:(?P<region>[a-z0-9-]+):(?P<service>[a-z0-9.-]+):action/(?P<action>\w+)")


def send(invocation, prepared):
    """Asks the service in the name of the role, and answers what it answers."""
    target = URI.fullmatch(prepared.uri)
    model = wire.service_model(target["service"]) if target else None
    if model is None or "json" not in model.metadata.get("protocols", [model.protocol]):
        fail(invocation, f"Invalid or unsupported integration {prepared.uri}")
    role = role_of(invocation)
    request = BackendRequest(environ_of(invocation, prepared, target, model))
    request.get_data()
    return answered(invocation, request, session_of(invocation.call, role, "BackplaneAssumeRoleSession"))


@behaviour(
    "apigateway",
    says="an AWS integration calls with a role that API Gateway may assume",
    source="API Gateway Developer Guide: Amazon API Gateway permissions model for invoking an API",
)
def role_of(invocation):
    arn = invocation.integration.get("credentials")
    role = roles_by_arn(invocation.call).get(arn)
    if not trusts(invocation.call, role, "apigateway.amazonaws.com"):
        fail(invocation, "API Gateway does not have permission to assume the provided role " + str(arn))
    return role


def fail(invocation, reason):
    invocation.note(f"Execution failed due to configuration error: {reason}")
    refuse("API_CONFIGURATION_ERROR", "Internal server error")


def environ_of(invocation, prepared, target, model):
    """The request of an SDK, with the body and headers of the integration."""
    signing = model.metadata.get("signingName") or model.metadata["endpointPrefix"]
    scope = f"API-GATEWAY/20260101/{target['region']}/{signing}/aws4_request"
    headers = prepared.headers | {
        "Host": f"{target['service']}.{target['region']}.amazonaws.com",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": f"{model.metadata['targetPrefix']}.{target['action']}",
        "x-moto-account-id": invocation.call.account,
    }
    environ = {
        "REQUEST_METHOD": prepared.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(prepared.body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(prepared.body),
        "wsgi.errors": io.StringIO(),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


def answered(invocation, request, session):
    """Through the same path as every call: faults, rules and the journal are for it too."""
    from ....pipeline import answer_to

    reply = answer_to(request, session)
    if reply.manner != "whole" or not reply.status:
        invocation.note("Execution failed due to an internal error: the connection to the service was lost")
        refuse("INTEGRATION_FAILURE", "Network error communicating with endpoint")
    return Answer(reply.status, reply.headers, reply.body)
