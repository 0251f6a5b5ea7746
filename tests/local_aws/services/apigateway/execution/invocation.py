"""One request to a stage on its way: what was sent, what it is for, and what has become known about it."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from ....registry import behaviour
from ....wire import new_request_id
from ....world import new_id, world
from .address import raw_path
from .refusals import refuse

# Headers that end at API Gateway. Recorded: localstack/localstack, test_apigateway_integrations.snapshot.json,
# test_apigateway_header_remapping_http.
DROPPED = {
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
}
# Source: "Quotas for configuring and running a REST API in API Gateway": payload size 10 MB, not raisable.
LARGEST_PAYLOAD = 10 * 1024 * 1024


@dataclass
class Invocation:
    call: object
    api: dict
    stage: dict
    request: object
    path: str
    context: dict = field(default_factory=dict)
    resource: dict = None
    method: dict = None
    path_values: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self):
        # As text: of an API without binary media types every payload is taken for UTF-8.
        self.body = self.request.get_data()
        self.headers = {name: value for name, value in self.request.headers.items() if name.lower() not in DROPPED}
        self.query = query_of(self.request)
        self.context = context_of(self)

    def header(self, name, default=None):
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), default)

    def text(self):
        return self.body.decode("utf-8", "replace")

    def parameters(self):
        """`$input.params()`."""
        last = {name: values[-1] for name, values in self.query.items()}
        return {"path": dict(self.path_values), "querystring": last, "header": dict(self.headers)}

    def note(self, line):
        """A line of the execution log."""
        self.notes.append(line)

    @property
    def integration(self):
        return self.method.get("methodIntegration") or {}

    @property
    def deployed(self):
        """The resources of the deployment that the stage shows."""
        deployment = self.api["deployments"].get(self.stage["deploymentId"])
        return deployment["_snapshot"] if deployment else {}


def query_of(request):
    values = {}
    for name, value in parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def context_of(invocation):
    """Source: API Gateway Developer Guide, "Variables for data transformations", table of `$context` variables."""
    call, stage, request, seconds = invocation.call, invocation.stage, invocation.request, world.time()
    moment = datetime.fromtimestamp(seconds, UTC)
    api_id = invocation.api["record"]["id"]
    return {
        "accountId": call.account,
        "apiId": api_id,
        "deploymentId": stage["deploymentId"],
        "domainName": f"{api_id}.execute-api.{call.region}.amazonaws.com",
        "domainPrefix": api_id,
        "extendedRequestId": new_id(15) + "=",
        "httpMethod": request.method,
        "identity": {
            "sourceIp": request.environ.get("REMOTE_ADDR", "127.0.0.1"),
            "userAgent": request.headers.get("User-Agent"),
        },
        "path": f"/{stage['stageName']}{invocation.path}",
        "protocol": "HTTP/1.1",
        "requestId": new_request_id(),
        "requestTime": f"{moment:%d/%b/%Y:%H:%M:%S +0000}",
        "requestTimeEpoch": int(seconds * 1000),
        "stage": stage["stageName"],
        "rawPath": raw_path(request),
    }


@behaviour(
    "apigateway",
    says="a path or a method that is not there is answered as a missing token is: 403",
    source="API Gateway Developer Guide: Gateway response types; localstack/localstack test_routing_not_found",
)
def route(invocation):
    """Finds resource and method. What does not exist is answered as what nobody is logged in for.

    A path part that is written out is preferred to a parameter, and that to a greedy one. The values of parameters stay
    as they were sent, nothing decoded. Recorded: localstack/localstack, test_apigateway_common.snapshot.json,
    test_routing_not_found; test_apigateway_lambda.snapshot.json, test_lambda_aws_proxy_integration (`test%2Balias`).
    """
    found = [
        (values, resource) for resource in invocation.deployed.values() for values in fits(resource, invocation.path)
    ]
    found.sort(key=lambda one: preference(one[1]["path"]))
    if found:
        invocation.path_values, invocation.resource = found[0]
        methods = invocation.resource["resourceMethods"]
        invocation.method = methods.get(invocation.request.method) or methods.get("ANY")
    if invocation.method is None:
        refuse("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    invocation.context |= {"resourcePath": invocation.resource["path"], "resourceId": invocation.resource["id"]}
    invocation.context["operationName"] = invocation.method.get("operationName")


def preference(path):
    """Less is better, part by part."""
    return [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in path.split("/")]


def fits(resource, path):
    """The values of the parameters in a resource's path, once, if a path fits."""
    wanted, given = parts(resource["path"]), parts(path)
    values = {}
    for index, part in enumerate(wanted):
        if part.endswith("+}") and len(given) > index:
            yield values | {part[1:-2]: "/".join(given[index:])}
            return
        if index >= len(given) or (not part.startswith("{") and part != given[index]):
            return
        if part.startswith("{"):
            values[part[1:-1]] = given[index]
    if len(wanted) == len(given):
        yield values


def parts(path):
    return path.strip("/").split("/") if path.strip("/") else []


@behaviour(
    "apigateway",
    says="a payload over 10 MB is answered 413",
    source="API Gateway Developer Guide: Quotas for configuring and running a REST API",
)
def check_size(invocation):
    """Source: LARGEST_PAYLOAD; answered as "Request Too Long", 413."""
    if len(invocation.body) > LARGEST_PAYLOAD:
        refuse("REQUEST_TOO_LARGE", "Request Too Long")
