"""Where RDS keeps its objects. Identifiers are stored in lower case."""

from ...common import find, picked
from ...registry import AwsError, now
from ...world import new_id

# What comes with data beside what a snapshot shows.
KEEPSAKES = (
    "BackupRetentionPeriod",
    "DatabaseName",
    "DBInstanceClass",
    "DBName",
    "Iops",
    "MasterUserSecret",
    "MaxAllocatedStorage",
    "ServerlessV2ScalingConfiguration",
    "StorageEncrypted",
    "StorageThroughput",
    "_password",
    "_port",
)
# What makes a database out of the data of another.
RESTORES = (
    "RestoreDBClusterFromSnapshot",
    "RestoreDBClusterToPointInTime",
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
)


def clusters(call):
    return call.shelf("rds.clusters")


def instances(call):
    return call.shelf("rds.instances")


def subnet_groups(call):
    return call.shelf("rds.subnet-groups")


def cluster_snapshots(call):
    return call.shelf("rds.cluster-snapshots")


def snapshots(call):
    return call.shelf("rds.snapshots")


def proxies(call):
    return call.shelf("rds.proxies")


def tags(call):
    """Tags by ARN, for everything that has some."""
    return call.shelf("rds.tags")


def cluster_of(call, name=None):
    name = (name or call.params["DBClusterIdentifier"]).rpartition(":")[2].lower()
    return find(clusters(call), name, "DBClusterNotFoundFault", f"DBCluster {name} not found.")


def instance_of(call, name=None):
    name = (name or call.params["DBInstanceIdentifier"]).rpartition(":")[2].lower()
    return find(instances(call), name, "DBInstanceNotFound", f"DBInstance {name} not found.")


def subnet_group_of(call, name):
    name = name.lower()
    return find(subnet_groups(call), name, "DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")


def members_of(call, cluster):
    name = cluster["DBClusterIdentifier"]
    return [i for i in instances(call).values() if i.get("DBClusterIdentifier") == name]


def filtered(call, items, keys):
    """Items that meet every filter; each filter lists the values it accepts."""
    for wish in call.get("Filters", []):
        if wish["Name"] not in keys:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {wish['Name']}")
        accepted = [value.rpartition(":")[2].lower() for value in wish["Values"]]
        items = [item for item in items if str(item.get(keys[wish["Name"]], "")).lower() in accepted]
    return items


def visible(call, item, arn):
    out = {key: value for key, value in item.items() if not key.startswith("_") and value is not None}
    return out | {"TagList": tags(call).get(arn, [])}


def security_groups(call, ids):
    return [{"VpcSecurityGroupId": group, "Status": "active"} for group in ids]


def say(call, kind, name, arn, message):
    event = {"SourceIdentifier": name, "SourceType": kind, "Message": message, "Date": now(), "SourceArn": arn}
    call.shelf("rds.events").setdefault("all", []).append(event | {"EventCategories": []})


def host_hash(call):
    """One word in every endpoint of an account and region."""
    return call.shelf("rds.host").setdefault("hash", "c" + new_id(11, "abcdefghijklmnopqrstuvwxyz0123456789"))


def resource_id(prefix):
    return f"{prefix}-{new_id(26, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}"


def keepsake(item):
    """What a snapshot brings back beside what AWS shows of it."""
    return picked(item, *KEEPSAKES)
