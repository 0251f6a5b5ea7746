"""What databases and caches hold: rows, each with the time of its writing.

No call of AWS tells what is in a database, so a test writes and reads by `/_local/rows` (see `stores.py`). What is done to a
database is done to its rows: a rename takes them along, a snapshot has those of its moment, and what is restored begins
with those of the moment that it was restored to.

Time that a test lets pass (`/_local/minutes`, `/_local/nights`) makes what is there older, and moves no clock: whoever asks AWS compares what it
is told with a clock of its own.
"""

from datetime import UTC, datetime

from .registry import now
from .world import world

DAY = 86400
# Where things with rows are, those with a history among them.
WITH_ROWS = ("rds.clusters", "rds.instances", "rds.cluster-snapshots", "rds.snapshots", "rds.kept-cluster-backups")
WITH_ROWS += ("rds.kept-instance-backups", "elasticache.groups", "elasticache.snapshots")


def clock():
    """The time, in seconds since 1970."""
    return now().timestamp()


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def since(item):
    """When its data began: with itself, or earlier where a test says so."""
    made = item.get("ClusterCreateTime") or item.get("InstanceCreateTime")
    return item.get("_since", made.timestamp() if made else clock())


def write(item, values, minutes_ago=0):
    """Writes values by their keys, or removes those that are None. Whatever was written long ago has been there as long."""
    at = clock() - minutes_ago * 60
    entries = item.setdefault("_rows", [])
    entries.extend((at, key, value) for key, value in values.items())
    entries.sort(key=lambda entry: entry[0])
    item["_since"] = min(since(item), at)


def copied(item, at=None):
    """What was written up to that time, or up to now, for another database to begin with."""
    until = clock() if at is None else at
    return [entry for entry in item.get("_rows", []) if entry[0] <= until]


def told(item):
    """Values and the times of their writing, by key."""
    found = {}
    for at, key, value in item.get("_rows", []):
        found[key] = {"value": value, "written": moment(at).isoformat()}
    return {key: row for key, row in found.items() if row["value"] is not None}


def grow_older(minutes):
    """Everything that holds rows."""
    for (_, _, name), shelf in world.shelves.items():
        for item in shelf.values() if name in WITH_ROWS else ():
            age(item, minutes * 60)


def age(item, seconds):
    """One thing with its rows, and with how far back it can be brought."""
    item["_since"] = since(item) - seconds
    item["_rows"] = [(at - seconds, key, value) for at, key, value in item.get("_rows", [])]
    for known in ("_latest", "_until"):
        if known in item:
            item[known] -= seconds
