"""What AWS does with data stores by itself, every day or whenever it sees fit, while they are in full use: backups in their
window, maintenance, failovers, an on-demand stream that grows. Their status tells, and they take no change meanwhile.

Amazon Aurora User Guide, "Viewing DB cluster status"; Amazon RDS User Guide, "Viewing DB instance status"; ElastiCache API
reference, ReplicationGroup; Kinesis API reference, StreamDescriptionSummary.
"""

from moto.kinesis.models import kinesis_backends

from .life import durations
from .world import world


def on_shelf(wanted):
    return lambda: [item for (_, _, name), items in world.shelves.items() if name == wanted for item in items.values()]


def streams_that_scale():
    backends = (backend for account in kinesis_backends.values() for backend in account.values())
    streams = (vars(stream) for backend in backends for stream in backend.streams.values())
    return [stream for stream in streams if stream["stream_mode"].get("StreamMode") == "ON_DEMAND"]


# By kind: all there are, the field that holds the status, the status at rest, and those in which it is in use.
KINDS = {
    "rds.cluster": (on_shelf("rds.clusters"), "Status", "available", ("backing-up", "failing-over", "maintenance")),
    "rds.instance": (
        on_shelf("rds.instances"),
        "DBInstanceStatus",
        "available",
        ("backing-up", "maintenance", "storage-initialization", "storage-optimization"),
    ),
    "elasticache.replication-group": (on_shelf("elasticache.groups"), "Status", "available", ("snapshotting",)),
    "kinesis.stream": (streams_that_scale, "status", "ACTIVE", ("UPDATING",)),
}


def begin(kind, status):
    """Puts everything of this kind that is at rest into a status, until what AWS does in it has taken its time."""
    if kind not in KINDS:
        raise ValueError(f"AWS is at work by itself on kinds out of {', '.join(KINDS)}")
    items, field, rest, busy = KINDS[kind]
    if status not in busy:
        raise ValueError(f"of {kind} AWS says {', '.join(busy)} while it is in use")
    at_rest = [item for item in items() if item.get(field) == rest]
    for item in at_rest:
        item[field] = status

    def end():
        for item in at_rest:
            if item[field] == status:
                item[field] = rest

    world.clock.later_if_timed(durations["nightly"], end)
    return len(at_rest)
