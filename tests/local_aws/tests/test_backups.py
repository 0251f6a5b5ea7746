"""What can be gone back to: automated backups, snapshots and recovery points, as nights pass."""

from datetime import timedelta

from conftest import proves, refused
from test_elasticache import group  # noqa: F401
from test_rds import add_instance, cluster, described  # noqa: F401
from test_rds_power import alone, instance  # noqa: F401

from local_aws.registry import now

MINUTE = timedelta(minutes=1)


def pass_nights(local, nights):
    local.admin("POST", "/_local/nights", {"nights": nights})


def days_old(moment):
    return round((now() - moment) / timedelta(days=1))


@proves("rds.window")
def test_one_can_go_back_as_far_as_backups_are_kept_and_to_five_minutes_ago(local, cluster, name):  # noqa: F811
    local("rds").create_db_cluster(**cluster | {"BackupRetentionPeriod": 3})
    fresh = described(local, name)
    assert fresh["EarliestRestorableTime"] == fresh["LatestRestorableTime"] == fresh["ClusterCreateTime"]
    pass_nights(local, 2)
    found = described(local, name)
    assert days_old(found["EarliestRestorableTime"]) == 2
    assert 4 * MINUTE < now() - found["LatestRestorableTime"] < 6 * MINUTE
    pass_nights(local, 7)
    assert days_old(described(local, name)["EarliestRestorableTime"]) == 3
    told = local("rds").describe_db_cluster_automated_backups(DBClusterIdentifier=name)["DBClusterAutomatedBackups"]
    assert (told[0]["Status"], days_old(told[0]["RestoreWindow"]["EarliestTime"])) == ("active", 3)


def test_a_stopped_database_adds_no_second(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    pass_nights(local, 1)
    before = instance(local, name)["LatestRestorableTime"]
    rds.stop_db_instance(DBInstanceIdentifier=name)
    assert instance(local, name)["LatestRestorableTime"] == before
    told = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=name)["DBInstanceAutomatedBackups"]
    assert [one["RestoreWindow"]["LatestTime"] for one in told] == [before]
    assert (told[0]["Status"], told[0]["Engine"], told[0]["Encrypted"]) == ("active", "postgres", True)
    with refused("DBInstanceAutomatedBackupNotFound"):
        rds.describe_db_instance_automated_backups(DBInstanceIdentifier=f"{name}-none")


@proves("rds.automated_name", "rds.go_with_the_cluster")
def test_a_night_leaves_a_snapshot_that_goes_with_the_cluster(local, cluster, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"BackupRetentionPeriod": 2, "CopyTagsToSnapshot": True})
    rds.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier=f"{name}-mine")
    pass_nights(local, 4)

    def left(**wish):
        found = rds.describe_db_cluster_snapshots(DBClusterIdentifier=name, **wish)["DBClusterSnapshots"]
        return sorted(found, key=lambda one: one["SnapshotCreateTime"])

    automated = left(SnapshotType="automated")
    assert [days_old(one["SnapshotCreateTime"]) for one in automated] == [1, 0]
    assert all(one["DBClusterSnapshotIdentifier"].startswith(f"rds:{name}-") for one in automated)
    assert automated[0]["TagList"] == cluster["Tags"] and automated[0]["Status"] == "available"
    assert [days_old(one["SnapshotCreateTime"]) for one in left(SnapshotType="manual")] == [4]
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    assert [one["DBClusterSnapshotIdentifier"] for one in left()] == [f"{name}-mine"]


