"""ElastiCache."""

import re

from ..registry import AwsError, rule
from ..services.elasticache.groups import wanted_members
from ..services.elasticache.parameter_groups import all_groups
from ..services.elasticache.shared import groups, subnet_groups, user_groups, users
from ..services.elasticache.subnet_groups import users_of
from ..services.elasticache.versions import NEWEST, family, known
from .helpers import invalid, window, windows_overlap

IDENTIFIER = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")
AUTH_TOKEN = re.compile(r"[a-zA-Z0-9!&#$^<>-]{16,128}")
NODE_TYPE = re.compile(
    r"cache\.(?:(?:t3|t4g)\.(?:micro|small|medium)|(?:m5|m6g|m7g|m8g|r5|r6g|r7g|r8g)\.(?:large|[248]?xlarge|1[26]xlarge|24xlarge)"
    r"|(?:r6gd|r7gd)\.\w+|c8gn\.\w+)"
)
WRITES = ("CreateReplicationGroup", "ModifyReplicationGroup")


def combination(message):
    raise AwsError("InvalidParameterCombination", message)


def group_in(call):
    return groups(call).get(call.get("ReplicationGroupId", "").lower())


def engine_of(call):
    group = group_in(call)
    return call.get("Engine") or (group["Engine"] if group else "redis")


# strict


@rule(
    "strict",
    "elasticache",
    "CreateReplicationGroup",
    says="a group id begins with a letter, has 40 letters, digits and single hyphens, ends with no hyphen",
)
def identifier(call):
    name = call.params["ReplicationGroupId"]
    if not IDENTIFIER.fullmatch(name) or len(name) > 40:
        message = (
            "The parameter ReplicationGroupId is not a valid identifier. Identifiers "
            "must begin with a letter; must contain only ASCII "
        )
        invalid(
            "elasticache",
            message
            + "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
        )


@rule(
    "strict", "elasticache", "CreateReplicationGroup", says="failover needs two nodes, and several zones need failover"
)
def failover(call):
    per_shard = wanted_members(call) // call.get("NumNodeGroups", 1)
    if call.get("AutomaticFailoverEnabled") and per_shard < 2:
        combination("Automatic failover requires at least 2 cache clusters in the replication group.")
    if call.get("MultiAZEnabled") and not call.get("AutomaticFailoverEnabled"):
        combination("Must enable automatic failover to enable Multi-AZ.")


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="a change leaves several zones with failover, and failover with two nodes",
)
def failover_after_change(call):
    group = group_in(call)
    if group is None:
        return
    failover_on = call.get("AutomaticFailoverEnabled", group["AutomaticFailover"] == "enabled")
    several_zones = call.get("MultiAZEnabled", group["MultiAZ"] == "enabled")
    if several_zones and not failover_on:
        combination("Must enable automatic failover to enable Multi-AZ.")
    if call.get("AutomaticFailoverEnabled") and len(group["_members"]) // group["_shards"] < 2:
        combination("Automatic failover requires at least 2 cache clusters in the replication group.")


@rule(
    "strict",
    "elasticache",
    *WRITES,
    says="an authentication token has 16 to 128 letters, digits and ! & # $ ^ < > -",
    source="Amazon ElastiCache User Guide: AUTH",
)
def auth_token(call):
    token = call.get("AuthToken")
    if token is not None and not AUTH_TOKEN.fullmatch(token):
        invalid("elasticache", "Invalid AuthToken provided.")


