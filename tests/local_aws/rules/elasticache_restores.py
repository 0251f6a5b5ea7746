"""ElastiCache: what a group can be made of."""

from ..registry import rule
from ..services.elasticache.shared import snapshots
from .elasticache import combination, number
from .helpers import invalid


@rule(
    "order",
    "elasticache",
    "CreateReplicationGroup",
    says="a group is made of a snapshot that is there and complete",
    source="Amazon ElastiCache API Reference: CreateReplicationGroup, SnapshotName; of the errors listed there none but "
    "InvalidParameterValue is about it",
)
def snapshot_of_group(call):
    name = call.get("SnapshotName")
    if not name:
        return
    snapshot = snapshots(call).get(name.lower())
    if snapshot is None:
        invalid("elasticache", f"The snapshot {name} does not exist.")
    if snapshot["SnapshotStatus"] not in ("available", "restoring"):
        invalid("elasticache", f"The snapshot {name} is {snapshot['SnapshotStatus']}.")


@rule(
    "order",
    "elasticache",
    "CreateReplicationGroup",
    says="a snapshot is not taken back to an older version, nor from Valkey to Redis OSS, nor into another number of shards",
    source="Amazon ElastiCache API Reference: CreateReplicationGroup, EngineVersion; Amazon ElastiCache User Guide: Restoring "
    "from a backup into a new cache",
)
def snapshot_fits_group(call):
    snapshot = snapshots(call).get((call.get("SnapshotName") or "").lower())
    if snapshot is None:
        return
    engine = call.get("Engine", snapshot["Engine"])
    version = call.get("EngineVersion", snapshot["EngineVersion"])
    if (snapshot["Engine"], engine) == ("valkey", "redis"):
        combination("A snapshot of valkey cannot be restored to redis.")
    if number(version)[:2] < number(snapshot["EngineVersion"])[:2]:
        combination(f"A snapshot of version {snapshot['EngineVersion']} cannot be restored to version {version}.")
    if snapshot.get("NumNodeGroups", 1) == 1 and call.get("NumNodeGroups", 1) != 1:
        combination("A snapshot of one shard cannot be restored to a cluster with more.")
