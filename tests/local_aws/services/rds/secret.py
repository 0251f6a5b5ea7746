"""The master user secrets that RDS keeps in Secrets Manager: they live and die with their database."""

import json

from ...life import later
from ...moto_app import ask
from ...registry import AwsError, behaviour
from ...world import new_id, world


def make(call, kind, username):
    """The MasterUserSecret of a database that manages its password; it becomes active with the first instance."""
    name = f"rds!{kind}-" + "-".join(new_id(n) for n in (8, 4, 4, 4, 12))
    key = call.get("MasterUserSecretKmsKeyId") or default_key(call)
    value = json.dumps({"username": username, "password": new_id(28)})
    wish = {"Name": name, "SecretString": value, "KmsKeyId": key, "ClientRequestToken": new_id(32)}
    made = ask(call, "secretsmanager", "CreateSecret", wish)
    call.shelf("secretsmanager.managed")[made["ARN"]] = "rds"
    return {"SecretArn": made["ARN"], "SecretStatus": "creating", "KmsKeyId": key}


@behaviour(
    "rds",
    says="a managed password is changed in Secrets Manager's own time, and the secret is rotating until it is",
    source="API reference: MasterUserSecret, SecretStatus; Secrets Manager User Guide: managed rotation (mostly within a minute)",
)
def rotate(call, item):
    if not call.get("RotateMasterUserPassword"):
        return
    kept = item.get("MasterUserSecret")
    if kept is None:
        raise AwsError("InvalidParameterCombination", "You can't rotate a master user password that RDS does not manage.")
    later("rds.modify.noticed", lambda: kept.update(SecretStatus="rotating"))
    later("rds.secret.rotated", lambda: rotated(call, kept))


def rotated(call, kept):
    found = [one for one in call.backend("secretsmanager").secrets.values() if one.arn == kept["SecretArn"]]
    for held in found:
        value = json.loads(ask(call, "secretsmanager", "GetSecretValue", {"SecretId": held.arn})["SecretString"])
        fresh = json.dumps(value | {"password": new_id(28)})
        wish = {"SecretId": held.arn, "SecretString": fresh, "ClientRequestToken": new_id(32)}
        ask(call, "secretsmanager", "PutSecretValue", wish)
        held.last_changed_date = int(world.time())
    kept["SecretStatus"] = "active"


def default_key(call):
    return call.arn("kms", "alias/aws/secretsmanager")


def remove(call, secret):
    call.shelf("secretsmanager.managed").pop(secret["SecretArn"], None)
    secrets = call.backend("secretsmanager").secrets
    for key in [key for key, value in secrets.items() if value.arn == secret["SecretArn"]]:
        secrets.pop(key)
