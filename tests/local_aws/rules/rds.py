"""RDS: what a request may say."""

import re

from ..registry import AwsError, now, rule
from ..services.rds.parameter_groups import CLUSTER, INSTANCE
from ..services.rds.shared import clusters, instances
from ..services.rds.versions import CLASSES, OFFERED, family, resolve, support_ends, upgrades
from .helpers import invalid, window, windows_overlap

IDENTIFIERS = {
    "CreateDBCluster": "DBClusterIdentifier",
    "CreateDBInstance": "DBInstanceIdentifier",
    "CreateDBClusterSnapshot": "DBClusterSnapshotIdentifier",
    "CreateDBClusterParameterGroup": "DBClusterParameterGroupName",
    "CreateDBParameterGroup": "DBParameterGroupName",
    "CreateDBProxy": "DBProxyName",
    "DeleteDBCluster": "FinalDBSnapshotIdentifier",
    "RestoreDBClusterFromSnapshot": "DBClusterIdentifier",
    "RestoreDBClusterToPointInTime": "DBClusterIdentifier",
    "RestoreDBInstanceFromDBSnapshot": "DBInstanceIdentifier",
    "RestoreDBInstanceToPointInTime": "TargetDBInstanceIdentifier",
}
RESERVED_NAMES = {
    "admin",
    "rdsadmin",
    "rds_superuser",
    "root",
    "postgres_admin",
    "rdsproxyadmin",
    "rdsrepladmin",
    "user",
}
CLUSTER_WIDE = {
    "AllocatedStorage",
    "MasterUserPassword",
    "MasterUsername",
    "BackupRetentionPeriod",
    "DBName",
    "DeletionProtection",
    "PreferredBackupWindow",
    "Port",
    "VpcSecurityGroupIds",
    "StorageEncrypted",
    "KmsKeyId",
    "EnableIAMDatabaseAuthentication",
    "ManageMasterUserPassword",
}
LOG_TYPES = {
    "aurora-postgresql": {"postgresql", "instance", "iam-db-auth-error"},
    "postgres": {"postgresql", "upgrade", "iam-db-auth-error"},
}
MONITORING_INTERVALS = (0, 1, 5, 10, 15, 30, 60)
INSIGHTS_RETENTION = {7, 731, *(31 * n for n in range(1, 24)), 465}
WRITES_CLUSTER = ("CreateDBCluster", "ModifyDBCluster")
WRITES_INSTANCE = ("CreateDBInstance", "ModifyDBInstance")
WRITES = (*WRITES_CLUSTER, *WRITES_INSTANCE)


def combination(message):
    raise AwsError("InvalidParameterCombination", message)


def cluster_in(call):
    return clusters(call).get((call.get("DBClusterIdentifier") or "").lower())


def engine_of(call):
    if call.get("Engine"):
        return call.params["Engine"]
    item = cluster_in(call) or instances(call).get((call.get("DBInstanceIdentifier") or "").lower())
    return item["Engine"] if item else ""


@rule(
    "strict",
    "rds",
    *IDENTIFIERS,
    says="identifiers begin with a letter, hold letters, digits and single hyphens, and end with no hyphen",
)
def identifier(call):
    name = IDENTIFIERS[call.operation]
    value = call.get(name)
    if value is None:
        return
    if not re.fullmatch(r"[a-zA-Z](?:-?[a-zA-Z0-9]){0,254}", value) or (
        name.endswith("Identifier") and len(value) > 63
    ):
        message = (
            f"The parameter {name} is not a valid identifier. Identifiers must "
            "begin with a letter; must contain only ASCII "
        )
        message += "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        invalid("rds", message)


@rule(
    "strict",
    "rds",
    "CreateDBSubnetGroup",
    says="a subnet group is not named default, and has letters, digits, spaces, . _ -",
)
def subnet_group_name(call):
    name = call.params["DBSubnetGroupName"]
    if name.lower() == "default" or not re.fullmatch(r"[a-zA-Z0-9 ._-]{1,255}", name):
        invalid("rds", f"The parameter DBSubnetGroupName is not valid: {name}")


