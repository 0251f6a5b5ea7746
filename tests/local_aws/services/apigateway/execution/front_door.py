"""Requests of anybody on the internet, straight to a load balancer that faces it.

Source: User Guide for Application Load Balancers, "Load balancer scheme": the name of one that faces the internet leads to
public addresses, and whoever has a route and is let in by its groups reaches its listeners.
"""

from urllib.parse import urlsplit

from ....registry import Call
from ....world import world
from ...elbv2 import balancers
from . import balancing, tasks
from .http_endpoint import PORTS, Source

SOMEBODY = "198.51.100.7"


def knock(wish):
    """{status, headers, body} of what somebody gets who sends `method`, `headers` and `body` to `url`."""
    url = urlsplit(wish["url"])
    port = url.port or PORTS[url.scheme]
    with world.lock:
        world.clock.run_due()
        call, balancer = facing_the_internet(url.hostname)
        listener = balancing.listener_at(balancer, port)
        if listener is None or not balancing.reachable(call, balancer, Source(SOMEBODY, ()), port):
            raise ValueError(f"nobody answers at {url.hostname}:{port}")
        headers = {"Host": url.netloc, "User-Agent": "somebody"} | wish.get("headers", {})
        body, method = wish.get("body", "").encode(), wish.get("method", "GET")
        arrival = balancing.Arrival(method, url.path or "/", url.query, headers, body, SOMEBODY, url.scheme)
        answer = balancing.receive(call, balancer, listener, arrival)
    if isinstance(answer, balancing.Hop):
        answer = tasks.ask(answer)
    return {"status": answer.status, "headers": answer.headers, "body": answer.body.decode("utf-8", "replace")}


def facing_the_internet(host):
    """The load balancer of that name, and a call made where it stands."""
    from moto.backends import get_backend

    places = [(account, region) for account, regions in get_backend("elbv2").items() for region in list(regions)]
    for account, region in places:
        call = Call("elbv2", "Invoke", {}, account, region)
        for balancer in balancers(call).values():
            if balancer.scheme == "internet-facing" and balancer.dns_name.lower() == host.lower():
                return call, balancer
    raise ValueError(f"no name on the internet is {host}")
