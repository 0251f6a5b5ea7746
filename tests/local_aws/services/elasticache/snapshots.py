"""Snapshots of replication groups. Those that people take outlive the group; those of the nights go with it."""

from dataclasses import replace
from datetime import timedelta

from ...common import find, page, picked, require_unique
from ...life import later
from ...nights import moments, nightly
from ...registry import AwsError, behaviour, now, operation
from ...rows import DAY, age, copied
from .shared import group_of, groups, shown, snapshots, tags

COPIED = ("Engine", "CacheNodeType", "SnapshotRetentionLimit", "SnapshotWindow", "AutomaticFailover", "KmsKeyId")
# What a caller says of where snapshots come from, as the snapshots say it.
SOURCES = {"system": "automated", "user": "manual"}


def take(call, group, name, source="manual", moment=None, member=None):
    """Of the group or, where that has no shards of its own, of one of its members."""
    name = name.lower()
    message = f"The snapshot name {name} is already in use."
    require_unique(snapshots(call), name, "SnapshotAlreadyExistsFault", message)
    arn = call.arn("elasticache", f"snapshot:{name}")
    node = {
        "NodeGroupId": "0001",
        "CacheClusterId": member or group["SnapshottingClusterId"],
        "CacheSize": "3 MB",
        "SnapshotCreateTime": moment or now(),
    }
    snapshots(call)[name] = {
        "SnapshotName": name,
        "_group": group["ReplicationGroupId"],
        "SnapshotStatus": "available",
        "SnapshotSource": source,
        "EngineVersion": group["_version"],
        "CacheSubnetGroupName": group["_subnet_group"],
        "Port": group["_port"],
        "NodeSnapshots": [node],
        "ARN": arn,
        "_rows": copied(group, moment.timestamp() if moment else None),
    } | whose(group, member) | {key: group[key] for key in COPIED if key in group}
    tags(call)[arn] = call.get("Tags", [])
    return snapshots(call)[name]


def whose(group, member):
    if member:
        return {"CacheClusterId": member}
    return {
        "ReplicationGroupId": group["ReplicationGroupId"],
        "ReplicationGroupDescription": group["Description"],
        "NumNodeGroups": group["_shards"],
    }


def group_of_member(call):
    wanted = call.params["CacheClusterId"].lower()
    for group in groups(call).values():
        if wanted in [member["CacheClusterId"] for member in group["_members"]]:
            return group, wanted
    raise AwsError("CacheClusterNotFound", f"CacheCluster {wanted} not found.")


@behaviour(
    "elasticache",
    says="a snapshot takes a while, in which it is creating and its group snapshotting",
    source="Amazon ElastiCache API Reference: Snapshot, SnapshotStatus; ReplicationGroup, Status",
)
def take_in_time(group, snapshot):
    snapshot["SnapshotStatus"], group["Status"] = "creating", "snapshotting"

    def arrive():
        snapshot["SnapshotStatus"] = "available"
        if group["Status"] == "snapshotting":
            group["Status"] = "available"

    later("elasticache.snapshot", arrive)


def at_rest(group):
    if group["Status"] != "available":
        message = f"Replication group {group['ReplicationGroupId']} is not in available state: {group['Status']}."
        raise AwsError("InvalidReplicationGroupState", message)


def snapshot_of(call):
    name = call.params["SnapshotName"].lower()
    return find(snapshots(call), name, "SnapshotNotFoundFault", f"Snapshot {name} not found.")


def with_snapshot(call):
    """The call, with engine and version of the snapshot that a new group is made of where it names none."""
    snapshot = snapshots(call).get((call.get("SnapshotName") or "").lower())
    if snapshot is None:
        return call
    stays = call.get("Engine", snapshot["Engine"]) == snapshot["Engine"]
    return replace(call, params=picked(snapshot, "Engine", *(["EngineVersion"] if stays else [])) | call.params)


