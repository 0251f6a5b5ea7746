"""What RDS says about the account itself."""

from ...quotas import quotas
from ...registry import operation
from .parameter_groups import CLUSTER, INSTANCE
from .shared import cluster_snapshots, clusters, instances, snapshots, subnet_groups


@operation("rds", "DescribeAccountAttributes")
def describe_account_attributes(call):
    storage = sum(instance.get("AllocatedStorage", 0) for instance in instances(call).values())
    widest = max((len(group["Subnets"]) for group in subnet_groups(call).values()), default=0)
    told = {
        "AllocatedStorage": (storage, 100_000),
        "DBClusterParameterGroups": (len(CLUSTER.shelf(call)), 50),
        "DBClusters": (len(clusters(call)), quotas["rds-clusters"]),
        "DBInstances": (len(instances(call)), quotas["rds-instances"]),
        "DBParameterGroups": (len(INSTANCE.shelf(call)), 50),
        "DBSubnetGroups": (len(subnet_groups(call)), 50),
        "ManualClusterSnapshots": (manual(cluster_snapshots(call)), 100),
        "ManualSnapshots": (manual(snapshots(call)), 100),
        "SubnetsPerDBSubnetGroup": (widest, 20),
    }
    return {"AccountQuotas": [{"AccountQuotaName": k, "Used": used, "Max": most} for k, (used, most) in told.items()]}


def manual(shelf):
    return sum(snapshot["SnapshotType"] == "manual" for snapshot in shelf.values())
