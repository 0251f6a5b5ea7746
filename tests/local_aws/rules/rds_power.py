"""RDS: what a stopped database takes, and one that cannot be brought back."""

from ..registry import AwsError, rule
from ..services.rds.power import RECOVERABLE
from ..services.rds.shared import clusters, instances
from .rds import cluster_in, combination
from .rds_order import WRECKED

DOWN = ("stopping", "stopped", "starting")


def instance_in(call):
    return instances(call).get((call.get("DBInstanceIdentifier") or "").lower())


@rule(
    "order",
    "rds",
    "ModifyDBCluster",
    "DeleteDBCluster",
    "CreateDBInstance",
    "DeleteDBInstance",
    says="a stopped cluster must be started before it, or a member, is changed, added or deleted",
    source="Amazon Aurora User Guide: Stopping and starting an Amazon Aurora DB cluster; Deleting Aurora DB clusters",
)
def stopped_cluster_takes_nothing(call):
    member = instance_in(call) or {}
    cluster = cluster_in(call) or clusters(call).get(member.get("DBClusterIdentifier"))
    if not cluster or cluster["Status"] not in DOWN:
        return
    status = cluster["Status"]
    if call.operation == "DeleteDBInstance":
        message = f"Database instance {member['DBInstanceIdentifier']} is not in available state: {status}."
        raise AwsError("InvalidDBInstanceState", message)
    message = f"DB cluster {cluster['DBClusterIdentifier']} is not in a valid state: {status}."
    raise AwsError("InvalidDBClusterStateFault", message)


@rule(
    "order",
    "rds",
    "DeleteDBInstance",
    says="of an instance that failed, or is incompatible with its restore or network, no final snapshot can be taken",
)
def no_final_snapshot_of_a_wreck(call):
    instance = instance_in(call)
    if instance and call.get("FinalDBSnapshotIdentifier") and instance["DBInstanceStatus"] in WRECKED:
        message = (
            f"Cannot create a final snapshot because the DB instance is in {instance['DBInstanceStatus']} state. "
            "Skip the final snapshot to delete it."
        )
        raise AwsError("InvalidDBInstanceState", message)


@rule(
    "order",
    "rds",
    "StopDBCluster",
    "StartDBCluster",
    "StopDBInstance",
    "StartDBInstance",
    says="only what is available stops, and only what is stopped, or misses its key, starts",
)
def at_rest_to_stop_or_start(call):
    of_cluster = "Cluster" in call.operation
    item = cluster_in(call) if of_cluster else instance_in(call)
    if item is None:
        return
    status = item["Status" if of_cluster else "DBInstanceStatus"]
    wanted = ("available",) if call.operation.startswith("Stop") else ("stopped", RECOVERABLE)
    if status not in wanted:
        code = "InvalidDBClusterStateFault" if of_cluster else "InvalidDBInstanceState"
        raise AwsError(code, f"{'DbCluster' if of_cluster else 'Instance'} is in {status} state.")


@rule(
    "order", "rds", "StopDBInstance", "StartDBInstance", says="members of an Aurora cluster stop and start with the cluster"
)
def members_stop_with_their_cluster(call):
    instance = instance_in(call)
    if instance and instance.get("DBClusterIdentifier"):
        combination(f"{call.operation} is not supported for Aurora instances; stop or start the cluster.")
