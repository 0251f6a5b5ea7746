"""Kinesis and EFS."""

from ..registry import AwsError, rule
from ..services.efs import access_points, bare, file_systems, mount_targets, replications_of
from ..services.kinesis import streams
from ..world import world
from .helpers import invalid

STREAM_CHANGES = (
    "IncreaseStreamRetentionPeriod",
    "DecreaseStreamRetentionPeriod",
    "StartStreamEncryption",
    "StopStreamEncryption",
    "EnableEnhancedMonitoring",
    "DisableEnhancedMonitoring",
    "UpdateShardCount",
    "UpdateStreamMode",
    "AddTagsToStream",
    "TagResource",
)
UNDER_WAY_AT_ONCE = 5
DAY = 86400


def stream_in(call):
    arn = call.get("StreamARN") or call.get("ResourceARN") or ""
    return streams(call).get(call.get("StreamName") or arn.rpartition("/")[2])


def argument(message):
    raise AwsError("InvalidArgumentException", message)


# Kinesis


@rule("strict", "kinesis", "CreateStream", says="a provisioned stream has a shard count, an on-demand one has none")
def shard_count(call):
    on_demand = call.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND"
    if on_demand and call.get("ShardCount") is not None:
        argument("ShardCount must not be specified for a stream in ON_DEMAND mode.")
    if not on_demand and call.get("ShardCount") is None:
        argument("ShardCount must be specified for a stream in PROVISIONED mode.")


@rule("strict", "kinesis", "UpdateShardCount", says="shards at most double and at least halve")
def shard_steps(call):
    stream, wanted = stream_in(call), call.params["TargetShardCount"]
    if stream is None:
        return
    current = len([shard for shard in stream.shards.values() if shard.is_open])
    if wanted > 2 * current or wanted * 2 < current:
        argument(f"UpdateShardCount cannot scale from {current} to {wanted}: at most double, at least half.")


@rule("order", "kinesis", *STREAM_CHANGES, says="a stream takes a change, or tags, only while it is ACTIVE")
def stream_at_rest(call):
    stream = stream_in(call)
    tags_only = call.operation in ("AddTagsToStream", "TagResource")
    fine = ("ACTIVE", "UPDATING") if tags_only else ("ACTIVE",)
    if stream is not None and stream.status not in fine:
        message = (
            f"Stream {stream.stream_name} under account {call.account} not ACTIVE, instead in state {stream.status}"
        )
        raise AwsError("ResourceInUseException", message)


@rule("quota", "kinesis", "CreateStream", "DeleteStream", says="5 streams are being created or deleted at once")
def streams_under_way(call):
    busy = [s for s in streams(call).values() if s.status in ("CREATING", "DELETING")]
    if len(busy) >= UNDER_WAY_AT_ONCE:
        message = (
            f"This request would exceed the limit of {UNDER_WAY_AT_ONCE} streams that "
            "can simultaneously be in CREATING or DELETING."
        )
        raise AwsError("LimitExceededException", message)


@rule(
    "order",
    "kinesis",
    "DeleteStream",
    says="a stream with registered consumers is deleted only where that is enforced",
    source="Kinesis Data Streams API Reference: DeleteStream, EnforceConsumerDeletion",
)
def registered_consumers(call):
    stream = stream_in(call)
    if stream is not None and stream.consumers and not call.get("EnforceConsumerDeletion"):
        names = ", ".join(sorted(consumer.consumer_name for consumer in stream.consumers))
        message = f"Stream {stream.stream_name} under account {call.account} has registered consumers: {names}."
        raise AwsError("ResourceInUseException", message)


def rationed(stream, what, most, message):
    """Refuses what a stream has had `most` times within a day."""
    times = [moment for moment in getattr(stream, what, []) if world.clock.seconds_since(moment) < DAY]
    if len(times) >= most:
        raise AwsError("LimitExceededException", message)
    setattr(stream, what, [*times, world.clock.now()])


@rule("order", "kinesis", "UpdateShardCount", says="a stream takes ten changes of its shards in 24 hours")
def shard_changes(call):
    stream = stream_in(call)
    if stream is not None:
        rationed(stream, "_scaled", 10, f"Stream {stream.stream_name} was scaled 10 times within the last 24 hours.")


@rule(
    "order",
    "kinesis",
    "UpdateStreamMode",
    says="a stream changes its mode twice in 24 hours",
    source="Amazon Kinesis Data Streams Developer Guide: Choose the right mode for your stream",
)
def mode_changes(call):
    stream = stream_in(call)
    if stream is not None:
        rationed(stream, "_switched", 2, f"Stream {stream.stream_name} changed its mode twice within the last 24 hours.")


# EFS