@rule(
    "strict",
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    says="a master user name begins with a letter, has up to 16 letters and digits, and is not reserved",
)
def master_username(call):
    name = call.get("MasterUsername")
    if name is None:
        return
    if name.lower() in RESERVED_NAMES:
        invalid("rds", f"MasterUsername {name} cannot be used as it is a reserved word used by the engine")
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,62}", name) or (
        engine_of(call).startswith("aurora") and len(name) > 16
    ):
        invalid("rds", f"The parameter MasterUsername is not valid: {name}")


@rule(
    "strict",
    "rds",
    *WRITES,
    says='a master password has 8 to 41 (128 outside Aurora) printable characters without / @ " and space',
)
def master_password(call):
    password = call.get("MasterUserPassword")
    if password is None:
        return
    longest = 41 if engine_of(call).startswith("aurora") else 128
    if not 8 <= len(password) <= longest:
        invalid(
            "rds",
            "The parameter MasterUserPassword is not a valid password because it is "
            f"shorter than 8 or longer than {longest} characters.",
        )
    if not re.fullmatch(r"[!-~]+", password) or set(password) & set('/@" '):
        message = "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
        invalid("rds", message + "'/', '@', '\"', ' ' may be used.")


@rule("strict", "rds", *WRITES, says="a password is given or managed, not both; the key of a managed one only with it")
def password_or_managed(call):
    managed, given = call.get("ManageMasterUserPassword"), call.get("MasterUserPassword")
    if managed and given is not None:
        combination("You can't specify MasterUserPassword when ManageMasterUserPassword is true.")
    creates = call.operation.startswith("Create")
    if creates and call.get("MasterUserSecretKmsKeyId") and not managed:
        combination("You must specify ManageMasterUserPassword with MasterUserSecretKmsKeyId.")
    is_member = call.operation == "CreateDBInstance" and call.get("DBClusterIdentifier")
    if creates and not is_member and not managed and given is None:
        invalid("rds", "The parameter MasterUserPassword must be provided and must not be blank.")


@rule(
    "strict",
    "rds",
    "ModifyDBCluster",
    "ModifyDBInstance",
    says="a managed password is rotated at once, and its key is chosen only when RDS begins to manage it",
    source="API reference: ModifyDBCluster, RotateMasterUserPassword and MasterUserSecretKmsKeyId",
)
def managed_password(call):
    if call.get("RotateMasterUserPassword") and not call.get("ApplyImmediately"):
        combination("You must apply the change immediately when rotating the master user password.")
    if call.get("MasterUserSecretKmsKeyId") and not call.get("ManageMasterUserPassword"):
        combination("You must specify ManageMasterUserPassword with MasterUserSecretKmsKeyId.")


@rule("strict", "rds", *WRITES, says="backups are kept 1 to 35 days, by an instance on its own 0 to 35")
def backup_retention(call):
    days = call.get("BackupRetentionPeriod")
    low = 1 if call.operation in WRITES_CLUSTER else 0
    if days is not None and not low <= days <= 35:
        invalid("rds", f"Invalid backup retention period: {days}. Must be between {low} and 35.")


@rule("strict", "rds", *WRITES, says="backup and maintenance windows last half an hour or more and do not overlap")
def windows(call):
    item = (cluster_in(call) if call.operation in WRITES_CLUSTER else None) or {}
    daily = call.get("PreferredBackupWindow")
    weekly = call.get("PreferredMaintenanceWindow")
    for name, text, longest in (("PreferredBackupWindow", daily, 1440), ("PreferredMaintenanceWindow", weekly, 1440)):
        found = window(text) if text else None
        if text and (found is None or not 30 <= (found[1] - found[0]) % 1440 <= longest):
            invalid("rds", f"The parameter {name} is not a valid window of at least 30 minutes: {text}")
    daily = daily or item.get("PreferredBackupWindow")
    weekly = weekly or item.get("PreferredMaintenanceWindow")
    if (
        (call.get("PreferredBackupWindow") or call.get("PreferredMaintenanceWindow"))
        and daily
        and weekly
        and windows_overlap(daily, weekly)
    ):
        invalid("rds", "The backup window and maintenance window must not overlap.")


