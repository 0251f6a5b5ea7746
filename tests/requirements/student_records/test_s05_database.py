"""S5: Aurora PostgreSQL Serverless v2."""

from requirements.live import absent, one


def test_it_is_serverless_within_its_capacity(live):
    scaling = live.database["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (0.5, 4.0)
    assert {instance["DBInstanceClass"] for instance in live.instances} == {"db.serverless"}


def test_it_is_the_database_of_student_records(live):
    found = live.database
    assert (found["Engine"], found["DatabaseName"], found["MasterUsername"]) == (
        "aurora-postgresql",
        "studentrecords",
        "studentadmin",
    )
    assert (found["Status"], found["Port"]) == ("available", 5432)


def test_aws_still_offers_its_version(live):
    version = live.database["EngineVersion"]
    offered = live.rds.describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion=version)[
        "DBEngineVersions"
    ]
    assert [o["Status"] for o in offered] == ["available"]
    assert version != "15.4"


def test_writer_and_reader_are_in_different_zones(live):
    members = live.database["DBClusterMembers"]
    assert sorted(member["IsClusterWriter"] for member in members) == [False, True]
    assert len({instance["AvailabilityZone"] for instance in live.instances}) == 2
    assert {instance["DBInstanceStatus"] for instance in live.instances} == {"available"}


def test_it_lives_in_the_private_subnets(live):
    group = one(live.rds.describe_db_subnet_groups(DBSubnetGroupName=live.database["DBSubnetGroup"])["DBSubnetGroups"])
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == live.subnet_ids("private")
    assert not any(instance["PubliclyAccessible"] for instance in live.instances)


def test_it_is_encrypted_under_its_key(live):
    assert live.database["StorageEncrypted"] is True
    assert live.database["KmsKeyId"] == live.key_arn("rds")
    for instance in live.instances:
        assert instance["StorageEncrypted"] is True
        assert not instance["PerformanceInsightsEnabled"] or instance["PerformanceInsightsKMSKeyId"] == live.key_arn(
            "rds"
        )


def test_tls_is_forced_from_1_2_on(live):
    group = live.database["DBClusterParameterGroup"]
    found = live.all("rds", "describe_db_cluster_parameters", "Parameters", DBClusterParameterGroupName=group)
    values = {parameter["ParameterName"]: parameter.get("ParameterValue") for parameter in found}
    assert values["rds.force_ssl"] == "1"
    assert values["ssl_min_protocol_version"] == "TLSv1.2"


def test_its_parameters_are_in_force(live):
    states = {member["DBClusterParameterGroupStatus"] for member in live.database["DBClusterMembers"]}
    assert states == {"in-sync"}


def test_iam_may_log_in(live):
    assert live.database["IAMDatabaseAuthenticationEnabled"] is True


def test_one_can_go_back_30_days(live):
    found = live.database
    assert found["BackupRetentionPeriod"] == 30
    assert found["PreferredBackupWindow"] == "03:00-04:00"
    assert found["EarliestRestorableTime"] <= found["LatestRestorableTime"]


def test_maintenance_is_on_sunday_morning(live):
    assert live.database["PreferredMaintenanceWindow"] == "sun:04:00-sun:05:00"
    windows = {instance["PreferredMaintenanceWindow"] for instance in live.instances}
    assert windows <= {"sun:04:00-sun:04:30", "sun:04:30-sun:05:00"}


def test_its_log_goes_to_an_encrypted_group(live):
    assert live.database["EnabledCloudwatchLogsExports"] == ["postgresql"]
    group = live.log_groups[f"/aws/rds/cluster/{live.name('aurora')}/postgresql"]
    assert group["kmsKeyId"] == live.key_arn("logs")


def test_what_is_protected_cannot_be_deleted(live, wanted):
    """That a protected one leaves a final snapshot is judged after its end."""
    assert live.database["DeletionProtection"] is wanted.protect
    assert live.database["CopyTagsToSnapshot"] is True


def test_a_proxy_stands_before_the_writer_where_asked_for(live, wanted):
    name = live.name("proxy")
    if not wanted.has("proxy"):
        assert absent(live.rds.describe_db_proxies, DBProxyName=name) == "DBProxyNotFoundFault"
        return
    proxy = one(live.rds.describe_db_proxies(DBProxyName=name)["DBProxies"])
    assert (proxy["EngineFamily"], proxy["Status"], proxy["RequireTLS"]) == ("POSTGRESQL", "available", True)
    assert set(proxy["VpcSubnetIds"]) == live.subnet_ids("private")
    assert proxy["VpcSecurityGroupIds"] == [live.groups["proxy"]]
    assert [auth["SecretArn"] for auth in proxy["Auth"]] == [live.master_secret["ARN"]]
    assert proxy["DebugLogging"] is False
    targets = live.rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
    assert {t["RdsResourceId"] for t in targets if t["Type"] == "TRACKED_CLUSTER"} == {live.name("aurora")}
