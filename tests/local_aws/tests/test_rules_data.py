"""Refusals of ElastiCache, Kinesis and EFS: one request that works, and what makes it fail."""

import pytest
from conftest import proves, refused


@pytest.fixture
def cache(local, network, name):
    local("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="d", SubnetIds=network.subnets
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
        "AuthToken": "a-long-enough-token",
        "CacheSubnetGroupName": name,
        "SecurityGroupIds": [network.group],
    }


VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
CREATIONS = [
    ("identifier", {"ReplicationGroupId": "two--hyphens"}, VALUE),
    ("identifier", {"ReplicationGroupId": "a" * 41}, VALUE),
    ("failover", {"NumCacheClusters": 1}, COMBINATION),
    ("failover", {"AutomaticFailoverEnabled": False}, COMBINATION),
    ("auth_token", {"AuthToken": "with/a/slash/in-it"}, VALUE),
    ("auth_token", {"AuthToken": "short"}, VALUE),
    ("authentication", {"TransitEncryptionEnabled": False}, COMBINATION),
    ("authentication", {"UserGroupIds": ["some"]}, COMBINATION),
    ("engine_version", {"EngineVersion": "7.9"}, COMBINATION),
    ("node_type", {"CacheNodeType": "cache.t2.micro"}, VALUE),
    ("snapshots", {"SnapshotRetentionLimit": 36}, VALUE),
    ("snapshots", {"SnapshotWindow": "04:30-05:30", "PreferredMaintenanceWindow": "sun:04:00-sun:05:00"}, VALUE),
    ("key_needs_encryption", {"AtRestEncryptionEnabled": False, "KmsKeyId": "alias/aws/elasticache"}, COMBINATION),
    (
        "valkey_transit",
        {"Engine": "valkey", "EngineVersion": "8.0", "TransitEncryptionEnabled": None, "AuthToken": None},
        COMBINATION,
    ),
    ("parameter_family", {"CacheParameterGroupName": "default.redis6.x"}, COMBINATION),
    ("security_groups_exist", {"SecurityGroupIds": ["sg-0123456789abcdef0"]}, VALUE),
    ("user_group_active", {"AuthToken": None, "UserGroupIds": ["none"]}, "UserGroupNotFound"),
]


@proves(*{f"elasticache.{rule}" for rule, _, _ in CREATIONS})
@pytest.mark.parametrize(("rule", "change", "code"), CREATIONS)
def test_caches_that_cannot_be(local, cache, rule, change, code):
    wish = {key: value for key, value in (cache | change).items() if value is not None}
    with refused(code):
        local("elasticache").create_replication_group(**wish)


CHANGES = [
    ("failover_after_change", {"AutomaticFailoverEnabled": False}, COMBINATION),
    ("token_strategy", {"AuthToken": "another-long-token", "ApplyImmediately": False}, COMBINATION),
    ("way_back", {"EngineVersion": "7.0"}, COMBINATION),
    ("way_back", {"Engine": "memcached", "EngineVersion": "1.6.22"}, COMBINATION),
    ("parameter_family_after_change", {"CacheParameterGroupName": "default.valkey8"}, COMBINATION),
    ("parameter_family_after_change", {"CacheParameterGroupName": "default.redis6.x"}, COMBINATION),
    ("snapshots", {"SnapshotWindow": "whenever"}, VALUE),
]


@proves(*{f"elasticache.{rule}" for rule, _, _ in CHANGES}, "elasticache.transit_change")
@pytest.mark.parametrize(("rule", "change", "code"), CHANGES)
def test_changes_of_caches_that_cannot_be(local, cache, name, rule, change, code):
    local("elasticache").create_replication_group(**cache)
    with refused(code):
        local("elasticache").modify_replication_group(ReplicationGroupId=name, **{"ApplyImmediately": True} | change)


@proves("elasticache.transit_change")
def test_transit_encryption_is_required_only_after_it_is_preferred(local, cache, name):
    plain = cache | {"TransitEncryptionEnabled": False}
    local("elasticache").create_replication_group(**{k: v for k, v in plain.items() if k != "AuthToken"})
    wish = {"ReplicationGroupId": name, "TransitEncryptionEnabled": True, "ApplyImmediately": True}
    with refused(COMBINATION):
        local("elasticache").modify_replication_group(**wish, TransitEncryptionMode="required")
    local("elasticache").modify_replication_group(**wish, TransitEncryptionMode="preferred")
    local("elasticache").modify_replication_group(**wish, TransitEncryptionMode="required")


@proves("elasticache.zones_of_subnet_group")
def test_several_zones_need_subnets_in_them(local, cache, network, name):
    local("elasticache").modify_cache_subnet_group(CacheSubnetGroupName=name, SubnetIds=network.subnets[:1])
    with refused(COMBINATION):
        local("elasticache").create_replication_group(**cache)


@proves("elasticache.user_settings")
def test_users_that_cannot_be(local, name):
    wish = {"UserId": name, "UserName": name, "Engine": "redis", "AccessString": "on ~* +@all"}
    for more, code in (
        ({"Passwords": ["short"]}, VALUE),
        ({"Passwords": ["p" * 20], "NoPasswordRequired": True}, COMBINATION),
    ):
        with refused(code):
            local("elasticache").create_user(**wish | more)


