"""What is left of a try, asked of AWS by tests/sweep.py and nobody else."""

import json

import sweep

# What AWS keeps for a while by law of its own, and charges nothing for.
KEPT = {"kms.key-pending-deletion"}
SCHEDULED = "scheduled for deletion"


def look(endpoint, region):
    """Every object in the account that tapctl could have made, by kind."""
    return sweep.collect(sweep.Account(endpoint, region, deep=False))


def identity(kind, item):
    return kind, item["id"]


def left(before, after, words):
    """(what is ours and left, what AWS keeps of ours for a while, what is new in the account and may be anybody's).

    Ours is what mentions one of `words`: the environment's name, and the ids of what bears none."""
    known = {identity(kind, item) for kind, items in before.items() for item in items}
    ours, kept, new = [], [], []
    for kind, items in after.items():
        for item in items:
            line = f"{kind} {item['name']}" + (f" ({item['id']})" if item["id"] != item["name"] else "")
            mentioned = json.dumps(item, default=str)
            if any(word in mentioned for word in words):
                waits = kind in KEPT or item.get("state") == SCHEDULED
                (kept if waits else ours).append(line)
            elif identity(kind, item) not in known:
                (kept if kind in KEPT else new).append(line)
    return ours, kept, new
