import json
import time

import pytest
from conftest import proves, refused

from local_aws.life import SECONDS, durations
from local_aws.world import SPEEDS, world


@pytest.fixture
def cluster(local, network, name, key):
    """Arguments of CreateDBCluster."""
    rds = local("rds")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-postgresql16", Description="d"
    )
    return {
        "DBClusterIdentifier": name,
        "Engine": "aurora-postgresql",
        "EngineVersion": "16.8",
        "DatabaseName": "studentrecords",
        "MasterUsername": "studentadmin",
        "ManageMasterUserPassword": True,
        "MasterUserSecretKmsKeyId": key,
        "DBSubnetGroupName": name,
        "DBClusterParameterGroupName": name,
        "VpcSecurityGroupIds": [network.group],
        "StorageEncrypted": True,
        "KmsKeyId": key,
        "BackupRetentionPeriod": 30,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
        "EnableCloudwatchLogsExports": ["postgresql"],
        "EnableIAMDatabaseAuthentication": True,
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4},
        "CopyTagsToSnapshot": True,
        "Tags": [{"Key": "Name", "Value": name}],
    }


def instance_of(local, name):
    return local("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def add_instance(local, cluster, number, **more):
    name = f"{cluster}-{number}"
    local("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBClusterIdentifier=cluster,
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
        PromotionTier=number,
        **more,
    )
    return name


def described(local, name):
    return local("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]


def test_cluster_keeps_how_it_was_configured(local, cluster, name, network):
    local("rds").create_db_cluster(**cluster)
    found = described(local, name)
    same = (
        "EngineVersion",
        "DatabaseName",
        "MasterUsername",
        "StorageEncrypted",
        "KmsKeyId",
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "PreferredMaintenanceWindow",
        "CopyTagsToSnapshot",
    )
    assert {key: found[key] for key in same} == {key: cluster[key] for key in same}
    assert found["IAMDatabaseAuthenticationEnabled"] and found["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert found["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4.0}
    assert (found["DBSubnetGroup"], found["DBClusterParameterGroup"]) == (name, name)
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": network.group, "Status": "active"}]
    assert found["TagList"] == cluster["Tags"] and ".cluster-ro-" in found["ReaderEndpoint"]
    assert (found["MonitoringInterval"], found["DeletionProtection"]) == (0, False)


def test_cluster_and_instances_take_their_time(local, cluster, held, name):
    local("rds").create_db_cluster(**cluster)
    assert described(local, name)["Status"] == "creating"
    held()
    found = described(local, name)
    assert (found["Status"], found["DBClusterMembers"]) == ("available", [])
    assert found["MasterUserSecret"]["SecretStatus"] == "creating"
    for number in (1, 2):
        add_instance(local, name, number)
    held()
    members = described(local, name)["DBClusterMembers"]
    assert [m["IsClusterWriter"] for m in members] == [True, False]
    assert described(local, name)["MasterUserSecret"]["SecretStatus"] == "active"
    instances = local("rds").describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [name]}])["DBInstances"]
    assert {i["AvailabilityZone"] for i in instances} == {"us-east-1a", "us-east-1b"}
    assert {i["DBInstanceStatus"] for i in instances} == {"available"}


@proves("rds.fail_over", "rds.cluster_to_fail_over")
def test_a_failover_takes_a_while_and_nobody_takes_writes_meanwhile(local, cluster, held, name):
    rds = local("rds")

    def writers():
        members = described(local, name)["DBClusterMembers"]
        return [member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]]

    def opens():
        return local.admin("POST", "/_local/login", {"cluster": name})["opens"]

    rds.create_db_cluster(**cluster)
    held()
    first, second, third = (add_instance(local, name, number) for number in (1, 2, 3))
    held()
    assert writers() == [first] and opens()
    for target in (first, "nobody"):
        with refused("InvalidDBInstanceState"):
            rds.failover_db_cluster(DBClusterIdentifier=name, TargetDBInstanceIdentifier=target)
    rds.failover_db_cluster(DBClusterIdentifier=name, TargetDBInstanceIdentifier=third)
    assert described(local, name)["Status"] == "failing-over" and not opens()
    with refused("InvalidDBClusterStateFault"):
        rds.failover_db_cluster(DBClusterIdentifier=name)
    held()
    assert described(local, name)["Status"] == "available" and writers() == [third] and opens()
    rds.delete_db_instance(DBInstanceIdentifier=third)
    assert described(local, name)["Status"] == "failing-over" and not opens()
    held()
    assert writers() == [first] and len(described(local, name)["DBClusterMembers"]) == 2


