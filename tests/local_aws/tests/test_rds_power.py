"""Databases that are stopped, that miss their key, and that can leave no last snapshot."""

from datetime import timedelta

import pytest
from conftest import proves, refused
from test_rds import add_instance, cluster, described  # noqa: F401

from local_aws.registry import now

RECOVERABLE = "inaccessible-encryption-credentials-recoverable"


@pytest.fixture
def alone(local, network, name, key):
    """Makes an instance of its own."""

    def make():
        rds = local("rds")
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
        storage = {"StorageType": "gp3", "AllocatedStorage": 20, "StorageEncrypted": True, "KmsKeyId": key}
        login = {"MasterUsername": "keeper", "MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t3.micro", **storage, **login
        )
        return name

    return make


def instance(local, name):
    return local("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


@proves("rds.stopped_cluster_takes_nothing", "rds.at_rest_to_stop_or_start")
def test_a_stopped_cluster_takes_nothing_until_it_is_started(local, cluster, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    member = add_instance(local, name, 1)
    with refused("InvalidDBClusterStateFault"):
        rds.start_db_cluster(DBClusterIdentifier=name)
    rds.stop_db_cluster(DBClusterIdentifier=name)
    assert (described(local, name)["Status"], instance(local, member)["DBInstanceStatus"]) == ("stopped", "stopped")
    assert described(local, name)["AutomaticRestartTime"] > now() + timedelta(days=6)
    with refused("InvalidDBClusterStateFault"):
        rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=3)
    with refused("InvalidDBInstanceState"):
        rds.delete_db_instance(DBInstanceIdentifier=member, SkipFinalSnapshot=True)
    with refused("InvalidDBClusterStateFault"):
        add_instance(local, name, 2)
    with refused("InvalidDBClusterStateFault"):
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    rds.start_db_cluster(DBClusterIdentifier=name)
    assert (described(local, name)["Status"], instance(local, member)["DBInstanceStatus"]) == ("available", "available")
    assert "AutomaticRestartTime" not in described(local, name)


@proves("rds.members_stop_with_their_cluster")
def test_a_member_neither_stops_nor_starts_by_itself(local, cluster, name):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    member = add_instance(local, name, 1)
    with refused("InvalidParameterCombination"):
        local("rds").stop_db_instance(DBInstanceIdentifier=member)


def test_an_instance_of_its_own_stops_and_aws_starts_it_after_seven_days(local, alone, held):
    rds, name = local("rds"), alone()
    held()
    rds.stop_db_instance(DBInstanceIdentifier=name)
    assert instance(local, name)["DBInstanceStatus"] == "stopping"
    with refused("InvalidDBInstanceState"):
        rds.stop_db_instance(DBInstanceIdentifier=name)
    held()
    assert instance(local, name)["DBInstanceStatus"] == "available", "all time has passed"


def test_a_missed_key_shuts_a_database_out_and_costs_it_after_seven_days(local, alone, key, held):
    rds, kms, name, key = local("rds"), local("kms"), alone(), key.rpartition("/")[2]
    held()
    local.admin("POST", "/_local/settings", {"durations": {"rds.key.missed": 0}})
    kms.disable_key(KeyId=key)
    assert instance(local, name)["DBInstanceStatus"] == RECOVERABLE
    with refused("KMSKeyNotAccessibleFault"):
        rds.start_db_instance(DBInstanceIdentifier=name)
    kms.enable_key(KeyId=key)
    assert instance(local, name)["DBInstanceStatus"] == RECOVERABLE, "nobody has started it"
    rds.start_db_instance(DBInstanceIdentifier=name)
    held()
    assert instance(local, name)["DBInstanceStatus"] == "available"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert "KMS" in rds.describe_events(SourceIdentifier=name, SourceType="db-instance")["Events"][-1]["Message"]
    held()
    assert instance(local, name)["DBInstanceStatus"] == "inaccessible-encryption-credentials"
    with refused("InvalidDBInstanceState"):
        rds.start_db_instance(DBInstanceIdentifier=name)


def test_a_key_that_is_back_in_time_is_never_missed(local, alone, key, held):
    name, key = alone(), key.rpartition("/")[2]
    held()
    local("kms").disable_key(KeyId=key)
    local("kms").enable_key(KeyId=key)
    held()
    assert instance(local, name)["DBInstanceStatus"] == "available"


@proves("rds.can_start")
def test_an_instance_that_cannot_start_takes_nothing_but_a_restart(local, alone, name):
    rds = local("rds")
    alone()
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="d")
    buffers = {"ParameterName": "shared_buffers", "ParameterValue": "999999999", "ApplyMethod": "pending-reboot"}
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[buffers])
    rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName=name)
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert instance(local, name)["DBInstanceStatus"] == "incompatible-parameters"
    with refused("InvalidDBInstanceState"):
        rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=3)
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert instance(local, name)["DBInstanceStatus"] == "incompatible-parameters"
    rds.reset_db_parameter_group(DBParameterGroupName=name, Parameters=[buffers])
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    found = instance(local, name)
    assert (found["DBInstanceStatus"], found["DBParameterGroups"][0]["ParameterApplyStatus"]) == ("available", "in-sync")


