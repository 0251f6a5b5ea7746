"""Ways around an API to what it calls: AWS takes them, and nobody means them.

An application load balancer knows nothing of who calls it, and the HTTP integrations of REST APIs come from addresses that
they share with everybody's: only what they send tells them from others.
"""

from urllib.parse import urlsplit

from ..registry import AwsError, rule
from ..services.apigateway.shared import apis
from .apigateway import BRINGS, integrations
from .elbv2 import balancers

SOURCE = (
    "API Gateway Developer Guide: HTTP integrations (a public endpoint), parameter mapping sources (static values); User Guide "
    "for Application Load Balancers: default actions, HTTP header conditions"
)
SENT = "integration.request.header."
PORTS = {"http": 80, "https": 443}


def side_door(message):
    raise AwsError("SideDoor", message)


def shows_a_secret(integration):
    """Whether a header says something that its callers cannot have it say."""
    sent = integration.get("requestParameters") or {}
    return any(name.startswith(SENT) and str(value).startswith("'") for name, value in sent.items())


def called_by(call, integration):
    """The listener on the internet that an integration calls."""
    if not str(integration.get("type", "")).upper().startswith("HTTP") or integration.get("connectionType") == "VPC_LINK":
        return None
    url = urlsplit(integration.get("uri") or "")
    host, port = (url.hostname or "").lower(), url.port or PORTS.get(url.scheme)
    for balancer in balancers(call).values():
        if balancer.scheme == "internet-facing" and balancer.dns_name.lower() == host:
            return next((one for one in balancer.listeners.values() if int(one.port) == port), None)
    return None


def forwards(actions):
    return any((action if isinstance(action, dict) else action.data)["Type"] == "forward" for action in actions)


def called(call, listener_arn):
    """Whether an API of this account and region calls a listener over the internet."""
    for api in apis(call).values():
        methods = (m for resource in api["resources"].values() for m in resource["resourceMethods"].values())
        for method in methods:
            listener = called_by(call, method.get("methodIntegration") or {})
            if listener is not None and listener.arn == listener_arn:
                return True
    return False


@rule(
    "open",
    "apigateway",
    *BRINGS,
    says="what an API calls over the internet, and takes everything, is open to all: the API shows a secret",
    source=SOURCE,
)
def calls_what_is_open_to_all(call):
    for where, _, _, integration in integrations(call):
        listener = called_by(call, integration)
        if listener is not None and forwards(listener.default_actions) and not shows_a_secret(integration):
            side_door(f"{where} calls {listener.arn}, which forwards what anybody sends it")


@rule(
    "open",
    "elbv2",
    "ModifyListener",
    says="a listener that an API calls over the internet does not forward by default what carries no secret",
    source=SOURCE,
)
def opened_to_all(call):
    if forwards(call.get("DefaultActions", [])) and called(call, call.params["ListenerArn"]):
        side_door(f"{call.params['ListenerArn']} forwards what anybody sends it, and an API calls it")


@rule(
    "open",
    "elbv2",
    "CreateRule",
    "ModifyRule",
    says="a rule of a listener that an API calls over the internet forwards only what carries a secret",
    source=SOURCE,
)
def rule_open_to_all(call):
    known = known_rule(call)
    listener = call.get("ListenerArn") or (known and known[0].arn)
    conditions = call.get("Conditions") or (known[1].conditions if known else [])
    actions = call.get("Actions") or (known[1].actions if known else [])
    secret = any(condition.get("Field") == "http-header" for condition in conditions)
    if listener and forwards(actions) and not secret and called(call, listener):
        side_door(f"a rule of {listener} forwards what anybody sends it, and an API calls it")


def known_rule(call):
    for balancer in balancers(call).values():
        for listener in balancer.listeners.values():
            if call.get("RuleArn") in listener.rules:
                return listener, listener.rules[call.params["RuleArn"]]
    return None
