"""Engine versions that change, those that cannot, and what clients see of a change."""

import pytest
from conftest import proves, refused
from stores import answers
from test_rds import add_instance, cluster, described  # noqa: F401
from test_rds_power import alone, instance  # noqa: F401

NOW = {"ApplyImmediately": True}


@pytest.fixture
def started(local, cluster, name, held):  # noqa: F811
    """A cluster with a writer; what is done to it is noticed at once, and then takes its time."""
    local("rds").create_db_cluster(**cluster | {"DBClusterParameterGroupName": "default.aurora-postgresql16"})
    held()
    add_instance(local, name, 1)
    held()
    local.admin("POST", "/_local/settings", {"durations": {"rds.modify.noticed": 0}})
    return name


@proves("rds.upgrade_is_meant", "rds.upgrade_parameter_group")
def test_upgrades_that_cannot_be(local, cluster, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"EngineVersion": "16.13"})
    add_instance(local, name, 1)
    wish = {"DBClusterIdentifier": name, "AllowMajorVersionUpgrade": True} | NOW
    with refused("InvalidParameterCombination", "AllowMajorVersionUpgrade"):
        rds.modify_db_cluster(**wish | {"AllowMajorVersionUpgrade": False}, EngineVersion="17.9")
    with refused("InvalidParameterCombination", "is custom"):
        rds.modify_db_cluster(**wish, EngineVersion="17.9")
    with refused("InvalidParameterCombination", "can't be used"):
        rds.modify_db_cluster(**wish, EngineVersion="17.9", DBClusterParameterGroupName=name)
    rds.modify_db_cluster(**wish, EngineVersion="17.9", DBClusterParameterGroupName="default.aurora-postgresql17")
    assert (described(local, name)["EngineVersion"], instance(local, f"{name}-1")["EngineVersion"]) == ("17.9", "17.9")


@proves("rds.member_keeps_version")
def test_a_member_has_the_version_of_its_cluster(local, cluster, name):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    member = add_instance(local, name, 1)
    with refused("InvalidParameterCombination"):
        local("rds").modify_db_instance(DBInstanceIdentifier=member, EngineVersion="16.9", **NOW)


@proves("rds.upgrade", "rds.another_name_or_version")
def test_an_upgrade_is_an_outage_of_the_whole_cluster(local, started, held):
    endpoint = described(local, started)["Endpoint"]
    assert answers(local, endpoint)
    wish = {"EngineVersion": "17.5", "AllowMajorVersionUpgrade": True, "BackupRetentionPeriod": 9}
    local("rds").modify_db_cluster(DBClusterIdentifier=started, **wish, **NOW)
    assert (described(local, started)["Status"], answers(local, endpoint)) == ("upgrading", False)
    assert instance(local, f"{started}-1")["DBInstanceStatus"] == "upgrading"
    with refused("InvalidDBClusterStateFault"):
        add_instance(local, started, 2)
    held()
    found = described(local, started)
    assert (found["Status"], found["EngineVersion"], found["BackupRetentionPeriod"]) == ("available", "17.5", 9)
    assert found["DBClusterParameterGroup"] == "default.aurora-postgresql17" and answers(local, endpoint)
    member = instance(local, f"{started}-1")
    assert (member["DBInstanceStatus"], member["EngineVersion"]) == ("available", "17.5")
    assert member["DBParameterGroups"][0]["DBParameterGroupName"] == "default.aurora-postgresql17"


