"""What may be left of a destroyed environment: what AWS keeps by rules of its own, and what protection asks for."""

import datetime

import pytest
from requirements.live import absent

NOW = datetime.datetime.now(datetime.timezone.utc)


def days_until(moment):
    return round((moment - NOW).total_seconds() / 86400)


@pytest.fixture(scope="module")
def keys(live):
    """Our keys on their way out."""
    found = []
    for listed in live.all("kms", "list_keys", "Keys"):
        tags = live.kms.list_resource_tags(KeyId=listed["KeyId"])["Tags"]
        if live.owns({tag["TagKey"]: tag["TagValue"] for tag in tags}):
            found.append(live.kms.describe_key(KeyId=listed["KeyId"])["KeyMetadata"])
    return found


def test_keys_can_be_taken_back_for_30_days_or_7(keys, wanted):
    assert len(keys) == 6
    dying = [key for key in keys if key["KeyState"] != "Enabled"]
    assert {key["KeyState"] for key in dying} == {"PendingDeletion"}
    assert {days_until(key["DeletionDate"]) for key in dying} == {30 if wanted.protect else 7}


def test_the_keys_that_open_what_is_kept_are_kept(keys, wanted):
    opens = [key["Description"] for key in keys if key["KeyState"] == "Enabled"]
    assert len(opens) == (3 if wanted.protect else 0)
    assert all("and its snapshots" in description or "audit records" in description for description in opens)


def test_no_alias_remains(live):
    assert live.keys == {}


def test_a_protected_database_leaves_a_final_snapshot(live, wanted, keys):
    found = live.all("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots", SnapshotType="manual")
    ours = [snapshot for snapshot in found if snapshot["DBClusterIdentifier"] == live.name("aurora")]
    if not wanted.protect:
        assert ours == []
        return
    assert [snapshot["Status"] for snapshot in ours] == ["available"]
    assert ours[0]["StorageEncrypted"] is True
    assert ours[0]["KmsKeyId"] in {key["Arn"] for key in keys}


def test_a_protected_cache_leaves_a_final_snapshot(live, wanted, keys):
    found = live.all("elasticache", "describe_snapshots", "Snapshots", SnapshotSource="user")
    ours = [snapshot for snapshot in found if snapshot["ReplicationGroupId"] == live.name("redis")]
    assert [snapshot["SnapshotStatus"] for snapshot in ours] == (["available"] if wanted.protect else [])
    assert {snapshot["KmsKeyId"] for snapshot in ours} <= {key["Arn"] for key in keys}


def test_secrets_can_be_taken_back_where_they_are_protected_or_people_set_them(live, wanted):
    """For how long AWS does not tell afterwards."""
    for thing in ("third-party", "cache"):
        name = f"{live.name(thing)}/credentials"
        if wanted.protect or thing == "third-party":
            assert live.secretsmanager.describe_secret(SecretId=name)["DeletedDate"], name
            assert absent(live.secretsmanager.get_secret_value, SecretId=name) == "InvalidRequestException"
        else:
            assert absent(live.secretsmanager.describe_secret, SecretId=name) == "ResourceNotFoundException"


def test_the_masters_secret_went_with_the_database(live):
    assert [name for name in live.secrets if name.startswith("rds!")] == []