@rule(
    "strict",
    "rds",
    *WRITES_CLUSTER,
    "RestoreDBClusterFromSnapshot",
    "RestoreDBClusterToPointInTime",
    says="serverless capacity is 0 to 256 in halves, its maximum at least 1, its pause only from 0",
    source="Amazon Aurora User Guide: Aurora Serverless v2",
)
def serverless_capacity(call):
    scaling = call.get("ServerlessV2ScalingConfiguration")
    if not scaling:
        return
    current = (cluster_in(call) or {}).get("ServerlessV2ScalingConfiguration", {})
    low, high = (scaling.get(k, current.get(k)) for k in ("MinCapacity", "MaxCapacity"))
    if low is None or high is None:
        combination("Both MinCapacity and MaxCapacity of the serverless v2 scaling configuration must be set.")
    if low % 0.5 or high % 0.5 or not 0 <= low <= high <= 256 or high < 1:
        invalid(
            "rds",
            f"Serverless v2 capacity {low} to {high} isn't valid: use half steps "
            "from 0 to 256, with a maximum of 1 or more.",
        )
    pause = scaling.get("SecondsUntilAutoPause")
    if pause is not None and (low != 0 or not 300 <= pause <= 86400):
        invalid("rds", "SecondsUntilAutoPause is 300 to 86400, and only with a minimum capacity of 0.")


@rule("strict", "rds", "CreateDBCluster", says="the engine mode `serverless` is gone")
def engine_mode(call):
    if call.get("EngineMode") == "serverless":
        invalid("rds", "The engine mode serverless you requested is currently unavailable.")


@rule(
    "strict",
    "rds",
    *WRITES_INSTANCE,
    says="an instance class is offered for its engine",
    source="Amazon RDS User Guide: DB instance classes",
)
def instance_class(call):
    engine, wanted = engine_of(call), call.get("DBInstanceClass")
    if wanted and engine in CLASSES and wanted not in CLASSES[engine]:
        message = "RDS does not support creating a DB instance with the following combination: "
        combination(f"{message}DBInstanceClass={wanted}, Engine={engine}")


@rule(
    "strict",
    "rds",
    "CreateDBInstance",
    says="a member has the engine of its cluster, and a serverless one its cluster's scaling settings",
)
def member_fits_cluster(call):
    cluster = cluster_in(call)
    if cluster is None:
        return
    if call.params["Engine"] != cluster["Engine"]:
        message = (
            f"The engine name requested for your DB instance ({call.params['Engine']}) "
            "doesn't match the engine name of your "
        )
        combination(f"{message}DB cluster ({cluster['Engine']}).")
    if call.params["DBInstanceClass"] == "db.serverless" and "ServerlessV2ScalingConfiguration" not in cluster:
        message = (
            "Set the Serverless v2 scaling configuration on the parent DB cluster "
            "before creating a Serverless v2 DB instance."
        )
        combination(message)


@rule(
    "strict", "rds", "CreateDBInstance", says="what a cluster decides for its members cannot be given for one of them"
)
def given_for_the_cluster(call):
    if call.get("DBClusterIdentifier"):
        for name in sorted(CLUSTER_WIDE & set(call.params)):
            combination(f"The requested DB Instance will be a member of a DB Cluster. Set {name} for the DB Cluster.")


@rule("strict", "rds", "CreateDBCluster", "CreateDBInstance", says="a KMS key needs encryption")
def key_needs_encryption(call):
    if call.get("KmsKeyId") and not call.get("StorageEncrypted"):
        combination("KmsKeyId can only be specified for an encrypted database: set StorageEncrypted.")


