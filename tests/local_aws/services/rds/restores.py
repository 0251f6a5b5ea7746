"""New databases out of old ones: from a snapshot, to a point in time, as a clone.

A restore makes another object, with AWS's defaults wherever the caller is silent: the default security group of the VPC, the
default parameter group, no log exports, no protection, no IAM log-in, and for a cluster neither tags nor members (API
reference, the four operations). Master user, password and database name are those of the data. The password is not
managed any more, and a restored cluster may still show the secret of its source (hashicorp/terraform-provider-aws issue 48901),
which the account's `old_secret_after_restore` decides; with `reboot_after_restore` parameters come into force with a reboot.
"""

import random
from dataclasses import replace

from ...answers import moment
from ...common import find
from ...life import conclude
from ...registry import AwsError, behaviour, operation
from ...rows import clock, copied
from ...world import new_id, world
from . import retained
from .clusters import fail as fail_cluster
from .clusters import new_cluster
from .clusters import shown as shown_cluster
from .instances import arrive, drawn_window, new_standalone, place
from .instances import fail as fail_instance
from .instances import shown as shown_instance
from .shared import cluster_snapshots, clusters, instances, say, snapshots, tags
from .versions import DEFAULT_MAJOR, DEFAULT_MINOR, OFFERED, upgrades

# What comes with the data, whatever the caller says.
OF_THE_DATA = ("MasterUsername", "DatabaseName", "DBName")


def bare(reference):
    """The identifier, which may be given as an ARN. Those of automated snapshots have a colon of their own."""
    return (reference.split(":", 6)[-1] if reference.startswith("arn:") else reference).lower()


def cluster_snapshot_in(call):
    name = bare(call.params["SnapshotIdentifier"])
    message = f"DBClusterSnapshot {name} not found"
    return find(cluster_snapshots(call), name, "DBClusterSnapshotNotFoundFault", message)


def snapshot_in(call):
    name = bare(call.get("DBSnapshotIdentifier") or "")
    return find(snapshots(call), name, "DBSnapshotNotFound", f"DBSnapshot {name} not found.")


def cluster_behind(call):
    """The cluster to restore from, there still or known by its automated backups alone."""
    wanted = call.get("SourceDbClusterResourceId")
    if not wanted:
        name = bare(call.get("SourceDBClusterIdentifier") or "")
        return find(clusters(call), name, "DBClusterNotFoundFault", f"DBCluster {name} not found.")
    known = {item["DbClusterResourceId"]: item for item in clusters(call).values()} | retained.kept_of_clusters(call)
    code = "DBClusterAutomatedBackupNotFoundFault"
    return find(known, wanted, code, f"There is no automated backup of {wanted}.")


def instance_behind(call):
    wanted, arn = call.get("SourceDbiResourceId"), call.get("SourceDBInstanceAutomatedBackupsArn")
    if not wanted and not arn:
        name = bare(call.get("SourceDBInstanceIdentifier") or "")
        return find(instances(call), name, "DBInstanceNotFound", f"DBInstance {name} not found.")
    known = {item["DbiResourceId"]: item for item in instances(call).values()} | retained.kept_of_instances(call)
    wanted = wanted or next((name for name, item in known.items() if item.get("_backup_arn") == arn), arn)
    return find(known, wanted, "DBInstanceAutomatedBackupNotFound", f"There is no automated backup of {wanted}.")


def source_of(call):
    """What a restore begins with; None, for a rule to leave alone, where it is not there."""
    try:
        return SOURCES[call.operation](call)
    except AwsError:
        return None


SOURCES = {
    "RestoreDBClusterFromSnapshot": lambda call: whole(cluster_snapshot_in(call)),
    "RestoreDBClusterToPointInTime": cluster_behind,
    "RestoreDBInstanceFromDBSnapshot": lambda call: whole(snapshot_in(call)),
    "RestoreDBInstanceToPointInTime": instance_behind,
}


def whole(snapshot):
    return snapshot | snapshot.get("_source", {})


def drawn_backup_window(name):
    """Half an hour of the night, drawn by the name and apart from any drawn maintenance window."""
    slot = random.Random(f"{name} backups").randrange(6, 15)
    start, end = (f"{half // 2:02}:{half % 2 * 30:02}" for half in (slot, slot + 1))
    return f"{start}-{end}"


def as_creation(call, name, source, defaults, fixed):
    """The call by which somebody would create what AWS makes of this one."""
    drawn = {"PreferredBackupWindow": drawn_backup_window(name)}
    existing = {"BackupRetentionPeriod": source.get("BackupRetentionPeriod", 1)}
    encrypted = bool(source.get("StorageEncrypted") or call.get("KmsKeyId"))
    fixed = {key: source.get(key) for key in OF_THE_DATA} | fixed | {"StorageEncrypted": encrypted}
    fixed |= {"PreferredMaintenanceWindow": drawn_window(name), "ManageMasterUserPassword": None}
    key = {"KmsKeyId": source["KmsKeyId"]} if encrypted and source.get("KmsKeyId") else {}
    params = drawn | existing | key | defaults | call.params | fixed | {"Engine": source["Engine"]}
    return replace(call, params={key: value for key, value in params.items() if value is not None})


