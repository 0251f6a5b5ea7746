"""RDS: what has to be there first, and what may not go yet."""

from ..life import durations
from ..policies import roles_by_arn
from ..registry import AwsError, rule
from ..services.rds.instances import STORAGE
from ..services.rds.parameter_groups import CLUSTER, INSTANCE
from ..services.rds.shared import RESTORES, clusters, instances, members_of, proxies, subnet_groups
from ..services.rds.subnet_groups import users_of
from ..trusts import names, trusts
from ..world import world
from .helpers import invalid
from .keys import require_key
from .rds import WRITES, cluster_in, combination

WRECKED = ("failed", "incompatible-restore", "incompatible-network")
PROXY_CHANGES = ("ModifyDBProxy", "ModifyDBProxyTargetGroup", "RegisterDBProxyTargets", "DeregisterDBProxyTargets")


@rule(
    "order", "rds", "CreateDBCluster", "CreateDBInstance", *RESTORES, says="a subnet group exists before what lies in it"
)
def subnet_group_exists(call):
    name = (call.get("DBSubnetGroupName") or "").lower()
    if name and name not in subnet_groups(call):
        raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")


@rule(
    "order",
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    "ModifyDBCluster",
    "ModifyDBInstance",
    *RESTORES,
    says="security groups exist before what they guard",
)
def security_groups_exist(call):
    known = {g for vpc in call.backend("ec2").groups.values() for g in vpc}
    for group in call.get("VpcSecurityGroupIds", []):
        if group not in known:
            invalid("rds", f"Invalid security group , groupId= {group}, groupName=.")


@rule("order", "rds", "CreateDBCluster", "CreateDBInstance", says="keys exist and are enabled before what they encrypt")
def keys_exist(call):
    for name in ("KmsKeyId", "MasterUserSecretKmsKeyId", "PerformanceInsightsKMSKeyId"):
        require_key(call, call.get(name), "KMSKeyNotAccessibleFault")


@rule(
    "order",
    "rds",
    "ModifyDBInstance",
    says="performance data have one key for the life of an instance, also while they are not kept",
    source="hashicorp/terraform-provider-aws pull request 6453, comment of 2019-01-09; which error says so is not told",
)
def insights_key_stays(call):
    wanted = call.get("PerformanceInsightsKMSKeyId")
    instance = instances(call).get((call.get("DBInstanceIdentifier") or "").lower(), {})
    known = instance.get("_insights_key")
    if wanted and known and wanted.rpartition("/")[2] != known.rpartition("/")[2]:
        combination("The Performance Insights KMS key of a DB instance cannot be changed.")


@rule(
    "order",
    "rds",
    *WRITES,
    says="a monitoring role exists and trusts monitoring.rds",
    source="Amazon RDS User Guide: Enhanced Monitoring",
)
def monitoring_role(call):
    arn = call.get("MonitoringRoleArn")
    if arn and not trusts(call, roles_by_arn(call).get(arn), "monitoring.rds.amazonaws.com"):
        invalid(
            "rds", "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING"
        )


@rule(
    "order",
    "rds",
    "CreateDBProxy",
    says="a proxy role exists and trusts rds",
    source="Amazon RDS User Guide: RDS Proxy",
)
def proxy_role(call):
    if not names(roles_by_arn(call).get(call.params["RoleArn"]), "rds.amazonaws.com"):
        invalid("rds", "IAM role ARN value is invalid or does not include the required permissions for: RDS_PROXY")


@rule("order", "rds", "DeleteDBCluster", "DeleteDBInstance", says="a protected database cannot be deleted")
def protected(call):
    item = cluster_in(call) or instances(call).get((call.get("DBInstanceIdentifier") or "").lower())
    if item and item["DeletionProtection"]:
        kind = "Cluster" if "Cluster" in call.operation else "DB Instance"
        combination(f"Cannot delete protected {kind}, please disable deletion protection and try again.")


@rule("order", "rds", "DeleteDBCluster", says="a cluster cannot be deleted before its instances")
def cluster_has_members(call):
    cluster = cluster_in(call)
    if cluster and any(member["DBInstanceStatus"] != "deleting" for member in members_of(call, cluster)):
        message = "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        raise AwsError("InvalidDBClusterStateFault", message)


@rule("order", "rds", "DeleteDBSubnetGroup", says="a subnet group in use cannot be deleted")
def subnet_group_in_use(call):
    name = call.params["DBSubnetGroupName"].lower()
    users = users_of(call, name)
    if users:
        message = (
            f"Cannot delete the subnet group '{name}' because at least one "
            f"database instance: {users[0]} is still using it."
        )
        raise AwsError("InvalidDBSubnetGroupStateFault", message)


@rule(
    "order",
    "rds",
    "DeleteDBClusterParameterGroup",
    "DeleteDBParameterGroup",
    says="a parameter group in use cannot be deleted",
)
def parameter_group_in_use(call):
    kind = CLUSTER if "Cluster" in call.operation else INSTANCE
    name = call.params[kind.name_key].lower()
    if kind.users(call, name):
        message = (
            "One or more database instances are still members of this parameter "
            f"group {name}, so the group cannot be deleted"
        )
        raise AwsError("InvalidDBParameterGroupState", message)


