"""Nights that pass: what AWS copies in them by itself, and what is too old by then.

`POST /_local/nights` lets some pass at once. Only copies, and how far back one can go, get older by that: all else stands
as it did. In each night what AWS backs up by itself is copied, and copies that are older than they are kept for are gone.
"""

from datetime import timedelta

from .registry import Call, now
from .world import world

# What a service does of it: called with an account and a region, as a call, and how many nights pass.
NIGHTLY = []


def nightly(function):
    NIGHTLY.append(function)
    return function


def pass_nights(count):
    if count < 0:
        raise ValueError("nights is a number, 0 or more")
    for account, region in sorted({(account, region) for account, region, _ in world.shelves}):
        call = Call("nights", "Pass", {}, account, region)
        for work in NIGHTLY:
            work(call, count)


def moments(nights):
    """When the backups of these nights are taken, the last of them now."""
    return [now() - timedelta(days=ago) for ago in reversed(range(nights))]
