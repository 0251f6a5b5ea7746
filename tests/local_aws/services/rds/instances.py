"""DB instances, in a cluster and on their own."""

import random

from ... import enis, logs_left
from ...common import page, picked
from ...life import conclude, later
from ...registry import AwsError, behaviour, now, operation
from ...world import world
from . import renames, secret, upgrades
from .backups import go_with_the_instance
from .clusters import (
    change_log_exports,
    change_secret,
    default_security_group,
    fail_over,
    notice,
    restarted,
    successors,
    take_back,
    take_password,
)
from .parameter_groups import INSTANCE, can_start
from .retained import part_with, shown_window
from .shared import (
    cluster_of,
    clusters,
    filtered,
    host_hash,
    instance_of,
    instances,
    members_of,
    resource_id,
    say,
    security_groups,
    subnet_group_of,
    tags,
    visible,
)
from .snapshots import after_the_last, take_snapshot
from .versions import family, require_offered

KEPT = (
    "MonitoringRoleArn",
    "PerformanceInsightsRetentionPeriod",
    "MaxAllocatedStorage",
    "Iops",
    "StorageThroughput",
    "DBName",
    "KmsKeyId",
)
FILTERS = {
    "db-instance-id": "DBInstanceIdentifier",
    "db-cluster-id": "DBClusterIdentifier",
    "dbi-resource-id": "DbiResourceId",
    "engine": "Engine",
}
SLOW = {
    "DBInstanceClass": "DBInstanceClass",
    "AllocatedStorage": "AllocatedStorage",
    "DBPortNumber": "DbInstancePort",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "MultiAZ": "MultiAZ",
    "EngineVersion": "EngineVersion",
    "Iops": "Iops",
    "StorageThroughput": "StorageThroughput",
    "StorageType": "StorageType",
    "CACertificateIdentifier": "CACertificateIdentifier",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "MasterUserPassword": None,
}
QUICK = {
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "PubliclyAccessible": "PubliclyAccessible",
    "PromotionTier": "PromotionTier",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "DeletionProtection": "DeletionProtection",
    "MaxAllocatedStorage": "MaxAllocatedStorage",
    "NetworkType": "NetworkType",
}
# What restarts an instance.
RESTART = {"EngineVersion", "DBInstanceClass"}
# What changes with the storage, and from how many GiB on gp3 has speed of its own to set, with what AWS gives of that.
STORAGE = {"AllocatedStorage", "StorageType", "Iops", "StorageThroughput"}
STRIPED = 400
BASELINE = {"Iops": 3000, "StorageThroughput": 125}
STRIPED_BASELINE = {"Iops": 12000, "StorageThroughput": 500}


@operation("rds", "CreateDBInstance")
def create_db_instance(call):
    name = call.params["DBInstanceIdentifier"].lower()
    if name in instances(call):
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    instance = new_member(call, name) if call.get("DBClusterIdentifier") else new_standalone(call, name)
    instances(call)[name] = instance
    tags(call)[instance["DBInstanceArn"]] = call.get("Tags", [])
    place(call, instance)
    place_standby(call, instance)
    answer = shown(call, instance)
    good, bad = (lambda: arrive(call, instance)), (lambda text: fail(call, instance, text))
    conclude("rds.instance.create", "rds.instance", name, good, bad)
    return {"DBInstance": answer}