@rule(
    "strict",
    "elasticache",
    "CreateReplicationGroup",
    says="a token or a user group needs TLS, and one excludes the other",
    source="Amazon ElastiCache User Guide: role-based access control",
)
def authentication(call):
    token, user_group_ids = call.get("AuthToken"), call.get("UserGroupIds", [])
    if token and user_group_ids:
        combination("You can not specify both AuthToken and UserGroupIds.")
    if (token or user_group_ids) and not call.get("TransitEncryptionEnabled"):
        combination("The AUTH token modification and RBAC are only supported when encryption-in-transit is enabled.")
    if len(user_group_ids) > 1:
        invalid("elasticache", "Only one user group can be associated with a replication group.")


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="a token changes by ROTATE or SET, in a group with TLS",
    source="Amazon ElastiCache User Guide: AUTH",
)
def token_strategy(call):
    group = group_in(call)
    if call.get("AuthToken") is None or group is None:
        return
    if not group["TransitEncryptionEnabled"]:
        combination("The AUTH token modification is only supported when encryption-in-transit is enabled.")
    if not call.get("ApplyImmediately"):
        combination("To perform this modification for the AUTH token, ApplyImmediately must be true.")


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="a token is SET only after a ROTATE",
    source="Amazon ElastiCache API Reference: ModifyReplicationGroup, AuthTokenUpdateStrategy",
)
def set_after_rotate(call):
    group = group_in(call)
    if group and call.get("AuthTokenUpdateStrategy") == "SET" and group["AuthTokenEnabled"] and not group.get("_rotated"):
        combination("The AUTH token update strategy SET is only allowed after ROTATE.")


@rule(
    "strict",
    "elasticache",
    *WRITES,
    says="an engine version is offered",
    source="Amazon ElastiCache User Guide: supported versions",
)
def engine_version(call):
    engine, version = engine_of(call), call.get("EngineVersion")
    if engine not in NEWEST:
        invalid("elasticache", f"Invalid engine: {engine}")
    if version is None:
        return
    if not known(engine, version):
        combination(f"Cannot find version {version} for {engine}")


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="a cache goes back to no earlier version and, but from valkey 7.2 to redis 7.1, to no other engine",
    source="Amazon ElastiCache API Reference: ModifyReplicationGroup, EngineVersion; "
    "hashicorp/terraform-provider-aws issue 45229 and pull request 46950",
)
def way_back(call):
    group, engine = group_in(call), engine_of(call)
    if group is None or engine not in NEWEST:
        return
    version = call.get("EngineVersion") or (group["_version"] if engine == group["Engine"] else NEWEST[engine])
    now = group["_version"]
    if engine == group["Engine"]:
        back = number(version) < number(now)[: len(number(version))]
    else:
        taken_back = (group["Engine"], engine) == ("valkey", "redis") and (number(now)[:2], version) == ((7, 2), "7.1")
        back = (group["Engine"], engine) != ("redis", "valkey") and not taken_back
    if back:
        combination(
            f"Cannot modify the engine from {group['Engine']} {now} to {engine} {version}: downgrades are not supported."
        )


def number(version):
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@rule(
    "strict",
    "elasticache",
    *WRITES,
    says="a node type is one that is offered now",
    source="Amazon ElastiCache User Guide: supported node types",
)
def node_type(call):
    wanted = call.get("CacheNodeType")
    if wanted and not NODE_TYPE.fullmatch(wanted):
        invalid("elasticache", f"Invalid Cache Node Type: {wanted}.")


@rule(
    "strict",
    "elasticache",
    *WRITES,
    says="snapshots are kept 0 to 35 days, and their window does not meet the maintenance window",
)
def snapshots(call):
    days = call.get("SnapshotRetentionLimit")
    if days is not None and not 0 <= days <= 35:
        invalid("elasticache", f"SnapshotRetentionLimit must be between 0 and 35: {days}")
    group = group_in(call) or {}
    daily = call.get("SnapshotWindow") or group.get("SnapshotWindow")
    weekly = call.get("PreferredMaintenanceWindow") or group.get("_window")
    for name in ("SnapshotWindow", "PreferredMaintenanceWindow"):
        found = window(call.params[name]) if call.get(name) else None
        if call.get(name) and (found is None or (found[1] - found[0]) % 1440 < 60):
            invalid(
                "elasticache", f"The parameter {name} is not a valid window of at least 60 minutes: {call.params[name]}"
            )
    changes = call.get("SnapshotWindow") or call.get("PreferredMaintenanceWindow")
    if changes and daily and weekly and windows_overlap(daily, weekly):
        invalid("elasticache", "The snapshot window and maintenance window must not overlap.")


