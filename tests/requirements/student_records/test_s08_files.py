"""S8: the shared file system."""

from requirements.live import as_list, document


def policy(live):
    return document(live.efs.describe_file_system_policy(FileSystemId=live.files["FileSystemId"])["Policy"])[
        "Statement"
    ]


def test_it_is_encrypted_under_its_key(live):
    assert live.files["Encrypted"] is True
    assert live.files["KmsKeyId"] == live.key_arn("efs")


def test_it_is_general_purpose_and_bursts(live):
    assert (live.files["PerformanceMode"], live.files["ThroughputMode"]) == ("generalPurpose", "bursting")


def test_files_move_to_infrequent_access_after_30_days(live):
    found = live.efs.describe_lifecycle_configuration(FileSystemId=live.files["FileSystemId"])["LifecyclePolicies"]
    assert {"TransitionToIA": "AFTER_30_DAYS"} in found


def test_it_is_backed_up(live):
    found = live.efs.describe_backup_policy(FileSystemId=live.files["FileSystemId"])["BackupPolicy"]
    assert found["Status"] in ("ENABLED", "ENABLING")


def test_it_can_be_mounted_in_every_zone(live):
    targets = live.efs.describe_mount_targets(FileSystemId=live.files["FileSystemId"])["MountTargets"]
    assert {target["LifeCycleState"] for target in targets} == {"available"}
    assert {target["SubnetId"] for target in targets} == live.subnet_ids("private")
    assert len(targets) == len(live.subnet_ids("private"))


def test_clients_come_through_one_access_point(live):
    point = live.access_point
    assert point["LifeCycleState"] == "available"
    # Neither root's directory nor root.
    assert point["RootDirectory"]["Path"] != "/"
    assert point["PosixUser"]["Uid"] != 0
    assert point["RootDirectory"]["CreationInfo"]["Permissions"] == "0750"


def test_unencrypted_transport_is_refused(live):
    denied = [s for s in policy(live) if s["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [
        s["Condition"] for s in denied if as_list(s["Action"]) == ["*"]
    ]
    assert all(s["Principal"] in ("*", {"AWS": "*"}) for s in denied)


def test_anonymous_clients_are_refused(live):
    """EFS refuses whom no statement allows. Only principals of this account are, and only by the access point."""
    allowed = [s for s in policy(live) if s["Effect"] == "Allow"]
    assert allowed
    for statement in allowed:
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{live.account}:root"}
        condition = statement["Condition"]["StringEquals"]
        assert condition == {"elasticfilesystem:AccessPointArn": live.access_point["AccessPointArn"]}
        assert "elasticfilesystem:ClientRootAccess" not in as_list(statement["Action"])