@proves(
    "elasticache.group_at_rest",
    "elasticache.subnet_group_in_use",
    "elasticache.parameter_group_in_use",
    "elasticache.user_group_in_use",
    "elasticache.default_user_in_use",
    "elasticache.user_group_active",
)
def test_what_a_cache_uses_cannot_be_deleted(local, cache, name, held):
    aws = local("elasticache")
    aws.create_cache_parameter_group(CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="d")
    aws.create_user(UserId=name, UserName="default", Engine="redis", AccessString="off", NoPasswordRequired=True)
    aws.create_user_group(UserGroupId=name, Engine="redis", UserIds=[name])
    wish = {k: v for k, v in cache.items() if k != "AuthToken"} | {
        "CacheParameterGroupName": name,
        "UserGroupIds": [name],
    }
    with refused("InvalidUserGroupState"):
        aws.create_replication_group(**wish)
    held()
    aws.create_replication_group(**wish)
    for call, arguments, code in (
        (aws.delete_replication_group, {"ReplicationGroupId": name}, "InvalidReplicationGroupState"),
        (aws.delete_cache_subnet_group, {"CacheSubnetGroupName": name}, "CacheSubnetGroupInUse"),
        (aws.delete_cache_parameter_group, {"CacheParameterGroupName": name}, "InvalidCacheParameterGroupState"),
        (aws.delete_user_group, {"UserGroupId": name}, "InvalidUserGroupState"),
        (aws.delete_user, {"UserId": name}, "DefaultUserAssociatedToUserGroup"),
    ):
        with refused(code):
            call(**arguments)


@proves("kinesis.shard_count", "kinesis.shard_steps", "kinesis.stream_at_rest")
def test_streams_that_cannot_be(local, name, held):
    kinesis = local("kinesis")
    with refused("InvalidArgumentException"):
        kinesis.create_stream(StreamName=name)
    with refused("InvalidArgumentException"):
        kinesis.create_stream(StreamName=name, ShardCount=2, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.create_stream(StreamName=name, ShardCount=2)
    for call, arguments in (
        (kinesis.update_shard_count, {"TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"}),
        (kinesis.add_tags_to_stream, {"Tags": {"a": "b"}}),
    ):
        with refused("ResourceInUseException"):
            call(StreamName=name, **arguments)
    held()
    with refused("InvalidArgumentException"):
        kinesis.update_shard_count(StreamName=name, TargetShardCount=5, ScalingType="UNIFORM_SCALING")


@proves("kinesis.streams_under_way")
def test_five_streams_are_made_at_once(local, name, held):
    from local_aws.world import world

    world.settings.quotas = True
    kinesis = local("kinesis", "eu-west-1")
    for number in range(5):
        kinesis.create_stream(StreamName=f"{name}-{number}", ShardCount=1)
    with refused("LimitExceededException"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    held()
    kinesis.create_stream(StreamName=name, ShardCount=1)


@proves("kinesis.registered_consumers")
def test_a_stream_with_consumers_goes_only_where_that_is_enforced(local, name):
    kinesis = local("kinesis")

    def with_consumers(stream):
        kinesis.create_stream(StreamName=stream, ShardCount=1)
        arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
        for consumer in ("analytics", "archive"):
            kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=consumer)
        return arn

    def consumers(arn):
        return [consumer["ConsumerName"] for consumer in kinesis.list_stream_consumers(StreamARN=arn)["Consumers"]]

    arn = with_consumers(name)
    for gone, left in (("archive", ["analytics"]), ("analytics", [])):
        with refused("ResourceInUseException"):
            kinesis.delete_stream(StreamName=name)
        kinesis.deregister_stream_consumer(StreamARN=arn, ConsumerName=gone)
        assert consumers(arn) == left
    kinesis.delete_stream(StreamName=name)
    with_consumers(f"{name}-2")
    kinesis.delete_stream(StreamName=f"{name}-2", EnforceConsumerDeletion=True)


@proves("efs.throughput", "efs.key_needs_encryption")
def test_file_systems_that_cannot_be(local, name):
    for wish in (
        {"ThroughputMode": "provisioned"},
        {"ThroughputMode": "provisioned", "ProvisionedThroughputInMibps": 5000},
        {"ThroughputMode": "elastic", "PerformanceMode": "maxIO"},
        {"KmsKeyId": "alias/aws/elasticfilesystem"},
    ):
        with refused("BadRequest"):
            local("efs").create_file_system(CreationToken=name, **wish)


@proves("efs.lifecycle", "efs.access_point_path", "efs.mount_target_groups", "efs.file_system_in_use")
def test_parts_of_file_systems_that_cannot_be(local, network, name):
    efs = local("efs")
    system = efs.create_file_system(CreationToken=name)["FileSystemId"]
    both = {"TransitionToIA": "AFTER_30_DAYS", "TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"}
    for policies in ([both], [{"TransitionToArchive": "AFTER_90_DAYS"}]):
        with refused("BadRequest"):
            efs.put_lifecycle_configuration(FileSystemId=system, LifecyclePolicies=policies)
    with refused("BadRequest"):
        efs.create_access_point(ClientToken=name, FileSystemId=system, RootDirectory={"Path": "/a/b/c/d/e"})
    with refused("SecurityGroupNotFound"):
        efs.create_mount_target(
            FileSystemId=system, SubnetId=network.subnets[0], SecurityGroups=["sg-0123456789abcdef0"]
        )
    efs.create_mount_target(FileSystemId=system, SubnetId=network.subnets[0])
    with refused("FileSystemInUse"):
        efs.delete_file_system(FileSystemId=system)


@proves("efs.file_system_at_rest", "efs.throughput_changes")
def test_file_system_changes_its_mode_once_a_day(local, name, held):
    efs = local("efs")
    system = efs.create_file_system(CreationToken=name)["FileSystemId"]
    with refused("IncorrectFileSystemLifeCycleState"):
        efs.update_file_system(FileSystemId=system, ThroughputMode="elastic")
    held()
    efs.update_file_system(FileSystemId=system, ThroughputMode="elastic")
    held()
    with refused("TooManyRequests"):
        efs.update_file_system(FileSystemId=system, ThroughputMode="bursting")
