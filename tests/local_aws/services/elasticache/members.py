"""The nodes of replication groups, which AWS shows as cache clusters of their own."""

from ...common import page, picked
from ...registry import AwsError, operation
from .shared import groups

FROM_GROUP = (
    "CacheNodeType",
    "Engine",
    "AutoMinorVersionUpgrade",
    "AuthTokenEnabled",
    "TransitEncryptionEnabled",
    "TransitEncryptionMode",
    "AtRestEncryptionEnabled",
    "NetworkType",
    "IpDiscovery",
    "LogDeliveryConfigurations",
)


def cluster(call, group, member):
    """Only one member takes the snapshots, and only that one shows their settings."""
    takes_snapshots = member["CacheClusterId"] == group["SnapshottingClusterId"]
    out = {name: group[name] for name in FROM_GROUP if name in group}
    out |= {
        "CacheClusterId": member["CacheClusterId"],
        "CacheClusterStatus": group["Status"],
        "EngineVersion": group["_version"],
        "NumCacheNodes": 1,
        "ClientDownloadLandingPage": "https://console.aws.amazon.com/elasticache/home#client-download:",
        "PreferredAvailabilityZone": member["_zone"],
        "CacheClusterCreateTime": group["ReplicationGroupCreateTime"],
        "PreferredMaintenanceWindow": group["_window"],
        "PendingModifiedValues": picked(group.get("_deferred", {}), "CacheNodeType", "EngineVersion"),
        "CacheSecurityGroups": [],
        "CacheParameterGroup": {
            "CacheParameterGroupName": group["_parameter_group"],
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
        "CacheSubnetGroupName": group["_subnet_group"],
        "SecurityGroups": [{"SecurityGroupId": g, "Status": "active"} for g in group["_security_groups"]],
        "ReplicationGroupId": group["ReplicationGroupId"],
        "SnapshotRetentionLimit": group["SnapshotRetentionLimit"] if takes_snapshots else 0,
        "ARN": call.arn("elasticache", f"cluster:{member['CacheClusterId']}"),
        "ReplicationGroupLogDeliveryEnabled": False,
    }
    if takes_snapshots:
        out["SnapshotWindow"] = group["SnapshotWindow"]
    if group.get("_topic"):
        out["NotificationConfiguration"] = {"TopicArn": group["_topic"], "TopicStatus": "active"}
    return out


def node(group, member):
    return {
        "CacheNodeId": "0001",
        "CacheNodeStatus": group["Status"],
        "CacheNodeCreateTime": group["ReplicationGroupCreateTime"],
        "Endpoint": member["ReadEndpoint"],
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": member["_zone"],
    }


@operation("elasticache", "DescribeCacheClusters")
def describe_cache_clusters(call):
    if call.get("ShowCacheClustersNotInReplicationGroups"):
        return {"CacheClusters": []}
    found = []
    for group in groups(call).values():
        for member in group["_members"]:
            info = {"CacheNodes": [node(group, member)]} if call.get("ShowCacheNodeInfo") else {}
            found.append(cluster(call, group, member) | info)
    wanted = (call.get("CacheClusterId") or "").lower()
    if wanted:
        found = [c for c in found if c["CacheClusterId"] == wanted]
        if not found:
            raise AwsError("CacheClusterNotFound", f"CacheCluster {wanted} not found.", 404)
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"CacheClusters": found} | more
