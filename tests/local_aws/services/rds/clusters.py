"""Aurora clusters."""

from ... import enis
from ...common import page, picked
from ...life import conclude, later
from ...registry import AwsError, behaviour, now, operation
from ...world import world
from . import renames, secret, upgrades
from .backups import go_with_the_cluster
from .parameter_groups import CLUSTER
from .retained import part_with, shown_window
from .shared import (
    cluster_of,
    clusters,
    filtered,
    host_hash,
    members_of,
    resource_id,
    say,
    security_groups,
    subnet_group_of,
    tags,
    visible,
)
from .snapshots import after_the_last, take_cluster_snapshot
from .versions import family, require_offered

KEPT = (
    "DatabaseName",
    "KmsKeyId",
    "ServerlessV2ScalingConfiguration",
    "MonitoringRoleArn",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "StorageType",
    "CharacterSetName",
)
FILTERS = {"db-cluster-id": "DBClusterIdentifier", "engine": "Engine", "db-cluster-resource-id": "DbClusterResourceId"}
# What AWS shows as pending until it has really changed.
SLOW = {
    "EngineVersion": "EngineVersion",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "StorageType": "StorageType",
    "MasterUserPassword": None,
}
QUICK = {
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "Port": "Port",
    "DeletionProtection": "DeletionProtection",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "EnableHttpEndpoint": "HttpEndpointEnabled",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "NetworkType": "NetworkType",
    "EngineMode": "EngineMode",
}


@operation("rds", "CreateDBCluster")
def create_db_cluster(call):
    name = call.params["DBClusterIdentifier"].lower()
    if name in clusters(call):
        raise AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    cluster = new_cluster(call, name)
    clusters(call)[name] = cluster
    tags(call)[cluster["DBClusterArn"]] = call.get("Tags", [])
    answer = shown(call, cluster)
    good, bad = (lambda: cluster.update(Status="available")), (lambda text: fail(call, cluster, text))
    conclude("rds.cluster.create", "rds.cluster", name, good, bad)
    say(call, "db-cluster", name, cluster["DBClusterArn"], "DB cluster created")
    return {"DBCluster": answer}


def fail(call, cluster, text):
    """The message names the status, as in "inaccessible-encryption-credentials: the key is gone"."""
    status, _, reason = text.partition(":")
    cluster["Status"] = status or "incompatible-network"
    say(
        call,
        "db-cluster",
        cluster["DBClusterIdentifier"],
        cluster["DBClusterArn"],
        reason.strip() or "DB cluster creation failed",
    )


def new_cluster(call, name):
    engine = call.params["Engine"]
    version = require_offered(engine, call.get("EngineVersion"))
    group = subnet_group_of(call, call.get("DBSubnetGroupName", "default"))
    host = f"{host_hash(call)}.{call.region}.rds.amazonaws.com"
    parameter_group = call.get("DBClusterParameterGroupName", f"default.{family(engine, version)}")
    CLUSTER.find(call, parameter_group)
    groups = call.get("VpcSecurityGroupIds") or [default_security_group(call, group["VpcId"])]
    cluster = {
        "AllocatedStorage": 1,
        "AvailabilityZones": [zone.name for zone in call.backend("ec2").describe_availability_zones()][:3],
        "BackupRetentionPeriod": call.get("BackupRetentionPeriod", 1),
        "DBClusterIdentifier": name,
        "DBClusterParameterGroup": parameter_group.lower(),
        "_parameters": CLUSTER.status(call, parameter_group),
        "DBSubnetGroup": group["DBSubnetGroupName"],
        "Status": "creating",
        "Endpoint": f"{name}.cluster-{host}",
        "ReaderEndpoint": f"{name}.cluster-ro-{host}",
        "MultiAZ": False,
        "Engine": engine,
        "EngineVersion": version,
        "Port": call.get("Port", 5432 if "postgres" in engine else 3306),
        "MasterUsername": call.get("MasterUsername"),
        "PreferredBackupWindow": call.get("PreferredBackupWindow", "07:21-07:51"),
        "PreferredMaintenanceWindow": call.get("PreferredMaintenanceWindow", "sun:04:29-sun:04:59").lower(),
        "ReadReplicaIdentifiers": [],
        "VpcSecurityGroups": security_groups(call, groups),
        "HostedZoneId": "Z2R2ITUGPM61AM",
        "StorageEncrypted": call.get("StorageEncrypted", False),
        "DbClusterResourceId": resource_id("cluster"),
        "DBClusterArn": call.arn("rds", f"cluster:{name}"),
        "AssociatedRoles": [],
        "IAMDatabaseAuthenticationEnabled": call.get("EnableIAMDatabaseAuthentication", False),
        "ClusterCreateTime": now(),
        "EnabledCloudwatchLogsExports": call.get("EnableCloudwatchLogsExports", []),
        "EngineMode": call.get("EngineMode", "provisioned"),
        "DeletionProtection": call.get("DeletionProtection", False),
        "HttpEndpointEnabled": call.get("EnableHttpEndpoint", False),
        "ActivityStreamStatus": "stopped",
        "CopyTagsToSnapshot": call.get("CopyTagsToSnapshot", False),
        "CrossAccountClone": False,
        "DomainMemberships": [],
        "AutoMinorVersionUpgrade": call.get("AutoMinorVersionUpgrade", True),
        "NetworkType": call.get("NetworkType", "IPV4"),
        "MonitoringInterval": call.get("MonitoringInterval", 0),
        "DatabaseInsightsMode": call.get("DatabaseInsightsMode", "standard"),
        "PerformanceInsightsEnabled": call.get("EnablePerformanceInsights", False),
        "EngineLifecycleSupport": call.get("EngineLifecycleSupport", "open-source-rds-extended-support"),
        "LocalWriteForwardingStatus": "disabled",
        "_pending": {},
    } | picked(call.params, *KEPT)
    if cluster["StorageEncrypted"] and "KmsKeyId" not in cluster:
        cluster["KmsKeyId"] = call.arn("kms", "key/aws-rds")
    if call.get("ManageMasterUserPassword"):
        cluster["MasterUserSecret"] = secret.make(call, "cluster", cluster["MasterUsername"])
    return cluster