@rule(
    "order",
    "rds",
    "ModifyDBCluster",
    "CreateDBInstance",
    says="a cluster that is being created, changed or deleted takes no change",
)
def cluster_at_rest(call):
    cluster = cluster_in(call)
    busy = ("creating", "modifying", "deleting", "backing-up", "failing-over", "maintenance")
    refused = ("deleting",) if call.operation == "CreateDBInstance" else busy
    if cluster and cluster["Status"] in refused:
        message = f"DB cluster {cluster['DBClusterIdentifier']} is not in a valid state: {cluster['Status']}."
        raise AwsError("InvalidDBClusterStateFault", message)


@rule("order", "rds", "FailoverDBCluster", says="a cluster fails over only while it is available")
def cluster_to_fail_over(call):
    cluster = cluster_in(call)
    if cluster and cluster["Status"] != "available":
        message = f"DB cluster {cluster['DBClusterIdentifier']} is not in a valid state: {cluster['Status']}."
        raise AwsError("InvalidDBClusterStateFault", message)


@rule(
    "order", "rds", "ModifyDBInstance", "RebootDBInstance", says="an instance takes changes only while it is available"
)
def instance_at_rest(call):
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower())
    if instance and (loses_protection(call, instance) or makes_room(call, instance) or starts_again(call, instance)):
        return
    if instance and instance["DBInstanceStatus"] not in ("available", "storage-optimization"):
        message = f"Database instance is not in available state: {instance['DBInstanceStatus']}."
        raise AwsError("InvalidDBInstanceState", message)


def loses_protection(call, instance):
    """No text says that the protection of a wreck can be taken off; if it could not, one could never be deleted."""
    asks = set(call.params) - {"DBInstanceIdentifier", "ApplyImmediately"}
    return asks == {"DeletionProtection"} and instance["DBInstanceStatus"] in WRECKED


def starts_again(call, instance):
    """Amazon RDS User Guide, "Troubleshooting for Amazon RDS": with the parameters mended it is rebooted."""
    return call.operation == "RebootDBInstance" and instance["DBInstanceStatus"] == "incompatible-parameters"


@rule(
    "order",
    "rds",
    "RebootDBInstance",
    says="for a while after a change of capacity no member is restarted",
    source="aws-cloudformation/aws-cloudformation-resource-providers-rds pull request 609",
)
def scaled_to_restart(call):
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower(), {})
    scaled = clusters(call).get(instance.get("DBClusterIdentifier"), {}).get("_scaled")
    if scaled is not None and world.clock.seconds_since(scaled) < durations["rds.scaled"]:
        raise AwsError("InvalidDBInstanceState", "Database cluster is not in a state in which its instances can be rebooted.")


def makes_room(call, instance):
    """Amazon RDS User Guide, "Viewing Amazon RDS DB instance status": "To do so, scale up your storage"."""
    return instance["DBInstanceStatus"] == "storage-full" and call.get("AllocatedStorage")


@rule(
    "order",
    "rds",
    "ModifyDBInstance",
    says="storage that was changed takes no other change for six hours, or while it is being optimized",
    source="Amazon RDS User Guide: Working with storage for Amazon RDS DB instances; the message is the one that "
    "hashicorp/terraform-provider-aws waits for (internal/service/rds/instance.go)",
)
def storage_rests(call):
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower(), {})
    asked = any(call.get(name) not in (None, instance.get(name)) for name in STORAGE)
    changed = instance.get("_storage_changed")
    if not asked or changed is None:
        return
    is_optimized = instance["DBInstanceStatus"] != "storage-optimization"
    if not is_optimized or world.clock.seconds_since(changed) < durations["rds.storage.rest"]:
        combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being "
            "optimized."
        )


@rule("order", "rds", *PROXY_CHANGES, says="a proxy takes changes only while it is available")
def proxy_at_rest(call):
    proxy = proxies(call).get(call.params["DBProxyName"].lower())
    if proxy and proxy["Status"] != "available":
        raise AwsError("InvalidDBProxyStateFault", f"DB proxy {proxy['DBProxyName']} is {proxy['Status']}.")


@rule("order", "rds", "RegisterDBProxyTargets", says="what a proxy stands in front of is available, every instance of it")
def targets_at_rest(call):
    wanted = [instances(call).get(name.lower()) for name in call.get("DBInstanceIdentifiers", [])]
    for name in call.get("DBClusterIdentifiers", []):
        cluster = clusters(call).get(name.lower())
        wanted += members_of(call, cluster) if cluster else []
    for instance in wanted:
        if instance and instance["DBInstanceStatus"] not in ("available", "modifying", "backing-up"):
            name, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"].upper()
            message = f"DB Instance {name} is in an unsupported state - {status}, needs to be in [AVAILABLE, MODIFYING]"
            raise AwsError("InvalidDBInstanceState", message)
