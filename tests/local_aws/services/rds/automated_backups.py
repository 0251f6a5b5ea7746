"""Automated backups that outlive their database: where its deletion said so, for as long as they were to be kept.

"The default is to remove automated backups immediately after the DB cluster is deleted" (API reference, DeleteDBCluster,
DeleteAutomatedBackups; so it is for DeleteDBInstance).
"""

from ...common import page, picked
from ...meter import DAY, meter, passing
from ...registry import operation
from ...world import world
from .shared import filtered

SHELF = "rds.retained-backups"
OF_CLUSTER = ("Engine", "EngineVersion", "DBClusterIdentifier", "DBClusterArn", "DbClusterResourceId", "KmsKeyId")
OF_INSTANCE = ("Engine", "EngineVersion", "DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "KmsKeyId")


def part_with(call, item, wanted):
    """`wanted` is what the deletion said of DeleteAutomatedBackups."""
    days = item.get("BackupRetentionPeriod", 0)
    if wanted is not False or not days:
        return
    kept = picked(item, *(OF_CLUSTER if "DbClusterResourceId" in item else OF_INSTANCE))
    kept |= {"Status": "retained", "BackupRetentionPeriod": days, "_ends": meter.minute + days * DAY}
    call.shelf(SHELF).setdefault("all", []).append(kept)


@passing
def expire(minute):
    for (_, _, name), shelf in world.shelves.items():
        if name == SHELF:
            shelf["all"] = [kept for kept in shelf.get("all", []) if kept["_ends"] > minute]


def told(call, mark, keys):
    found = [kept for kept in call.shelf(SHELF).get("all", []) if mark in kept]
    found, more = page(call, filtered(call, found, keys), "MaxRecords", "Marker", "Marker")
    return [{key: value for key, value in kept.items() if not key.startswith("_")} for kept in found], more


@operation("rds", "DescribeDBClusterAutomatedBackups")
def describe_db_cluster_automated_backups(call):
    keys = {"status": "Status", "db-cluster-id": "DBClusterIdentifier", "db-cluster-resource-id": "DbClusterResourceId"}
    found, more = told(call, "DbClusterResourceId", keys)
    return {"DBClusterAutomatedBackups": found} | more


@operation("rds", "DescribeDBInstanceAutomatedBackups")
def describe_db_instance_automated_backups(call):
    keys = {"status": "Status", "db-instance-id": "DBInstanceIdentifier", "dbi-resource-id": "DbiResourceId"}
    found, more = told(call, "DbiResourceId", keys)
    return {"DBInstanceAutomatedBackups": found} | more
