"""An application load balancer: which listener, rule, target group and target a request meets, and what the balancer
answers where there is none.

Sources: User Guide for Application Load Balancers, "Troubleshoot your Application Load Balancers"
(403 by WAF, 503 without registered targets, 502 and 504 by the target), "Health checks for target groups" (where none
is healthy, requests go to all), "Listener rules" (order, conditions, actions), "Transforms for listener rules",
"HTTP headers and Application Load Balancers" (X-Forwarded-*).
"""

import itertools
import re
from dataclasses import dataclass, replace

from ....registry import behaviour
from ...elbv2 import actions_in_force
from ...wafv2 import guards
from . import firewall, paths
from .conditions import fits
from .refusals import Answer

turns = itertools.count()


@dataclass
class Arrival:
    """A request as it reaches the balancer."""

    method: str
    path: str
    query: str
    headers: dict
    body: bytes
    source: str
    scheme: str

    def header(self, name):
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass
class Hop:
    """A request on its way to a task."""

    address: str
    port: int
    arrival: Arrival


@behaviour(
    "elbv2",
    says="security groups of both sides, and from outside a route, let a connection through",
    source="Amazon VPC User Guide: Security group rules; Enable internet access for a VPC",
)
def reachable(call, balancer, source, port):
    """Whether a connection from there gets to a port of the balancer."""
    if balancer.scheme == "internet-facing" and not source.groups:
        if not all(paths.leads_to_the_internet(call, subnet.id) for subnet in balancer.subnets):
            return False
    inward = paths.allowed(call, balancer.security_groups, "in", port, source.address, source.groups)
    return inward and (not source.groups or paths.may_leave(call, source, balancer, port))


def listener_at(balancer, port):
    return next((one for one in balancer.listeners.values() if int(one.port) == port), None)


def receive(call, balancer, listener, arrival):
    """The hop to a target, or an answer of the balancer's own."""
    if listener.protocol == "HTTPS" and arrival.scheme == "http":
        return own(400, "Bad Request")
    acl = guards(call).get(balancer.arn)
    seen = firewall.Seen(arrival.source, arrival.method, arrival.path, arrival.query, arrival.headers, arrival.body)
    if acl and not firewall.lets_through(call, acl, seen):
        return own(403, "Forbidden")
    rule = rule_for(listener, arrival)
    arrival = replace(arrival, path=rewritten(rule, arrival.path))
    return act(call, balancer, actions_in_force(rule)[-1].data, arrival)


@behaviour(
    "elbv2",
    says="the first rule by priority whose conditions all hold is carried out, or the default one",
    source="Elastic Load Balancing User Guide: Listener rules",
)
def rule_for(listener, arrival):
    """The first by priority whose conditions are all met; the default one has none."""
    ordered = sorted(listener._non_default_rules.values(), key=lambda rule: int(rule.priority))
    found = [rule for rule in ordered if all(fits(condition, arrival) for condition in rule.conditions)]
    return found[0] if found else listener._default_rule[0]


def rewritten(rule, path):
    for transform in getattr(rule, "transforms", None) or []:
        for rewrite in (transform.get("UrlRewriteConfig") or {}).get("Rewrites", []):
            path = re.sub(rewrite["Regex"], re.sub(r"\$(\d)", r"\\\1", rewrite["Replace"]), path, count=1)
    return path


def act(call, balancer, action, arrival):
    if action["Type"] == "fixed-response":
        wish = action["FixedResponseConfig"]
        headers = {"Server": "awselb/2.0", "Content-Type": wish.get("ContentType", "text/plain")}
        return Answer(int(wish["StatusCode"]), headers, wish.get("MessageBody", "").encode())
    if action["Type"] == "redirect":
        return redirect(action["RedirectConfig"], arrival)
    return forward(call, balancer, group_of(call, action), arrival)


def redirect(wish, arrival):
    host, _, port = arrival.header("Host").partition(":")
    known = {
        "protocol": arrival.scheme,
        "host": host,
        "port": port,
        "path": arrival.path.lstrip("/"),
        "query": arrival.query,
    }
    parts = {
        "Protocol": "#{protocol}",
        "Host": "#{host}",
        "Port": "#{port}",
        "Path": "/#{path}",
        "Query": "#{query}",
    } | wish
    part = {n: re.sub(r"#\{(\w+)\}", lambda f: known[f[1]], str(v)) for n, v in parts.items() if n != "StatusCode"}
    query = f"?{part['Query']}" if part["Query"] else ""
    where = f"{part['Protocol'].lower()}://{part['Host']}:{part['Port']}{part['Path']}{query}"
    return own(int(wish["StatusCode"].removeprefix("HTTP_")), "Moved", {"Location": where})


def group_of(call, action):
    """By weight, one after the other."""
    config = (action.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    weighted = [one["TargetGroupArn"] for one in config for _ in range(int(one.get("Weight", 1)))]
    arn = weighted[next(turns) % len(weighted)] if weighted else None
    return call.backend("elbv2").target_groups.get(arn)


@behaviour(
    "elbv2",
    says="without targets the balancer answers 503, and where none of them answers 502 or 504",
    source="Elastic Load Balancing User Guide: Troubleshoot your Application Load Balancers",
)
def forward(call, balancer, group, arrival):
    targets = list(group.targets.values()) if group else []
    if not targets:
        return own(503, "Service Temporarily Unavailable")
    states = [(target, paths.state_of(call, balancer, target)) for target in targets]
    healthy = [target for target, state in states if state == "healthy"]
    if not healthy:
        target, state = states[next(turns) % len(states)]
        return own(504, "Gateway Time-out") if state == "unreachable" else own(502, "Bad Gateway")
    target = healthy[next(turns) % len(healthy)]
    forwarded = {"X-Forwarded-For": arrival.source, "X-Forwarded-Proto": arrival.scheme}
    forwarded["X-Forwarded-Port"] = "443" if arrival.scheme == "https" else "80"
    headers = {name: value for name, value in arrival.headers.items() if not name.lower().startswith("x-forwarded-")}
    return Hop(target["Id"], int(target["Port"]), replace(arrival, headers=headers | forwarded))


def own(status, words, headers=None):
    """An answer of the balancer itself."""
    body = (
        f"<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {words}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status, {"Server": "awselb/2.0", "Content-Type": "text/html"} | (headers or {}), body.encode())