def test_managed_secret_lives_and_dies_with_the_cluster(local, cluster, name, key):
    rds, secrets = local("rds"), local("secretsmanager")
    rds.create_db_cluster(**cluster)
    arn = described(local, name)["MasterUserSecret"]["SecretArn"]
    found = secrets.describe_secret(SecretId=arn)
    assert found["Name"].startswith("rds!cluster-") and (found["OwningService"], found["KmsKeyId"]) == ("rds", key)
    with refused("InvalidRequestException"):
        secrets.delete_secret(SecretId=arn)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId=arn)


def test_modifying_a_cluster(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    rds.modify_db_cluster(
        DBClusterIdentifier=name,
        ApplyImmediately=True,
        BackupRetentionPeriod=7,
        PreferredBackupWindow="05:00-06:00",
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=False,
        ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 8},
        CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]},
    )
    found = described(local, name)
    assert (found["BackupRetentionPeriod"], found["PreferredBackupWindow"]) == (7, "05:00-06:00")
    assert found["DeletionProtection"] and not found["IAMDatabaseAuthenticationEnabled"]
    assert found["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 8 and not found.get(
        "EnabledCloudwatchLogsExports"
    )


def test_a_change_is_pending_before_the_status_shows_it(local, cluster, held, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=7, ApplyImmediately=True)
    found = described(local, name)
    assert found["Status"] == "available" and found["PendingModifiedValues"] == {"BackupRetentionPeriod": 7}
    held()
    assert described(local, name)["BackupRetentionPeriod"] == 7


def test_a_change_without_apply_immediately_stays_pending(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=7)
    found = described(local, name)
    assert (found["BackupRetentionPeriod"], found["PendingModifiedValues"]["BackupRetentionPeriod"]) == (30, 7)


def test_version_upgrade_needs_an_instance(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    with refused("InvalidDBClusterStateFault"):
        rds.modify_db_cluster(DBClusterIdentifier=name, EngineVersion="16.9", ApplyImmediately=True)
    add_instance(local, name, 1)
    with refused("InvalidParameterCombination"):
        rds.modify_db_cluster(DBClusterIdentifier=name, EngineVersion="17.4", ApplyImmediately=True)
    rds.modify_db_cluster(DBClusterIdentifier=name, EngineVersion="16.9", ApplyImmediately=True)
    assert described(local, name)["EngineVersion"] == "16.9"


@proves("rds.life_after_support")
def test_a_version_past_its_support_is_made_under_extended_support_only(local, cluster):
    rds = local("rds")
    group = rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=f"{cluster['DBClusterIdentifier']}-old",
        DBParameterGroupFamily="aurora-postgresql13",
        Description="old",
    )["DBClusterParameterGroup"]["DBClusterParameterGroupName"]
    wish = cluster | {"EngineVersion": "13.23", "DBClusterParameterGroupName": group}
    with refused("InvalidParameterCombination"):
        rds.create_db_cluster(**wish, EngineLifecycleSupport="open-source-rds-extended-support-disabled")
    made = rds.create_db_cluster(**wish)["DBCluster"]
    assert made["EngineLifecycleSupport"] == "open-source-rds-extended-support"
    told = rds.describe_db_major_engine_versions(Engine="aurora-postgresql", MajorEngineVersion="13")
    lives = told["DBMajorEngineVersions"][0]["SupportedEngineLifecycles"]
    assert lives[0]["LifecycleSupportEndDate"].date().isoformat() == "2026-02-28"


@proves("rds.upgrade_target")
def test_an_upgrade_goes_to_what_came_out_later(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"EngineVersion": "16.13"})
    add_instance(local, name, 1)
    shown = rds.describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion="16.13")["DBEngineVersions"][0]
    targets = [target["EngineVersion"] for target in shown["ValidUpgradeTarget"]]
    assert targets == ["16.14", "16.15", "17.9", "17.10", "17.11"]
    for wanted in ("16.11", "17.7", "18.6"):
        with refused("InvalidParameterCombination"):
            rds.modify_db_cluster(
                DBClusterIdentifier=name, EngineVersion=wanted, AllowMajorVersionUpgrade=True, ApplyImmediately=True
            )
    rds.modify_db_cluster(
        DBClusterIdentifier=name,
        EngineVersion="17.9",
        DBClusterParameterGroupName="default.aurora-postgresql17",
        AllowMajorVersionUpgrade=True,
        ApplyImmediately=True,
    )
    assert described(local, name)["EngineVersion"] == "17.9"


