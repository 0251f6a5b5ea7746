"""P1: one customer-managed key, yearly rotation, 7-day window, open to the services that hold data."""

import json


def statements(live):
    policy = live.client("kms").get_key_policy(KeyId=live.key_arn, PolicyName="default")["Policy"]
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_the_alias_leads_to_an_enabled_key_of_our_own(live):
    assert live.key["KeyManager"] == "CUSTOMER"
    assert live.key["KeyState"] == "Enabled"


def test_it_is_the_only_key(live):
    aliases = live.client("kms").list_aliases()["Aliases"]
    ours = [alias["AliasName"] for alias in aliases if alias["AliasName"].startswith(f"alias/{live.name('')}")]
    assert ours == [f"alias/{live.name('data-key')}"]


def test_it_rotates_every_year(live):
    rotation = live.client("kms").get_key_rotation_status(KeyId=live.key_arn)
    assert rotation["KeyRotationEnabled"] is True
    assert rotation["RotationPeriodInDays"] == 365


def test_its_account_governs_it(live):
    root = f"arn:aws:iam::{live.account}:root"
    assert statements(live)["AccountOwnsTheKey"]["Principal"] == {"AWS": root}


def test_nobody_uses_it_without_a_permission_of_his_own(live):
    assert set(statements(live)) == {"AccountOwnsTheKey", "CloudWatchLogs", "Alarms"}


def test_logs_use_it_for_our_groups_only(live):
    statement = statements(live)["CloudWatchLogs"]
    assert statement["Principal"] == {"Service": f"logs.{live.region}.amazonaws.com"}
    for pattern in statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]:
        assert live.name("") in pattern or "API-Gateway-Execution-Logs_" in pattern
