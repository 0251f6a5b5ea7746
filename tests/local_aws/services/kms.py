"""KMS: rotation periods, the name of the only policy, and keys on their way out."""

from ..moto_app import ask
from ..registry import AwsError, after, operation

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


@after("kms", "CreateKey", "DescribeKey")
def complete_metadata(call, answer):
    metadata = answer["KeyMetadata"]
    # What it is for where nobody said.
    metadata["KeyUsage"] = metadata.get("KeyUsage") or "ENCRYPT_DECRYPT"
    metadata.setdefault("MultiRegion", metadata["KeyId"].startswith("mrk-"))
    metadata.setdefault("CurrentKeyMaterialId", metadata["KeyId"].replace("-", "") * 2)


@after("kms", "ScheduleKeyDeletion")
def show_schedule(call, answer):
    key = key_of(call)
    answer |= {
        "KeyId": key.arn,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": call.get("PendingWindowInDays", 30),
    }
