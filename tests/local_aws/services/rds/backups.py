"""The snapshots that RDS takes of a database by itself, in its nights. How far back one can go is in `retained.py`."""

from datetime import timedelta

from ...nights import moments, nightly
from ...registry import behaviour, now
from ...rows import DAY, age, copied
from .retained import kept_of_clusters, kept_of_instances
from .shared import cluster_snapshots, clusters, instances, snapshots, tags
from .snapshots import take_cluster_snapshot, take_snapshot

CLUSTERS = ("DBClusterSnapshotIdentifier", "DBClusterSnapshotArn", "cluster-snapshot", "DbClusterResourceId")
INSTANCES = ("DBSnapshotIdentifier", "DBSnapshotArn", "snapshot", "DbiResourceId")


def is_backed_up(instance):
    """A member's data are its cluster's."""
    return not instance.get("DBClusterIdentifier") and instance["BackupRetentionPeriod"] > 0


@nightly
def back_up(call, nights):
    for kept in (*kept_of_clusters(call).values(), *kept_of_instances(call).values()):
        age(kept, nights * DAY)
    of_clusters = [(cluster, cluster["Status"], cluster["DBClusterIdentifier"]) for cluster in clusters(call).values()]
    of_instances = [
        (instance, instance["DBInstanceStatus"], instance["DBInstanceIdentifier"])
        for instance in instances(call).values()
        if is_backed_up(instance)
    ]
    for shelf, fields, take, databases in (
        (cluster_snapshots(call), CLUSTERS, take_cluster_snapshot, of_clusters),
        (snapshots(call), INSTANCES, take_snapshot, of_instances),
    ):
        for snapshot in list(shelf.values()):
            grow_older(call, shelf, fields, snapshot, nights)
        for database, status, name in databases:
            age(database, nights * DAY)
            for moment in moments(nights) if status == "available" else ():
                taken = take(call, database, automated_name(name, moment), "automated")
                taken.update(SnapshotCreateTime=moment, Status="available", PercentProgress=100)
                taken["_rows"] = copied(database, moment.timestamp())
            forget_too_old(call, shelf, fields, database)


@behaviour(
    "rds",
    says="a database is copied every night into a snapshot that is named rds:, the database and the time, and kept as many "
    "days as its backups",
    source="Amazon RDS User Guide: Introduction to backups; Amazon Aurora User Guide: Overview of backing up and restoring",
)
def automated_name(name, moment):
    return f"rds:{name}-{moment:%Y-%m-%d-%H-%M}"


def grow_older(call, shelf, fields, snapshot, nights):
    name_field, arn_field, kind, _ = fields
    age(snapshot, nights * DAY)
    snapshot["SnapshotCreateTime"] -= timedelta(days=nights)
    if snapshot["SnapshotType"] != "automated" or not nights:
        return
    known = shelf.pop(snapshot[name_field])
    its_tags = tags(call).pop(known[arn_field], [])
    database = known.get("DBClusterIdentifier") or known["DBInstanceIdentifier"]
    name = automated_name(database, known["SnapshotCreateTime"])
    arn = call.arn("rds", f"{kind}:{name}")
    shelf[name] = known | {name_field: name, arn_field: arn}
    tags(call)[arn] = its_tags


def forget_too_old(call, shelf, fields, database):
    oldest = now() - timedelta(days=database["BackupRetentionPeriod"])
    forget(call, shelf, fields, database, lambda snapshot: snapshot["SnapshotCreateTime"] < oldest)


def forget(call, shelf, fields, database, wanted=lambda snapshot: True):
    name_field, arn_field, _, id_field = fields
    for snapshot in list(shelf.values()):
        same = snapshot["SnapshotType"] == "automated" and snapshot[id_field] == database[id_field]
        if same and wanted(snapshot):
            tags(call).pop(snapshot[arn_field], None)
            del shelf[snapshot[name_field]]


@behaviour(
    "rds",
    says="automated snapshots go with their database",
    source="Amazon RDS API Reference: DeleteDBCluster and DeleteDBInstance, DeleteAutomatedBackups",
)
def go_with_the_cluster(call, cluster):
    forget(call, cluster_snapshots(call), CLUSTERS, cluster)


def go_with_the_instance(call, instance):
    forget(call, snapshots(call), INSTANCES, instance)
