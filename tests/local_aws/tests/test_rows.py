"""What databases hold, how far back they can be brought, and the backups that outlive them."""

from datetime import datetime, timedelta

from conftest import proves, refused
from stores import answers, pass_minutes, read, values, write
from test_rds import add_instance, cluster, described  # noqa: F401
from test_rds_power import alone, instance  # noqa: F401

from local_aws.registry import now


def aurora(local, cluster, name):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    return add_instance(local, name, 1)


def test_rows_are_written_and_deleted_by_their_keys(local, cluster, name):  # noqa: F811
    member = aurora(local, cluster, name)
    write(local, {"a": 1, "b": 2}, minutes_ago=60, cluster=name)
    assert write(local, {"b": None, "c": 3}, cluster=name)["answers"]
    assert values(local, cluster=name) == values(local, instance=member) == {"a": 1, "c": 3}
    rows = read(local, cluster=name)["rows"]
    assert rows["a"]["written"] < rows["c"]["written"]
    assert values(local, host=described(local, name)["Endpoint"]) == {"a": 1, "c": 3}
    assert "one of" in local.admin("GET", "/_local/rows")["error"]
    assert "no cluster" in local.admin("GET", "/_local/rows?cluster=none")["error"]


def test_what_does_not_answer_takes_no_rows(local, cluster, name):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    endpoint = described(local, name)["Endpoint"]
    assert "does not answer" in write(local, {"a": 1}, cluster=name)["error"], "it has no writer"
    member = add_instance(local, name, 1)
    write(local, {"a": 1}, host=endpoint)
    rds.stop_db_cluster(DBClusterIdentifier=name)
    assert not answers(local, endpoint)
    assert (values(local, cluster=name), values(local, host=endpoint)) == ({"a": 1}, {})
    assert "does not answer" in write(local, {"a": 2}, instance=member)["error"]
    assert not answers(local, "nobody.example.com")


def test_another_database_of_the_name_is_empty(local, cluster, name):  # noqa: F811
    rds, member = local("rds"), aurora(local, cluster, name)
    write(local, {"a": 1}, cluster=name)
    rds.delete_db_instance(DBInstanceIdentifier=member)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    aurora(local, cluster, name)
    assert values(local, cluster=name) == {}


def test_a_proxy_leads_to_the_database_that_was_registered(local, network, cluster, name, role):  # noqa: F811
    rds, _ = local("rds"), aurora(local, cluster, name)
    write(local, {"a": 1}, cluster=name)
    auth = [{"AuthScheme": "SECRETS", "SecretArn": described(local, name)["MasterUserSecret"]["SecretArn"]}]
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "VpcSubnetIds": network.subnets, "Auth": auth}
    host = rds.create_db_proxy(**wish, RoleArn=role("rds.amazonaws.com"))["DBProxy"]["Endpoint"]
    assert not answers(local, host)
    rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    assert values(local, host=host) == {"a": 1}
    rds.deregister_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    assert not answers(local, host)


@proves("rds.window")
def test_the_latest_time_is_five_minutes_behind_and_the_earliest_that_of_the_retention(local, cluster, name):  # noqa: F811
    rds, _ = local("rds"), aurora(local, cluster, name)
    pass_minutes(local, minutes=10)
    found = described(local, name)
    assert timedelta(minutes=4) < found["LatestRestorableTime"] - found["EarliestRestorableTime"] < timedelta(minutes=6)
    assert timedelta(minutes=4) < now() - found["LatestRestorableTime"] < timedelta(minutes=6)
    pass_minutes(local, days=40)
    kept = now() - described(local, name)["EarliestRestorableTime"]
    assert timedelta(days=29) < kept < timedelta(days=31)
    rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=7, ApplyImmediately=True)
    shorter = described(local, name)
    assert shorter["LatestRestorableTime"] - shorter["EarliestRestorableTime"] < timedelta(days=7)
    rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=30, ApplyImmediately=True)
    again = described(local, name)
    assert again["EarliestRestorableTime"] == shorter["EarliestRestorableTime"], "what was dropped does not come back"