@behaviour(
    "rds",
    says="what is restored has the data of its source, the default security and parameter groups, and neither protection, "
    "log exports, IAM log-in nor a managed password; a cluster has no members and no tags, an instance those of its snapshot",
    source="Amazon RDS API Reference: the four RestoreDB operations; aws/aws-cdk issue 21730, comment of 2023-01-30",
)
def with_data(item, source, at):
    """What a new object has of the data it was made of. `at` is the time that it goes back to, None for all there is."""
    item |= {"_rows": copied(source, at), "_since": clock()}
    if source.get("_password"):
        item["_password"] = source["_password"]
    old = source.get("MasterUserSecret")
    if old and world.account("old_secret_after_restore"):
        item["_old_secret"] = dict(old)
    if world.account("reboot_after_restore"):
        item["_parameters"] = "pending-reboot"


def restore_cluster(call, source, at, defaults, fixed, what="rds.cluster.restore"):
    name = call.params["DBClusterIdentifier"].lower()
    if name in clusters(call):
        raise AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    made = new_cluster(as_creation(call, name, source, defaults, fixed), name)
    with_data(made, source, at)
    made["_restoring"] = True
    clusters(call)[name] = made
    tags(call)[made["DBClusterArn"]] = call.get("Tags", [])
    answer = shown_cluster(call, made)

    def arrive_restored():
        made.update(Status="available", _restoring=False)
        say(call, "db-cluster", name, made["DBClusterArn"], "DB cluster restored")

    conclude(what, "rds.cluster", name, arrive_restored, lambda text: fail_cluster(call, made, text))
    return made, answer


@operation("rds", "RestoreDBClusterFromSnapshot")
def restore_db_cluster_from_snapshot(call):
    source = whole(cluster_snapshot_in(call))
    version = version_for(call, source)
    _, answer = restore_cluster(call, source, None, {"Port": source.get("Port")}, {"EngineVersion": version})
    return {"DBCluster": answer}


def targets(engine, version):
    """The versions that one can be upgraded to."""
    return [one["EngineVersion"] for one in upgrades(engine, version)] if engine in OFFERED else []


@behaviour(
    "rds",
    says="a cluster is restored to the default version of its engine where no other is asked for and its data can go there",
    source="Amazon RDS API Reference: RestoreDBClusterFromSnapshot, EngineVersion",
)
def version_for(call, source):
    """The rule about versions has looked at one that was asked for. What AWS does with data that are newer than its default
    is not told; here they keep their version."""
    engine, has = source["Engine"], source["EngineVersion"]
    default = DEFAULT_MINOR.get(engine, {}).get(DEFAULT_MAJOR, has)
    return call.get("EngineVersion") or (default if default in targets(engine, has) else has)


@operation("rds", "RestoreDBClusterToPointInTime")
def restore_db_cluster_to_point_in_time(call):
    source = cluster_behind(call)
    defaults = {"ServerlessV2ScalingConfiguration": source.get("ServerlessV2ScalingConfiguration")}
    fixed = {"EngineVersion": source["EngineVersion"]}
    is_clone = call.get("RestoreType") == "copy-on-write"
    what = "rds.cluster.clone" if is_clone else "rds.cluster.restore"
    at = None if is_clone else time_asked(call, source, "RestoreToTime")
    made, answer = restore_cluster(call, source, at, defaults, fixed, what)
    if is_clone:
        made["CloneGroupId"] = source.setdefault("CloneGroupId", new_id(8))
    return {"DBCluster": answer | {key: made[key] for key in ("CloneGroupId",) if key in made}}


def time_asked(call, source, name):
    """The rule about times has seen to it that it lies within what can be restored."""
    return seconds(call.params[name]) if call.get(name) else retained.window(source)[1]


def seconds(value):
    """A time of a call, in seconds since 1970."""
    found = value if hasattr(value, "year") else moment(value)
    return (found if found.tzinfo else moment(found.isoformat())).timestamp()


def restore_instance(call, name, source, at):
    name = name.lower()
    if name in instances(call):
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    defaults = {key: source.get(key) for key in ("AllocatedStorage", "DBInstanceClass", "Iops", "StorageThroughput")}
    defaults |= {"StorageType": "gp3", "Port": source.get("_port")}
    if call.get("StorageType", "gp3") != source.get("StorageType"):
        defaults |= {"Iops": None, "StorageThroughput": None}
    fixed = {"EngineVersion": source["EngineVersion"], "MasterUserPassword": source.get("_password")}
    made = new_standalone(as_creation(call, name, source, defaults, fixed), name)
    with_data(made, source, at)
    instances(call)[name] = made
    place(call, made)
    answer = shown_instance(call, made)
    good, bad = (lambda: arrive(call, made)), (lambda text: fail_instance(call, made, text))
    conclude("rds.instance.restore", "rds.instance", name, good, bad)
    return made, answer


@operation("rds", "RestoreDBInstanceFromDBSnapshot")
def restore_db_instance_from_db_snapshot(call):
    """Tags: "If there are no new tags, RDS looks for the tags from the source DB instance for the DB snapshot, and then adds
    those" (API reference, CopyTagsToSnapshot)."""
    source = whole(snapshot_in(call))
    made, answer = restore_instance(call, call.params["DBInstanceIdentifier"], source, None)
    given = call.get("Tags") or tags(call).get(source["DBSnapshotArn"], [])
    tags(call)[made["DBInstanceArn"]] = list(given)
    return {"DBInstance": answer | {"TagList": list(given)}}


@operation("rds", "RestoreDBInstanceToPointInTime")
def restore_db_instance_to_point_in_time(call):
    source = instance_behind(call)
    at = time_asked(call, source, "RestoreTime")
    made, answer = restore_instance(call, call.params["TargetDBInstanceIdentifier"], source, at)
    tags(call)[made["DBInstanceArn"]] = call.get("Tags", [])
    return {"DBInstance": answer | {"TagList": call.get("Tags", [])}}