def default_security_group(call, vpc_id):
    return call.backend("ec2").get_default_security_group(vpc_id).id


def shown(call, cluster):
    out = visible(call, cluster, cluster["DBClusterArn"])
    members = members_of(call, cluster)
    out["DBClusterMembers"] = [
        {
            "DBInstanceIdentifier": member["DBInstanceIdentifier"],
            "IsClusterWriter": member["_writer"],
            "DBClusterParameterGroupStatus": member.get("_cluster_parameters", "in-sync"),
            "PromotionTier": member["PromotionTier"],
        }
        for member in members
    ]
    out["MultiAZ"] = len({member["AvailabilityZone"] for member in members}) > 1
    if cluster["_pending"]:
        out["PendingModifiedValues"] = dict(cluster["_pending"])
    if cluster.get("MasterUserSecret") or cluster.get("_old_secret"):
        out["MasterUserSecret"] = cluster.get("MasterUserSecret") or cluster["_old_secret"]
    return out | (shown_window(cluster) if cluster["Status"] != "creating" else {})


@operation("rds", "DescribeDBClusters")
def describe_db_clusters(call):
    found = [cluster_of(call)] if call.get("DBClusterIdentifier") else list(clusters(call).values())
    found, more = page(call, filtered(call, found, FILTERS), "MaxRecords", "Marker", "Marker")
    return {"DBClusters": [shown(call, cluster) for cluster in found]} | more


@operation("rds", "ModifyDBCluster")
def modify_db_cluster(call):
    cluster = cluster_of(call)
    if call.get("EngineVersion"):
        check_upgrade(call, cluster)
    change_quick(call, cluster)
    pending = slow_changes(call, cluster)
    cluster["_pending"] = cluster["_pending"] | pending
    renames.ask(call, cluster)
    if call.get("ApplyImmediately"):
        later("rds.modify.noticed", lambda: begin(call, cluster))
    return {"DBCluster": shown(call, cluster)}


def begin(call, cluster):
    """A new name comes first, then a new version, then the rest."""
    upgrade = lambda: upgrades.begin(call, cluster, lambda: notice(cluster))  # noqa: E731
    renames.begin(call, cluster, upgrade)


def check_upgrade(call, cluster):
    wanted = require_offered(cluster["Engine"], call.params["EngineVersion"])
    if wanted == cluster["EngineVersion"]:
        return
    if not members_of(call, cluster):
        raise AwsError(
            "InvalidDBClusterStateFault", "Cannot modify engine version without a primary instance in DB cluster."
        )
    if wanted.split(".")[0] != cluster["EngineVersion"].split(".")[0] and not call.get("AllowMajorVersionUpgrade"):
        message = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        raise AwsError("InvalidParameterCombination", message)