@proves("rds.no_final_snapshot_of_a_wreck")
def test_of_a_wreck_no_final_snapshot_is_taken(local, alone, name):
    rds = local("rds")
    wish = {"kind": "rds.instance", "ending": "failed", "message": "incompatible-network: no free address"}
    local.admin("POST", "/_local/endings", wish)
    alone()
    assert instance(local, name)["DBInstanceStatus"] == "incompatible-network"
    with refused("InvalidDBInstanceState"):
        rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    with refused("InvalidDBInstanceState"):
        rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=3)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    assert rds.describe_db_snapshots(DBInstanceIdentifier=name)["DBSnapshots"] == []


def test_a_database_whose_last_snapshot_fails_stays_and_so_does_the_snapshot(local, alone, name):
    rds = local("rds")
    alone()
    local.admin("POST", "/_local/endings", {"kind": "rds.snapshot", "ending": "failed"})
    rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    assert instance(local, name)["DBInstanceStatus"] == "available"
    assert [s["Status"] for s in rds.describe_db_snapshots(DBInstanceIdentifier=name)["DBSnapshots"]] == ["failed"]
    with refused("DBSnapshotAlreadyExists"):
        rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    rds.delete_db_snapshot(DBSnapshotIdentifier=f"{name}-final")
    rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    with refused("DBInstanceNotFound"):
        instance(local, name)


def test_a_cluster_whose_last_snapshot_fails_stays_too(local, cluster, name, held):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    local.admin("POST", "/_local/endings", {"kind": "rds.snapshot", "ending": "failed"})
    for status in ("failed", "available"):
        rds.delete_db_cluster(DBClusterIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final-{status}")
        assert described(local, name)["Status"] == "deleting"
        held()
        found = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=f"{name}-final-{status}")
        assert found["DBClusterSnapshots"][0]["Status"] == status
    with refused("DBClusterNotFoundFault"):
        described(local, name)


def test_automated_backups_stay_where_that_is_asked_for_and_for_their_time(local, cluster, name, held):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"BackupRetentionPeriod": 7})
    held()
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    held()
    retained = {"Filters": [{"Name": "status", "Values": ["retained"]}]}
    found = rds.describe_db_cluster_automated_backups(**retained)["DBClusterAutomatedBackups"]
    assert [one["DBClusterIdentifier"] for one in found if one["DBClusterIdentifier"] == name] == [name]
    local.admin("POST", "/_local/minutes", {"days": 8})
    found = rds.describe_db_cluster_automated_backups(**retained)["DBClusterAutomatedBackups"]
    assert [one for one in found if one["DBClusterIdentifier"] == name] == []
