"""Storage of instances on their own: how it grows, how fast it is, and how long it rests after a change."""

import pytest
from conftest import proves, refused
from test_rds_power import alone, instance  # noqa: F401


@pytest.fixture
def change(local, name):
    def modify(**wish):
        local("rds").modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **wish)
        return instance(local, name)

    return modify


@proves("rds.storage_changes", "rds.storage_modification")
def test_storage_grows_by_a_tenth_and_gets_speed_of_its_own(local, alone, change):  # noqa: F811
    alone()
    assert change(AllocatedStorage=21)["AllocatedStorage"] == 22
    with refused("InvalidParameterValue"):
        change(AllocatedStorage=20)
    with refused("InvalidParameterCombination"):
        change(AllocatedStorage=100, Iops=3000)
    with refused("InvalidParameterValue"):
        change(AllocatedStorage=400, Iops=3000)
    found = change(AllocatedStorage=400)
    assert (found["AllocatedStorage"], found["Iops"], found["StorageThroughput"]) == (400, 12000, 500)
    with refused("InvalidParameterCombination"):
        change(AllocatedStorage=500)
    assert change(AllocatedStorage=500, Iops=12000, StorageThroughput=500)["AllocatedStorage"] == 500
    change(StorageType="gp2")
    with refused("InvalidParameterCombination"):
        change(StorageType="gp3")
    assert change(StorageType="gp3", Iops=12000)["StorageType"] == "gp3"


@proves("rds.storage_rests")
def test_storage_that_was_changed_rests(local, alone, change, name, held):  # noqa: F811
    alone()
    held()
    change(AllocatedStorage=30)
    held()
    assert instance(local, name)["DBInstanceStatus"] == "available"
    with refused("InvalidParameterCombination"):
        change(AllocatedStorage=40)
    change(BackupRetentionPeriod=3, AllocatedStorage=30)
    said = local("rds").describe_events(SourceIdentifier=name, SourceType="db-instance", Duration=60)["Events"]
    assert "Finished applying modification to allocated storage" in [event["Message"] for event in said]
    held()
    local.admin("POST", "/_local/settings", {"durations": {"rds.storage.rest": 0}})
    change(AllocatedStorage=40)
    held()
    assert instance(local, name)["AllocatedStorage"] == 40


def test_one_that_is_full_takes_more_storage_and_nothing_else(local, alone, change, name):  # noqa: F811
    wish = {"kind": "rds.instance", "ending": "failed", "message": "storage-full: no space left"}
    local.admin("POST", "/_local/endings", wish)
    alone()
    assert instance(local, name)["DBInstanceStatus"] == "storage-full" and instance(local, name)["Endpoint"]
    with refused("InvalidDBInstanceState"):
        change(BackupRetentionPeriod=3)
    found = change(AllocatedStorage=40)
    assert (found["DBInstanceStatus"], found["AllocatedStorage"]) == ("available", 40)
