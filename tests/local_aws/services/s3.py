"""S3: what every new bucket has had since 2023 without being asked."""

from ..moto_app import ask
from ..registry import after

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ENCRYPTED = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}


@after("s3", "CreateBucket")
def safe_defaults(call, answer):
    bucket = {"Bucket": call.params["Bucket"]}
    if call.backend("s3").buckets[bucket["Bucket"]].public_access_block is not None:
        return
    ask(call, operation="PutPublicAccessBlock", params=bucket | {"PublicAccessBlockConfiguration": BLOCKED})
    ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    ask(call, operation="PutBucketOwnershipControls", params=bucket | {"OwnershipControls": ownership})
    encryption = {"Rules": [ENCRYPTED]}
    ask(call, operation="PutBucketEncryption", params=bucket | {"ServerSideEncryptionConfiguration": encryption})
