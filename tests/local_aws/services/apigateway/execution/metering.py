"""API keys, usage plans and throttling.

Sources: API Gateway Developer Guide, "Usage plans and API keys for REST APIs", "Throttle requests to your REST APIs for
better throughput in API Gateway" (the order of limits: per client and method in a usage plan, per client, per method of
the stage). Buckets refill in real time, whatever the speed of everything else.
"""

import time
from datetime import UTC, datetime

from ....registry import behaviour
from ....world import world
from ..shared import api_keys, usage_plans
from .refusals import refuse

buckets, used = {}, {}


def forget():
    buckets.clear()
    used.clear()


world.on_reset.append(forget)


def meter(invocation):
    """Refuses a call without its key, beyond its plan, or beyond what the stage lets through."""
    if invocation.method.get("apiKeyRequired"):
        key = key_of(invocation)
        plan, stage = plan_of(invocation, key)
        if plan is None:
            refuse("INVALID_API_KEY", "Forbidden")
        invocation.context["identity"] |= {"apiKey": key["value"], "apiKeyId": key["id"]}
        method = f"{invocation.resource['path']}/{invocation.request.method}"
        whose = (plan["id"], key["id"])
        spend((*whose, method), (stage.get("throttle") or {}).get(method))
        spend(whose, plan.get("throttle"))
        count(whose, plan.get("quota"))
    spend(*stage_limit(invocation))


@behaviour(
    "apigateway",
    says="a method that requires a key is called with the value of an enabled one whose plan has the stage",
    source="API Gateway Developer Guide: Usage plans and API keys for REST APIs",
)
def key_of(invocation):
    """The key in the header, if there is one of that value and it is enabled."""
    value = invocation.header("x-api-key")
    found = [key for key in api_keys(invocation.call).values() if key["value"] == value and key["enabled"]]
    if not found:
        refuse("INVALID_API_KEY", "Forbidden")
    return found[0]


def plan_of(invocation, key):
    """The plan that lets a key into this stage, and what it says about the stage."""
    wanted = (invocation.api["record"]["id"], invocation.stage["stageName"])
    for plan in usage_plans(invocation.call).values():
        for stage in plan["apiStages"] if key["id"] in plan["_keys"] else ():
            if (stage["apiId"], stage["stage"]) == wanted:
                return plan, stage
    return None, None


def stage_limit(invocation):
    """The bucket of a method in its stage, and its size and speed; settings for a method go before those for all."""
    settings = invocation.stage["methodSettings"]
    path = invocation.resource["path"].replace("/", "~1")
    name = next((n for n in (f"{path}/{invocation.request.method}", "*/*") if n in settings), None)
    whose = (invocation.api["record"]["id"], invocation.stage["stageName"], name)
    if name is None:
        return whose, None
    found = settings[name]
    return whose, {"rateLimit": found["throttlingRateLimit"], "burstLimit": found["throttlingBurstLimit"]}


@behaviour(
    "apigateway",
    says="beyond burst and rate of plan, method or stage callers get 429",
    source="API Gateway Developer Guide: Throttle requests to your REST APIs",
)
def spend(whose, limit):
    """Takes a token from a bucket of `burstLimit`, into which `rateLimit` fall a second."""
    if not limit or "rateLimit" not in limit:
        return
    now, rate = time.monotonic(), limit["rateLimit"]
    size = limit.get("burstLimit", rate)
    left, since = buckets.get(whose, (size, now))
    left = min(size, left + (now - since) * rate)
    buckets[whose] = (left - 1 if left >= 1 else left, now)
    if left < 1:
        refuse("THROTTLED", "Too Many Requests")


PERIODS = {"DAY": "%Y-%j", "WEEK": "%G-%V", "MONTH": "%Y-%m"}


@behaviour(
    "apigateway",
    says="beyond the quota of a plan callers get 429",
    source="API Gateway Developer Guide: Usage plans and API keys for REST APIs",
)
def count(whose, quota):
    """A quota begins anew with each day, week or month of UTC."""
    if not quota:
        return
    period = datetime.fromtimestamp(world.time(), UTC).strftime(PERIODS[quota["period"]])
    so_far = used.get((*whose, period), 0)
    if so_far >= quota["limit"]:
        refuse("QUOTA_EXCEEDED", "Limit Exceeded")
    used[(*whose, period)] = so_far + 1
