"""KMS: rotation periods, the name of the only policy, and keys on their way out."""

from moto.kms import models

from ..meter import DAY, meter, passing
from ..moto_app import ask
from ..registry import AwsError, after, behaviour, now, operation, recover

DEFAULT_ROTATION = 365
ON_LIVE_KEYS = (
    "CreateAlias",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
    "UpdateAlias",
)


def pair_for(key_spec, made=models.generate_private_key):
    """moto makes a pair of RSA keys for every key, a tenth of a second each. Symmetric ones have no use for it."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else made(key_spec)


models.generate_private_key = pair_for


def key_of(call, reference=None):
    """moto's key behind an id, an ARN or an alias; None if there is none, which is for moto to say."""
    reference = (reference or call.get("KeyId") or call.get("TargetKeyId") or "").removeprefix("key/")
    backend = call.backend("kms")
    if "alias/" in reference:
        name = "alias/" + reference.partition("alias/")[2]
        reference = backend.get_key_id_from_alias(name) or ""
    return backend.keys.get(reference.rpartition("/")[2])


def rotations(call):
    return call.shelf("kms.rotations")


@after("kms", "EnableKeyRotation")
def remember_rotation(call, answer):
    rotations(call)[key_of(call).id] = call.get("RotationPeriodInDays", DEFAULT_ROTATION)


@after("kms", "GetKeyRotationStatus")
def show_rotation(call, answer):
    key = key_of(call)
    answer["KeyId"] = key.arn
    if answer["KeyRotationEnabled"]:
        answer["RotationPeriodInDays"] = rotations(call).get(key.id, DEFAULT_ROTATION)


def alias_named(call, name):
    """moto's alias of this name, or None."""
    found = (key.aliases.get(name) for key in call.backend("kms").keys.values())
    return next((alias for alias in found if alias is not None), None)


@after("kms", "CreateAlias", "UpdateAlias")
def date_an_alias(call, answer):
    alias = alias_named(call, call.params["AliasName"])
    alias.updated = now().timestamp()
    if call.operation == "CreateAlias":
        alias.made = alias.updated


@after("kms", "ListAliases")
def show_the_dates_of_aliases(call, answer):
    """When an alias was made, and last given another key. AWS's own, which were never used, have none."""
    for entry in answer["Aliases"]:
        alias = alias_named(call, entry["AliasName"])
        if hasattr(alias, "made"):
            entry |= {"CreationDate": alias.made, "LastUpdatedDate": alias.updated}


@operation("kms", "GetKeyPolicy", "PutKeyPolicy")
def policy_of_a_key(call):
    """A key has one policy, and it is named so whether or not the caller says it."""
    name = call.get("PolicyName", "default")
    if name != "default":
        raise AwsError("NotFoundException", f"No such policy exists: {name}")
    return ask(call, params=call.params | {"PolicyName": name})


@after("kms", "GetKeyPolicy")
def name_of_the_policy(call, answer):
    answer["PolicyName"] = "default"


@recover("kms", "DescribeKey")
def describe_a_key_of_aws(call, error):
    """What AWS encrypts with a key of its own, as `key/aws-rds`, is under one that is always there: moto knows none."""
    key_id = call.params["KeyId"].rpartition("/")[2]
    if not key_id.startswith("aws-"):
        return None
    metadata = {
        "AWSAccountId": call.account,
        "KeyId": key_id,
        "Arn": call.arn("kms", f"key/{key_id}"),
        "CreationDate": now(),
        "Enabled": True,
        "Description": f"Default key that protects my data when no other key is defined: {key_id}",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "AWS",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
    }
    return {"KeyMetadata": metadata}


@after("kms", "CreateKey", "DescribeKey")
def complete_metadata(call, answer):
    metadata = answer["KeyMetadata"]
    # What it is for where nobody said.
    metadata["KeyUsage"] = metadata.get("KeyUsage") or "ENCRYPT_DECRYPT"
    metadata.setdefault("MultiRegion", metadata["KeyId"].startswith("mrk-"))
    metadata.setdefault("CurrentKeyMaterialId", metadata["KeyId"].replace("-", "") * 2)


@passing
@behaviour(
    "kms",
    says="a key is gone at the end of its waiting period, and what it encrypted can never be read again",
    source="AWS KMS Developer Guide: Deleting AWS KMS keys",
)
def end_of_keys(minute):
    """As days pass by `/_local/minutes`; no other time brings it about."""
    for backend in [backend for account in models.kms_backends.values() for backend in account.values()]:
        dying = [key for key in backend.keys.values() if key.key_state == "PendingDeletion"]
        for key in [key for key in dying if key.ends <= minute]:
            del backend.keys[key.id]


@after("kms", "ScheduleKeyDeletion")
def show_schedule(call, answer):
    key = key_of(call)
    key.ends = meter.minute + call.get("PendingWindowInDays", 30) * DAY
    answer |= {
        "KeyId": key.arn,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": call.get("PendingWindowInDays", 30),
    }
