"""Where REST APIs are kept, and what all their calls have in common."""

from ...registry import AwsError
from ...world import new_name


def apis(call):
    return call.shelf("apigateway.apis")


def usage_plans(call):
    return call.shelf("apigateway.usage-plans")


def api_keys(call):
    return call.shelf("apigateway.api-keys")


def vpc_links(call):
    return call.shelf("apigateway.vpc-links")


def account(call):
    return call.shelf("apigateway.account")


def fresh_id(taken=(), length=10):
    while True:
        made = new_name(length)
        if made not in taken:
            return made


def found(shelf, key, what, words="Invalid {} identifier specified"):
    if key not in shelf:
        raise AwsError("NotFoundException", words.format(what))
    return shelf[key]


def api_of(call):
    rest_api_id = call.params["restApiId"]
    known = apis(call)
    if rest_api_id not in known:
        raise AwsError("NotFoundException", f"Invalid API identifier specified {call.account}:{rest_api_id}")
    return known[rest_api_id]


def listed(call, items, default=25):
    """A page, with the position of the next: API Gateway's habit, and the same in all its lists."""
    start = int(call.get("position") or 0)
    size = min(int(call.get("limit") or default), 500)
    more = {"position": str(start + size)} if start + size < len(items) else {}
    return {"items": items[start : start + size]} | more


def present(record):
    """AWS leaves out what was never set, rather than answering it empty."""
    return {key: value for key, value in record.items() if value not in (None, {}, []) and not key.startswith("_")}
