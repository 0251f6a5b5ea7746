"""What becomes of an integration's answer: which response is selected, its template, headers and status.

Sources: API Gateway Developer Guide, "Set up an integration response in API Gateway" (the pattern is for the status of
AWS and HTTP integrations, and for all of it); "Override your API's request and response parameters and status codes".
Recorded: localstack/localstack, test_apigateway_integrations.snapshot.json (test_put_integration_responses,
test_integration_mock_with_response_override_in_request_template, header remapping).
"""

import re

from ....registry import behaviour
from .mappings import mapped
from .refusals import Answer, refuse
from .requests import JSON
from .templates import carry_out

# What a proxied answer's own headers are called: API Gateway writes these itself.
REMAPPED = {
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
    "x-amzn-requestid",
}


def respond(invocation, prepared, answer):
    if invocation.integration["type"].endswith("_PROXY"):
        headers = {
            remapped(name): value for name, value in answer.headers.items() if name.lower() != "transfer-encoding"
        }
        return Answer(answer.status, headers, answer.body)
    chosen = selected(invocation, str(answer.status))
    overrides = prepared.overrides.next_run()
    body = answer.body
    template = template_of(chosen, invocation.header("Accept"))
    if template:
        body = carry_out(template, answer.body.decode("utf-8", "replace"), invocation, overrides).strip().encode()
    headers = {"Content-Type": JSON} | mapped(chosen.get("responseParameters"), invocation, answer)["header"]
    return Answer(status_of(chosen, overrides), headers | texts(overrides.response["header"]), body)


def remapped(name):
    return f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name


def texts(headers):
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in headers.items()
    }


@behaviour(
    "apigateway",
    says="the response whose pattern matches the whole status is taken, or the one without a pattern",
    source="API Gateway Developer Guide: Set up an integration response",
)
def selected(invocation, status):
    """The response whose pattern matches the whole status, or else the one without a pattern."""
    responses = (invocation.integration.get("integrationResponses") or {}).values()
    patterns = [(response, response.get("selectionPattern")) for response in responses]
    fitting = [response for response, pattern in patterns if pattern and re.fullmatch(pattern, status)]
    chosen = next(iter(fitting + [response for response, pattern in patterns if not pattern]), None)
    if chosen is None:
        reason = "No match for output mapping and no default output mapping configured. Endpoint Response Status Code:"
        misconfigured(invocation, f"{reason} {status}")
    if chosen["statusCode"] not in (invocation.method.get("methodResponses") or {}):
        misconfigured(invocation, f"Output mapping refers to an invalid method response: {chosen['statusCode']}")
    return chosen


def misconfigured(invocation, reason):
    invocation.note(f"Execution failed due to configuration error: {reason}")
    refuse("API_CONFIGURATION_ERROR", "Internal server error")


def template_of(response, accept):
    templates = response.get("responseTemplates") or {}
    return templates.get(accept) or templates.get(JSON) or next(iter(templates.values()), None)


@behaviour(
    "apigateway",
    says="a template may override the status, once",
    source="API Gateway Developer Guide: Override your API's request and response parameters and status codes",
)
def status_of(response, overrides):
    """An override that is no status is ignored."""
    wanted = overrides.response.get("status")
    is_status = isinstance(wanted, int) and not isinstance(wanted, bool) and 100 <= wanted < 600
    return wanted if is_status else int(response["statusCode"])
