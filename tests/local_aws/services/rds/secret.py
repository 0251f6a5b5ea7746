"""The master user secrets that RDS keeps in Secrets Manager: they live and die with their database."""

import json

from ...moto_app import ask
from ...world import new_id


def make(call, kind, username):
    """The MasterUserSecret of a database that manages its password; it becomes active with the first instance."""
    name = f"rds!{kind}-" + "-".join(new_id(n) for n in (8, 4, 4, 4, 12))
    key = call.get("MasterUserSecretKmsKeyId") or default_key(call)
    value = json.dumps({"username": username, "password": new_id(28)})
    wish = {"Name": name, "SecretString": value, "KmsKeyId": key, "ClientRequestToken": new_id(32)}
    made = ask(call, "secretsmanager", "CreateSecret", wish)
    call.shelf("secretsmanager.managed")[made["ARN"]] = "rds"
    return {"SecretArn": made["ARN"], "SecretStatus": "creating", "KmsKeyId": key}


def default_key(call):
    return call.arn("kms", "alias/aws/secretsmanager")


def remove(call, secret):
    call.shelf("secretsmanager.managed").pop(secret["SecretArn"], None)
    secrets = call.backend("secretsmanager").secrets
    for key in [key for key, value in secrets.items() if value.arn == secret["SecretArn"]]:
        secrets.pop(key)
