"""The web ACL: the rules about sizes and rates, and what is counted instead of blocked.

Of AWS's managed groups only the rules with a documented limit are here; what its patterns against injections match
AWS does not publish, and nothing is blocked for it.

Sources: WAF Developer Guide, "AWS Managed Rules baseline rule groups" (the limits), "Overriding rule group actions",
"Rate-based rule statement" (counts each address over a window of 5 minutes by default), "Oversize web request
components"; API Gateway Developer Guide, "Use AWS WAF to protect your REST APIs in API Gateway" (it comes first).
"""

from collections import deque
from dataclasses import dataclass

from ....registry import behaviour
from ....world import world
from ...wafv2 import guards
from .inspection import text_matches
from .refusals import refuse

KB = 1024
# Rules of AWSManagedRulesCommonRuleSet, each with what it blocks.
COMMON = {
    "NoUserAgent_HEADER": lambda seen: not seen.header("user-agent"),
    "SizeRestrictions_QUERYSTRING": lambda seen: len(seen.query) > 2 * KB,
    "SizeRestrictions_Cookie_HEADER": lambda seen: len(seen.header("cookie")) > 10 * KB,
    "SizeRestrictions_BODY": lambda seen: len(seen.body) > 8 * KB,
    "SizeRestrictions_URIPATH": lambda seen: len(seen.path) > KB,
}
MANAGED = {"AWSManagedRulesCommonRuleSet": COMMON}

counted = {}
world.on_reset.append(counted.clear)


@dataclass
class Seen:
    """What a web ACL sees of a request."""

    source: str
    method: str
    path: str
    query: str
    headers: dict
    body: bytes

    def header(self, name):
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


def pass_through(invocation):
    """Refuses what the web ACL of the stage blocks."""
    call, request = invocation.call, invocation.request
    ending = f"/restapis/{invocation.api['record']['id']}/stages/{invocation.stage['stageName']}"
    arn = next((acl for guarded, acl in guards(call).items() if guarded.endswith(ending)), None)
    if arn is None:
        return
    seen = Seen(
        invocation.context["identity"]["sourceIp"],
        request.method,
        invocation.context["path"],
        request.environ.get("QUERY_STRING", ""),
        dict(request.headers),
        invocation.body,
    )
    blocked = not lets_through(call, arn, seen)
    invocation.context |= {"webaclArn": arn, "wafResponseCode": "WAF_BLOCK" if blocked else "WAF_ALLOW"}
    invocation.context["waf"] = {"status": "403" if blocked else "200"}
    if blocked:
        refuse("WAF_FILTERED", "Forbidden")


def lets_through(call, arn, seen):
    _, _, name, acl_id = arn.rpartition(":")[2].split("/")
    acl = call.backend("wafv2").get_web_acl(None, name, acl_id)
    for rule in sorted(acl.rules, key=lambda rule: rule.priority):
        verdict = verdict_of(rule, seen, (arn, rule.name))
        if verdict in ("Allow", "Block"):
            return verdict == "Allow"
    return "Block" not in acl.default_action


def verdict_of(rule, seen, key):
    """`Allow`, `Block`, or something that lets the next rule decide."""
    group = rule.statement.get("ManagedRuleGroupStatement")
    if group:
        counts_only = "Count" in (rule.override_action or {})
        return "Count" if counts_only else group_verdict(group, seen)
    return next(iter(rule.action or {}), "Count") if matches(rule.statement, seen, key) else None


@behaviour(
    "wafv2",
    says="the common rule set blocks bodies over 8 KB, and what has an override to Count it does not block",
    source="WAF Developer Guide: AWS Managed Rules baseline rule groups",
)
def group_verdict(group, seen):
    if "ScopeDownStatement" in group and not matches(group["ScopeDownStatement"], seen, None):
        return None
    overrides = {o["Name"]: next(iter(o["ActionToUse"])) for o in group.get("RuleActionOverrides") or []}
    overrides |= {rule["Name"]: "Count" for rule in group.get("ExcludedRules") or []}
    actions = [overrides.get(name, "Block") for name, test in MANAGED.get(group["Name"], {}).items() if test(seen)]
    return next((action for action in actions if action in ("Allow", "Block")), None)


def matches(statement, seen, key):
    if "RateBasedStatement" in statement:
        return too_often(statement["RateBasedStatement"], seen, key)
    if "NotStatement" in statement:
        return not matches(statement["NotStatement"]["Statement"], seen, key)
    if "AndStatement" in statement:
        return all(matches(inner, seen, key) for inner in statement["AndStatement"]["Statements"])
    if "OrStatement" in statement:
        return any(matches(inner, seen, key) for inner in statement["OrStatement"]["Statements"])
    return bool({"ByteMatchStatement", "RegexMatchStatement"} & set(statement)) and text_matches(statement, seen)


@behaviour(
    "wafv2",
    says="a rate rule blocks an address that asks more often than its limit within its window",
    source="WAF Developer Guide: Rate-based rule statement",
)
def too_often(statement, seen, key):
    """Whether more than `Limit` requests of this source came within the window, this one included."""
    scope = statement.get("ScopeDownStatement")
    if scope and not matches(scope, seen, key):
        return False
    whose = (key, source_of(statement, seen))
    moments, now = counted.setdefault(whose, deque()), world.time()
    moments.append(now)
    while moments and moments[0] <= now - statement.get("EvaluationWindowSec", 300):
        moments.popleft()
    return len(moments) > statement["Limit"]


def source_of(statement, seen):
    kind = statement.get("AggregateKeyType", "IP")
    if kind == "CONSTANT":
        return "all"
    header = (statement.get("ForwardedIPConfig") or {}).get("HeaderName")
    forwarded = seen.header(header) if kind == "FORWARDED_IP" and header else ""
    return forwarded.split(",")[0].strip() or seen.source