def test_modifying_an_instance(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    instance = add_instance(local, name, 1)
    rds.modify_db_instance(
        DBInstanceIdentifier=instance, PromotionTier=3, DBInstanceClass="db.r6g.large", ApplyImmediately=True
    )
    found = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    assert (found["PromotionTier"], found["DBInstanceClass"]) == (3, "db.r6g.large")


def test_versions_no_longer_offered(local, cluster):
    with refused("InvalidParameterCombination"):
        local("rds").create_db_cluster(**cluster | {"EngineVersion": "15.4"})
    offered = local("rds").describe_db_engine_versions(Engine="aurora-postgresql")["DBEngineVersions"]
    versions = {entry["EngineVersion"] for entry in offered}
    assert "15.4" not in versions and {"15.10", "16.8", "17.4"} <= versions
    assert local("rds").describe_db_engine_versions(Engine="postgres", EngineVersion="16.9")["DBEngineVersions"]
    options = local("rds").describe_orderable_db_instance_options(
        Engine="aurora-postgresql", EngineVersion="16.8", MaxRecords=100
    )
    assert "db.serverless" in {o["DBInstanceClass"] for o in options["OrderableDBInstanceOptions"]}


def test_bare_major_version_reads_back_longer(local, cluster, name):
    local("rds").create_db_cluster(**cluster | {"EngineVersion": "16"})
    assert described(local, name)["EngineVersion"].startswith("16.")


def test_cluster_parameters_of_the_user(local, cluster, name):
    rds = local("rds")
    wish = [
        {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"},
        {"ParameterName": "rds.logical_replication", "ParameterValue": "1", "ApplyMethod": "pending-reboot"},
    ]
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=wish)
    parameters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")["Parameters"]
    assert {p["ParameterName"]: p["ParameterValue"] for p in parameters} == {
        "rds.force_ssl": "1",
        "rds.logical_replication": "1",
    }
    rds.reset_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=wish[:1])
    parameters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")["Parameters"]
    assert [p["ParameterName"] for p in parameters] == ["rds.logical_replication"]
    with refused("InvalidParameterCombination"):
        bad = [{"ParameterName": "max_connections", "ParameterValue": "10", "ApplyMethod": "immediate"}]
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=bad)
    with refused("DBParameterGroupNotFound"):
        rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName="none")


@proves("rds.cluster_has_members", "rds.subnet_group_in_use", "rds.parameter_group_in_use")
def test_order_of_deletion(local, cluster, held, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    instance = add_instance(local, name, 1)
    held()
    with refused("InvalidDBClusterStateFault"):
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_instance(DBInstanceIdentifier=instance)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    assert described(local, name)["Status"] == "deleting"
    with refused("InvalidDBSubnetGroupStateFault"):
        rds.delete_db_subnet_group(DBSubnetGroupName=name)
    with refused("InvalidDBParameterGroupState"):
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)
    held()
    with refused("DBClusterNotFoundFault"):
        described(local, name)
    rds.delete_db_subnet_group(DBSubnetGroupName=name)
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)


@proves("rds.protected")
def test_protection_and_final_snapshots(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster, DeletionProtection=True)
    with refused("InvalidParameterCombination"):
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False)
    with refused("InvalidParameterCombination"):
        rds.delete_db_cluster(DBClusterIdentifier=name)
    rds.delete_db_cluster(DBClusterIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    snapshots = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=f"{name}-final")["DBClusterSnapshots"]
    assert (snapshots[0]["Status"], snapshots[0]["TagList"]) == ("available", cluster["Tags"])


def test_a_subnet_with_a_database_in_it_stays_in_its_group(local, network, cluster, name):
    third = local("ec2").create_subnet(VpcId=network.vpc, CidrBlock="10.0.3.0/24", AvailabilityZone="us-east-1c")
    third = third["Subnet"]["SubnetId"]

    def choose(*subnets):
        local("rds").modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=list(subnets))

    first, second = network.subnets
    choose(first, second, third)
    local("rds").create_db_cluster(**cluster)
    add_instance(local, name, 1, AvailabilityZone="us-east-1c")
    with refused("SubnetAlreadyInUse"):
        choose(first, second)
    choose(first, third)


@proves("rds.place_standby")
def test_a_standby_stands_in_another_zone_and_holds_its_subnet(local, network, cluster, name):
    rds = local("rds")
    third = local("ec2").create_subnet(VpcId=network.vpc, CidrBlock="10.0.3.0/24", AvailabilityZone="us-east-1c")
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=[*network.subnets, third["Subnet"]["SubnetId"]])
    login = {"MasterUsername": "keeper", "MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
    alone = f"{name}-db"
    rds.create_db_instance(
        DBInstanceIdentifier=alone, Engine="postgres", EngineVersion="16.9", DBInstanceClass="db.t3.micro", **login
    )
    assert "SecondaryAvailabilityZone" not in instance_of(local, alone)
    rds.modify_db_instance(DBInstanceIdentifier=alone, MultiAZ=True, ApplyImmediately=True)
    assert instance_of(local, alone)["SecondaryAvailabilityZone"] == "us-east-1c"
    with refused("SubnetAlreadyInUse"):
        rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=network.subnets)
    rds.modify_db_instance(DBInstanceIdentifier=alone, MultiAZ=False, ApplyImmediately=True)
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=network.subnets)


