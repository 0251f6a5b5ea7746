"""RDS: what cannot be restored, and to what time."""

from ..registry import AwsError, rule
from ..rows import moment
from ..services.rds import retained
from ..services.rds.parameter_groups import CLUSTER, INSTANCE
from ..services.rds.power import usable
from ..services.rds.restores import seconds, source_of, targets, version_for
from ..services.rds.shared import RESTORES
from ..services.rds.versions import CLASSES, family, resolve
from .helpers import invalid
from .rds import cluster_in, combination

OF_CLUSTERS = ("RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime")
OF_INSTANCES = ("RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime")
FROM_SNAPSHOTS = ("RestoreDBClusterFromSnapshot", "RestoreDBInstanceFromDBSnapshot")
TO_TIMES = ("RestoreDBClusterToPointInTime", "RestoreDBInstanceToPointInTime")


@rule(
    "order",
    "rds",
    *RESTORES,
    says="the key of what is restored, and the one that is given for the copy, exist and are enabled",
    source="Amazon RDS API Reference: KMSKeyNotAccessibleFault of the four RestoreDB operations",
)
def restore_key(call):
    source = source_of(call) or {}
    for reference in (source.get("KmsKeyId"), call.get("KmsKeyId")):
        if reference and not usable(call, reference):
            raise AwsError("KMSKeyNotAccessibleFault", f"The KMS key [{reference}] cannot be used: it is disabled or gone.")


@rule("order", "rds", *OF_CLUSTERS, says="a copy gets a key of its own only where its source is encrypted")
def restore_key_needs_encryption(call):
    source = source_of(call)
    asks = call.get("KmsKeyId") and call.operation == "RestoreDBClusterToPointInTime"
    if source and asks and not source.get("StorageEncrypted"):
        combination("KmsKeyId can't be given for the restore of a DB cluster that isn't encrypted.")


@rule("order", "rds", *FROM_SNAPSHOTS, says="only from a snapshot that is complete a database is restored")
def snapshot_at_rest(call):
    snapshot = source_of(call)
    if snapshot and snapshot["Status"] != "available":
        of_cluster = call.operation in OF_CLUSTERS
        code = "InvalidDBClusterSnapshotStateFault" if of_cluster else "InvalidDBSnapshotState"
        raise AwsError(code, f"The snapshot is {snapshot['Status']}, and must be available.")


@rule("order", "rds", *TO_TIMES, says="a database that is still being made, or is lost, is the source of no restore")
def restore_source_at_rest(call):
    source = source_of(call) or {}
    refused = ("creating", "failed", "inaccessible-encryption-credentials")
    if "_until" not in source and source.get("Status") in refused:
        raise AwsError("InvalidDBClusterStateFault", f"The source DB cluster is {source['Status']}.")
    if "_until" not in source and source.get("DBInstanceStatus") in refused:
        raise AwsError("InvalidDBInstanceState", f"The source DB instance is {source['DBInstanceStatus']}.")


@rule(
    "strict",
    "rds",
    *TO_TIMES,
    says="a restore has one source, and a time or the latest one; a clone has the latest",
)
def restore_names_a_time(call):
    time = call.get("RestoreToTime") or call.get("RestoreTime")
    latest = call.get("UseLatestRestorableTime")
    if bool(time) == bool(latest):
        combination("Specify either a time to restore to, or UseLatestRestorableTime.")
    if call.get("RestoreType") == "copy-on-write" and time:
        combination("RestoreToTime can't be specified for the RestoreType copy-on-write.")
    if call.get("RestoreType") not in (None, "full-copy", "copy-on-write"):
        invalid("rds", f"Invalid RestoreType: {call.params['RestoreType']}")
    sources = ("SourceDBClusterIdentifier", "SourceDbClusterResourceId", "SourceDBInstanceIdentifier")
    sources += ("SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn")
    if len([name for name in sources if call.get(name)]) != 1:
        combination("Specify exactly one source to restore from.")


