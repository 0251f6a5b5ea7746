"""Kinesis streams: states, tags, metrics. Records go where moto keeps them."""

from moto.kinesis.utils import decompose_shard_iterator

from ..life import later
from ..quotas import quotas
from ..meter import meter
from ..registry import AwsError, after, behaviour, operation

METRICS = [
    "IncomingBytes",
    "IncomingRecords",
    "IteratorAgeMilliseconds",
    "OutgoingBytes",
    "OutgoingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
]


def streams(call):
    return call.backend("kinesis").streams


def stream_of(call):
    name = call.get("StreamName") or call.get("StreamARN", "").rpartition("/")[2]
    stream = streams(call).get(name)
    if stream is None:
        raise AwsError("ResourceNotFoundException", f"Stream {name} under account {call.account} not found.")
    return stream


def changing(call):
    """The stream of a call that changes it, which keeps it busy for a while."""
    stream = stream_of(call)
    stream.status = "UPDATING"
    later("kinesis.change", lambda: settle(stream, "UPDATING"))
    return stream


def settle(stream, from_state):
    if stream.status == from_state:
        stream.status = "ACTIVE"


@operation("kinesis", "CreateStream")
def create_stream(call):
    name = call.params["StreamName"]
    if name in streams(call):
        raise AwsError("ResourceInUseException", f"Stream {name} under account {call.account} already exists.")
    mode = call.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
    backend = call.backend("kinesis")
    backend.create_stream(name, call.get("ShardCount", 4), mode)
    stream = streams(call)[name]
    stream.tags = dict(call.get("Tags", {}))
    stream.status = "CREATING"
    later("kinesis.create", lambda: settle(stream, "CREATING"))
    return {}


@operation("kinesis", "DeleteStream")
def delete_stream(call):
    stream = stream_of(call)
    if stream.status == "DELETING":
        raise AwsError("ResourceInUseException", f"Stream {stream.stream_name} is being deleted.")
    stream.status = "DELETING"
    later("kinesis.delete", lambda: streams(call).pop(stream.stream_name, None))
    return {}


@operation("kinesis", "DeregisterStreamConsumer")
def deregister_stream_consumer(call):
    """By its ARN, or by its name and its stream's ARN; moto keeps the one that is named, and lets all others go."""
    arn = call.get("ConsumerARN") or f"{call.get('StreamARN')}/consumer/{call.get('ConsumerName')}"
    found = [stream for stream in streams(call).values() if stream.get_consumer_by_arn(arn)]
    if not found:
        raise AwsError("ResourceNotFoundException", f"Consumer {arn}, account {call.account} not found.")
    found[0].delete_consumer(arn)
    return {}


def described(stream):
    out = {
        "StreamName": stream.stream_name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status,
        "StreamModeDetails": stream.stream_mode,
        "RetentionPeriodHours": stream.retention_period_hours,
        "StreamCreationTimestamp": stream.creation_datetime,
        "EnhancedMonitoring": [{"ShardLevelMetrics": list(stream.shard_level_metrics)}],
        "EncryptionType": stream.encryption_type,
    }
    return out | ({"KeyId": stream.key_id} if stream.key_id else {})


@operation("kinesis", "DescribeStreamSummary")
def describe_stream_summary(call):
    stream = stream_of(call)
    shards = len([shard for shard in stream.shards.values() if shard.is_open])
    counts = {"OpenShardCount": shards, "ConsumerCount": len(stream.consumers), "MaxRecordSizeInKiB": 1024}
    return {"StreamDescriptionSummary": described(stream) | counts}


@operation("kinesis", "DescribeStream")
def describe_stream(call):
    stream = stream_of(call)
    shards = [shard.to_json() for shard in sorted(stream.shards.values(), key=lambda s: s.shard_id)]
    start = call.get("ExclusiveStartShardId", "")
    shards = [shard for shard in shards if shard["ShardId"] > start]
    size = call.get("Limit", 100)
    return {"StreamDescription": described(stream) | {"Shards": shards[:size], "HasMoreShards": len(shards) > size}}


@operation("kinesis", "ListStreams")
def list_streams(call):
    start = call.get("ExclusiveStartStreamName") or call.get("NextToken") or ""
    names = sorted(name for name in streams(call) if name > start)
    shown = names[: call.get("Limit", 100)]
    summaries = [described(streams(call)[name]) for name in shown]
    out = {"StreamNames": shown, "HasMoreStreams": len(shown) < len(names), "StreamSummaries": summaries}
    return out | ({"NextToken": shown[-1]} if out["HasMoreStreams"] else {})


@operation("kinesis", "IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod")
def change_retention(call):
    stream, hours = stream_of(call), call.params["RetentionPeriodHours"]
    if not 24 <= hours <= 8760:
        raise AwsError("InvalidArgumentException", "Retention period must be between 24 and 8760 hours.")
    grows = call.operation.startswith("Increase")
    if (grows and hours < stream.retention_period_hours) or (not grows and hours > stream.retention_period_hours):
        word = "shorter" if grows else "longer"
        raise AwsError("InvalidArgumentException", f"Requested retention period is {word} than the existing one.")
    changing(call).retention_period_hours = hours
    forget_older(call, stream, hours)
    return {}