def test_subnet_group_needs_two_zones(local, network, name):
    with refused("DBSubnetGroupDoesNotCoverEnoughAZs"):
        local("rds").create_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets[:1]
        )


def test_names_are_stored_in_lower_case(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster | {"DBClusterIdentifier": name.upper()})
    assert described(local, name.upper())["DBClusterIdentifier"] == name
    with refused("DBClusterAlreadyExistsFault"):
        rds.create_db_cluster(**cluster)


def test_log_exports_leave_a_log_group_behind(local, cluster, name):
    local("rds").create_db_cluster(**cluster)
    add_instance(local, name, 1)
    prefix = f"/aws/rds/cluster/{name}/"
    assert (
        local("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"][0]["logGroupName"]
        == prefix + "postgresql"
    )


@proves("rds.drawn_window")
def test_a_member_has_a_window_of_its_own_and_not_the_clusters(local, cluster, name):
    local("rds").create_db_cluster(**cluster)
    drawn = add_instance(local, name, 1)
    asked = add_instance(local, name, 2, PreferredMaintenanceWindow="sun:04:00-sun:04:30")
    window = lambda instance: instance_of(local, instance)["PreferredMaintenanceWindow"]  # noqa: E731
    assert not window(drawn).startswith("sun:04") and window(asked) == "sun:04:00-sun:04:30"


@proves("rds.insights_key_stays")
def test_performance_data_keep_their_key(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    instance, other = add_instance(local, name, 1), local("kms").create_key()["KeyMetadata"]["Arn"]
    wish = {"DBInstanceIdentifier": instance, "ApplyImmediately": True}
    rds.modify_db_instance(**wish, EnablePerformanceInsights=True)
    first = instance_of(local, instance)["PerformanceInsightsKMSKeyId"]
    for on in (True, False, True):
        rds.modify_db_instance(**wish, EnablePerformanceInsights=on)
        with refused("InvalidParameterCombination"):
            rds.modify_db_instance(**wish, EnablePerformanceInsights=True, PerformanceInsightsKMSKeyId=other)
        assert instance_of(local, instance).get("PerformanceInsightsKMSKeyId") == (first if on else None)


def test_standalone_instance(local, network, cluster, name):
    rds = local("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-db",
        Engine="postgres",
        EngineVersion="16.9",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        StorageType="gp3",
        MasterUsername="app",
        MasterUserPassword="not-a-real-one",
        DBSubnetGroupName=name,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        BackupRetentionPeriod=7,
    )
    found = rds.describe_db_instances(DBInstanceIdentifier=f"{name}-db")["DBInstances"][0]
    assert (found["StorageType"], found["Iops"], found["BackupRetentionPeriod"]) == ("gp3", 3000, 7)
    with refused("InvalidParameterCombination"):
        rds.delete_db_instance(DBInstanceIdentifier=f"{name}-db")
    rds.delete_db_instance(DBInstanceIdentifier=f"{name}-db", SkipFinalSnapshot=True)
    with refused("DBInstanceNotFound"):
        rds.describe_db_instances(DBInstanceIdentifier=f"{name}-db")


@proves("rds.proxy_at_rest", "rds.targets_at_rest", "rds.proxy_pool", "rds.proxy_logs")
def test_proxy(local, network, cluster, name, role, held):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    instance = add_instance(local, name, 1)
    rds.create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": described(local, name)["MasterUserSecret"]["SecretArn"]}],
        RoleArn=role("rds.amazonaws.com"),
        VpcSubnetIds=network.subnets,
        RequireTLS=True,
    )
    pool = {"DBProxyName": name, "TargetGroupName": "default"}
    with refused("InvalidDBProxyStateFault"):
        rds.modify_db_proxy_target_group(**pool, ConnectionPoolConfig={"MaxConnectionsPercent": 80})
    held()
    left = local("logs").describe_log_groups(logGroupNamePrefix=f"/aws/rds/proxy/{name}")["logGroups"]
    assert [group.get("retentionInDays") for group in left] == [None]
    rds.reboot_db_instance(DBInstanceIdentifier=instance)
    with refused("InvalidDBInstanceState"):
        rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    held()
    with refused("InvalidParameterValue"):
        wish = {"MaxConnectionsPercent": 30, "MaxIdleConnectionsPercent": 50}
        rds.modify_db_proxy_target_group(**pool, ConnectionPoolConfig=wish)
    rds.modify_db_proxy_target_group(**pool, ConnectionPoolConfig={"MaxConnectionsPercent": 80})
    groups = rds.describe_db_proxy_target_groups(DBProxyName=name)["TargetGroups"]
    assert groups[0]["ConnectionPoolConfig"]["MaxConnectionsPercent"] == 80
    rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    with refused("DBProxyTargetAlreadyRegisteredFault"):
        rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    whole, member = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
    assert (whole["Type"], whole["RdsResourceId"], "TargetHealth" in whole) == ("TRACKED_CLUSTER", name, False)
    assert (member["RdsResourceId"], member["TrackedClusterId"]) == (instance, name)
    assert member["TargetHealth"]["State"] == "REGISTERING"
    held()
    assert rds.describe_db_proxy_targets(DBProxyName=name)["Targets"][1]["TargetHealth"] == {"State": "AVAILABLE"}
    rds.deregister_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    with refused("DBProxyTargetNotFoundFault"):
        rds.deregister_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    assert rds.describe_db_proxy_targets(DBProxyName=name)["Targets"] == []
    rds.delete_db_proxy(DBProxyName=name)
    held()
    with refused("DBProxyNotFoundFault"):
        rds.describe_db_proxies(DBProxyName=name)


