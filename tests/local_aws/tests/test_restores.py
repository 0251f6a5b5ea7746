"""New databases, and a new cache, out of what was kept of old ones."""

from datetime import timedelta

import pytest
from conftest import proves, refused
from stores import pass_minutes, values, write
from test_elasticache import described as described_cache
from test_elasticache import group  # noqa: F401
from test_rds import add_instance, cluster, described  # noqa: F401
from test_rds_power import alone, instance  # noqa: F401

from local_aws.world import world

AURORA = "aurora-postgresql"


@pytest.fixture
def source(local, cluster, name):  # noqa: F811
    """A cluster with rows of an hour ago, of ten minutes ago and of now, by its name."""
    local("rds").create_db_cluster(**cluster)
    add_instance(local, name, 1)
    for key, ago in (("hour", 60), ("ten", 10), ("now", 0)):
        write(local, {key: ago}, minutes_ago=ago, cluster=name)
    return name


@pytest.fixture
def snapshot(local, source):
    """A snapshot of it, by its name."""
    local("rds").create_db_cluster_snapshot(
        DBClusterIdentifier=source, DBClusterSnapshotIdentifier=f"{source}-s", Tags=[{"Key": "kept", "Value": "yes"}]
    )
    return f"{source}-s"


def from_snapshot(local, snapshot, name, **more):
    wish = {"SnapshotIdentifier": snapshot, "Engine": AURORA, "DBSubnetGroupName": snapshot.removesuffix("-s")}
    local("rds").restore_db_cluster_from_snapshot(DBClusterIdentifier=name, **wish | more)
    return described(local, name)


def to_time(local, source, name, **more):
    wish = {"DBSubnetGroupName": source} | ({} if "RestoreToTime" in more else {"UseLatestRestorableTime": True})
    if "SourceDbClusterResourceId" not in more:
        wish["SourceDBClusterIdentifier"] = source
    local("rds").restore_db_cluster_to_point_in_time(DBClusterIdentifier=name, **wish | more)
    return described(local, name)


