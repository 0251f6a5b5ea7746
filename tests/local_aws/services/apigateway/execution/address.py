"""Which stage a request is for.

A client reaches the stage of an API on this server in one of two ways:

- by AWS's own name in the Host header: `Host: {api}.execute-api.{region}.amazonaws.com` and path `/{stage}/students`;
- by a path, where a client cannot choose the header: `/restapis/{api}/{stage}/_user_request_/students`.

Either way a signature is over what was sent.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ....registry import Call
from ....world import world

HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?(:\d+)?")
PATH = re.compile(r"/restapis/(?P<api>[a-z0-9]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?")


@dataclass
class Address:
    api: str
    stage: str
    path: str


def address_of(request):
    """The address in a request, or None for a request to AWS's own endpoints."""
    raw = raw_path(request)
    by_path = PATH.fullmatch(raw)
    if by_path:
        return Address(by_path["api"], by_path["stage"], by_path["path"] or "/")
    by_host = HOST.fullmatch(request.headers.get("Host", "").lower())
    if by_host is None:
        return None
    stage, _, path = raw.lstrip("/").partition("/")
    return Address(by_host["api"], unquote(stage), "/" + path)


def raw_path(request):
    """The path as it was sent, nothing decoded."""
    uri = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    return re.sub(r"^https?://[^/]+", "", uri).partition("?")[0] or "/"


def found(api_id):
    """An API by its id, which is its alone in all accounts and regions, and a call made where it stands."""
    for (account, region, name), shelf in world.shelves.items():
        if name == "apigateway.apis" and api_id in shelf:
            return shelf[api_id], Call("apigateway", "Invoke", {}, account, region)
    return None, None
