import pytest
from conftest import proves, refused


@pytest.fixture
def group(local, network, name):
    """Arguments of CreateReplicationGroup."""
    local("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=name.upper(), CacheSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    return {
        "ReplicationGroupId": name,
        "ReplicationGroupDescription": "cache",
        "Engine": "redis",
        "EngineVersion": "7.1",
        "CacheNodeType": "cache.t3.micro",
        "NumCacheClusters": 2,
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
        "TransitEncryptionEnabled": True,
        "AtRestEncryptionEnabled": True,
        "SnapshotRetentionLimit": 5,
        "SnapshotWindow": "01:00-02:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
        "CacheSubnetGroupName": name,
        "SecurityGroupIds": [network.group],
        "AuthToken": "a-long-enough-token",
        "Tags": [{"Key": "Name", "Value": name}],
    }


def described(local, name):
    return local("elasticache").describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]


def test_group_has_the_members_it_was_asked_for(local, group, held, name):
    cache = local("elasticache")
    assert cache.create_replication_group(**group)["ReplicationGroup"]["Status"] == "creating"
    held()
    found = described(local, name)
    assert found["Status"] == "available" and found["MemberClusters"] == [f"{name}-001", f"{name}-002"]
    assert found["NodeGroups"][0]["PrimaryEndpoint"]["Address"].startswith("master.")
    zones = {m["PreferredAvailabilityZone"] for m in found["NodeGroups"][0]["NodeGroupMembers"]}
    assert zones == {"us-east-1a", "us-east-1b"} and found["AuthTokenEnabled"]