def default_group(local, network):
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return local("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]


@proves("rds.with_data", "rds.version_for")
def test_a_cluster_from_a_snapshot_has_the_data_and_else_defaults(local, cluster, network, snapshot, source):  # noqa: F811
    write(local, {"later": 1}, cluster=source)
    found = from_snapshot(local, snapshot, f"{source}-r")
    assert values(local, cluster=f"{source}-r") == {"hour": 60, "ten": 10, "now": 0}
    assert (found["EngineVersion"], found["DBClusterParameterGroup"]) == ("17.7", f"default.{AURORA}17")
    assert [g["VpcSecurityGroupId"] for g in found["VpcSecurityGroups"]] == [default_group(local, network)]
    assert not found["IAMDatabaseAuthenticationEnabled"] and not found["DeletionProtection"]
    assert not found.get("EnabledCloudwatchLogsExports") and not found["CopyTagsToSnapshot"]
    absent = {"MasterUserSecret", "ServerlessV2ScalingConfiguration"}
    assert not absent & set(found) and (found["TagList"], found["DBClusterMembers"]) == ([], [])
    assert (found["KmsKeyId"], found["BackupRetentionPeriod"], found["DatabaseName"]) == (
        cluster["KmsKeyId"],
        30,
        "studentrecords",
    )
    assert found["DbClusterResourceId"] != described(local, source)["DbClusterResourceId"]
    assert found["PreferredMaintenanceWindow"] != cluster["PreferredMaintenanceWindow"]


@proves("rds.with_data")
def test_a_restored_cluster_gets_what_its_caller_asks_for(local, cluster, network, snapshot, source, key):  # noqa: F811
    wish = {name: cluster[name] for name in ("EngineVersion", "DBClusterParameterGroupName", "VpcSecurityGroupIds", "Tags")}
    wish |= {name: cluster[name] for name in ("ServerlessV2ScalingConfiguration", "EnableIAMDatabaseAuthentication")}
    wish |= {"BackupRetentionPeriod": 5, "PreferredBackupWindow": "03:00-04:00", "DeletionProtection": True}
    other = local("kms").create_key()["KeyMetadata"]["Arn"]
    found = from_snapshot(local, snapshot, f"{source}-r", **wish, KmsKeyId=other, CopyTagsToSnapshot=True)
    assert (found["EngineVersion"], found["DBClusterParameterGroup"], found["KmsKeyId"]) == ("16.8", source, other)
    assert (found["BackupRetentionPeriod"], found["PreferredBackupWindow"]) == (5, "03:00-04:00")
    assert found["DeletionProtection"] and found["CopyTagsToSnapshot"] and found["TagList"] == cluster["Tags"]
    add_instance(local, f"{source}-r", 1)
    local("rds").modify_db_cluster(
        DBClusterIdentifier=f"{source}-r", ManageMasterUserPassword=True, MasterUserSecretKmsKeyId=key, ApplyImmediately=True
    )
    assert described(local, f"{source}-r")["MasterUserSecret"]["SecretStatus"] == "active"


def test_a_restored_cluster_may_show_the_secret_of_its_source(local, snapshot, source):
    world.settings.account = {"old_secret_after_restore": True, "reboot_after_restore": True}
    scaling = {"MinCapacity": 0.5, "MaxCapacity": 4}
    found = from_snapshot(local, snapshot, f"{source}-r", ServerlessV2ScalingConfiguration=scaling)
    old = described(local, source)["MasterUserSecret"]["SecretArn"]
    assert found["MasterUserSecret"]["SecretArn"] == old
    add_instance(local, f"{source}-r", 1)
    member = described(local, f"{source}-r")["DBClusterMembers"][0]
    assert member["DBClusterParameterGroupStatus"] == "pending-reboot"
    rds = local("rds")
    rds.modify_db_cluster(DBClusterIdentifier=f"{source}-r", ManageMasterUserPassword=True, ApplyImmediately=True)
    assert described(local, f"{source}-r")["MasterUserSecret"]["SecretArn"] != old
    rds.delete_db_instance(DBInstanceIdentifier=f"{source}-r-1")
    rds.delete_db_cluster(DBClusterIdentifier=f"{source}-r", SkipFinalSnapshot=True)
    local("secretsmanager").describe_secret(SecretId=old)


def test_a_cluster_goes_back_to_a_time(local, source):
    pass_minutes(local, minutes=2)
    latest = described(local, source)["LatestRestorableTime"]
    to_time(local, source, f"{source}-l")
    assert values(local, cluster=f"{source}-l") == {"hour": 60, "ten": 10}, "the last five minutes are not there"
    found = to_time(local, source, f"{source}-t", RestoreToTime=latest - timedelta(minutes=30))
    assert values(local, cluster=f"{source}-t") == {"hour": 60}
    assert found["EngineVersion"] == "16.8" and found["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 4
    assert (found["TagList"], "MasterUserSecret" in found) == ([], False)
    assert values(local, cluster=source) == {"hour": 60, "ten": 10, "now": 0}


def test_a_clone_has_what_is_there_now_and_goes_its_own_way(local, source):
    found = to_time(local, source, f"{source}-c", RestoreType="copy-on-write")
    assert values(local, cluster=f"{source}-c") == {"hour": 60, "ten": 10, "now": 0}
    assert found["CloneGroupId"] == described(local, source)["CloneGroupId"]
    add_instance(local, f"{source}-c", 1)
    write(local, {"hour": None}, cluster=f"{source}-c")
    assert "hour" in values(local, cluster=source)


def test_a_deleted_cluster_comes_back_from_the_backups_that_were_kept(local, source):
    rds, resource = local("rds"), described(local, source)["DbClusterResourceId"]
    rds.delete_db_instance(DBInstanceIdentifier=f"{source}-1")
    rds.delete_db_cluster(DBClusterIdentifier=source, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    pass_minutes(local, minutes=30)
    to_time(local, source, source, SourceDbClusterResourceId=resource)
    assert values(local, cluster=source) == {"hour": 60, "ten": 10, "now": 0}
    with refused("DBClusterAutomatedBackupNotFoundFault"):
        to_time(local, source, f"{source}-x", SourceDbClusterResourceId="cluster-NONE")


@proves("rds.restore_time", "rds.restore_names_a_time")
def test_times_that_a_cluster_cannot_be_brought_to(local, source):
    found, rds = described(local, source), local("rds")
    later, earlier = timedelta(minutes=1), timedelta(days=1)
    with refused("InvalidParameterValue", "later than"):
        to_time(local, source, f"{source}-x", RestoreToTime=found["LatestRestorableTime"] + later)
    with refused("InvalidParameterValue", "earlier than"):
        to_time(local, source, f"{source}-x", RestoreToTime=found["EarliestRestorableTime"] - earlier)
    with refused("InvalidParameterCombination"):
        to_time(local, source, f"{source}-x", RestoreToTime=found["LatestRestorableTime"], RestoreType="copy-on-write")
    wish = {"DBClusterIdentifier": f"{source}-x", "DBSubnetGroupName": source}
    with refused("InvalidParameterCombination"):
        rds.restore_db_cluster_to_point_in_time(**wish, SourceDBClusterIdentifier=source)
    with refused("InvalidParameterCombination"):
        rds.restore_db_cluster_to_point_in_time(**wish, UseLatestRestorableTime=True)
    with refused("InvalidParameterValue"):
        to_time(local, source, f"{source}-x", RestoreType="half-copy")
    to_time(local, source, f"{source}-x", RestoreToTime=found["EarliestRestorableTime"])


def test_names_and_places_of_a_restored_cluster(local, snapshot, source):
    with refused("DBClusterAlreadyExistsFault"):
        from_snapshot(local, snapshot, source)
    with refused("DBClusterSnapshotNotFoundFault"):
        from_snapshot(local, "none-s", f"{source}-r", DBSubnetGroupName=source)
    with refused("DBSubnetGroupNotFoundFault"):
        from_snapshot(local, snapshot, f"{source}-r", DBSubnetGroupName="none")
    with refused("DBClusterNotFoundFault"):
        to_time(local, "none", f"{source}-r", DBSubnetGroupName=source)
    with refused("InvalidParameterValue"):
        from_snapshot(local, snapshot, "two--hyphens")


@proves("rds.restore_key")
def test_without_its_key_nothing_is_restored(local, cluster, snapshot, source):  # noqa: F811
    kms, key = local("kms"), cluster["KmsKeyId"].rpartition("/")[2]
    other = kms.create_key()["KeyMetadata"]
    kms.disable_key(KeyId=other["KeyId"])
    with refused("KMSKeyNotAccessibleFault"):
        from_snapshot(local, snapshot, f"{source}-r", KmsKeyId=other["Arn"])
    kms.schedule_key_deletion(KeyId=key)
    for restore, what in ((from_snapshot, snapshot), (to_time, source)):
        with refused("KMSKeyNotAccessibleFault"):
            restore(local, what, f"{source}-r")
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    from_snapshot(local, snapshot, f"{source}-r")


@proves("rds.restore_key_needs_encryption")
def test_a_copy_of_plain_data_gets_no_key(local, cluster, name, key):  # noqa: F811
    plain = {k: v for k, v in cluster.items() if k not in ("StorageEncrypted", "KmsKeyId")}
    local("rds").create_db_cluster(**plain)
    with refused("InvalidParameterCombination"):
        to_time(local, name, f"{name}-r", KmsKeyId=key)


@proves("rds.restore_engine", "rds.restore_parameter_family")
def test_a_restore_keeps_the_engine_and_does_not_go_back(local, snapshot, source):
    for wish in ({"Engine": "aurora-mysql"}, {"EngineVersion": "15.19"}, {"DBClusterParameterGroupName": source}):
        with refused("InvalidParameterCombination"):
            from_snapshot(local, snapshot, f"{source}-r", **wish)
    found = from_snapshot(local, snapshot, f"{source}-r", EngineVersion="16.8", DBClusterParameterGroupName=source)
    assert found["EngineVersion"] == "16.8"


@proves("rds.snapshot_at_rest", "rds.restore_source_at_rest", "rds.members_after_restore")
def test_a_restore_begins_and_ends_with_what_is_there(local, cluster, held, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    with refused("InvalidDBClusterStateFault"):
        to_time(local, name, f"{name}-r")
    held()
    rds.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier=f"{name}-s")
    with refused("InvalidDBClusterSnapshotStateFault"):
        from_snapshot(local, f"{name}-s", f"{name}-r")
    held()
    scaling = {"MinCapacity": 0.5, "MaxCapacity": 4}
    assert from_snapshot(local, f"{name}-s", f"{name}-r", ServerlessV2ScalingConfiguration=scaling)["Status"] == "creating"
    with refused("InvalidDBClusterStateFault"):
        add_instance(local, f"{name}-r", 1)
    held()
    add_instance(local, f"{name}-r", 1)


def test_a_restore_may_fail(local, snapshot, source):
    wish = {"kind": "rds.cluster", "name": f"{source}-r", "ending": "failed", "message": "incompatible-restore: no room"}
    local.admin("POST", "/_local/endings", wish)
    assert from_snapshot(local, snapshot, f"{source}-r")["Status"] == "incompatible-restore"


@proves("rds.clusters")
def test_a_restored_cluster_counts(local, snapshot, source, at_most):
    at_most({"rds-clusters": 1})
    with refused("DBClusterQuotaExceededFault"):
        from_snapshot(local, snapshot, f"{source}-r")


@proves("rds.instances")
def test_a_restored_instance_counts(local, alone, at_most):  # noqa: F811
    rds, name = local("rds"), alone()
    rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-s")
    at_most({"rds-instances": 1})
    wish = {"DBSnapshotIdentifier": f"{name}-s", "DBSubnetGroupName": name}
    with refused("InstanceQuotaExceeded"):
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=f"{name}-r", **wish)


def allow(local, *statements):
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    local.admin("POST", "/_local/iam", {"Version": "2012-10-17", "Statement": allowed})


def test_a_restore_may_be_made_by_who_may_use_snapshot_key_and_tags(local, snapshot, source):
    rest, action = [("rds:Describe*", "*"), ("kms:*", "*")], "rds:RestoreDBClusterFromSnapshot"
    tags = [{"Key": "own", "Value": "yes"}]
    clusters = f"arn:aws:rds:us-east-1:123456789012:cluster:{source}-*"
    allow(local, *rest, (action, clusters))
    with refused("AccessDenied"):
        from_snapshot(local, snapshot, f"{source}-r")
    allow(local, *rest, (action, "*"))
    with refused("AccessDenied"):
        from_snapshot(local, snapshot, f"{source}-r", Tags=tags)
    allow(local, *rest, (action, "*"), ("rds:AddTagsToResource", clusters))
    assert from_snapshot(local, snapshot, f"{source}-r", Tags=tags)["TagList"] == tags


def opens(local, name, password):
    return local.admin("POST", "/_local/login", {"instance": name, "user": "keeper", "password": password})["opens"]


@proves("rds.with_data")
def test_an_instance_from_a_snapshot(local, alone, network, key):  # noqa: F811
    rds, name = local("rds"), alone()
    write(local, {"a": 1}, instance=name)
    tags = [{"Key": "kept", "Value": "yes"}]
    rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-s", Tags=tags)
    write(local, {"b": 2}, instance=name)
    wish = {"DBSnapshotIdentifier": f"{name}-s", "DBSubnetGroupName": name}
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=f"{name}-r", **wish)
    found = instance(local, f"{name}-r")
    assert values(local, instance=f"{name}-r") == {"a": 1} and opens(local, f"{name}-r", "not-a-real-one")
    assert (found["DBInstanceClass"], found["AllocatedStorage"], found["StorageType"]) == ("db.t3.micro", 20, "gp3")
    assert (found["KmsKeyId"], found["MasterUsername"], found["TagList"]) == (key, "keeper", tags)
    assert [g["VpcSecurityGroupId"] for g in found["VpcSecurityGroups"]] == [default_group(local, network)]
    assert found["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres17"
    assert not found["MultiAZ"] and not found["DeletionProtection"]
    own = [{"Key": "own", "Value": "yes"}]
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=f"{name}-t", **wish, Tags=own)
    assert instance(local, f"{name}-t")["TagList"] == own
    with refused("DBInstanceAlreadyExists"):
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=name, **wish)
    with refused("DBSnapshotNotFound"):
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=f"{name}-u", DBSnapshotIdentifier="none")


