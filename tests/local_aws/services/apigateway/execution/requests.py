"""What an integration is sent: template, passthrough, mappings and overrides.

Sources: API Gateway Developer Guide, "Method request behavior for payloads without mapping templates" (passthrough);
"Data transformations" (proxy integrations have no templates; HTTP_PROXY has parameter mappings, recorded:
localstack/localstack, test_apigateway_http.snapshot.json, test_http_proxy_integration_request_data_mappings).
"""

from dataclasses import dataclass, field

from ....registry import behaviour
from .mappings import mapped
from .refusals import refuse
from .templates import Overrides, carry_out

JSON = "application/json"


@dataclass
class Prepared:
    """A request to an integration."""

    method: str
    uri: str
    headers: dict = field(default_factory=dict)
    query: dict = field(default_factory=dict)
    path: dict = field(default_factory=dict)
    body: bytes = b""
    overrides: Overrides = field(default_factory=Overrides)


def prepare(invocation):
    integration = invocation.integration
    proxy = integration["type"].endswith("_PROXY")
    made = mapped(integration.get("requestParameters"), invocation)
    method = integration.get("httpMethod", "ANY")
    prepared = Prepared(invocation.request.method if method == "ANY" else method, integration.get("uri", ""))
    prepared.path = made["path"]
    if proxy:
        prepared.headers = passed_on(invocation.headers, made["header"]) | made["header"]
        prepared.query = invocation.query | made["querystring"]
        prepared.body = invocation.text().encode()
    else:
        transform(invocation, prepared)
        # What a template overrides goes before a mapping.
        prepared.headers = made["header"] | prepared.overrides.request["header"]
        prepared.query = made["querystring"] | prepared.overrides.request["querystring"]
        prepared.path = made["path"] | prepared.overrides.request["path"]
        content_type = invocation.header("Content-Type")
        if content_type and not any(name.lower() == "content-type" for name in prepared.headers):
            prepared.headers["Content-Type"] = content_type
    return prepared


def passed_on(headers, made):
    """What a caller's headers are to an integration: those that it makes itself take the place of the caller's."""
    replaced = {"host", "content-encoding"} | {name.lower() for name in made}
    return {name: value for name, value in headers.items() if name.lower() not in replaced}


def transform(invocation, prepared):
    template = template_for(invocation)
    if template is None:
        prepared.body = invocation.text().encode()
        return
    prepared.body = carry_out(template, invocation.text(), invocation, prepared.overrides).strip().encode()


@behaviour(
    "apigateway",
    says="a content type without a template passes as it is or is answered 415, as the passthrough behavior says",
    source="API Gateway Developer Guide: Method request behavior for payloads without mapping templates",
)
def template_for(invocation):
    """The template for the content type, which without a header is JSON; None where the body passes as it is."""
    templates = invocation.integration.get("requestTemplates") or {}
    found = templates.get(invocation.header("Content-Type", JSON), templates.get("$default"))
    if found is not None:
        return found
    behavior = invocation.integration.get("passthroughBehavior", "WHEN_NO_MATCH")
    if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
        refuse("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    return None