@behaviour(
    "kinesis",
    says="records that are older than a shorter retention are gone at once",
    source="Amazon Kinesis Data Streams API Reference: DecreaseStreamRetentionPeriod",
)
def forget_older(call, stream, hours):
    arrivals, oldest = call.shelf("kinesis.arrivals"), meter.minute - hours * 60
    for shard in stream.shards.values():
        for number in [n for n in shard.records if arrivals.get(str(n), meter.minute) < oldest]:
            del shard.records[number]


@operation("kinesis", "StartStreamEncryption")
def start_stream_encryption(call):
    stream = changing(call)
    stream.encryption_type, stream.key_id = call.params["EncryptionType"], call.params["KeyId"]
    return {}


@operation("kinesis", "StopStreamEncryption")
def stop_stream_encryption(call):
    stream = changing(call)
    stream.encryption_type, stream.key_id = "NONE", None
    return {}


@operation("kinesis", "EnableEnhancedMonitoring", "DisableEnhancedMonitoring")
def change_monitoring(call):
    wanted = call.params["ShardLevelMetrics"]
    wanted = METRICS if "ALL" in wanted else wanted
    stream = changing(call)
    before = list(stream.shard_level_metrics)
    if call.operation.startswith("Enable"):
        after = sorted({*before, *wanted})
    else:
        after = [metric for metric in before if metric not in wanted]
    stream.shard_level_metrics = after
    return {
        "StreamName": stream.stream_name,
        "CurrentShardLevelMetrics": before,
        "DesiredShardLevelMetrics": after,
        "StreamARN": stream.arn,
    }


@operation("kinesis", "UpdateShardCount")
def update_shard_count(call):
    stream, wanted = stream_of(call), call.params["TargetShardCount"]
    current = len([shard for shard in stream.shards.values() if shard.is_open])
    if stream.stream_mode["StreamMode"] == "ON_DEMAND":
        raise AwsError("ValidationException", f"Request is invalid. Stream {stream.stream_name} is in On-Demand mode.")
    changing(call).update_shard_count(wanted)
    return {
        "StreamName": stream.stream_name,
        "CurrentShardCount": current,
        "TargetShardCount": wanted,
        "StreamARN": stream.arn,
    }


@operation("kinesis", "UpdateStreamMode")
def update_stream_mode(call):
    changing(call).stream_mode = dict(call.params["StreamModeDetails"])
    return {}


@operation("kinesis", "AddTagsToStream")
def add_tags_to_stream(call):
    stream = stream_of(call)
    stream.tags = stream.tags | call.params["Tags"]
    return {}


@operation("kinesis", "RemoveTagsFromStream")
def remove_tags_from_stream(call):
    stream = stream_of(call)
    stream.tags = {key: value for key, value in stream.tags.items() if key not in call.params["TagKeys"]}
    return {}


def tag_list(stream):
    return [{"Key": key, "Value": value} for key, value in sorted(stream.tags.items())]


@operation("kinesis", "ListTagsForStream")
def list_tags_for_stream(call):
    tags = [tag for tag in tag_list(stream_of(call)) if tag["Key"] > call.get("ExclusiveStartTagKey", "")]
    size = call.get("Limit", 50)
    return {"Tags": tags[:size], "HasMoreTags": len(tags) > size}


def tagged_stream(call):
    call.params["StreamARN"] = call.params["ResourceARN"]
    return stream_of(call)


@operation("kinesis", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"Tags": tag_list(tagged_stream(call))}


@operation("kinesis", "TagResource")
def tag_resource(call):
    tagged_stream(call)
    return add_tags_to_stream(call)


@operation("kinesis", "UntagResource")
def untag_resource(call):
    tagged_stream(call)
    return remove_tags_from_stream(call)


@operation("kinesis", "DescribeLimits")
def describe_limits(call):
    everything = streams(call).values()
    return {
        "ShardLimit": quotas["shards"],
        "OpenShardCount": sum(shard.is_open for stream in everything for shard in stream.shards.values()),
        "OnDemandStreamCount": sum(stream.stream_mode["StreamMode"] == "ON_DEMAND" for stream in everything),
        "OnDemandStreamCountLimit": quotas["on-demand-streams"],
    }


@after("kinesis", "PutRecord", "PutRecords")
def encryption_of_records(call, answer):
    answer["EncryptionType"] = stream_of(call).encryption_type or "NONE"


@after("kinesis", "PutRecord", "PutRecords")
def arrives(call, answer):
    for record in answer.get("Records", [answer]):
        if "SequenceNumber" in record:
            call.shelf("kinesis.arrivals")[record["SequenceNumber"]] = meter.minute


@after("kinesis", "GetRecords")
def reads(call, answer):
    """Each read measures how long the oldest record it brought had waited; one that brings none, nothing."""
    name = decompose_shard_iterator(call.params["ShardIterator"])[0]
    arrivals = call.shelf("kinesis.arrivals")
    ages = [meter.minute - arrivals.get(record["SequenceNumber"], meter.minute) for record in answer["Records"]]
    call.shelf("kinesis.reads").setdefault(name, []).append(max(ages, default=0) * 60_000.0)
