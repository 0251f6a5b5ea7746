"""Whether a request meets a condition of a listener rule.

Source: Elastic Load Balancing User Guide for Application Load Balancers, "Condition types for listener rules": `*` is
any text, `?` one sign; names of hosts and values of headers are compared without regard to case, paths with it.
"""

import fnmatch
import ipaddress
from urllib.parse import parse_qsl


def fits(condition, arrival):
    return FIELDS[condition["Field"]](condition, arrival)


def values(condition, config):
    return (condition.get(config) or {}).get("Values") or condition.get("Values") or []


def like(text, pattern):
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def host(condition, arrival):
    name = arrival.header("Host").partition(":")[0].lower()
    return any(like(name, wanted.lower()) for wanted in values(condition, "HostHeaderConfig"))


def path(condition, arrival):
    return any(like(arrival.path, wanted) for wanted in values(condition, "PathPatternConfig"))


def header(condition, arrival):
    config = condition["HttpHeaderConfig"]
    found = arrival.header(config["HttpHeaderName"]).lower()
    return any(like(found, wanted.lower()) for wanted in config["Values"])


def method(condition, arrival):
    return arrival.method in values(condition, "HttpRequestMethodConfig")


def query(condition, arrival):
    given = parse_qsl(arrival.query, keep_blank_values=True)
    wanted = (condition.get("QueryStringConfig") or {}).get("Values", [])
    return any(
        like(value, pair["Value"]) and ("Key" not in pair or like(name, pair["Key"]))
        for pair in wanted
        for name, value in given
    )


def source(condition, arrival):
    address = ipaddress.ip_address(arrival.source)
    return any(address in ipaddress.ip_network(block) for block in values(condition, "SourceIpConfig"))


FIELDS = {
    "host-header": host,
    "path-pattern": path,
    "http-header": header,
    "http-request-method": method,
    "query-string": query,
    "source-ip": source,
}
