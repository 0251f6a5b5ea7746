"""S3: what every new bucket has had since 2023 without being asked, and what may be given at its creation."""

import json

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from ..moto_app import ask
from ..policies import statements
from ..registry import AwsError, after
from ..wire import service_model

# moto names the outermost element of an answer after the model, which says nothing about this one.
versioning = service_model("s3").operation_model("GetBucketVersioning").output_shape
versioning.serialization["resultWrapper"] = "VersioningConfiguration"

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ENCRYPTED = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}


def permission(bucket, action, resource):
    """moto takes no notice of conditions. None is looked at here: everybody comes by TLS, and from where he should."""
    entries = [entry for entry in statements(bucket.policy or "{}") if not entry.get("Condition")]
    if not entries:
        return PermissionResult.NEUTRAL
    found = IAMPolicy(json.dumps({"Statement": entries})).is_action_permitted(action, resource=resource)
    if found == PermissionResult.DENIED:
        raise AwsError("AccessDenied", "Access Denied", 403)
    return found


FakeBucket.get_permission = permission


@after("s3", "PutBucketLifecycleConfiguration")
def smallest_to_move(call, answer):
    """Objects of less than 128 KB stay where they are unless a configuration says otherwise."""
    smallest = call.get("TransitionDefaultMinimumObjectSize", "all_storage_classes_128K")
    call.shelf("s3.smallest")[call.params["Bucket"]] = smallest
    answer["TransitionDefaultMinimumObjectSize"] = smallest


@after("s3", "GetBucketLifecycleConfiguration")
def show_smallest_to_move(call, answer):
    known = call.shelf("s3.smallest").get(call.params["Bucket"], "all_storage_classes_128K")
    answer["TransitionDefaultMinimumObjectSize"] = known


@after("s3", "CreateBucket")
def safe_defaults(call, answer):
    bucket = {"Bucket": call.params["Bucket"]}
    if call.backend("s3").buckets[bucket["Bucket"]].public_access_block is not None:
        return
    ask(call, operation="PutPublicAccessBlock", params=bucket | {"PublicAccessBlockConfiguration": BLOCKED})
    ownership = {"Rules": [{"ObjectOwnership": call.get("ObjectOwnership", "BucketOwnerEnforced")}]}
    ask(call, operation="PutBucketOwnershipControls", params=bucket | {"OwnershipControls": ownership})
    encryption = {"Rules": [ENCRYPTED]}
    ask(call, operation="PutBucketEncryption", params=bucket | {"ServerSideEncryptionConfiguration": encryption})
    blocked(call)[bucket["Bucket"]] = ["SSE-C"]
    tags = call.get("CreateBucketConfiguration", {}).get("Tags")
    if tags:
        ask(call, operation="PutBucketTagging", params=bucket | {"Tagging": {"TagSet": tags}})


def blocked(call):
    """The kinds of encryption that a bucket takes no objects with. Since April 2026 every new one blocks SSE-C."""
    return call.shelf("s3.blocked-encryption")


@after("s3", "PutBucketEncryption")
def keep_blocked(call, answer):
    for rule in call.params["ServerSideEncryptionConfiguration"]["Rules"]:
        wanted = rule.get("BlockedEncryptionTypes")
        if wanted is not None:
            blocked(call)[call.params["Bucket"]] = [kind for kind in wanted["EncryptionType"] if kind != "NONE"]


@after("s3", "GetBucketEncryption")
def show_blocked(call, answer):
    kinds = blocked(call).get(call.params["Bucket"], [])
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        rule["BlockedEncryptionTypes"] = {"EncryptionType": kinds or ["NONE"]}