def common_fields(call, name, engine, version):
    host = f"{name}.{host_hash(call)}.{call.region}.rds.amazonaws.com"
    parameter_group = INSTANCE.find(call, call.get("DBParameterGroupName", f"default.{family(engine, version)}"))
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": call.params["DBInstanceClass"],
        "Engine": engine,
        "EngineVersion": version,
        "DBInstanceStatus": "creating",
        "InstanceCreateTime": now(),
        "DBSecurityGroups": [],
        "ReadReplicaDBInstanceIdentifiers": [],
        "AutoMinorVersionUpgrade": call.get("AutoMinorVersionUpgrade", True),
        "LicenseModel": "postgresql-license",
        "OptionGroupMemberships": [
            {"OptionGroupName": f"default:{engine}-{version.split('.')[0]}", "Status": "in-sync"}
        ],
        "PubliclyAccessible": call.get("PubliclyAccessible", False),
        "DbInstancePort": 0,
        "DbiResourceId": resource_id("db"),
        "CACertificateIdentifier": call.get("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        "DomainMemberships": [],
        "MonitoringInterval": call.get("MonitoringInterval", 0),
        "PromotionTier": call.get("PromotionTier", 1),
        "DBInstanceArn": call.arn("rds", f"db:{name}"),
        "DatabaseInsightsMode": call.get("DatabaseInsightsMode", "standard"),
        "PerformanceInsightsEnabled": call.get("EnablePerformanceInsights", False),
        "AssociatedRoles": [],
        "CustomerOwnedIpEnabled": False,
        "NetworkType": call.get("NetworkType", "IPV4"),
        "BackupTarget": "region",
        "DedicatedLogVolume": False,
        "_host": host,
        "_parameter_group": parameter_group["DBParameterGroupName"],
        "_parameters": INSTANCE.status(call, parameter_group["DBParameterGroupName"]),
        "_pending": {},
        "_writer": False,
    } | picked(call.params, *KEPT) | insights_key(call, {})


def insights_key(call, instance):
    """The key of performance data, chosen when they are first kept, for the life of the instance."""
    known = instance.get("_insights_key")
    if known is None and call.get("EnablePerformanceInsights"):
        known = call.get("PerformanceInsightsKMSKeyId", call.arn("kms", "key/aws-rds"))
    shown = call.get("EnablePerformanceInsights", instance.get("PerformanceInsightsEnabled", False))
    return {"_insights_key": known, "PerformanceInsightsKMSKeyId": known if shown else None}


def new_member(call, name):
    """Most of a member is its cluster's, and not the caller's to choose."""
    cluster = cluster_of(call)
    fields = common_fields(call, name, cluster["Engine"], cluster["EngineVersion"])
    inherited = (
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "MasterUsername",
        "VpcSecurityGroups",
        "StorageEncrypted",
        "KmsKeyId",
        "IAMDatabaseAuthenticationEnabled",
        "EnabledCloudwatchLogsExports",
        "EngineLifecycleSupport",
    )
    fields |= {key: cluster[key] for key in inherited if key in cluster}
    if "DatabaseName" in cluster:
        fields["DBName"] = cluster["DatabaseName"]
    fields |= {
        "DBClusterIdentifier": cluster["DBClusterIdentifier"],
        "AllocatedStorage": 1,
        "StorageType": cluster.get("StorageType", "aurora"),
        "MultiAZ": False,
        "CopyTagsToSnapshot": call.get("CopyTagsToSnapshot", False),
        "DeletionProtection": False,
        "PreferredMaintenanceWindow": call.get("PreferredMaintenanceWindow", drawn_window(name)).lower(),
        "_port": cluster["Port"],
        "_subnet_group": cluster["DBSubnetGroup"],
        "_writer": not members_of(call, cluster),
        "_cluster_parameters": cluster["_parameters"],
    }
    return fields


@behaviour(
    "rds",
    says="an instance of which no maintenance window is asked for gets half an hour of a random day",
    source="Amazon RDS API Reference: CreateDBInstance, PreferredMaintenanceWindow",
)
def drawn_window(name):
    """Drawn by the name, so that a test can be told again, and apart from any backup window."""
    draw = random.Random(name)
    day, slot = draw.choice(("mon", "tue", "wed", "thu", "fri", "sat", "sun")), draw.randrange(10, 16)
    start, end = (f"{day}:{3 + half // 2:02}:{half % 2 * 30:02}" for half in (slot, slot + 1))
    return f"{start}-{end}"


