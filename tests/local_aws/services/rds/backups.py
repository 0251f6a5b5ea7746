"""What RDS keeps of a database by itself: how far back one can go, and the snapshots of its nights."""

from datetime import timedelta

from ...common import page
from ...nights import moments, nightly
from ...registry import AwsError, behaviour, now, operation
from .shared import cluster_snapshots, clusters, filtered, instances, snapshots, tags
from .snapshots import take_cluster_snapshot, take_snapshot

LAG = timedelta(minutes=5)
AT_REST = ("stopping", "stopped", "starting")
CLUSTERS = ("DBClusterSnapshotIdentifier", "DBClusterSnapshotArn", "cluster-snapshot", "DbClusterResourceId")
INSTANCES = ("DBSnapshotIdentifier", "DBSnapshotArn", "snapshot", "DbiResourceId")


@behaviour(
    "rds",
    says="one can go back to any second that is not older than backups are kept for, up to about five minutes ago; while a "
    "database is stopped or misses its key, no second is added",
    source="Amazon Aurora User Guide: Overview of backing up and restoring an Aurora DB cluster; Amazon RDS User Guide: "
    "Restoring a DB instance to a specified time",
)
def restorable(item, made, status):
    first = made - timedelta(days=item.get("_nights", 0))
    first = max(first, now() - timedelta(days=item["BackupRetentionPeriod"]))
    if status not in AT_REST and not status.startswith("inaccessible"):
        item["_latest"] = now() - LAG
    return first, max(first, item.get("_latest", first))


def window_of_cluster(cluster):
    first, last = restorable(cluster, cluster["ClusterCreateTime"], cluster["Status"])
    return {"EarliestRestorableTime": first, "LatestRestorableTime": last}


def window_of_instance(instance):
    first, last = restorable(instance, instance["InstanceCreateTime"], instance["DBInstanceStatus"])
    return {"EarliestTime": first, "LatestTime": last}


def is_backed_up(instance):
    """A member's data are its cluster's."""
    return not instance.get("DBClusterIdentifier") and instance["BackupRetentionPeriod"] > 0


def latest_of_instance(instance):
    return {"LatestRestorableTime": window_of_instance(instance)["LatestTime"]} if is_backed_up(instance) else {}


@nightly
def back_up(call, nights):
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
            database["_nights"] = database.get("_nights", 0) + nights
            for moment in moments(nights) if status == "available" else ():
                taken = take(call, database, automated_name(name, moment), "automated")
                taken.update(SnapshotCreateTime=moment, Status="available", PercentProgress=100)
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


@operation("rds", "DescribeDBClusterAutomatedBackups")
def describe_db_cluster_automated_backups(call):
    keys = {"status": "Status", "db-cluster-id": "DBClusterIdentifier", "db-cluster-resource-id": "DbClusterResourceId"}
    found = [automated_backup_of_cluster(call, cluster) for cluster in clusters(call).values()]
    for given in ("DBClusterIdentifier", "DbClusterResourceId"):
        if call.get(given):
            found = [one for one in found if one[given].lower() == call.params[given].lower()]
    found, more = page(call, filtered(call, found, keys), "MaxRecords", "Marker", "Marker")
    return {"DBClusterAutomatedBackups": found} | more


def automated_backup_of_cluster(call, cluster):
    copied = (
        "DBClusterArn",
        "DbClusterResourceId",
        "DBClusterIdentifier",
        "AllocatedStorage",
        "AvailabilityZones",
        "ClusterCreateTime",
        "MasterUsername",
        "Engine",
        "EngineVersion",
        "EngineMode",
        "Port",
        "PreferredBackupWindow",
        "StorageEncrypted",
        "KmsKeyId",
        "BackupRetentionPeriod",
        "IAMDatabaseAuthenticationEnabled",
    )
    window = window_of_cluster(cluster)
    return {key: cluster[key] for key in copied if cluster.get(key) is not None} | {
        "Region": call.region,
        "RestoreWindow": {
            "EarliestTime": window["EarliestRestorableTime"],
            "LatestTime": window["LatestRestorableTime"],
        },
        "Status": "active",
        "DBClusterAutomatedBackupsArn": call.arn(
            "rds", f"cluster-auto-backup:ab-{cluster['DbClusterResourceId'].partition('-')[2].lower()}"
        ),
        "TagList": tags(call).get(cluster["DBClusterArn"], []),
    }


@operation("rds", "DescribeDBInstanceAutomatedBackups")
def describe_db_instance_automated_backups(call):
    keys = {
        "db-instance-id": "DBInstanceIdentifier",
        "dbi-resource-id": "DbiResourceId",
        "status": "Status",
        "db-instance-automated-backups-arn": "DBInstanceAutomatedBackupsArn",
    }
    found = [automated_backup(call, instance) for instance in instances(call).values() if is_backed_up(instance)]
    for given in ("DBInstanceIdentifier", "DbiResourceId", "DBInstanceAutomatedBackupsArn"):
        if call.get(given):
            found = [one for one in found if one[given].lower() == call.params[given].lower()]
    asked = call.get("DBInstanceIdentifier") or call.get("DbiResourceId")
    if asked and not found:
        raise AwsError("DBInstanceAutomatedBackupNotFound", f"DBInstanceAutomatedBackup {asked} not found.")
    found, more = page(call, filtered(call, found, keys), "MaxRecords", "Marker", "Marker")
    return {"DBInstanceAutomatedBackups": found} | more


def automated_backup(call, instance):
    copied = (
        "DBInstanceArn",
        "DbiResourceId",
        "DBInstanceIdentifier",
        "AllocatedStorage",
        "AvailabilityZone",
        "InstanceCreateTime",
        "MasterUsername",
        "Engine",
        "EngineVersion",
        "LicenseModel",
        "StorageType",
        "KmsKeyId",
        "BackupRetentionPeriod",
        "BackupTarget",
        "IAMDatabaseAuthenticationEnabled",
    )
    return {key: instance[key] for key in copied if instance.get(key) is not None} | {
        "Region": call.region,
        "RestoreWindow": window_of_instance(instance),
        "Status": "creating" if instance["DBInstanceStatus"] == "creating" else "active",
        "Port": instance["_port"],
        "Encrypted": instance["StorageEncrypted"],
        "DBInstanceAutomatedBackupsArn": call.arn("rds", f"auto-backup:ab-{instance['DbiResourceId'][3:].lower()}"),
        "TagList": tags(call).get(instance["DBInstanceArn"], []),
    }
