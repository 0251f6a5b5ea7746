"""RDS: of what snapshots are taken, and which of them can be deleted."""

from ..registry import AwsError, rule
from ..services.rds.shared import cluster_snapshots, instances, snapshots
from ..services.rds.snapshots import bare
from .helpers import invalid
from .rds import cluster_in

TAKEN_OF = ("available", "storage-optimization")


@rule(
    "order",
    "rds",
    "CreateDBClusterSnapshot",
    "CreateDBSnapshot",
    says="a snapshot is taken of a database that is available",
)
def snapshot_of_what_is_available(call):
    if call.operation == "CreateDBClusterSnapshot":
        cluster = cluster_in(call)
        if cluster and cluster["Status"] != "available":
            message = f"Cluster {cluster['DBClusterIdentifier']} is not in available state: {cluster['Status']}."
            raise AwsError("InvalidDBClusterStateFault", message)
        return
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower())
    if instance and instance["DBInstanceStatus"] not in TAKEN_OF:
        message = f"Cannot create a snapshot because the database instance {instance['DBInstanceIdentifier']} is not currently"
        raise AwsError("InvalidDBInstanceState", f"{message} in the available state.")


@rule("order", "rds", "CreateDBSnapshot", says="of a member of a cluster no snapshot is taken, but of the cluster")
def snapshot_of_a_member(call):
    instance = instances(call).get(call.params["DBInstanceIdentifier"].lower())
    if instance and instance.get("DBClusterIdentifier"):
        invalid(
            "rds",
            "The specified instance is a member of a cluster and a snapshot cannot be created directly. Please use the "
            "CreateDBClusterSnapshot API instead.",
        )


@rule(
    "order",
    "rds",
    "DeleteDBClusterSnapshot",
    "DeleteDBSnapshot",
    says="a snapshot that RDS took by itself goes only with its database, and one that is being taken cannot go yet",
)
def automated_snapshot_stays(call):
    of_cluster = call.operation == "DeleteDBClusterSnapshot"
    field = "DBClusterSnapshotIdentifier" if of_cluster else "DBSnapshotIdentifier"
    found = (cluster_snapshots if of_cluster else snapshots)(call).get(bare(call.params[field]))
    if found and (found["SnapshotType"] != "manual" or found["Status"] == "creating"):
        code = "InvalidDBClusterSnapshotStateFault" if of_cluster else "InvalidDBSnapshotState"
        raise AwsError(code, f"Only manual snapshots that are available may be deleted: {found[field]}.")
