"""How far back a database can be brought, and the automated backups that make it possible.

A database can be restored to any time within its retention up to five minutes ago (Amazon RDS User Guide, "Restoring a DB
instance to a specified time": "RDS uploads transaction logs … to Amazon S3 every five minutes"; Amazon Aurora User Guide,
"Backing up and restoring": LatestRestorableTime "is typically within the last 5 minutes"). With their database automated
backups are removed at once, unless DeleteAutomatedBackups says false; then they last for the retention that the database had
(API reference, DeleteDBCluster and DeleteDBInstance; Amazon Aurora User Guide, "Retaining automated backups").
"""

import copy

from ...common import page, picked
from ...registry import AwsError, behaviour, operation
from ...rows import DAY, clock, moment, since
from ...world import new_id
from .shared import clusters, filtered, instances, subnet_groups, tags

BEHIND = 300
DOWN = ("stopping", "stopped", "starting")
OF_CLUSTER = (
    "Engine",
    "DBClusterIdentifier",
    "MasterUsername",
    "DbClusterResourceId",
    "IAMDatabaseAuthenticationEnabled",
    "ClusterCreateTime",
    "StorageEncrypted",
    "AllocatedStorage",
    "EngineVersion",
    "DBClusterArn",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
    "EngineMode",
    "AvailabilityZones",
    "Port",
    "KmsKeyId",
)
OF_INSTANCE = (
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
    "Iops",
    "StorageThroughput",
    "StorageType",
    "KmsKeyId",
    "IAMDatabaseAuthenticationEnabled",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
    "BackupTarget",
    "DedicatedLogVolume",
)
CLUSTER_FILTERS = {
    "status": "Status",
    "db-cluster-id": "DBClusterIdentifier",
    "db-cluster-resource-id": "DbClusterResourceId",
}
INSTANCE_FILTERS = {"status": "Status", "db-instance-id": "DBInstanceIdentifier", "dbi-resource-id": "DbiResourceId"}


@behaviour(
    "rds",
    says="a database can be restored to any time of its retention, up to five minutes ago; while it is down no second is "
    "added, and what a shorter retention dropped does not come back",
    source="Amazon RDS User Guide: Restoring a DB instance to a specified time; Amazon Aurora User Guide: Backups",
)
def window(item):
    """The earliest and the latest time, in seconds since 1970; None where no backups are kept."""
    days = item.get("BackupRetentionPeriod", 0)
    if not days:
        item["_since"] = clock()
        return None
    item["_since"] = max(since(item), clock() - days * DAY)
    status = item.get("Status") or item.get("DBInstanceStatus")
    if status not in DOWN and not status.startswith("inaccessible"):
        item["_latest"] = clock() - BEHIND
    return item["_since"], item.get("_until") or max(item["_since"], item.get("_latest", 0))


def shown_window(item):
    """As DescribeDBClusters and DescribeDBInstances tell it."""
    found = window(item)
    return dict(zip(("EarliestRestorableTime", "LatestRestorableTime"), map(moment, found), strict=True)) if found else {}


def kept_of_clusters(call):
    """By resource id: what is left of clusters that were deleted."""
    return without_expired(call.shelf("rds.kept-cluster-backups"))


def kept_of_instances(call):
    return without_expired(call.shelf("rds.kept-instance-backups"))


def without_expired(shelf):
    for name in [name for name, item in shelf.items() if window(item)[0] > item["_until"]]:
        del shelf[name]
    return shelf


@behaviour(
    "rds",
    says="automated backups go with their database, unless its deletion says otherwise; kept ones last for its retention",
    source="Amazon RDS API Reference: DeleteDBCluster and DeleteDBInstance, DeleteAutomatedBackups",
)
def part_with(call, item):
    """When a database is gone at last; the call is that of its deletion."""
    if call.get("DeleteAutomatedBackups", True) is False and window(item):
        of_cluster = "DbClusterResourceId" in item
        shelf = kept_of_clusters(call) if of_cluster else kept_of_instances(call)
        arn = item["DBClusterArn" if of_cluster else "DBInstanceArn"]
        kept = copy.deepcopy(item) | {"_until": clock(), "_tags": tags(call).get(arn, []), "_vpc": vpc_of(call, item)}
        shelf[item["DbClusterResourceId" if of_cluster else "DbiResourceId"]] = kept


def vpc_of(call, item):
    group = subnet_groups(call).get(item.get("DBSubnetGroup") or item.get("_subnet_group"), {})
    return item.get("_vpc") or group.get("VpcId")


