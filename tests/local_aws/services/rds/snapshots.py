"""Snapshots of clusters and of instances."""

from ...common import find, page, picked, require_unique
from ...life import conclude, durations
from ...registry import now, operation
from ...rows import copied
from ...world import world
from .shared import cluster_of, cluster_snapshots, filtered, instance_of, keepsake, snapshots, tags, visible

FROM_CLUSTER = (
    "AvailabilityZones",
    "Engine",
    "EngineMode",
    "AllocatedStorage",
    "Port",
    "ClusterCreateTime",
    "MasterUsername",
    "EngineVersion",
    "StorageEncrypted",
    "KmsKeyId",
    "IAMDatabaseAuthenticationEnabled",
    "DbClusterResourceId",
    "DBClusterIdentifier",
)
FROM_INSTANCE = (
    "DBInstanceIdentifier",
    "Engine",
    "AllocatedStorage",
    "AvailabilityZone",
    "InstanceCreateTime",
    "MasterUsername",
    "EngineVersion",
    "StorageType",
    "KmsKeyId",
    "DbiResourceId",
)


def take_shape(snapshot, name):
    """A snapshot that fails stays, and its name with it, until it is deleted."""
    good, bad = {"Status": "available", "PercentProgress": 100}, {"Status": "failed"}
    conclude("rds.snapshot", "rds.snapshot", name, lambda: snapshot.update(good), lambda _: snapshot.update(bad))


def after_the_last(snapshot, goes, stays):
    """What becomes of a database once its last snapshot, where one is taken, has ended: it goes or, where the snapshot
    failed, it stays. No page of AWS tells of the latter; that it goes all the same is the one thing that cannot be."""
    status = snapshot["Status"] if snapshot else "available"
    if status == "creating":
        world.clock.later_if_timed(durations["rds.snapshot"], lambda: after_the_last(snapshot, goes, stays))
        return
    (stays if status == "failed" else goes)()


def take_cluster_snapshot(call, cluster, name, kind="manual"):
    name = name.lower()
    message = f"DB Cluster Snapshot {name} already exists."
    require_unique(cluster_snapshots(call), name, "DBClusterSnapshotAlreadyExistsFault", message)
    arn = call.arn("rds", f"cluster-snapshot:{name}")
    snapshot = picked(cluster, *FROM_CLUSTER) | {
        "DBClusterSnapshotIdentifier": name,
        "DBClusterSnapshotArn": arn,
        "SnapshotCreateTime": now(),
        "SnapshotType": kind,
        "Status": "creating",
        "PercentProgress": 0,
        "_source": keepsake(cluster),
        "_rows": copied(cluster),
    }
    cluster_snapshots(call)[name] = snapshot
    tags(call)[arn] = tags(call).get(cluster["DBClusterArn"], []) if cluster["CopyTagsToSnapshot"] else []
    take_shape(snapshot, name)
    return snapshot


def take_snapshot(call, instance, name, kind="manual"):
    name = name.lower()
    require_unique(snapshots(call), name, "DBSnapshotAlreadyExists", f"DB Snapshot {name} already exists.")
    arn = call.arn("rds", f"snapshot:{name}")
    snapshot = picked(instance, *FROM_INSTANCE) | {
        "DBSnapshotIdentifier": name,
        "DBSnapshotArn": arn,
        "SnapshotCreateTime": now(),
        "SnapshotType": kind,
        "Status": "creating",
        "PercentProgress": 0,
        "Encrypted": instance["StorageEncrypted"],
        "_source": keepsake(instance),
        "_rows": copied(instance),
    }
    snapshots(call)[name] = snapshot
    tags(call)[arn] = tags(call).get(instance["DBInstanceArn"], []) if instance["CopyTagsToSnapshot"] else []
    take_shape(snapshot, name)
    return snapshot