def new_standalone(call, name):
    engine = call.params["Engine"]
    version = require_offered(engine, call.get("EngineVersion"))
    group = subnet_group_of(call, call.get("DBSubnetGroupName", "default"))
    groups = call.get("VpcSecurityGroupIds") or [default_security_group(call, group["VpcId"])]
    fields = common_fields(call, name, engine, version) | {
        "AllocatedStorage": call.get("AllocatedStorage", 20),
        "BackupRetentionPeriod": call.get("BackupRetentionPeriod", 1),
        "PreferredBackupWindow": call.get("PreferredBackupWindow", "07:21-07:51"),
        "PreferredMaintenanceWindow": call.get("PreferredMaintenanceWindow", drawn_window(name)).lower(),
        "MasterUsername": call.get("MasterUsername"),
        "MultiAZ": call.get("MultiAZ", False),
        "VpcSecurityGroups": security_groups(call, groups),
        "StorageType": call.get("StorageType", "gp2"),
        "StorageEncrypted": call.get("StorageEncrypted", False),
        "CopyTagsToSnapshot": call.get("CopyTagsToSnapshot", False),
        "IAMDatabaseAuthenticationEnabled": call.get("EnableIAMDatabaseAuthentication", False),
        "EnabledCloudwatchLogsExports": call.get("EnableCloudwatchLogsExports", []),
        "DeletionProtection": call.get("DeletionProtection", False),
        "EngineLifecycleSupport": call.get("EngineLifecycleSupport", "open-source-rds-extended-support"),
        "_password": call.get("MasterUserPassword"),
        "_port": call.get("Port", 5432 if "postgres" in engine else 3306),
        "_subnet_group": group["DBSubnetGroupName"],
    }
    if fields["StorageType"] == "gp3":
        fields = (STRIPED_BASELINE if fields["AllocatedStorage"] >= STRIPED else BASELINE) | fields
    if fields["StorageEncrypted"] and "KmsKeyId" not in fields:
        fields["KmsKeyId"] = call.arn("kms", "key/aws-rds")
    if call.get("ManageMasterUserPassword"):
        fields["MasterUserSecret"] = secret.make(call, "db", fields["MasterUsername"])
    return fields


def place(call, instance):
    """In the zone asked for, else in the zone of the subnet group that holds the fewest of its siblings."""
    subnets = subnet_group_of(call, instance["_subnet_group"])["Subnets"]
    subnets = sorted(subnets, key=lambda subnet: subnet["SubnetAvailabilityZone"]["Name"])
    zones = [subnet["SubnetAvailabilityZone"]["Name"] for subnet in subnets]
    wanted = call.get("AvailabilityZone")
    if wanted and wanted not in zones:
        raise_unplaced(call, instance, wanted)
    taken = [i.get("AvailabilityZone") for i in siblings(call, instance)]
    zone = wanted or min(zones, key=lambda z: (taken.count(z), zones.index(z)))
    subnet = subnets[zones.index(zone)]["SubnetIdentifier"]
    instance |= {"AvailabilityZone": zone, "_subnet": subnet}
    groups = [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]]
    enis.attach(call, instance["DBInstanceArn"], subnet, groups, "RDSNetworkInterface", "amazon-rds")


@behaviour(
    "rds",
    says="the standby of an instance stands in another zone of its subnet group, which the instance tells",
    source="Amazon RDS API Reference: DBInstance, SecondaryAvailabilityZone",
)
def place_standby(call, instance):
    """In the last zone, which a caller that counts upwards does not expect."""
    subnets = subnet_group_of(call, instance["_subnet_group"])["Subnets"]
    others = {subnet["SubnetAvailabilityZone"]["Name"]: subnet["SubnetIdentifier"] for subnet in subnets}
    others.pop(instance["AvailabilityZone"], None)
    zone = max(others) if instance.get("MultiAZ") and others else None
    instance |= {"SecondaryAvailabilityZone": zone, "_standby_subnet": others.get(zone)}


def raise_unplaced(call, instance, zone):
    instances(call).pop(instance["DBInstanceIdentifier"])
    raise AwsError("InvalidVPCNetworkStateFault", f"The DB subnet group has no subnet in Availability Zone {zone}.")


def siblings(call, instance):
    name = instance.get("DBClusterIdentifier")
    return [i for i in instances(call).values() if i is not instance and name and i.get("DBClusterIdentifier") == name]


def fail(call, instance, text):
    """The message names the status, as in "incompatible-parameters: shared_buffers is too large"."""
    if instance["DBInstanceStatus"] == "creating":
        status, _, reason = text.partition(":")
        if status == "storage-full":
            arrive(call, instance)
        instance["DBInstanceStatus"] = status or "failed"
        name, reason = instance["DBInstanceIdentifier"], reason.strip() or "The DB instance could not be created."
        say(call, "db-instance", name, instance["DBInstanceArn"], reason)


