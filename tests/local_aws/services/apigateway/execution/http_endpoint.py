"""HTTP integrations: through a VPC link or the internet to a load balancer, and from there to a task.

Sources: API Gateway Developer Guide, "Private integrations for REST APIs in API Gateway"; "Set up VPC links V2": the
uri gives scheme, port, Host header, name in the certificate and path, and `integrationTarget` the load balancer. What the
caller is told when the way is broken: "Gateway response types" (INTEGRATION_FAILURE, INTEGRATION_TIMEOUT), and for a
certificate re:Post "execution failed due to configuration error: … SSL" (500).
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from .... import enis
from ....registry import behaviour
from ....world import world
from ...apigatewayv2 import fall_asleep, wake
from ...elbv2 import balancers
from . import balancing, certificates, tasks
from .refusals import refuse

PORTS = {"http": 80, "https": 443}
# What may stand in a URL as it is, apart from letters, digits and `_.-~`; a percent sign is none of it.
AS_IT_IS = "/?#&=+:;,!$'()*@[]"
# Any address of the internet, as API Gateway's own are.
FROM_THE_INTERNET = "52.94.0.1"


@dataclass
class Source:
    """Where a connection comes from: an address and the security groups of its interface."""

    address: str
    groups: tuple


def send(invocation, prepared):
    with world.lock:
        hop = way(invocation, prepared)
    if isinstance(hop, balancing.Hop):
        if tasks.seconds() * 1000 >= invocation.integration.get("timeoutInMillis", 29000):
            invocation.note("Execution failed due to a timeout error")
            refuse("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        return as_text(tasks.ask(hop))
    return hop


def as_text(answer):
    """A payload is taken for a text where no media type is a binary one (API Gateway Developer Guide, "Content type
    conversions in API Gateway"): what a service has compressed does not survive that."""
    answer.body = answer.body.decode("utf-8", "replace").encode()
    answer.headers.pop("Content-Length", None)
    return answer


def way(invocation, prepared):
    """The hop to the task that a request ends at, or the answer of the load balancer itself."""
    values = {name: decoded(value) for name, value in prepared.path.items()}
    url = urlsplit(rendered(prepared.uri, values, invocation.stage.get("variables") or {}))
    port = url.port or PORTS[url.scheme]
    private = invocation.integration.get("connectionType") == "VPC_LINK"
    balancer = target_of(invocation, url, private)
    source = link_of(invocation, balancer) if private else Source(FROM_THE_INTERNET, ())
    if not balancing.reachable(invocation.call, balancer, source, port):
        broken(invocation)
    listener = balancing.listener_at(balancer, port)
    if listener is None:
        broken(invocation)
    if url.scheme == "https":
        lenient = (invocation.integration.get("tlsConfig") or {}).get("insecureSkipVerification")
        problem = certificates.problem(invocation.call, listener, url.hostname, lenient)
        if problem:
            misconfigured(invocation, problem)
    return balancing.receive(invocation.call, balancer, listener, arrival(invocation, prepared, url, source, private))


@behaviour(
    "apigateway",
    says="a value is decoded before it goes into the path of an integration, and only percent signs are encoded again",
    source="API Gateway Developer Guide: Important notes for REST APIs (REST APIs decode URL-encoded request parameters)",
)
def decoded(value):
    """A `%2F` of a caller's is a slash to the service, `%3F` begins a query, and what comes after `%23` is lost."""
    return quote(unquote(value), safe=AS_IT_IS)


def rendered(uri, path, variables):
    uri = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: variables.get(found[1], ""), uri)
    return re.sub(r"\{([^}]+?)\+?\}", lambda found: path.get(found[1], ""), uri)


def target_of(invocation, url, private):
    known = balancers(invocation.call)
    if private:
        found = known.get(invocation.integration.get("integrationTarget"))
    else:
        # Only what faces the internet has a name there.
        names = {b.dns_name: b for b in known.values() if b.scheme == "internet-facing"}
        found = names.get(url.hostname)
    if found is None and not private:
        misconfigured(invocation, "Invalid endpoint address")
    if found is None or found.state == "provisioning" or found.state == "failed":
        broken(invocation)
    return found


@behaviour(
    "apigatewayv2",
    says="a private integration goes out through an available VPC link only",
    source="API Gateway Developer Guide: Private integrations for REST APIs",
)
def link_of(invocation, balancer):
    """Of a VPC link that is not available nothing goes out."""
    call, link_id = invocation.call, invocation.integration.get("connectionId")
    fall_asleep(call)
    link = call.shelf("apigatewayv2.vpc-links").get(link_id)
    interfaces = [i for i in enis.of(call, f"vpc-link/{link_id}") if i.subnet.vpc_id == balancer.vpc_id]
    if link is None or link["VpcLinkStatus"] != "AVAILABLE" or not interfaces:
        if link is not None:
            wake(call, link)
        misconfigured(invocation, f"VPC link {link_id} is not available")
    groups = tuple(group.id for group in interfaces[0].group_set)
    return Source(interfaces[0].private_ip_address, groups)


def arrival(invocation, prepared, url, source, private):
    """What arrives at the load balancer."""
    path = url.path or "/"
    if private and world.settings.stage_in_private_path:
        path = f"/{invocation.stage['stageName']}{path}"
    query = "&".join(part for part in (url.query, urlencode(prepared.query, doseq=True)) if part)
    headers = {"Accept": "application/json"} | prepared.headers | {"Host": url.netloc}
    headers["User-Agent"] = next((v for k, v in headers.items() if k.lower() == "user-agent"), agent(invocation))
    headers["X-Amzn-Apigateway-Api-Id"] = invocation.api["record"]["id"]
    return balancing.Arrival(prepared.method, path, query, headers, prepared.body, source.address, url.scheme)


def agent(invocation):
    return f"AmazonAPIGateway_{invocation.api['record']['id']}"


def broken(invocation):
    invocation.note("Execution failed due to a network error communicating with endpoint")
    refuse("INTEGRATION_FAILURE", "Network error communicating with endpoint")


def misconfigured(invocation, reason):
    invocation.note(f"Execution failed due to configuration error: {reason}")
    refuse("API_CONFIGURATION_ERROR", "Internal server error")