@behaviour(
    "elasticache",
    says="a group that is made of a snapshot has its data; the snapshot is `restoring` meanwhile, and stays",
    source="Amazon ElastiCache API Reference: CreateReplicationGroup, SnapshotName",
)
def seed(call, group):
    """What to do once the group is there."""
    snapshot = snapshots(call).get((call.get("SnapshotName") or "").lower())
    if snapshot is None:
        return lambda: None
    group["_rows"] = copied(snapshot)
    snapshot["SnapshotStatus"] = "restoring"
    return lambda: snapshot.update(SnapshotStatus="available")


@operation("elasticache", "CreateSnapshot")
def create_snapshot(call):
    group, member = group_of_member(call) if call.get("CacheClusterId") else (group_of(call), None)
    at_rest(group)
    snapshot = take(call, group, call.params["SnapshotName"], member=member)
    take_in_time(group, snapshot)
    return {"Snapshot": shown(snapshot)}


@operation("elasticache", "DescribeSnapshots")
def describe_snapshots(call):
    found = [snapshot_of(call)] if call.get("SnapshotName") else list(snapshots(call).values())
    for given in ("ReplicationGroupId", "CacheClusterId"):
        if call.get(given):
            wanted = call.params[given].lower()
            found = [snapshot for snapshot in found if snapshot.get(given) == wanted]
    if call.get("SnapshotSource"):
        source = SOURCES.get(call.params["SnapshotSource"])
        found = [snapshot for snapshot in found if snapshot["SnapshotSource"] == source]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"Snapshots": [shown(snapshot) for snapshot in found]} | more


@operation("elasticache", "DeleteSnapshot")
def delete_snapshot(call):
    snapshot = snapshot_of(call)
    forget(call, snapshot)
    return {"Snapshot": shown(snapshot) | {"SnapshotStatus": "deleting"}}


def forget(call, snapshot):
    del snapshots(call)[snapshot["SnapshotName"]]
    tags(call).pop(snapshot["ARN"], None)


def taken(snapshot):
    return snapshot["NodeSnapshots"][0]["SnapshotCreateTime"]


def automated(call, group):
    name = group["ReplicationGroupId"]
    mine = [snapshot for snapshot in snapshots(call).values() if snapshot["_group"] == name]
    return [snapshot for snapshot in mine if snapshot["SnapshotSource"] == "automated"]


@nightly
def back_up(call, nights):
    for snapshot in list(snapshots(call).values()):
        age(snapshot, nights * DAY)
        snapshot["NodeSnapshots"][0]["SnapshotCreateTime"] -= timedelta(days=nights)
        rename(call, snapshot, nights)
    for group in groups(call).values():
        age(group, nights * DAY)
        keeps = group["SnapshotRetentionLimit"]
        for moment in moments(nights) if keeps and group["Status"] == "available" else ():
            member = None if group["ClusterEnabled"] else group["SnapshottingClusterId"]
            name = automated_name(member or group["ReplicationGroupId"], moment)
            take(call, group, name, "automated", moment, member)
        for snapshot in automated(call, group):
            if taken(snapshot) < now() - timedelta(days=keeps):
                forget(call, snapshot)


def rename(call, snapshot, nights):
    """An automated one is named by the time at which it was taken, which is another now."""
    if snapshot["SnapshotSource"] == "automated" and nights:
        forget(call, snapshot)
        name = automated_name(snapshot.get("CacheClusterId") or snapshot["ReplicationGroupId"], taken(snapshot))
        arn = call.arn("elasticache", f"snapshot:{name}")
        snapshots(call)[name] = snapshot | {"SnapshotName": name, "ARN": arn}
        tags(call)[arn] = []


@behaviour(
    "elasticache",
    says="a group that keeps snapshots is copied every night into one that is named automatic., the member that it was taken of "
    "and the time, tells that member and not the group, and goes with the group",
    source="AWS CLI Command Reference: elasticache describe-snapshots, its example; Amazon ElastiCache User Guide: Scheduling "
    "automatic backups",
)
def automated_name(name, moment):
    return f"automatic.{name}-{moment:%Y-%m-%d-%H-%M}"


def go_with_the_group(call, group):
    for snapshot in automated(call, group):
        forget(call, snapshot)