CLUSTER_REFUSALS = [
    ("rds.identifier", {"DBClusterIdentifier": "two--hyphens"}, "InvalidParameterValue"),
    ("rds.identifier", {"DBClusterIdentifier": "ends-"}, "InvalidParameterValue"),
    ("rds.identifier", {"DBClusterIdentifier": "a" * 64}, "InvalidParameterValue"),
    ("rds.master_username", {"MasterUsername": "admin"}, "InvalidParameterValue"),
    ("rds.master_username", {"MasterUsername": "a" * 17}, "InvalidParameterValue"),
    (
        "rds.master_password",
        {"ManageMasterUserPassword": None, "MasterUserPassword": "sla/shed-one"},
        "InvalidParameterValue",
    ),
    (
        "rds.master_password",
        {"ManageMasterUserPassword": None, "MasterUserPassword": "p" * 42},
        "InvalidParameterValue",
    ),
    ("rds.password_or_managed", {"MasterUserPassword": "long-enough"}, "InvalidParameterCombination"),
    ("rds.password_or_managed", {"ManageMasterUserPassword": None}, "InvalidParameterCombination"),
    ("rds.backup_retention", {"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
    ("rds.backup_retention", {"BackupRetentionPeriod": 0}, "InvalidParameterValue"),
    ("rds.windows", {"PreferredBackupWindow": "04:30-05:30"}, "InvalidParameterValue"),
    ("rds.windows", {"PreferredBackupWindow": "03:00-03:10"}, "InvalidParameterValue"),
    ("rds.windows", {"PreferredMaintenanceWindow": "sunday"}, "InvalidParameterValue"),
    (
        "rds.serverless_capacity",
        {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.3, "MaxCapacity": 4}},
        "InvalidParameterValue",
    ),
    (
        "rds.serverless_capacity",
        {"ServerlessV2ScalingConfiguration": {"MinCapacity": 8, "MaxCapacity": 4}},
        "InvalidParameterValue",
    ),
    ("rds.engine_mode", {"EngineMode": "serverless"}, "InvalidParameterValue"),
    ("rds.key_needs_encryption", {"StorageEncrypted": False}, "InvalidParameterCombination"),
    ("rds.parameter_family", {"EngineVersion": "15.10"}, "InvalidParameterCombination"),
    ("rds.monitoring", {"MonitoringInterval": 60}, "InvalidParameterCombination"),
    ("rds.monitoring", {"MonitoringInterval": 7}, "InvalidParameterValue"),
    (
        "rds.performance_insights",
        {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 8},
        "InvalidParameterValue",
    ),
    ("rds.performance_insights", {"DatabaseInsightsMode": "advanced"}, "InvalidParameterCombination"),
    ("rds.log_types", {"EnableCloudwatchLogsExports": ["upgrade"]}, "InvalidParameterCombination"),
    ("rds.database_name", {"DatabaseName": "student-records"}, "InvalidParameterValue"),
    ("rds.subnet_group_exists", {"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
    ("rds.security_groups_exist", {"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
    ("rds.keys_exist", {"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/none"}, "KMSKeyNotAccessibleFault"),
    (
        "rds.monitoring_role",
        {"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/none"},
        "InvalidParameterValue",
    ),
]


@proves(*{rule for rule, _, _ in CLUSTER_REFUSALS})
@pytest.mark.parametrize(("rule", "change", "code"), CLUSTER_REFUSALS)
def test_clusters_that_cannot_be(local, cluster, rule, change, code):
    wish = {k: v for k, v in (cluster | change).items() if v is not None}
    with refused(code):
        local("rds").create_db_cluster(**wish)


INSTANCE_REFUSALS = [
    ("rds.instance_class", {"DBInstanceClass": "db.t3.micro"}),
    ("rds.member_fits_cluster", {"Engine": "postgres"}),
    ("rds.given_for_the_cluster", {"DeletionProtection": True}),
    ("rds.given_for_the_cluster", {"BackupRetentionPeriod": 7}),
]


@proves(*{rule for rule, _ in INSTANCE_REFUSALS})
@pytest.mark.parametrize(("rule", "change"), INSTANCE_REFUSALS)
def test_members_that_cannot_be(local, cluster, name, rule, change):
    local("rds").create_db_cluster(**cluster)
    wish = {"DBInstanceIdentifier": f"{name}-1", "DBClusterIdentifier": name, "Engine": "aurora-postgresql"}
    with refused("InvalidParameterCombination"):
        local("rds").create_db_instance(**wish | {"DBInstanceClass": "db.serverless"} | change)


@proves("rds.member_fits_cluster")
def test_serverless_member_needs_scaling_settings(local, cluster, name):
    local("rds").create_db_cluster(**{k: v for k, v in cluster.items() if k != "ServerlessV2ScalingConfiguration"})
    with refused("InvalidParameterCombination"):
        add_instance(local, name, 1)


@proves("rds.cluster_at_rest", "rds.instance_at_rest")
def test_databases_under_change_take_no_change(local, cluster, held, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    with refused("InvalidDBClusterStateFault"):
        rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=7)
    instance = add_instance(local, name, 1)
    with refused("InvalidDBInstanceState"):
        rds.modify_db_instance(DBInstanceIdentifier=instance, PromotionTier=2)


@proves("rds.proxy_in_sight")
def test_a_proxy_under_change_tells_nothing_of_its_targets(local, network, name, role, held):
    rds = local("rds")
    secret = local("secretsmanager").create_secret(Name=name, SecretString="{}")["ARN"]
    auth = [{"AuthScheme": "SECRETS", "IAMAuth": "DISABLED", "SecretArn": secret}]
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "VpcSubnetIds": network.subnets}
    rds.create_db_proxy(**wish, Auth=auth, RoleArn=role("rds.amazonaws.com"))
    for ask in (rds.describe_db_proxy_targets, rds.describe_db_proxy_target_groups):
        with refused("InvalidDBProxyStateFault"):
            ask(DBProxyName=name)
    held()
    assert rds.describe_db_proxy_targets(DBProxyName=name)["Targets"] == []


@proves("rds.cluster_at_rest")
def test_what_aws_does_at_night_is_shown_and_ends(local, cluster, name, held):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    told = local.admin("POST", "/_local/nightly", {"kind": "rds.cluster", "status": "backing-up"})
    assert told["busy"] >= 1
    assert described(local, name)["Status"] == "backing-up"
    with refused("InvalidDBClusterStateFault"):
        rds.modify_db_cluster(DBClusterIdentifier=name, BackupRetentionPeriod=7)
    held()
    assert described(local, name)["Status"] == "available"


@proves("rds.rotate", "rds.managed_password")
def test_a_managed_password_changes_in_its_own_time(local, cluster, name, held):
    rds, secrets = local("rds"), local("secretsmanager")
    rds.create_db_cluster(**cluster)
    held()
    add_instance(local, name, 1)
    held()
    arn = described(local, name)["MasterUserSecret"]["SecretArn"]
    before = secrets.get_secret_value(SecretId=arn)
    for wish in ({"RotateMasterUserPassword": True}, {"MasterUserSecretKmsKeyId": "alias/aws/secretsmanager"}):
        with refused("InvalidParameterCombination"):
            rds.modify_db_cluster(DBClusterIdentifier=name, **wish)
    durations.choose({"rds.modify.noticed": 0})
    rds.modify_db_cluster(DBClusterIdentifier=name, RotateMasterUserPassword=True, ApplyImmediately=True)
    assert described(local, name)["MasterUserSecret"]["SecretStatus"] == "rotating"
    assert secrets.get_secret_value(SecretId=arn)["VersionId"] == before["VersionId"]
    held()
    assert described(local, name)["MasterUserSecret"]["SecretStatus"] == "active"
    after = secrets.get_secret_value(SecretId=arn)
    assert after["VersionId"] != before["VersionId"] and after["SecretString"] != before["SecretString"]
    assert secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["VersionId"] == before["VersionId"]


@proves("rds.parameters_a_call")
def test_too_many_parameters_in_a_call(local, cluster, name):
    wish = [{"ParameterName": "work_mem", "ParameterValue": "64", "ApplyMethod": "immediate"}] * 21
    with refused("InvalidParameterValue"):
        local("rds").modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=wish)


@proves("rds.subnet_group_name")
def test_subnet_group_is_not_named_default(local, network):
    with refused("InvalidParameterValue"):
        local("rds").create_db_subnet_group(
            DBSubnetGroupName="default", DBSubnetGroupDescription="d", SubnetIds=network.subnets
        )


@proves("rds.gp3_storage")
def test_small_gp3_has_no_settable_iops(local, cluster, name):
    wish = {
        "DBInstanceIdentifier": f"{name}-db",
        "Engine": "postgres",
        "DBInstanceClass": "db.t3.micro",
        "StorageType": "gp3",
    }
    wish |= {"MasterUsername": "app", "MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
    with refused("InvalidParameterCombination"):
        local("rds").create_db_instance(**wish, AllocatedStorage=20, Iops=4000)
    with refused("InvalidParameterValue"):
        local("rds").create_db_instance(**wish, AllocatedStorage=10)


@proves("rds.carrying")
def test_a_proxy_leaves_out_zones_that_have_no_proxies(local, network, name, role):
    rds, where = local("rds"), {"VpcId": network.vpc, "AvailabilityZone": "us-east-1e"}
    third = local("ec2").create_subnet(CidrBlock="10.0.3.0/24", **where)["Subnet"]["SubnetId"]
    auth = [{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf"}]
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "Auth": auth, "RoleArn": role("rds.amazonaws.com")}
    with refused("InvalidSubnet"):
        rds.create_db_proxy(**wish, VpcSubnetIds=[network.subnets[0], third])
    made = rds.create_db_proxy(**wish, VpcSubnetIds=[*network.subnets, third])["DBProxy"]
    assert made["VpcSubnetIds"] == network.subnets


def test_a_fresh_proxy_is_turned_away_before_it_logs_in(local, network, cluster, name, role, held):
    """User Guide, "Troubleshooting for RDS Proxy": AUTH_FAILURE while role or secret are not there yet for it."""
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    held()
    add_instance(local, name, 1)
    held()
    secret = described(local, name)["MasterUserSecret"]["SecretArn"]
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "VpcSubnetIds": network.subnets}
    auth = [{"AuthScheme": "SECRETS", "SecretArn": secret}]
    rds.create_db_proxy(**wish, RoleArn=role("rds.amazonaws.com"), Auth=auth, RequireTLS=True)
    held()
    world.settings.speed = "fast"
    durations.choose({"rds.proxy.log-in": 6000})
    rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    time.sleep(SECONDS["rds.modify.noticed"] / SPEEDS["fast"])

    health = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"][1]["TargetHealth"]
    assert (health["State"], health["Reason"]) == ("UNAVAILABLE", "AUTH_FAILURE") and health["Description"]
    held()
    assert rds.describe_db_proxy_targets(DBProxyName=name)["Targets"][1]["TargetHealth"] == {"State": "AVAILABLE"}


def test_a_proxy_whose_role_asks_for_the_account_never_logs_in(local, network, cluster, name, role, held):
    rds, arn = local("rds"), role("rds.amazonaws.com")
    rds.create_db_cluster(**cluster)
    held()
    add_instance(local, name, 1)
    held()
    secret = described(local, name)["MasterUserSecret"]["SecretArn"]
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "RoleArn": arn, "VpcSubnetIds": network.subnets}
    rds.create_db_proxy(**wish, Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret}], RequireTLS=True)
    held()
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "rds.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
                }
            ],
        }
    )
    local("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=document)
    rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=[name])
    held()
    health = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"][1]["TargetHealth"]
    assert (health["State"], health["Reason"]) == ("UNAVAILABLE", "AUTH_FAILURE")