def arrive(call, instance):
    if instance["DBInstanceStatus"] != "creating":
        return
    name = instance["DBInstanceIdentifier"]
    instance["DBInstanceStatus"] = "available"
    instance["Endpoint"] = {"Address": instance["_host"], "Port": instance["_port"], "HostedZoneId": "Z2R2ITUGPM61AM"}
    owner = clusters(call).get(instance.get("DBClusterIdentifier"), instance)
    if "MasterUserSecret" in owner:
        owner["MasterUserSecret"]["SecretStatus"] = "active"
    logs_left.make_all(call)
    say(call, "db-instance", name, instance["DBInstanceArn"], "DB instance created")


def shown(call, instance):
    out = visible(call, instance, instance["DBInstanceArn"])
    out["DBSubnetGroup"] = subnet_group_of(call, instance["_subnet_group"])
    status = instance.get("_parameters", "in-sync")
    out["DBParameterGroups"] = [{"DBParameterGroupName": instance["_parameter_group"], "ParameterApplyStatus": status}]
    out["PendingModifiedValues"] = dict(instance["_pending"])
    if instance.get("DBClusterIdentifier") or instance["DBInstanceStatus"] == "creating":
        return out
    if instance.get("_old_secret") and "MasterUserSecret" not in out:
        out["MasterUserSecret"] = instance["_old_secret"]
    return out | picked(shown_window(instance), "LatestRestorableTime")


@operation("rds", "DescribeDBInstances")
def describe_db_instances(call):
    found = [instance_of(call)] if call.get("DBInstanceIdentifier") else list(instances(call).values())
    found, more = page(call, filtered(call, found, FILTERS), "MaxRecords", "Marker", "Marker")
    return {"DBInstances": [shown(call, instance) for instance in found]} | more


@operation("rds", "ModifyDBInstance")
def modify_db_instance(call):
    instance = instance_of(call)
    for given, kept in QUICK.items():
        if call.get(given) is not None:
            instance[kept] = call.params[given]
    instance |= insights_key(call, instance)
    change_groups(call, instance)
    change_log_exports(call, instance)
    change_secret(call, instance)
    secret.rotate(call, instance)
    instance["_pending"] = instance["_pending"] | slow_changes(call, instance)
    if call.get("MasterUserPassword"):
        instance["_next_password"] = call.params["MasterUserPassword"]
    renames.ask(call, instance)
    if call.get("ApplyImmediately"):
        later("rds.modify.noticed", lambda: begin(call, instance))
    elif call.get("MasterUserPassword"):
        later("rds.modify.noticed", lambda: take_password(instance))
    return {"DBInstance": shown(call, instance)}


def begin(call, instance):
    """A new name comes first, then a new version, then the rest."""
    then = lambda changed: follow(call, instance, changed)  # noqa: E731
    rest = lambda: notice(instance, "DBInstanceStatus", then)  # noqa: E731
    renames.begin(call, instance, lambda: upgrades.begin(call, instance, rest))


def follow(call, instance, changed):
    """What comes of a change: some restart what they change, and storage is at work on itself for some time."""
    if changed & RESTART:
        restarted([instance])
    if "MultiAZ" in changed:
        place_standby(call, instance)
    if changed & STORAGE:
        optimize(call, instance)


def optimize(call, instance):
    """Storage that has just been changed is optimized while it is in full use."""
    instance["_storage_changed"] = world.clock.now()
    instance["DBInstanceStatus"] = "storage-optimization"
    name, arn = instance["DBInstanceIdentifier"], instance["DBInstanceArn"]
    say(call, "db-instance", name, arn, "Finished applying modification to allocated storage")

    def done():
        if instance["DBInstanceStatus"] == "storage-optimization":
            instance["DBInstanceStatus"] = "available"

    later("rds.storage.optimized", done)


def change_groups(call, instance):
    if call.get("VpcSecurityGroupIds"):
        instance["VpcSecurityGroups"] = security_groups(call, call.params["VpcSecurityGroupIds"])
        enis.regroup(call, instance["DBInstanceArn"], call.params["VpcSecurityGroupIds"])
    if call.get("DBParameterGroupName"):
        attach(instance, INSTANCE.find(call, call.params["DBParameterGroupName"])["DBParameterGroupName"])


@behaviour(
    "rds",
    says="another parameter group is the instance's at once, and its parameters are in force from the next restart on",
    source="Amazon RDS API Reference: ModifyDBInstance, DBParameterGroupName",
)
def attach(instance, group):
    if instance["_parameter_group"] != group:
        instance |= {"_parameter_group": group, "_parameters": "pending-reboot"}