@rule(
    "strict",
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    says="a parameter group is of the family of the engine version",
)
def parameter_family(call):
    kind = CLUSTER if call.operation == "CreateDBCluster" else INSTANCE
    name = call.get(kind.name_key)
    cluster = cluster_in(call) if kind is INSTANCE else None
    engine = engine_of(call)
    version = cluster["EngineVersion"] if cluster else resolve(engine, call.get("EngineVersion"))
    group = kind.all(call).get((name or "").lower())
    if group and version and engine in OFFERED and group["DBParameterGroupFamily"] != family(engine, version):
        message = (
            f"The parameter group {name} with DBParameterGroupFamily "
            f"{group['DBParameterGroupFamily']} can't be used for this "
        )
        combination(f"{message}instance. Use a parameter group with DBParameterGroupFamily {family(engine, version)}.")


@rule(
    "strict",
    "rds",
    "ModifyDBCluster",
    "ModifyDBInstance",
    says="a database goes to the versions that its own names as upgrade targets, and to no other",
    source="API reference: DBEngineVersion, ValidUpgradeTarget; terraform-aws-modules/terraform-aws-rds-aurora#308",
)
def upgrade_target(call):
    engine = engine_of(call)
    item = cluster_in(call) or instances(call).get((call.get("DBInstanceIdentifier") or "").lower())
    if not item or not call.get("EngineVersion") or engine not in OFFERED:
        return
    wanted, live = resolve(engine, call.params["EngineVersion"]), item["EngineVersion"]
    if wanted and wanted != live and wanted not in {target["EngineVersion"] for target in upgrades(engine, live)}:
        combination(f"Cannot upgrade {engine} from {live} to {wanted}, please specify a supported target version.")


@rule(
    "strict",
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    says="a database whose version's standard support has ended is made under Extended Support only",
    source="API reference: CreateDBCluster, EngineLifecycleSupport; no text of the refusal was found",
)
def life_after_support(call):
    engine = engine_of(call)
    version = resolve(engine, call.get("EngineVersion")) if engine in OFFERED else None
    declined = call.get("EngineLifecycleSupport") == "open-source-rds-extended-support-disabled"
    if version and declined and support_ends(version.split(".")[0]) < now():
        combination(f"{engine} {version} is past its end of standard support date; enable RDS Extended Support.")


@rule("strict", "rds", "ModifyDBClusterParameterGroup", "ModifyDBParameterGroup", says="20 parameters a call")
def parameters_a_call(call):
    if len(call.get("Parameters", [])) > 20:
        invalid("rds", "A maximum of 20 parameters can be modified in a single request.")