@rule(
    "strict",
    "efs",
    "CreateFileSystem",
    "UpdateFileSystem",
    says="provisioned throughput has 1 to 3414 MiB/s, other modes have none",
)
def throughput(call):
    mode, rate = call.get("ThroughputMode"), call.get("ProvisionedThroughputInMibps")
    if mode == "provisioned" and rate is None and call.operation == "CreateFileSystem":
        invalid("efs", "ProvisionedThroughputInMibps is required for the throughput mode provisioned")
    if rate is not None and (not 1 <= rate <= 3414 or mode not in (None, "provisioned")):
        invalid("efs", "ProvisionedThroughputInMibps is 1 to 3414, and only for the throughput mode provisioned")
    if mode == "elastic" and call.get("PerformanceMode") == "maxIO":
        invalid("efs", "Elastic throughput is only for the performance mode generalPurpose")


@rule("strict", "efs", "CreateFileSystem", says="a KMS key needs encryption")
def key_needs_encryption(call):
    if call.get("KmsKeyId") and not call.get("Encrypted"):
        invalid("efs", "KmsKeyId can only be given for an encrypted file system")


@rule(
    "strict",
    "efs",
    "PutLifecycleConfiguration",
    says="each lifecycle policy has one transition, and there are three at most",
)
def lifecycle(call):
    policies = call.params["LifecyclePolicies"]
    if len(policies) > 3 or any(len(policy) != 1 for policy in policies):
        invalid("efs", "Each lifecycle policy object has exactly one transition, and there are at most three.")
    transitions = {name for policy in policies for name in policy}
    system = file_systems(call).get(bare(call.params["FileSystemId"]))
    if "TransitionToArchive" in transitions and system and system["ThroughputMode"] != "elastic":
        invalid("efs", "The archive storage class needs elastic throughput.")


@rule(
    "strict",
    "efs",
    "CreateMountTarget",
    "ModifyMountTargetSecurityGroups",
    says="a mount target has at most 5 security groups, of its VPC",
)
def mount_target_groups(call):
    wanted = call.get("SecurityGroups", [])
    if len(wanted) > 5:
        raise AwsError("SecurityGroupLimitExceeded", "A mount target has at most 5 security groups.")
    known = {g for vpc in call.backend("ec2").groups.values() for g in vpc}
    for group in wanted:
        if group not in known:
            raise AwsError("SecurityGroupNotFound", f"The security group '{group}' does not exist")


@rule("strict", "efs", "CreateAccessPoint", says="the root of an access point is absolute, four levels deep at most")
def access_point_path(call):
    path = call.get("RootDirectory", {}).get("Path", "/")
    if not path.startswith("/") or len([part for part in path.split("/") if part]) > 4 or len(path) > 100:
        invalid("efs", f"The root directory path is not valid: {path}")


@rule("order", "efs", "DeleteFileSystem", says="a file system with mount targets cannot be deleted")
def file_system_in_use(call):
    wanted = bare(call.params["FileSystemId"])
    if any(target["FileSystemId"] == wanted for target in mount_targets(call).values()):
        raise AwsError("FileSystemInUse", f"The file system '{wanted}' cannot be deleted because it has mount targets. You must delete the mount targets, and then try again.")


@rule(
    "order",
    "efs",
    "DeleteFileSystem",
    says="a file system that is part of a replication cannot be deleted; which error says so is not told",
)
def file_system_in_replication(call):
    wanted = bare(call.params["FileSystemId"])
    if replications_of(call, wanted):
        message = f"The file system '{wanted}' is part of a replication configuration; delete that first."
        raise AwsError("FileSystemInUse", message)


@rule(
    "order",
    "efs",
    "CreateMountTarget",
    "CreateAccessPoint",
    "UpdateFileSystem",
    says="a file system is used and changed only once it is available",
)
def file_system_at_rest(call):
    system = file_systems(call).get(bare(call.params["FileSystemId"]))
    if system and system["LifeCycleState"] != "available" and not repeats_access_point(call):
        message = f"File system '{system['FileSystemId']}' is {system['LifeCycleState']}, not available."
        raise AwsError("IncorrectFileSystemLifeCycleState", message)


def repeats_access_point(call):
    return any(point["ClientToken"] == call.get("ClientToken") for point in access_points(call).values())


@rule("order", "efs", "UpdateFileSystem", says="the throughput mode changes once in 24 hours")
def throughput_changes(call):
    system, wanted = file_systems(call).get(bare(call.params["FileSystemId"])), call.get("ThroughputMode")
    if not system or wanted in (None, system["ThroughputMode"]):
        return
    last = system.get("_mode_changed")
    if last is not None and world.clock.seconds_since(last) < DAY:
        raise AwsError("TooManyRequests", "The throughput mode was changed within the last 24 hours.")
    system["_mode_changed"] = world.clock.now()