def common(call, item, kind):
    """What backups of clusters and of instances show alike."""
    earliest, latest = window(item)
    item.setdefault("_backup_arn", call.arn("rds", f"{kind}:ab-{new_id(26, 'abcdefghijklmnopqrstuvwxyz234567')}"))
    return {
        "Region": call.region,
        "VpcId": vpc_of(call, item),
        "Status": "retained" if "_until" in item else "active",
        "RestoreWindow": {"EarliestTime": moment(earliest), "LatestTime": moment(latest)},
    }


def of_cluster(call, item):
    more = common(call, item, "cluster-auto-backup") | {"DBClusterAutomatedBackupsArn": item["_backup_arn"]}
    return picked(item, *OF_CLUSTER) | more | {"TagList": item.get("_tags") or tags(call).get(item["DBClusterArn"], [])}


def of_instance(call, item):
    more = common(call, item, "auto-backup") | {"DBInstanceAutomatedBackupsArn": item["_backup_arn"]}
    more |= {"Port": item["_port"], "Encrypted": item["StorageEncrypted"]}
    return picked(item, *OF_INSTANCE) | more | {"TagList": item.get("_tags") or tags(call).get(item["DBInstanceArn"], [])}


@operation("rds", "DescribeDBClusterAutomatedBackups")
def describe_db_cluster_automated_backups(call):
    found = [*clusters(call).values(), *kept_of_clusters(call).values()]
    found = [of_cluster(call, item) for item in found if window(item)]
    found = named(call, found, "DBClusterIdentifier", "DbClusterResourceId", "DBClusterAutomatedBackupNotFoundFault")
    found, more = page(call, filtered(call, found, CLUSTER_FILTERS), "MaxRecords", "Marker", "Marker")
    return {"DBClusterAutomatedBackups": found} | more


@operation("rds", "DescribeDBInstanceAutomatedBackups")
def describe_db_instance_automated_backups(call):
    alone = [item for item in instances(call).values() if not item.get("DBClusterIdentifier")]
    found = [of_instance(call, item) for item in [*alone, *kept_of_instances(call).values()] if window(item)]
    found = named(call, found, "DBInstanceIdentifier", "DbiResourceId", "DBInstanceAutomatedBackupNotFound")
    wanted = call.get("DBInstanceAutomatedBackupsArn")
    found = [item for item in found if wanted in (None, item["DBInstanceAutomatedBackupsArn"])]
    found, more = page(call, filtered(call, found, INSTANCE_FILTERS), "MaxRecords", "Marker", "Marker")
    return {"DBInstanceAutomatedBackups": found} | more


def named(call, found, name, resource, code):
    """Of a name there may be more than one, what stands now and what stood before it, and must be one (API reference,
    DescribeDBInstanceAutomatedBackups, DBInstanceIdentifier)."""
    wanted = {key: call.params[key].lower() for key in (name, resource) if call.get(key)}
    found = [item for item in found if all(item[key].lower() == value for key, value in wanted.items())]
    if wanted and not found:
        raise AwsError(code, f"There is no automated backup of {' '.join(wanted.values())}.")
    return found


@operation("rds", "DeleteDBClusterAutomatedBackup")
def delete_db_cluster_automated_backup(call):
    wanted = call.params["DbClusterResourceId"]
    if any(item["DbClusterResourceId"] == wanted for item in clusters(call).values()):
        message = "Automated backups of a DB cluster that exists cannot be deleted."
        raise AwsError("InvalidDBClusterAutomatedBackupStateFault", message)
    if wanted not in kept_of_clusters(call):
        raise AwsError("DBClusterAutomatedBackupNotFoundFault", f"There is no automated backup of {wanted}.")
    return {"DBClusterAutomatedBackup": of_cluster(call, kept_of_clusters(call).pop(wanted))}


@operation("rds", "DeleteDBInstanceAutomatedBackup")
def delete_db_instance_automated_backup(call):
    wanted, arn = call.get("DbiResourceId"), call.get("DBInstanceAutomatedBackupsArn")
    if any(wanted == item["DbiResourceId"] for item in instances(call).values()):
        message = "Automated backups of a DB instance that exists cannot be deleted."
        raise AwsError("InvalidDBInstanceAutomatedBackupState", message)
    kept = kept_of_instances(call)
    found = [name for name, item in kept.items() if wanted == name or (arn and arn == item.get("_backup_arn"))]
    if not found:
        raise AwsError("DBInstanceAutomatedBackupNotFound", f"There is no automated backup of {wanted or arn}.")
    return {"DBInstanceAutomatedBackup": of_instance(call, kept.pop(found[0]))}
