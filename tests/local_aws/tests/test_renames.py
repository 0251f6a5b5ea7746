"""Databases that get another name, and another one that gets theirs."""

from conftest import proves, refused
from stores import answers, values, write
from test_rds import add_instance, cluster, described  # noqa: F401
from test_rds_power import alone, instance  # noqa: F401


@proves("rds.rename")
def test_a_renamed_cluster_is_the_same_under_another_name(local, cluster, name, held):  # noqa: F811
    rds, new = local("rds"), f"{name}-before"
    rds.create_db_cluster(**cluster)
    held()
    member = add_instance(local, name, 1)
    held()
    write(local, {"a": 1}, cluster=name)
    old = described(local, name)
    rds.modify_db_cluster(DBClusterIdentifier=name, NewDBClusterIdentifier=new.upper(), ApplyImmediately=True)
    assert described(local, name)["PendingModifiedValues"] == {"DBClusterIdentifier": new}
    held()
    found = described(local, new)
    assert found["DbClusterResourceId"] == old["DbClusterResourceId"] and found["TagList"] == cluster["Tags"]
    assert found["DBClusterArn"] == old["DBClusterArn"].replace(f":{name}", f":{new}")
    assert found["Endpoint"] == old["Endpoint"].replace(name, new) and found["ReaderEndpoint"].startswith(new)
    assert instance(local, member)["DBClusterIdentifier"] == new and "PendingModifiedValues" not in found
    assert (values(local, host=found["Endpoint"]), answers(local, old["Endpoint"])) == ({"a": 1}, False)
    with refused("DBClusterNotFoundFault"):
        described(local, name)


@proves("rds.rename")
def test_nobody_answers_while_a_name_changes(local, cluster, name, held):  # noqa: F811
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    add_instance(local, name, 1)
    held()
    old = described(local, name)["Endpoint"]
    local.admin("POST", "/_local/settings", {"durations": {"rds.modify.noticed": 0}})
    assert answers(local, old)
    rds.modify_db_cluster(DBClusterIdentifier=name, NewDBClusterIdentifier=f"{name}-b", ApplyImmediately=True)
    assert (described(local, name)["Status"], answers(local, old)) == ("renaming", False)
    with refused("InvalidDBClusterStateFault"):
        rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=3, ApplyImmediately=True)


@proves("rds.rename")
def test_two_databases_swap_by_their_names(local, cluster, name):  # noqa: F811
    rds = local("rds")
    for one in (name, f"{name}-r"):
        rds.create_db_cluster(**cluster | {"DBClusterIdentifier": one})
        add_instance(local, one, 1)
        write(local, {"of": one}, cluster=one)
    endpoint = described(local, name)["Endpoint"]
    for one, new in ((name, f"{name}-b"), (f"{name}-r", name)):
        rds.modify_db_cluster(DBClusterIdentifier=one, NewDBClusterIdentifier=new, ApplyImmediately=True)
        rds.modify_db_instance(DBInstanceIdentifier=f"{one}-1", NewDBInstanceIdentifier=f"{new}-1", ApplyImmediately=True)
    assert values(local, host=endpoint) == {"of": f"{name}-r"}
    assert described(local, name)["DBClusterMembers"][0]["DBInstanceIdentifier"] == f"{name}-1"
    assert described(local, f"{name}-b")["DBClusterMembers"][0]["IsClusterWriter"]


@proves("rds.rename")
def test_a_renamed_instance_keeps_its_snapshots_and_its_password(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    new = f"{name}-b"
    write(local, {"a": 1}, instance=name)
    rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=f"{name}-s")
    old = instance(local, name)
    rds.modify_db_instance(DBInstanceIdentifier=name, NewDBInstanceIdentifier=new, ApplyImmediately=True)
    found = instance(local, new)
    assert found["DbiResourceId"] == old["DbiResourceId"] and found["DBInstanceArn"].endswith(f":db:{new}")
    assert found["Endpoint"]["Address"] == old["Endpoint"]["Address"].replace(name, new)
    assert values(local, host=found["Endpoint"]["Address"]) == {"a": 1}
    assert rds.describe_db_snapshots(DBSnapshotIdentifier=f"{name}-s")["DBSnapshots"][0]["Status"] == "available"
    login = {"instance": new, "user": "keeper", "password": "not-a-real-one"}
    assert local.admin("POST", "/_local/login", login)["opens"]
    groups = local("ec2").describe_network_interfaces(Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}])
    before = len(groups["NetworkInterfaces"])
    rds.delete_db_instance(DBInstanceIdentifier=new, SkipFinalSnapshot=True)
    groups = local("ec2").describe_network_interfaces(Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}])
    assert len(groups["NetworkInterfaces"]) == before - 1, "it has found its interfaces under its new name"


def test_a_name_for_the_window_stays_pending(local, alone):  # noqa: F811
    rds, name = local("rds"), alone()
    rds.modify_db_instance(DBInstanceIdentifier=name, NewDBInstanceIdentifier=f"{name}-b")
    assert instance(local, name)["PendingModifiedValues"] == {"DBInstanceIdentifier": f"{name}-b"}
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=3, ApplyImmediately=True)
    assert instance(local, f"{name}-b")["BackupRetentionPeriod"] == 3, "what was pending went along"


@proves("rds.new_identifier", "rds.new_identifier_is_free")
def test_names_that_a_database_cannot_get(local, cluster, name, held):  # noqa: F811
    rds = local("rds")
    for one in (name, f"{name}-a", f"{name}-b"):
        rds.create_db_cluster(**cluster | {"DBClusterIdentifier": one})
    held()
    rename = lambda old, new: rds.modify_db_cluster(  # noqa: E731
        DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True
    )
    with refused("DBClusterAlreadyExistsFault"):
        rename(name, f"{name}-A")
    with refused("InvalidParameterValue"):
        rename(name, "two--hyphens")
    rename(name, f"{name}-c")
    with refused("DBClusterAlreadyExistsFault"):
        rename(f"{name}-a", f"{name}-c")
