"""Snapshots of replication groups. Those that people take outlive the group."""

from ...common import find, page, require_unique
from ...registry import now, operation
from .shared import group_of, shown, snapshots, tags

COPIED = ("Engine", "CacheNodeType", "SnapshotRetentionLimit", "SnapshotWindow", "AutomaticFailover", "KmsKeyId")


def take(call, group, name):
    name = name.lower()
    message = f"The snapshot name {name} is already in use."
    require_unique(snapshots(call), name, "SnapshotAlreadyExistsFault", message)
    arn = call.arn("elasticache", f"snapshot:{name}")
    snapshots(call)[name] = {
        "SnapshotName": name,
        "ReplicationGroupId": group["ReplicationGroupId"],
        "ReplicationGroupDescription": group["Description"],
        "SnapshotStatus": "available",
        "SnapshotSource": "manual",
        "EngineVersion": group["_version"],
        "NumNodeGroups": group["_shards"],
        "CacheSubnetGroupName": group["_subnet_group"],
        "Port": group["_port"],
        "NodeSnapshots": [{"NodeGroupId": "0001", "CacheSize": "3 MB", "SnapshotCreateTime": now()}],
        "ARN": arn,
    } | {key: group[key] for key in COPIED if key in group}
    tags(call)[arn] = call.get("Tags", [])
    return snapshots(call)[name]


def snapshot_of(call):
    name = call.params["SnapshotName"].lower()
    return find(snapshots(call), name, "SnapshotNotFoundFault", f"Snapshot {name} not found.")


@operation("elasticache", "CreateSnapshot")
def create_snapshot(call):
    return {"Snapshot": shown(take(call, group_of(call), call.params["SnapshotName"]))}


@operation("elasticache", "DescribeSnapshots")
def describe_snapshots(call):
    found = [snapshot_of(call)] if call.get("SnapshotName") else list(snapshots(call).values())
    if call.get("ReplicationGroupId"):
        wanted = call.params["ReplicationGroupId"].lower()
        found = [snapshot for snapshot in found if snapshot["ReplicationGroupId"] == wanted]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"Snapshots": [shown(snapshot) for snapshot in found]} | more


@operation("elasticache", "DeleteSnapshot")
def delete_snapshot(call):
    snapshot = snapshots(call).pop(snapshot_of(call)["SnapshotName"])
    tags(call).pop(snapshot["ARN"], None)
    return {"Snapshot": shown(snapshot) | {"SnapshotStatus": "deleting"}}