def change_quick(call, cluster):
    for given, kept in QUICK.items():
        if call.get(given) is not None:
            cluster[kept] = call.params[given]
    if call.get("ServerlessV2ScalingConfiguration"):
        scale(call, cluster, call.params["ServerlessV2ScalingConfiguration"])
    if call.get("VpcSecurityGroupIds"):
        cluster["VpcSecurityGroups"] = security_groups(call, call.params["VpcSecurityGroupIds"])
        for member in members_of(call, cluster):
            member["VpcSecurityGroups"] = cluster["VpcSecurityGroups"]
            enis.regroup(call, member["DBInstanceArn"], call.params["VpcSecurityGroupIds"])
    if call.get("DBClusterParameterGroupName"):
        group = CLUSTER.find(call, call.params["DBClusterParameterGroupName"])
        if cluster["DBClusterParameterGroup"] != group["DBClusterParameterGroupName"]:
            await_reboot(call, cluster)
        cluster["DBClusterParameterGroup"] = group["DBClusterParameterGroupName"]
    change_log_exports(call, cluster)
    change_secret(call, cluster)
    secret.rotate(call, cluster)


@behaviour(
    "rds",
    says="the most connections follow the capacity only when a member is restarted, which is refused for a while",
    source="Amazon Aurora User Guide: Performance and scaling for Aurora Serverless v2 (max_connections is static); "
    "aws-cloudformation/aws-cloudformation-resource-providers-rds pull request 609",
)
def scale(call, cluster, wish):
    before = cluster.get("ServerlessV2ScalingConfiguration", {})
    cluster["ServerlessV2ScalingConfiguration"] = before | wish
    if most_connections(before | wish) != most_connections(before):
        await_reboot(call, cluster)
        cluster["_scaled"] = world.clock.now()


def most_connections(scaling):
    """By the largest capacity, and at most 2000 from a smallest of half a unit or less."""
    return scaling.get("MaxCapacity"), scaling.get("MinCapacity", 0) <= 0.5


def restarted(members):
    for member in members:
        member |= {"_parameters": "in-sync", "_cluster_parameters": "in-sync"}


def await_reboot(call, cluster):
    """Static parameters reach an instance only when it starts."""
    for member in members_of(call, cluster):
        member["_cluster_parameters"] = "pending-reboot"


def change_log_exports(call, item):
    wish = call.get("CloudwatchLogsExportConfiguration")
    if wish:
        kept = [kind for kind in item["EnabledCloudwatchLogsExports"] if kind not in wish.get("DisableLogTypes", [])]
        kept += [kind for kind in wish.get("EnableLogTypes", []) if kind not in kept]
        item["EnabledCloudwatchLogsExports"] = kept


def change_secret(call, item):
    manages = call.get("ManageMasterUserPassword")
    if manages is False and "MasterUserSecret" in item:
        secret.remove(call, item.pop("MasterUserSecret"))
    elif manages and "MasterUserSecret" not in item:
        item["MasterUserSecret"] = secret.make(call, "cluster", item["MasterUsername"]) | {"SecretStatus": "active"}
    elif call.get("MasterUserSecretKmsKeyId") and "MasterUserSecret" in item:
        item["MasterUserSecret"]["KmsKeyId"] = call.params["MasterUserSecretKmsKeyId"]


@behaviour(
    "rds",
    says="a change that waits for the maintenance window is carried out along with the next one that is made at once, and "
    "taken back where the live value is asked for",
    source="Amazon RDS User Guide: Modifying an Amazon RDS DB instance, Using the schedule modifications setting",
)
def take_back(item, kept):
    item["_pending"].pop(kept, None)


def take_password(item):
    """Taken in as soon as it can be, whatever else waits (API reference, ModifyDBInstance, MasterUserPassword)."""
    item["_pending"].pop("MasterUserPassword", None)
    if "_next_password" in item:
        item["_password"] = item.pop("_next_password")


def slow_changes(call, cluster):
    pending = {}
    for given, kept in SLOW.items():
        value = call.get(given)
        if value is not None and (kept is None or cluster.get(kept) != value):
            pending[kept or given] = "****" if kept is None else value
        elif value is not None:
            take_back(cluster, kept)
    if "EngineVersion" in pending:
        pending["EngineVersion"] = require_offered(cluster["Engine"], pending["EngineVersion"])
    return pending


def notice(item, key="Status", then=lambda changed: None):
    """The status follows a change only after a while, which is what makes a hasty reader believe it is done. `then` is told
    what has changed."""
    if item[key] in ("available", "storage-optimization", "storage-full"):
        item[key] = "modifying"
        # A new class comes with a restart, and nobody answers in the meantime.
        item["_down"] = "DBInstanceClass" in item["_pending"]
        later("rds.cluster.modify" if key == "Status" else "rds.instance.modify", lambda: settle(item, key, then))
    elif item[key] == "failing-over":
        later("rds.modify.noticed", lambda: notice(item, key, then))


