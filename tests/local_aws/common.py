"""Small things that several services share."""

import copy

from .registry import AwsError


def page(call, items, limit_key, token_in, token_out, default=100):
    """One page of items and the token of the next, as {token_out: …} when there is one."""
    start = int(call.get(token_in) or 0)
    size = int(call.get(limit_key) or default)
    more = {token_out: str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


def find(shelf, key, code, message, **members):
    if key not in shelf:
        raise AwsError(code, message, **members)
    return shelf[key]


def picked(params, *names):
    """The named parameters that were given, copied so that later changes do not reach back into the request."""
    return {name: copy.deepcopy(params[name]) for name in names if params.get(name) is not None}


def with_tags(current, new, key="Key"):
    merged = {tag[key]: dict(tag) for tag in current or []}
    merged.update({tag[key]: dict(tag) for tag in new or []})
    return list(merged.values())


def without_tags(current, names, key="Key"):
    return [tag for tag in current or [] if tag[key] not in names]


def require_unique(shelf, key, code, message, **members):
    if key in shelf:
        raise AwsError(code, message, **members)