@rule(
    "order",
    "rds",
    *TO_TIMES,
    says="a time lies within what can be restored: not later than five minutes ago, and not before the backups begin",
    source="Amazon RDS API Reference: RestoreDBClusterToPointInTime, RestoreToTime; RestoreDBInstanceToPointInTime, RestoreTime, "
    "and PointInTimeRestoreNotEnabled; which error tells of a time outside is not told there",
)
def restore_time(call):
    source = source_of(call)
    if source is None:
        return
    found = retained.window(source)
    if found is None:
        raise AwsError("PointInTimeRestoreNotEnabled", "Automated backups are not enabled for the DB instance.")
    time = call.get("RestoreToTime") or call.get("RestoreTime")
    if not time:
        return
    earliest, latest = found
    if seconds(time) > latest:
        invalid("rds", f"The specified database cannot be restored to a time later than {written(latest)}")
    # Times are told to the second.
    if seconds(time) < int(earliest):
        invalid("rds", f"The specified database cannot be restored to a time earlier than {written(earliest)}")


def written(time):
    return f"{moment(time):%Y-%m-%dT%H:%M:%SZ}"


@rule(
    "order",
    "rds",
    *RESTORES,
    says="a restore keeps the engine, and goes to the version of the data or one that it can be upgraded to",
    source="Amazon RDS API Reference: RestoreDBClusterFromSnapshot, Engine and EngineVersion; the message about versions is that "
    "of terraform-aws-modules/terraform-aws-rds-aurora issue 308",
)
def restore_engine(call):
    source = source_of(call)
    if source is None:
        return
    engine, has = source["Engine"], source["EngineVersion"]
    if call.get("Engine", engine) != engine:
        combination(f"The engine {call.params['Engine']} isn't compatible with the engine of the source, {engine}.")
    wanted = call.get("EngineVersion")
    if wanted and resolve(engine, wanted) not in (has, *targets(engine, has)):
        combination(f"Cannot upgrade {engine} from {has} to {wanted}, please specify a supported target.")
    size = call.get("DBInstanceClass")
    if size and call.operation in OF_INSTANCES and size not in CLASSES.get(engine, (size,)):
        message = "RDS does not support creating a DB instance with the following combination: "
        combination(f"{message}DBInstanceClass={size}, Engine={engine}")


@rule("order", "rds", *RESTORES, says="a restored database's parameter group is of the family of its version")
def restore_parameter_family(call):
    source = source_of(call)
    kind = CLUSTER if call.operation in OF_CLUSTERS else INSTANCE
    group = kind.all(call).get((call.get(kind.name_key) or "").lower())
    if source is None or group is None:
        return
    goes_to = version_for(call, source) if call.operation == "RestoreDBClusterFromSnapshot" else source["EngineVersion"]
    wanted = family(source["Engine"], goes_to)
    if group["DBParameterGroupFamily"] != wanted:
        combination(f"The parameter group {call.params[kind.name_key]} can't be used here. Use one of the family {wanted}.")


@rule("strict", "rds", *OF_INSTANCES, says="only of Oracle a restored instance's password can be managed from the beginning")
def managed_after_restore(call):
    if call.get("ManageMasterUserPassword") or call.get("MasterUserSecretKmsKeyId"):
        combination("ManageMasterUserPassword is supported for the restore of RDS for Oracle DB instances only.")


@rule(
    "order",
    "rds",
    "CreateDBInstance",
    says="a cluster that is being restored takes members only once it is available",
    source="Amazon RDS API Reference: RestoreDBClusterFromSnapshot",
)
def members_after_restore(call):
    cluster = cluster_in(call)
    if cluster and cluster.get("_restoring"):
        message = f"DB cluster {cluster['DBClusterIdentifier']} is not in a valid state: {cluster['Status']}."
        raise AwsError("InvalidDBClusterStateFault", message)
