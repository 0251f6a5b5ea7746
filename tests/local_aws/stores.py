"""Where tests read and write rows: a database, a cache, a snapshot of one, or whatever answers at the name of a host.

By the name of a host a test sees what a client sees: the rows of the database that the name leads to now, or that nobody
answers. What is not up takes no rows, and shows none to a client.
"""

from . import rows
from .registry import Call
from .services.rds import endpoints
from .strangers import ACCOUNT

SHELVES = {
    "cluster": "rds.clusters",
    "instance": "rds.instances",
    "cluster_snapshot": "rds.cluster-snapshots",
    "snapshot": "rds.snapshots",
    "cache": "elasticache.groups",
    "cache_snapshot": "elasticache.snapshots",
}
SELECTORS = (*SHELVES, "host")


def read(wish):
    """The rows of what is named, whether or not it is up; of a host only what a client gets."""
    call, kind, name = asked(wish)
    if kind == "host":
        found = endpoints.reached(call, name)
        return {"answers": found is not None, "rows": rows.told(found) if found is not None else {}}
    return {"answers": up(call, kind, held(call, kind, name)), "rows": rows.told(held(call, kind, name))}


def write(wish):
    call, kind, name = asked(wish)
    minutes_ago = float(wish.get("minutes_ago", 0))
    if kind.endswith("snapshot"):
        raise ValueError("nothing is written to a snapshot")
    item = endpoints.reached(call, name) if kind == "host" else held(call, kind, name)
    if item is None or (not minutes_ago and not up(call, kind, item)):
        raise ValueError(f"{kind} {name} does not answer")
    rows.write(item, wish["rows"], minutes_ago)
    return {"answers": True, "rows": rows.told(item)}


def asked(wish):
    """Whose rows are meant: the call of somebody in that region, what kind of thing it is, and its name."""
    given = [kind for kind in SELECTORS if wish.get(kind)]
    if len(given) != 1:
        raise ValueError(f"rows are of one of {', '.join(SELECTORS)}")
    call = Call("rds", "", {}, wish.get("account", ACCOUNT), wish.get("region", "us-east-1"))
    return call, given[0], wish[given[0]].lower()


def held(call, kind, name):
    shelf = call.shelf(SHELVES[kind])
    if name not in shelf:
        raise ValueError(f"there is no {kind} {name!r}")
    item = shelf[name]
    return call.shelf(SHELVES["cluster"])[item["DBClusterIdentifier"]] if is_member(kind, item) else item


def is_member(kind, item):
    """What an instance of a cluster holds is the cluster's."""
    return kind == "instance" and item.get("DBClusterIdentifier")


def up(call, kind, item):
    if kind == "cache":
        return item["Status"] in ("available", "snapshotting")
    if kind.endswith("snapshot"):
        return False
    return kind == "host" or endpoints.is_up(call, item)
