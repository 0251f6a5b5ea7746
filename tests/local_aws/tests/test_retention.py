"""What a shorter retention removes, and what AWS does not do again on the same day."""

import time

from conftest import proves, refused

DAY = 86400


def data_in(kinesis, name, shard):
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return [record["Data"] for record in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]]


@proves("kinesis.forget_older")
def test_a_shorter_retention_of_a_stream_loses_what_is_older(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=168)
    shard = kinesis.put_record(StreamName=name, Data=b"old", PartitionKey="1")["ShardId"]
    kinesis.put_records(StreamName=name, Records=[{"Data": b"old too", "PartitionKey": "1"}])
    local.admin("POST", "/_local/minutes", {"days": 2})
    kinesis.put_record(StreamName=name, Data=b"new", PartitionKey="1")
    kinesis.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=72)
    assert data_in(kinesis, name, shard) == [b"old", b"old too", b"new"]
    kinesis.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=24)
    assert data_in(kinesis, name, shard) == [b"new"]


@proves("logs.forget_older")
def test_a_shorter_retention_of_a_log_group_loses_what_is_older(local, name):
    logs = local("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    at = lambda days: int((time.time() - days * DAY) * 1000)  # noqa: E731
    events = [{"timestamp": at(days), "message": f"{days} days"} for days in (10, 4, 0)]
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)

    def kept(days):
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        found = logs.get_log_events(logGroupName=name, logStreamName="one", startFromHead=True)["events"]
        return [event["message"] for event in found]

    assert kept(14) == ["10 days", "4 days", "0 days"]
    assert kept(5) == ["4 days", "0 days"]
    assert kept(14) == ["4 days", "0 days"]

@proves("kinesis.shard_changes", "kinesis.mode_changes")
def test_a_stream_takes_few_changes_a_day(local, name, held):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    held()
    for change in range(10):
        kinesis.update_shard_count(StreamName=name, TargetShardCount=2 - change % 2, ScalingType="UNIFORM_SCALING")
        held()
    with refused("LimitExceededException"):
        kinesis.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    for mode in ("ON_DEMAND", "PROVISIONED"):
        kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": mode})
        held()
    with refused("LimitExceededException"):
        kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})


@proves("efs.file_system_in_replication")
def test_files_that_are_replicated_stay(local, name):
    efs = local("efs")
    files = efs.create_file_system(CreationToken=name)["FileSystemId"]
    with refused("ReplicationNotFound"):
        efs.describe_replication_configurations(FileSystemId=files)
    made = efs.create_replication_configuration(SourceFileSystemId=files, Destinations=[{"Region": "us-west-2"}])
    assert made["Destinations"][0]["Region"] == "us-west-2"
    assert efs.describe_replication_configurations(FileSystemId=files)["Replications"][0]["SourceFileSystemId"] == files
    with refused("FileSystemInUse"):
        efs.delete_file_system(FileSystemId=files)
    efs.delete_replication_configuration(SourceFileSystemId=files)
    efs.delete_file_system(FileSystemId=files)