def test_what_only_the_members_tell(local, group, name, network):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    member = cache.describe_cache_clusters(CacheClusterId=f"{name}-002", ShowCacheNodeInfo=True)["CacheClusters"][0]
    assert member["EngineVersion"] == "7.1.0" and member["CacheSubnetGroupName"] == name
    assert member["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"
    assert member["SecurityGroups"][0]["SecurityGroupId"] == network.group
    assert (member["PreferredMaintenanceWindow"], member["SnapshotRetentionLimit"]) == ("sun:04:00-sun:05:00", 5)


@proves("elasticache.hasten")
def test_what_waits_is_told_by_the_members_and_carried_out_along_with_the_next_change(local, group, name):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    modify = lambda **wish: cache.modify_replication_group(ReplicationGroupId=name, **wish)  # noqa: E731
    member = lambda: cache.describe_cache_clusters(CacheClusterId=f"{name}-002")["CacheClusters"][0]  # noqa: E731
    modify(CacheNodeType="cache.t3.small", ApplyImmediately=False)
    modify(SnapshotWindow="02:00-03:00", ApplyImmediately=False)
    assert member()["PendingModifiedValues"] == {"CacheNodeType": "cache.t3.small"}
    assert (described(local, name)["CacheNodeType"], described(local, name)["SnapshotWindow"]) == (
        "cache.t3.micro",
        "02:00-03:00",
    )
    modify(ReplicationGroupDescription="other", ApplyImmediately=True)
    assert (member()["CacheNodeType"], member()["PendingModifiedValues"]) == ("cache.t3.small", {})


def test_modifying_a_group_changes_it(local, group, held, name, network):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    held()
    cache.modify_replication_group(ReplicationGroupId=name, SnapshotRetentionLimit=7, ApplyImmediately=True)
    assert described(local, name)["Status"] == "modifying"
    with refused("InvalidReplicationGroupState"):
        cache.modify_replication_group(ReplicationGroupId=name, SnapshotRetentionLimit=8, ApplyImmediately=True)
    held()
    found = described(local, name)
    assert (found["Status"], found["SnapshotRetentionLimit"]) == ("available", 7)


@proves("elasticache.way_back", "elasticache.parameter_family_after_change", "elasticache.answered")
def test_a_cache_goes_on_to_valkey_and_back_from_its_first_version_only(local, group, name):
    def move(**changes):
        wish = {"ReplicationGroupId": name, "ApplyImmediately": True} | changes
        return local("elasticache").modify_replication_group(**wish)["ReplicationGroup"]

    def runs():
        member = local("elasticache").describe_cache_clusters(CacheClusterId=f"{name}-001")["CacheClusters"][0]
        return member["Engine"], member["EngineVersion"], member["CacheParameterGroup"]["CacheParameterGroupName"]

    local("elasticache").create_replication_group(**group)
    with refused("InvalidParameterCombination"):
        move(CacheParameterGroupName="default.valkey7")
    assert move(Engine="valkey", EngineVersion="7.2")["Engine"] == "redis"
    assert described(local, name)["Engine"] == "valkey"
    assert runs() == ("valkey", "7.2.6", "default.valkey7")
    with refused("InvalidParameterCombination"):
        move(Engine="redis", EngineVersion="7.0")
    move(Engine="redis", EngineVersion="7.1")
    assert runs() == ("redis", "7.1.0", "default.redis7")
    move(Engine="valkey", EngineVersion="7.2", CacheParameterGroupName="default.valkey7")
    with refused("InvalidParameterCombination"):
        move(EngineVersion="8.0")
    move(EngineVersion="8.0", CacheParameterGroupName="default.valkey8")
    assert runs() == ("valkey", "8.0.1", "default.valkey8")
    for back in ({"EngineVersion": "7.2"}, {"Engine": "redis", "EngineVersion": "7.1"}):
        with refused("InvalidParameterCombination"):
            move(**back)


@proves("elasticache.replicas_to_lose")
def test_replicas_come_and_go(local, group, name):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    cache.increase_replica_count(ReplicationGroupId=name, NewReplicaCount=2, ApplyImmediately=True)
    assert len(described(local, name)["MemberClusters"]) == 3
    cache.decrease_replica_count(ReplicationGroupId=name, NewReplicaCount=1, ApplyImmediately=True)
    assert described(local, name)["MemberClusters"] == [f"{name}-001", f"{name}-003"]
    cache.increase_replica_count(ReplicationGroupId=name, NewReplicaCount=2, ApplyImmediately=True)
    assert described(local, name)["MemberClusters"] == [f"{name}-001", f"{name}-003", f"{name}-004"]


def test_deleted_group_goes_and_frees_its_name(local, group, held, name):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    held()
    cache.delete_replication_group(ReplicationGroupId=name)
    assert described(local, name)["Status"] == "deleting"
    with refused("ReplicationGroupAlreadyExists"):
        cache.create_replication_group(**group)
    with refused("CacheSubnetGroupInUse"):
        cache.delete_cache_subnet_group(CacheSubnetGroupName=name)
    held()
    with refused("ReplicationGroupNotFoundFault"):
        described(local, name)
    cache.create_replication_group(**group)


def test_creation_can_fail(local, group, name):
    local.admin("POST", "/_local/endings", {"kind": "elasticache.replication-group", "name": name, "ending": "failed"})
    local("elasticache").create_replication_group(**group)
    assert described(local, name)["Status"] == "create-failed"
    events = local("elasticache").describe_events(SourceIdentifier=name, SourceType="replication-group")["Events"]
    assert [event["Message"] for event in events] == ["Replication group creation failed"]


def test_subnet_groups(local, group, name, network):
    cache = local("elasticache")
    cache.modify_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="other", SubnetIds=network.subnets
    )
    found = cache.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"][0]
    assert (found["CacheSubnetGroupName"], found["CacheSubnetGroupDescription"]) == (name, "other")
    cache.delete_cache_subnet_group(CacheSubnetGroupName=name)
    with refused("CacheSubnetGroupNotFoundFault"):
        cache.describe_cache_subnet_groups(CacheSubnetGroupName=name)


@proves("elasticache.change_tokens", "elasticache.set_after_rotate")
def test_two_tokens_open_a_cache_from_a_rotation_until_one_is_set(local, group, held, name):
    def change(token, strategy):
        local("elasticache").modify_replication_group(
            ReplicationGroupId=name, AuthToken=token, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
        )

    def open_it():
        found = [local.admin("POST", "/_local/login", {"cache": name, "token": token})["opens"] for token in tokens]
        return [token for token, opens in zip(tokens, found, strict=True) if opens]

    tokens = first, second, third = group["AuthToken"], "another-long-enough-token", "yet-another-long-token"
    local("elasticache").create_replication_group(**group)
    held()
    made = described(local, name)["AuthTokenLastModifiedDate"]
    with refused("InvalidParameterCombination"):
        change(second, "SET")
    change(second, "ROTATE")
    assert open_it() == [first], "until the change is made"
    held()
    assert open_it() == [first, second] and described(local, name)["AuthTokenLastModifiedDate"] > made
    change(third, "ROTATE")
    held()
    assert open_it() == [second, third]
    change(third, "SET")
    held()
    assert open_it() == [third]
    with refused("InvalidParameterCombination"):
        change(third, "SET")


def test_a_subnet_with_a_node_in_it_stays_in_its_group(local, group, name, network):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    with refused("SubnetInUse"):
        cache.modify_cache_subnet_group(CacheSubnetGroupName=name, SubnetIds=network.subnets[:1])


