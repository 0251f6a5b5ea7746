"""S6: ElastiCache Redis 7."""

from requirements.live import one


def test_it_has_two_nodes_in_two_zones(live):
    members = one(live.cache["NodeGroups"])["NodeGroupMembers"]
    assert sorted(member["CurrentRole"] for member in members) == ["primary", "replica"]
    assert len({member["PreferredAvailabilityZone"] for member in members}) == 2
    assert live.cache["Status"] == "available"


def test_it_fails_over_by_itself(live):
    assert (live.cache["MultiAZ"], live.cache["AutomaticFailover"]) == ("enabled", "enabled")


def test_it_is_redis_7(live):
    assert {node["Engine"] for node in live.cache_nodes} == {"redis"}
    assert {node["EngineVersion"].split(".")[0] for node in live.cache_nodes} == {"7"}
    assert {node["CacheParameterGroup"]["CacheParameterGroupName"] for node in live.cache_nodes} == {"default.redis7"}


def test_its_nodes_are_as_large_as_asked_for(live, wanted):
    assert live.cache["CacheNodeType"] == ("cache.t3.medium" if wanted.protect else "cache.t3.micro")


def test_tls_is_required(live):
    assert live.cache["TransitEncryptionEnabled"] is True
    assert live.cache["TransitEncryptionMode"] == "required"


def test_it_is_encrypted_under_its_key(live):
    assert live.cache["AtRestEncryptionEnabled"] is True
    assert live.cache["KmsKeyId"] == live.key_arn("cache")


def test_clients_must_authenticate(live):
    assert live.cache["AuthTokenEnabled"] is True


def test_snapshots_are_kept_5_days(live):
    assert live.cache["SnapshotRetentionLimit"] == 5


def test_it_lives_in_the_private_subnets(live):
    name = one({node["CacheSubnetGroupName"] for node in live.cache_nodes})
    group = one(live.elasticache.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"])
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == live.subnet_ids("private")