def slow_changes(call, instance):
    pending = {}
    for given, kept in SLOW.items():
        value = call.get(given)
        if value is not None and (kept is None or instance.get(kept) != value):
            pending[kept or given] = "****" if kept is None else value
        elif value is not None:
            take_back(instance, kept)
    if "EngineVersion" in pending:
        pending["EngineVersion"] = require_offered(instance["Engine"], pending["EngineVersion"])
    return storage_changes(instance, pending)


@behaviour(
    "rds",
    says="storage grows by a tenth or more, and gp3 that comes to 400 GiB has 12000 IOPS and 500 MiB/s from then on",
    source="Amazon RDS API Reference: ModifyDBInstance, AllocatedStorage; hashicorp/terraform-provider-aws issue 47411",
)
def storage_changes(instance, pending):
    was = instance["AllocatedStorage"]
    if "AllocatedStorage" in pending:
        pending["AllocatedStorage"] = max(pending["AllocatedStorage"], (was * 11 + 9) // 10)
    is_striped = pending.get("AllocatedStorage", was) >= STRIPED
    if pending.get("StorageType", instance.get("StorageType")) == "gp3" and is_striped and was < STRIPED:
        return STRIPED_BASELINE | pending
    if pending.get("StorageType") == "gp3" and not is_striped:
        return BASELINE | pending
    return pending


@operation("rds", "RebootDBInstance")
def reboot_db_instance(call):
    instance = instance_of(call)
    instance["DBInstanceStatus"] = "rebooting"
    answer = shown(call, instance)
    if call.get("ForceFailover"):
        later("rds.instance.modify", lambda: instance.update(DBInstanceStatus="available"))
        return {"DBInstance": answer}

    def up():
        if can_start(call, instance):
            instance["DBInstanceStatus"] = "available"
            restarted([instance])
        else:
            instance["DBInstanceStatus"] = "incompatible-parameters"
            name, arn = instance["DBInstanceIdentifier"], instance["DBInstanceArn"]
            say(call, "db-instance", name, arn, "Database cannot be started due to incompatible parameters")

    later("rds.instance.modify", up)
    return {"DBInstance": answer}


@operation("rds", "DeleteDBInstance")
def delete_db_instance(call):
    instance = instance_of(call)
    if instance["DBInstanceStatus"] == "deleting":
        name = instance["DBInstanceIdentifier"]
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    last = take_final_snapshot(call, instance)
    instance["DBInstanceStatus"] = "deleting"
    give_way(call, instance)
    answer = shown(call, instance)
    goes, stays = (lambda: remove(call, instance)), (lambda: instance.update(DBInstanceStatus="available"))
    later("rds.instance.delete", lambda: after_the_last(last, goes, stays))
    return {"DBInstance": answer}


def give_way(call, instance):
    cluster = clusters(call).get(instance.get("DBClusterIdentifier"))
    readers = successors(call, cluster) if cluster and instance["_writer"] else []
    if readers and cluster["Status"] == "available":
        fail_over(call, cluster, readers[0])


def take_final_snapshot(call, instance):
    wanted = call.get("FinalDBSnapshotIdentifier")
    if instance.get("DBClusterIdentifier"):
        if wanted:
            message = "FinalDBSnapshotIdentifier can not be specified when deleting a cluster member"
            raise AwsError("InvalidParameterCombination", message)
    elif not call.get("SkipFinalSnapshot"):
        if not wanted:
            message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            raise AwsError("InvalidParameterCombination", message)
        return take_snapshot(call, instance, wanted)
    return None


def remove(call, instance):
    if not instance.get("DBClusterIdentifier"):
        part_with(call, instance)
    instances(call).pop(instance["DBInstanceIdentifier"], None)
    go_with_the_instance(call, instance)
    tags(call).pop(instance["DBInstanceArn"], None)
    enis.release(call, instance["DBInstanceArn"])
    if "MasterUserSecret" in instance:
        secret.remove(call, instance["MasterUserSecret"])
    rest = siblings(call, instance)
    if instance["_writer"] and rest:
        min(rest, key=lambda i: i["PromotionTier"])["_writer"] = True