@rule("strict", "elasticache", "CreateReplicationGroup", says="a KMS key needs encryption at rest")
def key_needs_encryption(call):
    encrypts = call.get("AtRestEncryptionEnabled", engine_of(call) == "valkey")
    if call.get("KmsKeyId") and not encrypts:
        combination("A KMS key can only be given when encryption at rest is enabled.")


@rule("strict", "elasticache", "CreateReplicationGroup", says="valkey wants encryption in transit said explicitly")
def valkey_transit(call):
    if engine_of(call) == "valkey" and call.get("TransitEncryptionEnabled") is None:
        combination("TransitEncryptionEnabled must be given for the engine valkey.")


@rule(
    "strict", "elasticache", "CreateReplicationGroup", says="a parameter group is of the family of the engine version"
)
def parameter_family(call):
    group = all_groups(call).get(call.get("CacheParameterGroupName", "").lower())
    wanted = family(engine_of(call), call.get("EngineVersion")) if engine_of(call) in NEWEST else None
    if group and group["CacheParameterGroupFamily"] != wanted:
        message = (
            f"Expected a parameter group of family {wanted} but found one of "
            f"family {group['CacheParameterGroupFamily']}"
        )
        combination(message)


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="a parameter group is of the engine and of the family of its version after a change; of a change of the version alone "
    "AWS's own does not follow",
    source="aws-controllers-k8s/elasticache-controller pull request 188; aws-samples/dify-self-hosted-on-aws issue 24; Amazon "
    "ElastiCache User Guide: cross engine upgrades",
)
def parameter_family_after_change(call):
    group, engine = group_in(call), engine_of(call)
    if group is None or engine not in NEWEST:
        return
    given = call.get("CacheParameterGroupName")
    moves = engine != group["Engine"]
    if not given and moves and group["_parameter_group"].startswith("default."):
        return
    parameters = all_groups(call).get((given or group["_parameter_group"]).lower())
    if parameters is None:
        return
    version = call.get("EngineVersion") or (NEWEST[engine] if moves else group["_version"])
    wanted, found = family(engine, version), parameters["CacheParameterGroupFamily"]
    if not found.startswith(engine):
        combination(f"{found.rstrip('0123456789.x')} parameter group is not applicable to engine {engine}")
    if found != wanted:
        combination(f"Expected a parameter group of family {wanted} but found one of family {found}")


@rule("strict", "elasticache", "CreateReplicationGroup", says="several zones need a subnet group with several zones")
def zones_of_subnet_group(call):
    group = subnet_groups(call).get(call.get("CacheSubnetGroupName", "").lower())
    if (
        call.get("MultiAZEnabled")
        and group
        and len({s["SubnetAvailabilityZone"]["Name"] for s in group["Subnets"]}) < 2
    ):
        combination("Multi-AZ needs a subnet group with subnets in at least two Availability Zones.")


@rule(
    "strict",
    "elasticache",
    "ModifyReplicationGroup",
    says="encryption in transit is turned on by way of `preferred`",
    source="Amazon ElastiCache User Guide: in-transit encryption",
)
def transit_change(call):
    group, mode = group_in(call), call.get("TransitEncryptionMode")
    if group is None:
        return
    if mode == "required" and group.get("TransitEncryptionMode") not in ("preferred", "required"):
        combination("Transit encryption mode must be preferred before it is required.")


@rule(
    "strict",
    "elasticache",
    "CreateUser",
    "ModifyUser",
    says="a user has at most two passwords of 16 to 128 characters, and commands in its access string",
    source="Amazon ElastiCache User Guide: role-based access control",
)
def user_settings(call):
    passwords = call.get("Passwords", []) + call.get("AuthenticationMode", {}).get("Passwords", [])
    if len(passwords) > 2 or any(not 16 <= len(password) <= 128 for password in passwords):
        invalid("elasticache", "A user has at most two passwords, of 16 to 128 characters each.")
    access = call.get("AccessString")
    if access is not None and not re.fullmatch(r"(on|off)?(\s*[~%+\-&(@]?[^\s]+)*", access.strip()):
        invalid("elasticache", f"The access string is not valid: {access}")
    if call.get("NoPasswordRequired") and passwords:
        combination("Passwords can't be given with NoPasswordRequired.")