@operation("rds", "CreateDBClusterSnapshot")
def create_db_cluster_snapshot(call):
    snapshot = take_cluster_snapshot(call, cluster_of(call), call.params["DBClusterSnapshotIdentifier"])
    tags(call)[snapshot["DBClusterSnapshotArn"]] = call.get("Tags", [])
    return {"DBClusterSnapshot": visible(call, snapshot, snapshot["DBClusterSnapshotArn"])}


@operation("rds", "DescribeDBClusterSnapshots")
def describe_db_cluster_snapshots(call):
    found = of_type(call, cluster_snapshots(call).values())
    if call.get("DBClusterSnapshotIdentifier"):
        found = [cluster_snapshot_of(call)]
    if call.get("DBClusterIdentifier"):
        found = [s for s in found if s["DBClusterIdentifier"] == call.params["DBClusterIdentifier"].lower()]
    keys = {"db-cluster-id": "DBClusterIdentifier", "db-cluster-snapshot-id": "DBClusterSnapshotIdentifier"}
    found, more = page(call, filtered(call, found, keys), "MaxRecords", "Marker", "Marker")
    return {"DBClusterSnapshots": [visible(call, s, s["DBClusterSnapshotArn"]) for s in found]} | more


def of_type(call, found):
    """Where nobody says which, all that the account has."""
    return [snapshot for snapshot in found if call.get("SnapshotType") in (None, snapshot["SnapshotType"])]


def bare(reference):
    """The identifier, which may be given as an ARN. Those of automated snapshots have a colon of their own."""
    return (reference.split(":", 6)[-1] if reference.startswith("arn:") else reference).lower()


def cluster_snapshot_of(call):
    name = bare(call.params["DBClusterSnapshotIdentifier"])
    return find(cluster_snapshots(call), name, "DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found")


@operation("rds", "DeleteDBClusterSnapshot")
def delete_db_cluster_snapshot(call):
    snapshot = cluster_snapshot_of(call)
    del cluster_snapshots(call)[snapshot["DBClusterSnapshotIdentifier"]]
    tags(call).pop(snapshot["DBClusterSnapshotArn"], None)
    return {"DBClusterSnapshot": visible(call, snapshot, snapshot["DBClusterSnapshotArn"]) | {"Status": "deleted"}}


@operation("rds", "CreateDBSnapshot")
def create_db_snapshot(call):
    snapshot = take_snapshot(call, instance_of(call), call.params["DBSnapshotIdentifier"])
    tags(call)[snapshot["DBSnapshotArn"]] = call.get("Tags", [])
    return {"DBSnapshot": visible(call, snapshot, snapshot["DBSnapshotArn"])}


@operation("rds", "DescribeDBSnapshots")
def describe_db_snapshots(call):
    found = of_type(call, snapshots(call).values())
    if call.get("DBSnapshotIdentifier"):
        found = [snapshot_of(call)]
    if call.get("DBInstanceIdentifier"):
        found = [s for s in found if s["DBInstanceIdentifier"] == call.params["DBInstanceIdentifier"].lower()]
    keys = {"db-instance-id": "DBInstanceIdentifier", "db-snapshot-id": "DBSnapshotIdentifier"}
    found, more = page(call, filtered(call, found, keys), "MaxRecords", "Marker", "Marker")
    return {"DBSnapshots": [visible(call, s, s["DBSnapshotArn"]) for s in found]} | more


def snapshot_of(call):
    name = bare(call.params["DBSnapshotIdentifier"])
    return find(snapshots(call), name, "DBSnapshotNotFound", f"DBSnapshot {name} not found.")


@operation("rds", "DeleteDBSnapshot")
def delete_db_snapshot(call):
    snapshot = snapshot_of(call)
    del snapshots(call)[snapshot["DBSnapshotIdentifier"]]
    tags(call).pop(snapshot["DBSnapshotArn"], None)
    return {"DBSnapshot": visible(call, snapshot, snapshot["DBSnapshotArn"]) | {"Status": "deleted"}}