@proves("rds.managed_after_restore", "rds.restore_engine")
def test_what_an_instance_cannot_be_restored_with(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-s")
    wish = {"DBInstanceIdentifier": f"{name}-r", "DBSnapshotIdentifier": f"{name}-s", "DBSubnetGroupName": name}
    for more in ({"ManageMasterUserPassword": True}, {"DBInstanceClass": "db.serverless"}, {"Engine": "mysql"}):
        with refused("InvalidParameterCombination"):
            rds.restore_db_instance_from_db_snapshot(**wish | more)


@proves("rds.restore_time")
def test_an_instance_goes_back_to_a_time(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    write(local, {"hour": 1}, minutes_ago=60, instance=name)
    write(local, {"now": 1}, instance=name)
    wish = {"SourceDBInstanceIdentifier": name, "DBSubnetGroupName": name}
    latest = instance(local, name)["LatestRestorableTime"]
    with refused("InvalidParameterValue", "later than"):
        rds.restore_db_instance_to_point_in_time(
            TargetDBInstanceIdentifier=f"{name}-r", **wish, RestoreTime=latest + timedelta(minutes=2)
        )
    rds.restore_db_instance_to_point_in_time(TargetDBInstanceIdentifier=f"{name}-r", **wish, RestoreTime=latest)
    assert values(local, instance=f"{name}-r") == {"hour": 1}
    resource = instance(local, name)["DbiResourceId"]
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    again = {"TargetDBInstanceIdentifier": name, "SourceDbiResourceId": resource, "DBSubnetGroupName": name}
    rds.restore_db_instance_to_point_in_time(**again, UseLatestRestorableTime=True)
    assert values(local, instance=name) == {"hour": 1, "now": 1} and opens(local, name, "not-a-real-one")


@proves("rds.restore_time")
def test_without_automated_backups_there_is_no_way_back_in_time(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=0, ApplyImmediately=True)
    with refused("PointInTimeRestoreNotEnabled"):
        rds.restore_db_instance_to_point_in_time(
            TargetDBInstanceIdentifier=f"{name}-r",
            SourceDBInstanceIdentifier=name,
            DBSubnetGroupName=name,
            UseLatestRestorableTime=True,
        )


@proves("elasticache.seed")
def test_a_cache_out_of_a_snapshot(local, group, name):  # noqa: F811
    cache = local("elasticache")
    cache.create_replication_group(**group)
    write(local, {"a": 1}, cache=name)
    cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-s")
    write(local, {"a": 2}, cache=name)
    cache.create_replication_group(**group | {"ReplicationGroupId": f"{name}-r", "SnapshotName": f"{name}-s"})
    assert (values(local, cache=f"{name}-r"), values(local, cache_snapshot=f"{name}-s")) == ({"a": 1}, {"a": 1})
    assert described_cache(local, f"{name}-r")["Status"] == "available"


@proves("elasticache.seed")
def test_a_snapshot_is_restoring_while_a_cache_is_made_of_it(local, group, name, held):  # noqa: F811
    cache = local("elasticache")
    cache.create_replication_group(**group)
    held()
    cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-s")
    held()
    cache.create_replication_group(**group | {"ReplicationGroupId": f"{name}-r", "SnapshotName": f"{name}-s"})
    status = lambda: cache.describe_snapshots(SnapshotName=f"{name}-s")["Snapshots"][0]["SnapshotStatus"]  # noqa: E731
    assert status() == "restoring"
    held()
    assert status() == "available"


@proves("elasticache.snapshot_of_group", "elasticache.snapshot_fits_group")
def test_a_cache_that_cannot_be_made_of_a_snapshot(local, group, name):  # noqa: F811
    cache, other = local("elasticache"), f"{name}-r"
    cache.create_replication_group(**group)
    cache.create_snapshot(ReplicationGroupId=name, SnapshotName=f"{name}-s")
    wish = group | {"ReplicationGroupId": other, "SnapshotName": f"{name}-s"}
    with refused("InvalidParameterValue"):
        cache.create_replication_group(**wish | {"SnapshotName": "none"})
    with refused("InvalidParameterCombination"):
        cache.create_replication_group(**wish | {"EngineVersion": "7.0"})