@proves("rds.automated_snapshot_stays", "rds.snapshot_of_what_is_available", "rds.snapshot_of_a_member")
def test_what_snapshots_are_taken_of_and_which_go(local, cluster, held, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"DBClusterIdentifier": f"{name}-c"})
    with refused("InvalidDBClusterStateFault"):
        rds.create_db_cluster_snapshot(DBClusterIdentifier=f"{name}-c", DBClusterSnapshotIdentifier=f"{name}-early")
    held()
    member = add_instance(local, f"{name}-c", 1)
    held()
    with refused("InvalidParameterValue", "member of a cluster"):
        rds.create_db_snapshot(DBInstanceIdentifier=member, DBSnapshotIdentifier=f"{name}-member")
    rds.create_db_cluster_snapshot(DBClusterIdentifier=f"{name}-c", DBClusterSnapshotIdentifier=f"{name}-mine")
    with refused("InvalidDBClusterSnapshotStateFault"):
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"{name}-mine")
    held()
    pass_nights(local, 1)
    found = rds.describe_db_cluster_snapshots(DBClusterIdentifier=f"{name}-c", SnapshotType="automated")
    with refused("InvalidDBClusterSnapshotStateFault"):
        rds.delete_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=found["DBClusterSnapshots"][0]["DBClusterSnapshotIdentifier"]
        )
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"{name}-mine")


@proves("elasticache.take_in_time", "elasticache.automated_name")
def test_snapshots_of_a_cache_take_a_while_and_those_of_nights_go_with_it(local, group, held, name):  # noqa: F811
    cache = local("elasticache")
    cache.create_replication_group(**group | {"SnapshotRetentionLimit": 2})
    held()
    taken = cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-mine")["Snapshot"]
    assert taken["SnapshotStatus"] == "creating"
    assert cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]["Status"] == "snapshotting"
    with refused("InvalidReplicationGroupState"):
        cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-second")
    held()
    pass_nights(local, 3)

    def left(**wish):
        found = cache.describe_snapshots(**wish)["Snapshots"]
        return {one["SnapshotName"]: days_old(one["NodeSnapshots"][0]["SnapshotCreateTime"]) for one in found}

    member = f"{name}-002"
    assert sorted(left(CacheClusterId=member, SnapshotSource="system").values()) == [0, 1]
    assert all(found.startswith(f"automatic.{member}-") for found in left(CacheClusterId=member))
    assert left(ReplicationGroupId=name, SnapshotSource="user") == {f"{name}-mine": 3}
    cache.create_snapshot(CacheClusterId=member, SnapshotName=f"{name}-of-a-member")
    held()
    with refused("CacheClusterNotFound"):
        cache.create_snapshot(CacheClusterId=f"{name}-009", SnapshotName=f"{name}-of-none")
    cache.delete_replication_group(ReplicationGroupId=name)
    held()
    assert list(left(CacheClusterId=member)) == [f"{name}-of-a-member"]


@proves("backup.back_up")
def test_files_are_copied_every_night_where_that_is_asked_for(local, name):
    efs, backup = local("efs"), local("backup")
    files = efs.create_file_system(CreationToken=name, Backup=True, Tags=[{"Key": "Name", "Value": name}])
    other = efs.create_file_system(CreationToken=f"{name}-other")
    pass_nights(local, 2)
    pass_nights(local, 34)

    def points(of):
        return backup.list_recovery_points_by_resource(ResourceArn=of["FileSystemArn"])["RecoveryPoints"]

    assert max(days_old(point["CreationDate"]) for point in points(files)) == 35 - 1
    assert {point["Status"] for point in points(files)} == {"COMPLETED"} and points(files)[0]["BackupSizeBytes"] > 0
    assert points(other) == []


def test_what_is_under_a_key_of_aws_can_be_asked_about(local, name):
    efs, kms = local("efs"), local("kms")
    files = efs.create_file_system(CreationToken=name, Encrypted=True)
    key = kms.describe_key(KeyId=files["KmsKeyId"])["KeyMetadata"]
    assert (key["Arn"], key["KeyState"], key["KeyManager"]) == (files["KmsKeyId"], "Enabled", "AWS")
    with refused("NotFoundException"):
        kms.describe_key(KeyId="arn:aws:kms:us-east-1:123456789012:key/0faa28a3-ce00-48af-aec4-7140ad825f62")