@proves("rds.stays_as_it_was")
def test_a_cluster_that_cannot_be_upgraded_says_why(local, started, held):
    rds = local("rds")
    wish = {"kind": "rds.upgrade", "name": started, "ending": "failed", "message": "the cluster has replication slots"}
    local.admin("POST", "/_local/endings", wish)
    rds.modify_db_cluster(DBClusterIdentifier=started, EngineVersion="17.5", AllowMajorVersionUpgrade=True, **NOW)
    assert described(local, started)["Status"] == "upgrading"
    held()
    found = described(local, started)
    assert (found["Status"], found["EngineVersion"]) == ("available", "16.8") and "PendingModifiedValues" not in found
    events = rds.describe_events(SourceIdentifier=started, SourceType="db-cluster")["Events"]
    assert events[-1]["Message"].endswith("cannot be upgraded: the cluster has replication slots")
    member = {"DBInstanceIdentifier": f"{started}-1"}
    files = rds.describe_db_log_files(**member, FilenameContains="pg_upgrade")["DescribeDBLogFiles"]
    assert [file["LogFileName"] for file in files] == ["pg_upgrade_precheck.log"]
    text = rds.download_db_log_file_portion(**member, LogFileName="pg_upgrade_precheck.log")["LogFileData"]
    assert "from 16.8 to 17.5" in text and "replication slots" in text
    with refused("DBLogFileNotFoundFault"):
        rds.download_db_log_file_portion(**member, LogFileName="none.log")
    rds.modify_db_cluster(DBClusterIdentifier=started, EngineVersion="17.5", AllowMajorVersionUpgrade=True, **NOW)
    held()
    assert described(local, started)["EngineVersion"] == "17.5", "the second time nothing is in its way"


def test_a_minor_version_is_left_without_a_precheck(local, started, held):
    local.admin("POST", "/_local/endings", {"kind": "rds.upgrade", "name": started, "ending": "failed"})
    local("rds").modify_db_cluster(DBClusterIdentifier=started, EngineVersion="16.9", **NOW)
    held()
    assert described(local, started)["EngineVersion"] == "16.9"


def test_a_log_file_is_read_in_portions(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    local.admin("POST", "/_local/endings", {"kind": "rds.upgrade", "name": name, "ending": "failed", "message": "a hash index"})
    rds.modify_db_instance(DBInstanceIdentifier=name, EngineVersion="18.3", AllowMajorVersionUpgrade=True, **NOW)
    file = {"DBInstanceIdentifier": name, "LogFileName": "pg_upgrade_precheck.log"}
    first = rds.download_db_log_file_portion(**file, NumberOfLines=1, Marker="0")
    assert first["AdditionalDataPending"] and "hash index" not in first["LogFileData"]
    second = rds.download_db_log_file_portion(**file, Marker=first["Marker"])
    assert not second["AdditionalDataPending"] and "hash index" in second["LogFileData"]
    usual = rds.describe_db_log_files(DBInstanceIdentifier=name, FilenameContains="error/")["DescribeDBLogFiles"]
    assert usual[0]["LogFileName"].startswith("error/postgresql.log.")


@proves("rds.upgrade_is_meant")
def test_an_instance_on_its_own_is_upgraded(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    assert instance(local, name)["EngineVersion"] == "17.7"
    wish = {"DBInstanceIdentifier": name} | NOW
    with refused("InvalidParameterCombination", "AllowMajorVersionUpgrade"):
        rds.modify_db_instance(**wish, EngineVersion="18.3")
    rds.modify_db_instance(**wish, EngineVersion="18.3", AllowMajorVersionUpgrade=True)
    found = instance(local, name)
    assert (found["EngineVersion"], found["DBParameterGroups"][0]["DBParameterGroupName"]) == ("18.3", "default.postgres18")


def test_nobody_answers_while_a_class_changes(local, started, held):
    rds, member = local("rds"), f"{started}-1"
    endpoint = described(local, started)["Endpoint"]
    rds.modify_db_instance(DBInstanceIdentifier=member, PromotionTier=2, DBInstanceClass="db.r6g.large", **NOW)
    assert (instance(local, member)["DBInstanceStatus"], answers(local, endpoint)) == ("modifying", False)
    held()
    assert answers(local, endpoint) and instance(local, member)["DBInstanceClass"] == "db.r6g.large"
    rds.modify_db_cluster(DBClusterIdentifier=started, BackupRetentionPeriod=9, **NOW)
    assert (described(local, started)["Status"], answers(local, endpoint)) == ("modifying", True)
    held()
    rds.reboot_db_instance(DBInstanceIdentifier=member)
    assert not answers(local, endpoint)
