"""P6: PostgreSQL on an instance of its own: private, encrypted, TLS only, logged, backed up."""

from pipeline import one


def test_it_is_a_version_that_is_still_offered(live):
    assert live.database["Engine"] == "postgres"
    offered = live.client("rds").describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
    assert live.database["EngineVersion"] in {version["EngineVersion"] for version in offered}


def test_it_has_the_size_that_was_asked_for(live):
    assert live.database["DBInstanceClass"] == "db.t3.micro"
    assert (live.database["StorageType"], live.database["AllocatedStorage"]) == ("gp3", 20)


def test_it_is_private(live):
    assert live.database["PubliclyAccessible"] is False
    group = live.database["DBSubnetGroup"]
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == live.subnet_ids("private")
    groups = [group["VpcSecurityGroupId"] for group in live.database["VpcSecurityGroups"]]
    assert groups == [live.groups[live.name("db-sg")]["GroupId"]]


def test_it_is_encrypted_under_our_key(live):
    assert live.database["StorageEncrypted"] is True
    assert live.database["KmsKeyId"] == live.key_arn


def test_it_speaks_tls_only(live):
    group = one(live.database["DBParameterGroups"])["DBParameterGroupName"]
    pages = live.client("rds").get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    found = {p["ParameterName"]: p.get("ParameterValue") for page in pages for p in page["Parameters"]}
    assert found["rds.force_ssl"] == "1"
    assert found["ssl_min_protocol_version"] == "TLSv1.2"


def test_it_logs_into_groups_that_are_encrypted_and_expire(live):
    assert set(live.database["EnabledCloudwatchLogsExports"]) == {"postgresql", "upgrade"}
    for log in ("postgresql", "upgrade"):
        assert f"/aws/rds/instance/{live.name('db')}/{log}" in live.log_groups


def test_it_is_backed_up_for_a_week(live):
    assert live.database["BackupRetentionPeriod"] == 7
    assert live.database["CopyTagsToSnapshot"] is True


def test_a_protected_one_stands_in_two_zones_and_cannot_be_deleted(live, protect):
    assert live.database["MultiAZ"] is protect
    assert live.database["DeletionProtection"] is protect
