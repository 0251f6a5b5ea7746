"""S4: secrets live in Secrets Manager under the secrets key, and nowhere else."""

import json
import re

import pytest
from requirements.live import absent

STAGE = "AWSCURRENT"


def test_rds_keeps_and_rotates_the_masters_password(live):
    secret = live.master_secret
    assert secret["OwningService"] == "rds"
    assert secret["RotationEnabled"] is True
    assert secret["RotationRules"]["AutomaticallyAfterDays"] <= 30
    assert live.database["MasterUserSecret"]["SecretStatus"] == "active"


@pytest.mark.parametrize("secret", ["master_secret", "cache_secret", "third_party_secret", "origin_secret"])
def test_every_secret_is_under_the_secrets_key(live, wanted, secret):
    if secret == "origin_secret" and not wanted.has("public"):
        return
    assert getattr(live, secret)["KmsKeyId"] == live.key_arn("secrets")


def test_there_are_no_other_secrets(live, wanted):
    ours = [secret for secret in live.secrets.values() if live.owns(secret.get("Tags"))]
    things = ["cache", "third-party"] + (["origin"] if wanted.has("public") else [])
    names = {f"{live.name(thing)}/credentials" for thing in things}
    assert {secret["Name"] for secret in ours} == names


def test_no_secret_goes_to_other_accounts(live):
    for secret in live.secrets.values():
        found = live.secretsmanager.get_resource_policy(SecretId=secret["ARN"])
        assert not found.get("ResourcePolicy"), secret["Name"]


def test_the_cache_has_a_token_of_its_own(live):
    value = live.secretsmanager.get_secret_value(SecretId=live.cache_secret["ARN"], VersionStage=STAGE)
    assert re.fullmatch(r"[A-Za-z0-9!&#$^<>-]{64}", value["SecretString"])


def test_the_third_partys_value_is_for_people_to_set(live):
    """Right after apply it has none, unless somebody has set one since."""
    secret = {"SecretId": live.third_party_secret["ARN"]}
    if live.third_party_secret.get("VersionIdsToStages"):
        assert live.secretsmanager.get_secret_value(**secret)["VersionStages"] == [STAGE]
    else:
        assert absent(live.secretsmanager.get_secret_value, **secret) == "ResourceNotFoundException"


def test_the_task_gets_secrets_by_reference(live):
    master, cache = live.master_secret["ARN"], live.cache_secret["ARN"]
    wanted = {
        "DB_USERNAME": f"{master}:username::",
        "DB_PASSWORD": f"{master}:password::",
        "REDIS_AUTH_TOKEN": cache,
        "THIRD_PARTY_CREDENTIALS": live.third_party_secret["ARN"],
    }
    assert {secret["name"]: secret["valueFrom"] for secret in live.container["secrets"]} == wanted


def test_no_secret_stands_in_a_task_definition(live):
    family = live.all("ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=live.name("api"))
    values = secret_values(live)
    assert len(values) >= 2
    for arn in family:
        text = json.dumps(live.ecs.describe_task_definition(taskDefinition=arn), default=str)
        assert not [name for name, value in values.items() if value in text], arn


def secret_values(live):
    """What must not be seen, by the name of its secret."""
    values = {}
    for secret in (live.master_secret, live.cache_secret):
        text = live.secretsmanager.get_secret_value(SecretId=secret["ARN"])["SecretString"]
        values[secret["Name"]] = json.loads(text)["password"] if text.startswith("{") else text
    return values


def test_the_environment_of_the_task_names_no_credentials(live):
    names = {variable["name"] for variable in live.container.get("environment", [])}
    suspicious = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|USERNAME|AUTH", re.IGNORECASE)
    assert not [name for name in names if suspicious.search(name)]