@proves("rds.proxy_settings", "rds.proxy_role")
def test_proxies_that_cannot_be(local, network, name, role):
    wish = {"DBProxyName": name, "EngineFamily": "POSTGRESQL", "VpcSubnetIds": network.subnets}
    auth = [{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}]
    with refused("InvalidParameterValue"):
        local("rds").create_db_proxy(**wish, Auth=auth, RoleArn="arn:aws:iam::123456789012:role/none")
    arn = role("rds.amazonaws.com")
    with refused("InvalidParameterCombination"):
        local("rds").create_db_proxy(**wish, RoleArn=arn)
    with refused("InvalidParameterValue"):
        local("rds").create_db_proxy(**wish | {"VpcSubnetIds": network.subnets[:1]}, Auth=auth, RoleArn=arn)


@proves("rds.scale", "rds.scaled_to_restart")
def test_the_most_connections_follow_the_capacity_after_a_reboot(local, cluster, name, held):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    member = add_instance(local, name, 1)
    held()
    status = lambda: described(local, name)["DBClusterMembers"][0]["DBClusterParameterGroupStatus"]  # noqa: E731
    scale = lambda low, high: rds.modify_db_cluster(  # noqa: E731
        DBClusterIdentifier=name, ServerlessV2ScalingConfiguration={"MinCapacity": low, "MaxCapacity": high}
    )
    scale(0, 4)
    assert status() == "in-sync"
    scale(0, 8)
    assert status() == "pending-reboot"
    with refused("InvalidDBInstanceState"):
        rds.reboot_db_instance(DBInstanceIdentifier=member)
    local.admin("POST", "/_local/settings", {"durations": {"rds.scaled": 0}})
    rds.reboot_db_instance(DBInstanceIdentifier=member)
    held()
    assert status() == "in-sync"