@rule(
    "strict",
    "rds",
    *WRITES,
    says="enhanced monitoring has an interval and a role, or neither",
    source="Amazon RDS User Guide: Enhanced Monitoring",
)
def monitoring(call):
    interval, role = call.get("MonitoringInterval"), call.get("MonitoringRoleArn")
    if interval is not None and interval not in MONITORING_INTERVALS:
        invalid("rds", f"Invalid MonitoringInterval: {interval}")
    if interval and not role and call.operation.startswith("Create"):
        combination("A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
    if role and not interval and call.operation.startswith("Create"):
        combination(
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value."
        )


@rule(
    "strict",
    "rds",
    *WRITES,
    says="performance insights are kept 7, 31n or 731 days, and settings of theirs need them on",
)
def performance_insights(call):
    days, on = call.get("PerformanceInsightsRetentionPeriod"), call.get("EnablePerformanceInsights")
    if days is not None and days not in INSIGHTS_RETENTION:
        invalid("rds", f"Invalid Performance Insights retention period: {days}")
    if call.operation.startswith("Create") and not on and (days is not None or call.get("PerformanceInsightsKMSKeyId")):
        combination("To set Performance Insights options, enable Performance Insights.")
    if call.get("DatabaseInsightsMode") == "advanced" and not (on and (days or 0) >= 465):
        combination("Database Insights advanced mode needs Performance Insights with a retention of at least 465 days.")


@rule("strict", "rds", *WRITES, says="log types are those of the engine")
def log_types(call):
    wanted = set(call.get("EnableCloudwatchLogsExports", []))
    wanted |= set(call.get("CloudwatchLogsExportConfiguration", {}).get("EnableLogTypes", []))
    unknown = wanted - LOG_TYPES.get(engine_of(call), wanted)
    if unknown:
        combination(f"You cannot use the log types '{', '.join(sorted(unknown))}' with engine {engine_of(call)}.")


@rule(
    "strict",
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    says="a database name begins with a letter and has letters, digits and _",
)
def database_name(call):
    name = call.get("DatabaseName") or call.get("DBName")
    if name and (not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,62}", name) or name.lower() in ("db", "rdsadmin")):
        invalid("rds", f"DatabaseName {name} is not a valid database name.")


@rule(
    "strict",
    "rds",
    "CreateDBInstance",
    says="gp3 has at least 20 GiB, and settable IOPS from 400 GiB on",
    source="Amazon RDS User Guide: DB instance storage",
)
def gp3_storage(call):
    if call.get("StorageType") != "gp3" or call.get("DBClusterIdentifier"):
        return
    size = call.get("AllocatedStorage", 20)
    if not 20 <= size <= 65536:
        invalid("rds", f"Invalid storage size for engine name postgres and storage type gp3: {size}")
    if size < 400 and (call.get("Iops") or call.get("StorageThroughput")):
        combination(
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400."
        )


@rule(
    "strict",
    "rds",
    "ModifyDBInstance",
    says="storage never gets smaller; IOPS go with each change of gp3 storage of 400 GiB and more, and with none of less",
    source="Amazon RDS API Reference: ModifyDBInstance, AllocatedStorage, Iops and StorageType; the messages are those of "
    "hashicorp/terraform-provider-aws issues 28160, 28382 and 33512; that of a smaller size is not told",
)
def storage_modification(call):
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower())
    if instance is None or instance.get("DBClusterIdentifier"):
        return
    was, kind = instance["AllocatedStorage"], call.get("StorageType", instance["StorageType"])
    size, iops = call.get("AllocatedStorage", was), call.get("Iops")
    if size < was:
        invalid("rds", f"Requested storage size ({size}) cannot be less than the current storage size ({was}).")
    if kind != "gp3":
        return
    if size < 400 and (iops or call.get("StorageThroughput")):
        message = "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400."
        combination(message)
    if size >= 400 and iops is not None and iops < 12000:
        invalid("rds", f"Invalid iops value for engine name postgres and storage type gp3: {iops}")
    comes = instance["StorageType"] != "gp3" and size >= 400
    if iops is None and (comes or (size != was and was >= 400)):
        message = "You must specify both the storage size and iops when modifying the storage size or iops on a DB instance "
        combination(message + "that has iops")


@rule("strict", "rds", "CreateDBProxy", says="a proxy has subnets in two zones, and authentication")
def proxy_settings(call):
    zones = {s.id: s.availability_zone for zone in call.backend("ec2").subnets.values() for s in zone.values()}
    if len({zones.get(subnet) for subnet in call.params["VpcSubnetIds"]}) < 2:
        invalid("rds", "A DB proxy needs subnets in at least two Availability Zones.")
    if call.get("DefaultAuthScheme", "NONE") == "NONE" and not call.get("Auth"):
        combination("Auth is required when the default authentication scheme is NONE.")


@rule("strict", "rds", "ModifyDBProxyTargetGroup", says="of the connections a pool may hold, no more are kept idle")
def proxy_pool(call):
    pool = call.get("ConnectionPoolConfig", {})
    most, idle = pool.get("MaxConnectionsPercent"), pool.get("MaxIdleConnectionsPercent")
    if most is not None and not 1 <= most <= 100:
        invalid("rds", f"MaxConnectionsPercent must be between 1 and 100: {most}")
    if idle is not None and most is None:
        combination("MaxConnectionsPercent is required when MaxIdleConnectionsPercent is specified.")
    if idle is not None and not 0 <= idle <= most:
        invalid("rds", f"MaxIdleConnectionsPercent must be between 0 and MaxConnectionsPercent: {idle}")