def test_a_night_leaves_a_snapshot_of_what_was_there_then(local, cluster, name):  # noqa: F811
    aurora(local, cluster, name)
    write(local, {"a": 1}, cluster=name)
    local.admin("POST", "/_local/nights", {"nights": 1})
    write(local, {"b": 2}, cluster=name)
    local.admin("POST", "/_local/nights", {"nights": 2})
    found = local("rds").describe_db_cluster_snapshots(DBClusterIdentifier=name, SnapshotType="automated")
    taken = sorted(found["DBClusterSnapshots"], key=lambda one: one["SnapshotCreateTime"])
    names = [one["DBClusterSnapshotIdentifier"] for one in taken]
    assert [values(local, cluster_snapshot=one) for one in names] == [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}]
    written = read(local, cluster=name)["rows"]["a"]["written"]
    assert timedelta(days=2.9) < now() - datetime.fromisoformat(written) < timedelta(days=3.1)


@proves("rds.window")
def test_while_a_database_is_stopped_no_second_is_added(local, alone):  # noqa: F811
    name = alone()
    pass_minutes(local, minutes=10)
    before = instance(local, name)["LatestRestorableTime"]
    local("rds").stop_db_instance(DBInstanceIdentifier=name)
    pass_minutes(local, minutes=60)
    behind = before - instance(local, name)["LatestRestorableTime"]
    assert timedelta(minutes=59) < behind < timedelta(minutes=61)


@proves("rds.window")
def test_an_instance_tells_the_latest_time_and_none_without_backups(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    pass_minutes(local, minutes=10)
    backup = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=name)["DBInstanceAutomatedBackups"][0]
    assert backup["Status"] == "active" and backup["DbiResourceId"] == instance(local, name)["DbiResourceId"]
    behind = instance(local, name)["LatestRestorableTime"] - backup["RestoreWindow"]["LatestTime"]
    assert abs(behind) < timedelta(seconds=30)
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=0, ApplyImmediately=True)
    assert "LatestRestorableTime" not in instance(local, name)
    with refused("DBInstanceAutomatedBackupNotFound"):
        rds.describe_db_instance_automated_backups(DBInstanceIdentifier=name)


@proves("rds.part_with")
def test_backups_of_a_cluster_outlive_it_only_on_demand(local, cluster, name):  # noqa: F811
    rds, member = local("rds"), aurora(local, cluster, name)
    resource = described(local, name)["DbClusterResourceId"]
    found = rds.describe_db_cluster_automated_backups(DbClusterResourceId=resource)["DBClusterAutomatedBackups"][0]
    assert (found["Status"], found["DBClusterIdentifier"]) == ("active", name)
    with refused("InvalidDBClusterAutomatedBackupStateFault"):
        rds.delete_db_cluster_automated_backup(DbClusterResourceId=resource)
    rds.delete_db_instance(DBInstanceIdentifier=member)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    retained = [{"Name": "status", "Values": ["retained"]}, {"Name": "db-cluster-id", "Values": [name]}]
    kept = rds.describe_db_cluster_automated_backups(Filters=retained)["DBClusterAutomatedBackups"]
    assert [one["DbClusterResourceId"] for one in kept] == [resource]
    assert (kept[0]["KmsKeyId"], kept[0]["TagList"]) == (cluster["KmsKeyId"], cluster["Tags"])
    rds.delete_db_cluster_automated_backup(DbClusterResourceId=resource)
    with refused("DBClusterAutomatedBackupNotFoundFault"):
        rds.describe_db_cluster_automated_backups(DbClusterResourceId=resource)
    member = aurora(local, cluster, name)
    rds.delete_db_instance(DBInstanceIdentifier=member)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    assert rds.describe_db_cluster_automated_backups(Filters=retained)["DBClusterAutomatedBackups"] == []


@proves("rds.part_with")
def test_kept_backups_of_an_instance_end_with_its_retention(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=7, ApplyImmediately=True)
    resource = instance(local, name)["DbiResourceId"]
    with refused("InvalidDBInstanceAutomatedBackupState"):
        rds.delete_db_instance_automated_backup(DbiResourceId=resource)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    kept = rds.describe_db_instance_automated_backups(DbiResourceId=resource)["DBInstanceAutomatedBackups"]
    assert [(one["Status"], one["DBInstanceIdentifier"]) for one in kept] == [("retained", name)]
    pass_minutes(local, days=8)
    with refused("DBInstanceAutomatedBackupNotFound"):
        rds.describe_db_instance_automated_backups(DbiResourceId=resource)
    with refused("DBInstanceAutomatedBackupNotFound"):
        rds.delete_db_instance_automated_backup(DbiResourceId=resource)
