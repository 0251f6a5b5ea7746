"""Replication groups."""

from ... import enis
from ...common import page, picked
from ...life import conclude, later
from ...registry import AwsError, behaviour, now, operation
from ...world import new_name
from ..ec2.shared import short_region
from . import snapshots
from .events import say
from .parameter_groups import default_name, parameter_group_of
from .shared import group_of, groups, shown, subnet_group_of, tags, user_groups
from .versions import NEWEST, family, reported

DEFAULT_PORT = 6379


@operation("elasticache", "CreateReplicationGroup")
def create_replication_group(call):
    name = call.params["ReplicationGroupId"].lower()
    if name in groups(call):
        raise AwsError("ReplicationGroupAlreadyExists", f"Replication group {name} already exists.")
    group = new_group(snapshots.with_snapshot(call), name)
    seeded = snapshots.seed(call, group)
    add_members(call, group, wanted_members(call))
    groups(call)[name] = group
    tags(call)[group["ARN"]] = call.get("Tags", [])
    attach_user_groups(call, group, group["UserGroupIds"])
    conclude(
        "elasticache.group.create",
        "elasticache.replication-group",
        name,
        lambda: (group.update(Status="available"), seeded()),
        lambda text: (fail(call, group, text), seeded()),
    )
    return {"ReplicationGroup": described(group)}


def fail(call, group, text):
    group["Status"] = "create-failed"
    say(call, group["ReplicationGroupId"], text or "Replication group creation failed")


def wanted_members(call):
    if call.get("NumNodeGroups", 1) > 1 or call.get("ReplicasPerNodeGroup") is not None:
        return call.get("NumNodeGroups", 1) * (1 + call.get("ReplicasPerNodeGroup", 0))
    return call.get("NumCacheClusters", 1)


