"""S1: a customer-managed key for each kind of data, rotated, and open to those whom IAM lets use it and to no other."""

from requirements.live import as_list

DATA = ("rds", "cache", "kinesis", "efs", "secrets")


def statements(key):
    return key["Policy"]["Statement"]


def of_root(live):
    return {"AWS": f"arn:aws:iam::{live.account}:root"}


def test_there_is_a_key_behind_each_alias(live):
    assert set(live.keys) == {*DATA, "logs"}
    assert len({key["KeyId"] for key in live.keys.values()}) == 6


def test_keys_are_the_customers_own_and_usable(live):
    for thing, key in live.keys.items():
        facts = (key["KeyManager"], key["KeyState"], key["KeyUsage"], key["KeySpec"], key["Origin"])
        assert facts == ("CUSTOMER", "Enabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "AWS_KMS"), thing


def test_keys_rotate_every_year(live):
    for thing, key in live.keys.items():
        assert key["Rotation"]["KeyRotationEnabled"] is True, thing
        assert key["Rotation"]["RotationPeriodInDays"] == 365, thing


def test_only_the_account_itself_manages_a_key(live):
    managing = ("kms:*", "kms:Put", "kms:Schedule", "kms:Disable", "kms:Update", "kms:Delete", "kms:Cancel")
    for thing, key in live.keys.items():
        for statement in statements(key):
            manages = [a for a in as_list(statement["Action"]) if a.startswith(managing)]
            assert not manages or statement["Principal"] == of_root(live), (thing, statement)


def test_who_uses_a_data_key_needs_a_permission_of_his_own(live):
    for thing in DATA:
        assert [s["Principal"] for s in statements(live.keys[thing])] == [of_root(live)], thing


def test_the_key_of_logs_and_audit_is_open_to_those_who_write_them(live):
    others = [s for s in statements(live.keys["logs"]) if s["Principal"] != of_root(live)]
    services = {service for statement in others for service in as_list(statement["Principal"]["Service"])}
    wanted = {f"logs.{live.region}.amazonaws.com", "cloudtrail.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert services == wanted


def test_those_who_write_logs_do_so_for_us_only(live):
    for statement in statements(live.keys["logs"]):
        if statement["Principal"] == of_root(live):
            continue
        told = [
            v for operator in statement["Condition"].values() for value in operator.values() for v in as_list(value)
        ]
        assert any(live.account in value for value in told), statement
        assert "*" not in told, statement


def test_log_groups_of_other_environments_are_shut_out(live):
    arns = {
        pattern
        for statement in statements(live.keys["logs"])
        for operator in statement.get("Condition", {}).values()
        for key, value in operator.items()
        if key == "kms:EncryptionContext:aws:logs:arn"
        for pattern in as_list(value)
    }
    assert arns
    for arn in arns:
        assert arn.startswith(f"arn:aws:logs:{live.region}:{live.account}:log-group:")
        assert f"-{live.env}" in arn or "API-Gateway-Execution-Logs_" in arn, arn
