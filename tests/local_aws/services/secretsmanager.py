"""Secrets Manager: names that are not free yet, and secrets that belong to another service."""

from datetime import UTC, datetime

from ..life import later
from ..moto_app import ask
from ..registry import AwsError, after, operation, recover

SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."


@after("secretsmanager", "DeleteSecret")
def keep_the_name_for_a_while(call, answer):
    """A deletion without recovery is not done at once either."""
    if call.get("ForceDeleteWithoutRecovery"):
        names = going(call)
        names[answer["Name"]] = True
        later("secretsmanager.forced-deletion", lambda: names.pop(answer["Name"], None))


def going(call):
    return call.shelf("secretsmanager.going")


@recover("secretsmanager", "CreateSecret")
def name_not_free_yet(call, error):
    secret = secret_named(call, call.params["Name"])
    if error.code == "ResourceExistsException" and secret is not None and secret.is_deleted():
        raise AwsError("InvalidRequestException", SCHEDULED)


@recover(
    "secretsmanager",
    "DeleteSecret",
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)
def not_found_is_a_bad_request(call, error):
    """With this status: localstack/localstack on GitHub, snapshot of test_secret_not_found, taken on AWS."""
    if error.code == "ResourceNotFoundException":
        raise AwsError(error.code, error.message, 400)


@after("secretsmanager", "ListSecretVersionIds")
def tell_when_versions_were_made(call, answer):
    """moto says of each that it is being made."""
    versions = secret_named(call, call.params["SecretId"]).versions
    for shown in answer["Versions"]:
        shown["CreatedDate"] = datetime.fromtimestamp(versions[shown["VersionId"]]["createdate"], UTC)


@operation("secretsmanager", "GetSecretValue")
def get_secret_value(call):
    """What is named by neither version nor label is the current one (GetSecretValue in the API reference)."""
    secret = secret_named(call, call.params["SecretId"])
    if secret is None or call.get("VersionId") or call.get("VersionStage"):
        return ask(call)
    current = [name for name, version in secret.versions.items() if "AWSCURRENT" in version["version_stages"]]
    return ask(call, params=call.params | {"VersionId": current[0]} if current else None)


def secret_named(call, reference):
    secrets = call.backend("secretsmanager").secrets
    return secrets[reference] if reference in secrets else None


def managed(call):
    """The service that owns a secret, by the ARN of the secret."""
    return call.shelf("secretsmanager.managed")


@after("secretsmanager", "DescribeSecret")
def show_owner(call, answer):
    owner = managed(call).get(answer["ARN"])
    if owner:
        answer |= {"OwningService": owner, "RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 7}}


@after("secretsmanager", "ListSecrets")
def list_owners(call, answer):
    for entry in answer["SecretList"]:
        show_owner(call, entry)
