"""P4: one shard, 24 hours, encrypted, measured by the shard."""


def test_the_stream_has_one_shard_for_a_day(live):
    assert live.stream["StreamStatus"] == "ACTIVE"
    assert live.stream["StreamModeDetails"]["StreamMode"] == "PROVISIONED"
    assert live.stream["OpenShardCount"] == 1
    assert live.stream["RetentionPeriodHours"] == 24


def test_it_is_encrypted_under_our_key(live):
    assert live.stream["EncryptionType"] == "KMS"
    assert live.stream["KeyId"] in (live.key_arn, live.key["KeyId"])


def test_every_shard_is_measured(live):
    metrics = {metric for item in live.stream["EnhancedMonitoring"] for metric in item["ShardLevelMetrics"]}
    assert "IteratorAgeMilliseconds" in metrics
    assert metrics == {
        "IncomingBytes",
        "IncomingRecords",
        "IteratorAgeMilliseconds",
        "OutgoingBytes",
        "OutgoingRecords",
        "ReadProvisionedThroughputExceeded",
        "WriteProvisionedThroughputExceeded",
    }
