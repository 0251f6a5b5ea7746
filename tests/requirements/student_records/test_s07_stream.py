"""S7: the Kinesis stream."""

METRICS = {
    "IncomingBytes",
    "IncomingRecords",
    "IteratorAgeMilliseconds",
    "OutgoingBytes",
    "OutgoingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
}


def test_it_has_two_shards_or_as_many_as_it_needs(live, wanted):
    mode = live.stream["StreamModeDetails"]["StreamMode"]
    if wanted.has("on-demand"):
        assert mode == "ON_DEMAND"
    else:
        assert (mode, live.stream["OpenShardCount"]) == ("PROVISIONED", 2)
    assert live.stream["StreamStatus"] == "ACTIVE"


def test_records_can_be_read_for_24_hours(live):
    assert live.stream["RetentionPeriodHours"] == 24


def test_it_is_encrypted_under_its_key(live):
    assert live.stream["EncryptionType"] == "KMS"
    assert live.stream["KeyId"] == live.key_arn("kinesis")


def test_every_shard_is_measured(live):
    (monitoring,) = live.stream["EnhancedMonitoring"]
    assert set(monitoring["ShardLevelMetrics"]) == METRICS