def new_group(call, name):
    engine = call.get("Engine", "redis")
    version = call.get("EngineVersion", NEWEST[engine])
    clustered = call.get("NumNodeGroups", 1) > 1 or call.get("ClusterMode") == "enabled"
    parameter_group = call.get("CacheParameterGroupName", default_name(family(engine, version), clustered))
    group = {
        "ReplicationGroupId": name,
        "Description": call.params["ReplicationGroupDescription"],
        "Status": "creating",
        "PendingModifiedValues": {},
        "AutomaticFailover": "enabled" if call.get("AutomaticFailoverEnabled") else "disabled",
        "MultiAZ": "enabled" if call.get("MultiAZEnabled") else "disabled",
        "SnapshotRetentionLimit": call.get("SnapshotRetentionLimit", 0),
        "SnapshotWindow": call.get("SnapshotWindow", "05:00-06:00"),
        "ClusterEnabled": clustered,
        "CacheNodeType": call.get("CacheNodeType", "cache.r6g.large"),
        "AuthTokenEnabled": bool(call.get("AuthToken")),
        "TransitEncryptionEnabled": call.get("TransitEncryptionEnabled", False),
        "AtRestEncryptionEnabled": call.get("AtRestEncryptionEnabled", engine == "valkey"),
        "ARN": call.arn("elasticache", f"replicationgroup:{name}"),
        "UserGroupIds": call.get("UserGroupIds", []),
        "LogDeliveryConfigurations": log_deliveries(call),
        "ReplicationGroupCreateTime": now(),
        "DataTiering": "enabled" if call.get("DataTieringEnabled") else "disabled",
        "AutoMinorVersionUpgrade": call.get("AutoMinorVersionUpgrade", True),
        "NetworkType": call.get("NetworkType", "ipv4"),
        "IpDiscovery": call.get("IpDiscovery", "ipv4"),
        "ClusterMode": call.get("ClusterMode", "enabled" if clustered else "disabled"),
        "Engine": engine,
        "_version": reported(engine, version),
        "_parameter_group": parameter_group_of(call, parameter_group)["CacheParameterGroupName"],
        "_subnet_group": subnet_group_of(call, call.get("CacheSubnetGroupName", "default"))["CacheSubnetGroupName"],
        "_security_groups": call.get("SecurityGroupIds", []),
        "_window": call.get("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
        "_port": call.get("Port", DEFAULT_PORT),
        "_region": short_region(call),
        "_host": new_name(6),
        "_topic": call.get("NotificationTopicArn"),
        "_members": [],
        "_next": 1,
        "_shards": call.get("NumNodeGroups", 1),
        # What clients may show; None lets in those that show nothing.
        "_tokens": [call.get("AuthToken")],
    } | picked(call.params, "KmsKeyId")
    if group["TransitEncryptionEnabled"]:
        group["TransitEncryptionMode"] = call.get("TransitEncryptionMode", "required")
    if group["AuthTokenEnabled"]:
        group["AuthTokenLastModifiedDate"] = now()
    return group


def log_deliveries(call):
    wanted = [d for d in call.get("LogDeliveryConfigurations", []) if d.get("Enabled", True)]
    return [{k: v for k, v in d.items() if k != "Enabled"} | {"Status": "active"} for d in wanted]


def address(group, prefix, suffix=""):
    name = group["ReplicationGroupId"]
    if group["TransitEncryptionEnabled"]:
        host = f"{prefix}.{name}.{group['_host']}.{group['_region']}.cache.amazonaws.com"
    else:
        host = f"{name}{suffix}.{group['_host']}.ng.0001.{group['_region']}.cache.amazonaws.com"
    return {"Address": host, "Port": group["_port"]}


def add_members(call, group, count):
    """One more node each, spread over the subnets, and so over the zones, of the subnet group."""
    subnets = subnet_group_of(call, group["_subnet_group"])["Subnets"]
    subnets = sorted(subnets, key=lambda subnet: subnet["SubnetAvailabilityZone"]["Name"])
    for _ in range(count):
        number = group["_next"]
        subnet = subnets[(number - 1) % len(subnets)]
        name = f"{group['ReplicationGroupId']}-{number:03}"
        eni = enis.attach(
            call,
            group["ARN"],
            subnet["SubnetIdentifier"],
            group["_security_groups"],
            f"ElastiCache {name}",
            "amazon-elasticache",
        )
        member = {
            "CacheClusterId": name,
            "_zone": subnet["SubnetAvailabilityZone"]["Name"],
            "_subnet": subnet["SubnetIdentifier"],
            "_eni": eni and eni.id,
            "ReadEndpoint": {
                "Address": f"{name}.{group['_host']}.{group['_region']}.cache.amazonaws.com",
                "Port": group["_port"],
            },
        }
        group["_members"].append(member)
        group["_next"] += 1
    group["SnapshottingClusterId"] = group["_members"][min(1, len(group["_members"]) - 1)]["CacheClusterId"]


def drop_members(call, group, names):
    for member in [m for m in group["_members"] if m["CacheClusterId"] in names]:
        group["_members"].remove(member)
        if member["_eni"]:
            enis.release_one(call, group["ARN"], member["_eni"])
    group["SnapshottingClusterId"] = group["_members"][-1]["CacheClusterId"]


def described(group):
    out = shown(group)
    out["MemberClusters"] = [member["CacheClusterId"] for member in group["_members"]]
    if group["SnapshotRetentionLimit"] == 0:
        out.pop("SnapshottingClusterId", None)
    if group["Status"] == "creating":
        return out
    out["NodeGroups"] = [node_group(group, number) for number in range(group["_shards"])]
    if group["ClusterEnabled"]:
        out["ConfigurationEndpoint"] = address(group, "clustercfg")
    return out


def node_group(group, number):
    size = len(group["_members"]) // group["_shards"]
    members = group["_members"][number * size : (number + 1) * size]
    shard = {"NodeGroupId": f"{number + 1:04}", "Status": group["Status"]}
    if not group["ClusterEnabled"]:
        shard |= {"PrimaryEndpoint": address(group, "master"), "ReaderEndpoint": address(group, "replica", "-ro")}
    shard["NodeGroupMembers"] = [
        {
            "CacheClusterId": member["CacheClusterId"],
            "CacheNodeId": "0001",
            "ReadEndpoint": member["ReadEndpoint"],
            "PreferredAvailabilityZone": member["_zone"],
            "CurrentRole": "primary" if position == 0 else "replica",
        }
        for position, member in enumerate(members)
    ]
    return shard


@operation("elasticache", "DescribeReplicationGroups")
def describe_replication_groups(call):
    if call.get("ReplicationGroupId"):
        return {"ReplicationGroups": [described(group_of(call))]}
    found, more = page(call, [described(g) for g in groups(call).values()], "MaxRecords", "Marker", "Marker")
    return {"ReplicationGroups": found} | more


@operation("elasticache", "ModifyReplicationGroup")
def modify_replication_group(call):
    group = group_of(call)
    engine = group["Engine"]
    if call.get("ApplyImmediately"):
        hasten(call, group)
        change(call, group)
        begin_change(group)
    else:
        change_unscheduled(call, group)
    return {"ReplicationGroup": answered(group, engine)}


@behaviour(
    "elasticache",
    says="the answer to a change of the engine still names the old one",
    source="aws-controllers-k8s/elasticache-controller pull request 188",
)
def answered(group, engine):
    return described(group) | {"Engine": engine}


def begin_change(group):
    group["Status"] = "modifying"
    later("elasticache.group.modify", lambda: end_change(group))


def end_change(group):
    if group["Status"] == "modifying":
        group |= {"Status": "available", "_tokens": group.pop("_next_tokens", group["_tokens"])}


DEFERRED = ("CacheNodeType", "EngineVersion", "AutomaticFailoverEnabled")


@behaviour(
    "elasticache",
    says="what waits for the maintenance window is carried out along with the next change that is made at once",
    source="Amazon ElastiCache API Reference: ModifyReplicationGroup, ApplyImmediately",
)
def hasten(call, group):
    call.params = group.pop("_deferred", {}) | call.params
    group["PendingModifiedValues"] = {}


def change_unscheduled(call, group):
    """What does not touch the nodes changes at once even when the rest waits for the maintenance window."""
    for given, kept in (
        ("SnapshotRetentionLimit",) * 2,
        ("SnapshotWindow",) * 2,
        ("PreferredMaintenanceWindow", "_window"),
    ):
        if call.get(given) is not None:
            group[kept] = call.params[given]
    group["PendingModifiedValues"] = group["PendingModifiedValues"] | pending(call)
    group["_deferred"] = group.get("_deferred", {}) | picked(call.params, *DEFERRED)


def pending(call):
    out = {}
    if call.get("AutomaticFailoverEnabled") is not None:
        out["AutomaticFailoverStatus"] = "enabled" if call.params["AutomaticFailoverEnabled"] else "disabled"
    if call.get("AuthToken"):
        out["AuthTokenStatus"] = "SETTING" if call.get("AuthTokenUpdateStrategy") == "SET" else "ROTATING"
    return out


COPIED = {
    "ReplicationGroupDescription": "Description",
    "CacheNodeType": "CacheNodeType",
    "SnapshotRetentionLimit": "SnapshotRetentionLimit",
    "SnapshotWindow": "SnapshotWindow",
    "SnapshottingClusterId": "SnapshottingClusterId",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "TransitEncryptionEnabled": "TransitEncryptionEnabled",
    "TransitEncryptionMode": "TransitEncryptionMode",
    "IpDiscovery": "IpDiscovery",
    "ClusterMode": "ClusterMode",
    "Engine": "Engine",
    "PreferredMaintenanceWindow": "_window",
    "NotificationTopicArn": "_topic",
}


def change(call, group):
    moves = call.get("Engine", group["Engine"]) != group["Engine"]
    for given, kept in COPIED.items():
        if call.get(given) is not None:
            group[kept] = call.params[given]
    for given, kept in (("AutomaticFailoverEnabled", "AutomaticFailover"), ("MultiAZEnabled", "MultiAZ")):
        if call.get(given) is not None:
            group[kept] = "enabled" if call.params[given] else "disabled"
    if moves or call.get("EngineVersion"):
        group["_version"] = reported(group["Engine"], call.get("EngineVersion"))
    if moves:
        # AWS's own group follows the engine; one of the customer's is given along, or refused by a rule.
        group["_parameter_group"] = default_name(family(group["Engine"], group["_version"]), group["ClusterEnabled"])
    if call.get("CacheParameterGroupName"):
        group["_parameter_group"] = parameter_group_of(call, call.params["CacheParameterGroupName"])[
            "CacheParameterGroupName"
        ]
    if call.get("SecurityGroupIds"):
        group["_security_groups"] = call.params["SecurityGroupIds"]
        enis.regroup(call, group["ARN"], call.params["SecurityGroupIds"])
    if call.get("LogDeliveryConfigurations") is not None:
        change_log_deliveries(call, group)
    change_authentication(call, group)


def change_log_deliveries(call, group):
    touched = {d.get("LogType") for d in call.params["LogDeliveryConfigurations"]}
    kept = [d for d in group["LogDeliveryConfigurations"] if d.get("LogType") not in touched]
    group["LogDeliveryConfigurations"] = kept + log_deliveries(call)


def change_authentication(call, group):
    if call.get("AuthToken"):
        group |= {"AuthTokenEnabled": True, "AuthTokenLastModifiedDate": now()}
        change_tokens(group, call.params["AuthToken"], call.get("AuthTokenUpdateStrategy", "ROTATE"))
    if call.get("AuthTokenUpdateStrategy") == "DELETE":
        group |= {"AuthTokenEnabled": False, "_next_tokens": [None]}
    added, removed = call.get("UserGroupIdsToAdd", []), call.get("UserGroupIdsToRemove", [])
    if call.get("RemoveUserGroups"):
        removed = group["UserGroupIds"]
    attach_user_groups(call, group, added)
    group["UserGroupIds"] = [u for u in group["UserGroupIds"] + added if u not in removed]
    for name in removed:
        if name in user_groups(call):
            user_groups(call)[name]["ReplicationGroups"].remove(group["ReplicationGroupId"])


@behaviour(
    "elasticache",
    says="after ROTATE the token before it opens a cache beside the new one, and none older; after SET the new one alone",
    source="Amazon ElastiCache User Guide: Authenticating with the AUTH command; API Reference: ModifyReplicationGroup, "
    "AuthTokenUpdateStrategy",
)
def change_tokens(group, token, strategy):
    """The same token again counts as a new one, so that whoever asks twice has shut out the one before."""
    rotates = strategy == "ROTATE"
    group |= {"_next_tokens": [*group["_tokens"], token][-2:] if rotates else [token], "_rotated": rotates}


def attach_user_groups(call, group, names):
    for name in names:
        users = user_groups(call)[name]
        if group["ReplicationGroupId"] not in users["ReplicationGroups"]:
            users["ReplicationGroups"].append(group["ReplicationGroupId"])


@operation("elasticache", "IncreaseReplicaCount")
def increase_replica_count(call):
    group = group_of(call)
    wanted = replica_total(call, group)
    if wanted <= len(group["_members"]):
        raise AwsError("InvalidParameterValue", "The new replica count must be greater than the current one.")
    add_members(call, group, wanted - len(group["_members"]))
    begin_change(group)
    return {"ReplicationGroup": described(group)}


@operation("elasticache", "DecreaseReplicaCount")
def decrease_replica_count(call):
    group = group_of(call)
    names = call.get("ReplicasToRemove")
    if not names:
        wanted = replica_total(call, group)
        names = replicas_to_lose(group, len(group["_members"]) - wanted)
    if not names:
        raise AwsError("InvalidParameterValue", "The new replica count must be less than the current one.")
    drop_members(call, group, names)
    begin_change(group)
    return {"ReplicationGroup": described(group)}


@behaviour(
    "elasticache",
    says="which replicas go when there are to be fewer is not for the caller to know, and their numbers are not given again",
    source="hashicorp/terraform-provider-aws pull request 17296; Amazon ElastiCache API Reference: DecreaseReplicaCount",
)
def replicas_to_lose(group, count):
    """Of each shard the first replicas, which a caller that counts upwards does not expect."""
    size = len(group["_members"]) // group["_shards"]
    shards = [group["_members"][start : start + size] for start in range(0, len(group["_members"]), size)]
    each = count // group["_shards"]
    return [member["CacheClusterId"] for shard in shards for member in shard[1 : 1 + each]]


def replica_total(call, group):
    if call.get("NewReplicaCount") is not None:
        return group["_shards"] * (1 + call.params["NewReplicaCount"])
    return sum(1 + shard["NewReplicaCount"] for shard in call.get("ReplicaConfiguration", []))


@operation("elasticache", "DeleteReplicationGroup")
def delete_replication_group(call):
    group = group_of(call)
    if call.get("FinalSnapshotIdentifier"):
        snapshots.take(call, group, call.params["FinalSnapshotIdentifier"])
    group["Status"] = "deleting"
    later("elasticache.group.delete", lambda: remove(call, group))
    return {"ReplicationGroup": described(group)}


def remove(call, group):
    groups(call).pop(group["ReplicationGroupId"], None)
    snapshots.go_with_the_group(call, group)
    tags(call).pop(group["ARN"], None)
    for users in user_groups(call).values():
        if group["ReplicationGroupId"] in users["ReplicationGroups"]:
            users["ReplicationGroups"].remove(group["ReplicationGroupId"])
    enis.release(call, group["ARN"])