# order


@rule(
    "order",
    "elasticache",
    "CreateReplicationGroup",
    "ModifyReplicationGroup",
    says="security groups exist before what they guard",
)
def security_groups_exist(call):
    present = {g for vpc in call.backend("ec2").groups.values() for g in vpc}
    for group in call.get("SecurityGroupIds", []):
        if group not in present:
            invalid("elasticache", f"Some security groups are invalid: {group}")


@rule(
    "order",
    "elasticache",
    "CreateReplicationGroup",
    "ModifyReplicationGroup",
    says="a user group exists and is active before it is attached",
)
def user_group_active(call):
    for name in [*call.get("UserGroupIds", []), *call.get("UserGroupIdsToAdd", [])]:
        group = user_groups(call).get(name)
        if group is None:
            raise AwsError("UserGroupNotFound", f"User group {name} not found.", 404)
        if group["Status"] != "active":
            raise AwsError("InvalidUserGroupState", f"User group {name} is not in active state.")


@rule(
    "order",
    "elasticache",
    "ModifyReplicationGroup",
    "IncreaseReplicaCount",
    "DecreaseReplicaCount",
    "DeleteReplicationGroup",
    says="a group takes a change only while it is available",
)
def group_at_rest(call):
    group = group_in(call)
    fine = ("available", "create-failed") if call.operation == "DeleteReplicationGroup" else ("available",)
    if group and group["Status"] not in fine:
        message = f"Replication group {group['ReplicationGroupId']} is not in available state: {group['Status']}."
        raise AwsError("InvalidReplicationGroupState", message)


@rule(
    "order",
    "elasticache",
    "AddTagsToResource",
    "RemoveTagsFromResource",
    "ListTagsForResource",
    says="the tags of a group are told and changed only while it is available",
    source="awslabs and hashicorp issues: Cluster not in available state to perform tagging operations",
)
def tagged_at_rest(call):
    group = next((group for group in groups(call).values() if group["ARN"] == call.params["ResourceName"]), None)
    if group and group["Status"] != "available":
        raise AwsError("InvalidReplicationGroupState", "Cluster not in available state to perform tagging operations.")


@rule("order", "elasticache", "DeleteCacheSubnetGroup", says="a subnet group in use cannot be deleted")
def subnet_group_in_use(call):
    group = subnet_groups(call).get(call.params["CacheSubnetGroupName"].lower())
    if group and users_of(call, group):
        message = f"Cache subnet group {group['CacheSubnetGroupName']} is currently in use by a cache cluster."
        raise AwsError("CacheSubnetGroupInUse", message)


@rule("order", "elasticache", "DeleteCacheParameterGroup", says="a parameter group in use cannot be deleted")
def parameter_group_in_use(call):
    name = call.params["CacheParameterGroupName"].lower()
    if any(group["_parameter_group"] == name for group in groups(call).values()):
        raise AwsError("InvalidCacheParameterGroupState", f"One or more cache clusters are still members of {name}.")


@rule("order", "elasticache", "DeleteUserGroup", says="a user group attached to a replication group cannot be deleted")
def user_group_in_use(call):
    group = user_groups(call).get(call.params["UserGroupId"].lower())
    if group and group["ReplicationGroups"]:
        raise AwsError("InvalidUserGroupState", "User group is associated with one or more replication groups.")


@rule(
    "order",
    "elasticache",
    "DeleteUser",
    says="the default user of a user group cannot be deleted before the group",
    source="Amazon ElastiCache User Guide: role-based access control",
)
def default_user_in_use(call):
    user = users(call).get(call.params["UserId"].lower())
    if (
        user
        and user["UserName"] == "default"
        and any(user["UserId"] in g["UserIds"] for g in user_groups(call).values())
    ):
        raise AwsError("DefaultUserAssociatedToUserGroup", "The user is the default user of a user group.")