def settle(item, key, then):
    if item[key] == "modifying":
        changed = set(item["_pending"])
        known = {*item, "Iops", "StorageThroughput"}
        item.update({name: value for name, value in item["_pending"].items() if name in known})
        item["_pending"] = {}
        if "_next_password" in item:
            item["_password"] = item.pop("_next_password")
        item |= {key: "available", "_down": False}
        then(changed)


@operation("rds", "DeleteDBCluster")
def delete_db_cluster(call):
    cluster = cluster_of(call)
    if cluster["Status"] == "deleting":
        raise AwsError("InvalidDBClusterStateFault", "Cluster is already being deleted.")
    last = take_final_snapshot(call, cluster)
    cluster["Status"] = "deleting"
    answer = shown(call, cluster)
    goes, stays = (lambda: remove_when_empty(call, cluster)), (lambda: cluster.update(Status="available"))
    later("rds.cluster.delete", lambda: after_the_last(last, goes, stays))
    return {"DBCluster": answer}


def take_final_snapshot(call, cluster):
    """The last snapshot, where one is taken."""
    if call.get("SkipFinalSnapshot"):
        if call.get("FinalDBSnapshotIdentifier"):
            message = "FinalDBSnapshotIdentifier can not be specified when deleting a cluster with SkipFinalSnapshot"
            raise AwsError("InvalidParameterCombination", message)
        return None
    if not call.get("FinalDBSnapshotIdentifier"):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        raise AwsError("InvalidParameterCombination", message)
    return take_cluster_snapshot(call, cluster, call.params["FinalDBSnapshotIdentifier"])


def remove_when_empty(call, cluster):
    if members_of(call, cluster):
        later("rds.cluster.delete", lambda: remove_when_empty(call, cluster))
        return
    part_with(call, cluster)
    clusters(call).pop(cluster["DBClusterIdentifier"], None)
    go_with_the_cluster(call, cluster)
    tags(call).pop(cluster["DBClusterArn"], None)
    if "MasterUserSecret" in cluster:
        secret.remove(call, cluster["MasterUserSecret"])


@operation("rds", "AddRoleToDBCluster")
def add_role_to_db_cluster(call):
    role = {"RoleArn": call.params["RoleArn"], "Status": "ACTIVE", "FeatureName": call.get("FeatureName", "")}
    cluster_of(call)["AssociatedRoles"].append(role)
    return {}


@operation("rds", "RemoveRoleFromDBCluster")
def remove_role_from_db_cluster(call):
    cluster = cluster_of(call)
    kept = [role for role in cluster["AssociatedRoles"] if role["RoleArn"] != call.params["RoleArn"]]
    if len(kept) == len(cluster["AssociatedRoles"]):
        raise AwsError("DBClusterRoleNotFound", "The role is not associated with the cluster.")
    cluster["AssociatedRoles"] = kept
    return {}


@operation("rds", "FailoverDBCluster")
def failover_db_cluster(call):
    cluster = cluster_of(call)
    readers = successors(call, cluster)
    if not readers:
        raise AwsError("InvalidDBClusterStateFault", "The cluster has no reader to fail over to.")
    target = (call.get("TargetDBInstanceIdentifier") or readers[0]["DBInstanceIdentifier"]).lower()
    found = next((reader for reader in readers if reader["DBInstanceIdentifier"] == target), None)
    if found is None:
        raise AwsError("InvalidDBInstanceState", f"{target} is no reader of the cluster that is available.")
    fail_over(call, cluster, found)
    return {"DBCluster": shown(call, cluster)}


def successors(call, cluster):
    """The readers that can take over, in the order in which AWS takes them."""
    readers = [m for m in members_of(call, cluster) if not m["_writer"] and m["DBInstanceStatus"] == "available"]
    return sorted(readers, key=lambda member: member["PromotionTier"])


@behaviour(
    "rds",
    says="a failover takes a while, in which the cluster is failing-over and nobody answers at the writer's endpoint; so it does "
    "where the writer is deleted",
    source="Amazon Aurora User Guide: High availability for Amazon Aurora; Amazon RDS API Reference: FailoverDBCluster",
)
def fail_over(call, cluster, successor):
    for member in members_of(call, cluster):
        member["_writer"] = False
    cluster["Status"] = "failing-over"
    later("rds.failover", lambda: take_over(call, cluster, successor))


def take_over(call, cluster, successor):
    if cluster["Status"] != "failing-over":
        return
    cluster["Status"] = "available"
    still_there = [member for member in members_of(call, cluster) if member["DBInstanceStatus"] != "deleting"]
    if successor not in still_there:
        successor = min(still_there, key=lambda member: member["PromotionTier"], default=successor)
    successor["_writer"] = True
