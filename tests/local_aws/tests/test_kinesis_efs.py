import json

import pytest
from conftest import proves, refused


def summary(local, name):
    return local("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def test_stream_passes_through_its_states(local, name, held):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    assert summary(local, name)["StreamStatus"] == "CREATING"
    with refused("ResourceInUseException"):
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    held()
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    assert summary(local, name)["StreamStatus"] == "UPDATING"
    with refused("ResourceInUseException"):
        kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    held()
    kinesis.delete_stream(StreamName=name)
    assert summary(local, name)["StreamStatus"] == "DELETING"
    held()
    with refused("ResourceNotFoundException"):
        summary(local, name)


def test_stream_settings(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes", "OutgoingBytes"])
    kinesis.disable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["OutgoingBytes"])
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    kinesis.update_shard_count(StreamName=name, TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    found = summary(local, name)
    assert (found["EncryptionType"], found["KeyId"]) == ("KMS", "alias/aws/kinesis")
    assert found["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes"]}]
    assert (found["RetentionPeriodHours"], found["OpenShardCount"]) == (48, 3)
    with refused("InvalidArgumentException"):
        kinesis.update_shard_count(StreamName=name, TargetShardCount=7, ScalingType="UNIFORM_SCALING")


def test_on_demand_streams(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    found = summary(local, name)
    assert (found["OpenShardCount"], found["StreamModeDetails"]["StreamMode"]) == (4, "ON_DEMAND")
    kinesis.update_stream_mode(StreamARN=found["StreamARN"], StreamModeDetails={"StreamMode": "PROVISIONED"})
    assert summary(local, name)["StreamModeDetails"]["StreamMode"] == "PROVISIONED"


def test_both_ways_of_tagging_a_stream_agree(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags={"a": "1"})
    arn = summary(local, name)["StreamARN"]
    kinesis.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    kinesis.add_tags_to_stream(StreamName=name, Tags={"c": "3"})
    kinesis.remove_tags_from_stream(StreamName=name, TagKeys=["a"])
    expected = [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == expected
    assert kinesis.list_tags_for_stream(StreamName=name)["Tags"] == expected


def test_records_still_flow(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    shard = kinesis.put_record(StreamName=name, Data=b"grade", PartitionKey="1")["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    assert [r["Data"] for r in kinesis.get_records(ShardIterator=iterator)["Records"]] == [b"grade"]


def file_system(local, name, **more):
    wish = {"CreationToken": name, "Encrypted": True, "Tags": [{"Key": "Name", "Value": name}]}
    return local("efs").create_file_system(**wish | more)


def test_file_system_passes_through_its_states(local, network, name, held):
    efs = local("efs")
    made = file_system(local, name)
    assert (made["LifeCycleState"], made["Name"]) == ("creating", name)
    with refused("IncorrectFileSystemLifeCycleState"):
        efs.create_mount_target(FileSystemId=made["FileSystemId"], SubnetId=network.subnets[0])
    held()
    target = efs.create_mount_target(FileSystemId=made["FileSystemId"], SubnetId=network.subnets[0])
    assert target["LifeCycleState"] == "creating" and target["NetworkInterfaceId"].startswith("eni-")
    held()
    with refused("FileSystemInUse"):
        efs.delete_file_system(FileSystemId=made["FileSystemId"])
    efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    held()
    with refused("MountTargetNotFound"):
        efs.describe_mount_targets(MountTargetId=target["MountTargetId"])
    efs.delete_file_system(FileSystemId=made["FileSystemId"])
    held()
    with refused("FileSystemNotFound"):
        efs.describe_file_systems(FileSystemId=made["FileSystemId"])


def test_creation_token(local, name):
    made = file_system(local, name)
    with refused("FileSystemAlreadyExists"):
        file_system(local, name)
    assert (
        local("efs").describe_file_systems(CreationToken=name)["FileSystems"][0]["FileSystemId"] == made["FileSystemId"]
    )


def test_settings_of_a_file_system(local, name):
    efs = local("efs")
    found = {"FileSystemId": file_system(local, name)["FileSystemId"]}
    assert efs.describe_backup_policy(**found)["BackupPolicy"]["Status"] == "DISABLED"
    efs.put_backup_policy(**found, BackupPolicy={"Status": "ENABLED"})
    assert efs.describe_backup_policy(**found)["BackupPolicy"]["Status"] == "ENABLED"
    policies = [{"TransitionToIA": "AFTER_30_DAYS"}]
    efs.put_lifecycle_configuration(**found, LifecyclePolicies=policies)
    assert efs.describe_lifecycle_configuration(**found)["LifecyclePolicies"] == policies
    efs.update_file_system(**found, ThroughputMode="elastic")
    assert efs.describe_file_systems(**found)["FileSystems"][0]["ThroughputMode"] == "elastic"
    with refused("PolicyNotFound"):
        efs.describe_file_system_policy(**found)
    with refused("InvalidPolicyException"):
        efs.put_file_system_policy(**found, Policy="garbage")
    efs.put_file_system_policy(**found, Policy='{"Version": "2012-10-17", "Statement": []}')
    assert "2012" in efs.describe_file_system_policy(**found)["Policy"]


def test_mount_targets(local, network, name):
    efs = local("efs")
    system = file_system(local, name)["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=system, SubnetId=network.subnets[0], SecurityGroups=[network.group])
    with refused("MountTargetConflict"):
        efs.create_mount_target(FileSystemId=system, SubnetId=network.subnets[0])
    other = local("ec2").create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    efs.modify_mount_target_security_groups(MountTargetId=target["MountTargetId"], SecurityGroups=[other])
    found = efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])
    assert found["SecurityGroups"] == [other]
    enis = local("ec2").describe_network_interfaces(NetworkInterfaceIds=[target["NetworkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert [g["GroupId"] for g in enis[0]["Groups"]] == [other] and enis[0]["RequesterManaged"]


def test_access_point_token(local, name):
    efs = local("efs")
    system = file_system(local, name)["FileSystemId"]
    wish = {"ClientToken": name, "FileSystemId": system, "PosixUser": {"Uid": 1000, "Gid": 1000}}
    wish["RootDirectory"] = {
        "Path": "/data",
        "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0750"},
    }
    first = efs.create_access_point(**wish)["AccessPointId"]
    assert efs.create_access_point(**wish)["AccessPointId"] == first
    with refused("AccessPointAlreadyExists"):
        efs.create_access_point(**wish | {"PosixUser": {"Uid": 1, "Gid": 1}})
    efs.tag_resource(ResourceId=first, Tags=[{"Key": "k", "Value": "v"}])
    assert efs.list_tags_for_resource(ResourceId=first)["Tags"] == [{"Key": "k", "Value": "v"}]
    efs.delete_access_point(AccessPointId=first)
    with refused("AccessPointNotFound"):
        efs.describe_access_points(AccessPointId=first)


@pytest.fixture
def backup_role(local, name):
    """A role by which AWS Backup copies files."""
    trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = local("iam").create_role(RoleName=f"backup-{name}", AssumeRolePolicyDocument=trust)["Role"]
    copy = {"Effect": "Allow", "Action": ["elasticfilesystem:Backup"], "Resource": "*"}
    copy = json.dumps({"Version": "2012-10-17", "Statement": [copy]})
    local("iam").put_role_policy(RoleName=f"backup-{name}", PolicyName="copy", PolicyDocument=copy)
    return role["Arn"]


@proves("backup.vault_exists", "backup.role_of_a_job")
def test_a_job_needs_a_vault_and_a_role(local, name, backup_role):
    backup, made = local("backup"), file_system(local, name)
    wish = {"BackupVaultName": name, "ResourceArn": made["FileSystemArn"], "IamRoleArn": backup_role}
    with refused("ResourceNotFoundException"):
        backup.start_backup_job(**wish)
    backup.create_backup_vault(BackupVaultName=name)
    with refused("InvalidParameterValueException"):
        backup.start_backup_job(**wish | {"IamRoleArn": backup_role + "-other"})
    local("iam").delete_role_policy(RoleName=f"backup-{name}", PolicyName="copy")
    with refused("InvalidParameterValueException"):
        backup.start_backup_job(**wish)


def test_a_job_ends_in_time_and_a_token_begins_one(local, name, backup_role, held):
    backup, made = local("backup"), file_system(local, name)
    held()
    backup.create_backup_vault(BackupVaultName=name)
    wish = {"BackupVaultName": name, "ResourceArn": made["FileSystemArn"], "IamRoleArn": backup_role}
    state = lambda job: backup.describe_backup_job(BackupJobId=job)["State"]  # noqa: E731
    job = backup.start_backup_job(**wish, IdempotencyToken="one")["BackupJobId"]
    assert backup.start_backup_job(**wish, IdempotencyToken="one")["BackupJobId"] == job
    assert state(job) == "RUNNING"
    assert backup.list_recovery_points_by_resource(ResourceArn=made["FileSystemArn"])["RecoveryPoints"] == []
    held()
    assert state(job) == "COMPLETED"
    local.admin("POST", "/_local/endings", {"kind": "backup.job", "ending": "failed", "message": "no room"})
    other = backup.start_backup_job(**wish, IdempotencyToken="two")["BackupJobId"]
    held()
    assert backup.describe_backup_job(BackupJobId=other)["StatusMessage"] == "no room"
    found = backup.list_backup_jobs(ByResourceArn=made["FileSystemArn"])["BackupJobs"]
    assert [(one["BackupJobId"], one["State"]) for one in found] == [(job, "COMPLETED"), (other, "FAILED")]
    assert len(backup.list_recovery_points_by_resource(ResourceArn=made["FileSystemArn"])["RecoveryPoints"]) == 1


def test_a_recovery_point_has_the_tags_of_the_file_system_and_outlives_it(local, name, backup_role):
    """AWS Backup Developer Guide, "Copying tags onto backups"; the tagging API shows all that can have tags."""
    tags = [{"Key": "thing", "Value": name}]
    made = file_system(local, name, Tags=tags)
    local("backup").create_backup_vault(BackupVaultName=name)
    job = local("backup").start_backup_job(
        BackupVaultName=name, ResourceArn=made["FileSystemArn"], IamRoleArn=backup_role
    )
    local("efs").delete_file_system(FileSystemId=made["FileSystemId"])
    found = local("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "thing", "Values": [name]}])
    assert [(one["ResourceARN"], one["Tags"]) for one in found["ResourceTagMappingList"]] == [
        (job["RecoveryPointArn"], tags)
    ]
    points = local("backup").list_recovery_points_by_resource(ResourceArn=made["FileSystemArn"])["RecoveryPoints"]
    assert [point["RecoveryPointArn"] for point in points] == [job["RecoveryPointArn"]]