@proves("rds.attach")
def test_another_parameter_group_is_in_force_after_a_restart_and_not_after_a_failover(local, network, cluster, name):
    rds = local("rds")
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="d")
    login = {"MasterUsername": "keeper", "MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
    alone = f"{name}-db"
    rds.create_db_instance(
        DBInstanceIdentifier=alone, Engine="postgres", EngineVersion="16.9", DBInstanceClass="db.t3.micro", **login
    )
    status = lambda: instance_of(local, alone)["DBParameterGroups"][0]["ParameterApplyStatus"]  # noqa: E731
    rds.modify_db_instance(DBInstanceIdentifier=alone, DBParameterGroupName=name)
    assert status() == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier=alone, ForceFailover=True)
    assert status() == "pending-reboot"
    rds.modify_db_instance(DBInstanceIdentifier=alone, DBInstanceClass="db.t3.small", ApplyImmediately=True)
    assert status() == "in-sync"


@proves("rds.take_back")
def test_what_waits_is_carried_out_along_with_the_next_change_or_taken_back(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    member = add_instance(local, name, 1)
    modify = lambda **wish: rds.modify_db_instance(DBInstanceIdentifier=member, **wish)  # noqa: E731
    modify(DBInstanceClass="db.r6g.large")
    modify(PromotionTier=4)
    found = instance_of(local, member)
    assert (found["DBInstanceClass"], found["PromotionTier"]) == ("db.serverless", 4)
    assert found["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.large"}
    modify(DBInstanceClass="db.serverless", ApplyImmediately=True)
    found = instance_of(local, member)
    assert (found["DBInstanceClass"], found["PendingModifiedValues"]) == ("db.serverless", {})
    modify(DBInstanceClass="db.r6g.large")
    modify(CACertificateIdentifier="rds-ca-rsa4096-g1", ApplyImmediately=True)
    assert instance_of(local, member)["DBInstanceClass"] == "db.r6g.large"


def test_static_parameters_wait_for_a_reboot(local, cluster, name):
    rds = local("rds")
    rds.create_db_cluster(**cluster)
    instance = add_instance(local, name, 1)
    wish = [{"ParameterName": "rds.logical_replication", "ParameterValue": "1", "ApplyMethod": "pending-reboot"}]
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=wish)
    assert described(local, name)["DBClusterMembers"][0]["DBClusterParameterGroupStatus"] == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier=instance)
    assert described(local, name)["DBClusterMembers"][0]["DBClusterParameterGroupStatus"] == "in-sync"


def test_a_password_opens_the_database_once_it_was_taken_in(local, network, name):
    rds = local("rds")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="private", SubnetIds=network.subnets)
    storage = {"StorageType": "gp3", "AllocatedStorage": 20, "DBSubnetGroupName": name}
    login = {"MasterUsername": "keeper", "MasterUserPassword": "first-word"}
    rds.create_db_instance(
        DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t3.micro", **storage, **login
    )

    def opens(password):
        return local.admin("POST", "/_local/login", {"instance": name, "user": "keeper", "password": password})["opens"]

    local.admin("POST", "/_local/settle", {})
    assert opens("first-word") and not opens("second-word")
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="second-word")
    local.admin("POST", "/_local/settle", {})
    assert opens("second-word") and not opens("first-word")