def test_users_and_user_groups(local, group, held, name):
    cache = local("elasticache")
    cache.create_user(
        UserId=f"{name}-u", UserName="default", Engine="redis", AccessString="off ~* -@all", NoPasswordRequired=True
    )
    cache.create_user(
        UserId=f"{name}-app", UserName="app", Engine="redis", AccessString="on ~* +@all", Passwords=["p" * 20]
    )
    with refused("DefaultUserRequired"):
        cache.create_user_group(UserGroupId=name, Engine="redis", UserIds=[f"{name}-app"])
    cache.create_user_group(UserGroupId=name, Engine="redis", UserIds=[f"{name}-u"])
    assert cache.describe_user_groups(UserGroupId=name)["UserGroups"][0]["Status"] == "creating"
    with refused("InvalidUserGroupState"):
        cache.modify_user_group(UserGroupId=name, UserIdsToAdd=[f"{name}-app"])
    held()
    cache.modify_user_group(UserGroupId=name, UserIdsToAdd=[f"{name}-app"])
    held()
    wish = {key: value for key, value in group.items() if key != "AuthToken"}
    cache.create_replication_group(**wish, UserGroupIds=[name])
    assert cache.describe_user_groups(UserGroupId=name)["UserGroups"][0]["ReplicationGroups"] == [name]
    with refused("InvalidUserGroupState"):
        cache.delete_user_group(UserGroupId=name)
    held()
    cache.delete_replication_group(ReplicationGroupId=name)
    held()
    cache.delete_user_group(UserGroupId=name)
    held()
    cache.delete_user(UserId=f"{name}-u")
    held()
    with refused("UserNotFound"):
        cache.describe_users(UserId=f"{name}-u")


def test_user_can_be_modified(local, name):
    cache = local("elasticache")
    cache.create_user(UserId=name, UserName=name, Engine="redis", AccessString="on ~* +@all", Passwords=["p" * 20])
    cache.modify_user(UserId=name, AccessString="on ~app:* +@read", AuthenticationMode={"Type": "iam"})
    found = cache.describe_users(UserId=name)["Users"][0]
    assert (found["AccessString"], found["Authentication"]["Type"]) == ("on ~app:* +@read", "iam")


def test_parameter_groups(local, name):
    cache = local("elasticache")
    cache.create_cache_parameter_group(
        CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="d"
    )
    values = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}]
    cache.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=values)
    found = cache.describe_cache_parameters(CacheParameterGroupName=name, Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"]) for p in found] == [("maxmemory-policy", "allkeys-lru")]
    cache.delete_cache_parameter_group(CacheParameterGroupName=name)
    with refused("CacheParameterGroupNotFound"):
        cache.describe_cache_parameter_groups(CacheParameterGroupName=name)


@proves("elasticache.tagged_at_rest")
def test_a_group_under_change_tells_no_tags(local, group, name, held):
    cache = local("elasticache")
    arn = cache.create_replication_group(**group)["ReplicationGroup"]["ARN"]
    with refused("InvalidReplicationGroupState"):
        cache.list_tags_for_resource(ResourceName=arn)
    held()
    assert cache.list_tags_for_resource(ResourceName=arn)["TagList"] == group["Tags"]


def test_tags(local, group, name):
    cache = local("elasticache")
    arn = cache.create_replication_group(**group)["ReplicationGroup"]["ARN"]
    cache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "k", "Value": "v"}])
    cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["Name"])
    assert cache.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "k", "Value": "v"}]


def test_a_snapshot_outlives_its_group(local, group, name):
    cache = local("elasticache")
    cache.create_replication_group(**group)
    taken = cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-A", Tags=group["Tags"])["Snapshot"]
    assert (taken["SnapshotName"], taken["SnapshotSource"], taken["EngineVersion"][:3]) == (f"{name}-a", "manual", "7.1")
    with refused("SnapshotAlreadyExistsFault"):
        cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-a")
    cache.delete_replication_group(ReplicationGroupId=name, FinalSnapshotIdentifier=f"{name}-last")
    left = cache.describe_snapshots(ReplicationGroupId=name)["Snapshots"]
    assert [snapshot["SnapshotName"] for snapshot in left] == [f"{name}-a", f"{name}-last"]
    assert left[0]["NodeSnapshots"][0]["SnapshotCreateTime"]
    assert cache.list_tags_for_resource(ResourceName=left[0]["ARN"])["TagList"] == group["Tags"]
    cache.delete_snapshot(SnapshotName=f"{name}-a")
    with refused("SnapshotNotFoundFault"):
        cache.describe_snapshots(SnapshotName=f"{name}-a")
