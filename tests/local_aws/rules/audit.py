"""S3, CloudTrail, SNS, WAF and GuardDuty."""

import fnmatch

from ..policies import allows, as_list, document, principals, roles_by_arn, statements, trusts
from ..registry import AwsError, rule
from ..services.wafv2 import guards
from .keys import admits_service, found_key

# S3


@rule("strict", "s3", "PutBucketPolicy", says="a bucket policy is well formed and about its bucket")
def bucket_policy(call):
    policy = document(call.params["Policy"])
    entries = statements(policy) if policy else []
    if not entries:
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
    arn = f"arn:aws:s3:::{call.params['Bucket']}"
    for statement in entries:
        if not {"Effect", "Resource"} <= set(statement) or not {"Principal", "NotPrincipal"} & set(statement):
            raise AwsError("MalformedPolicy", "Missing required field in a statement of the policy", 400)
        for resource in as_list(statement["Resource"]):
            if resource != arn and not resource.startswith(f"{arn}/"):
                raise AwsError("MalformedPolicy", "Policy has invalid resource", 400)


@rule("strict", "s3", "PutBucketPolicy", says="a public policy is refused while public access is blocked")
def public_policy(call):
    bucket = call.backend("s3").buckets.get(call.params["Bucket"])
    block = bucket.public_access_block if bucket else None
    if block is None or str(block.block_public_policy).lower() != "true":
        return
    for statement in statements(call.params["Policy"]):
        if (
            statement.get("Effect") == "Allow"
            and "*" in principals(statement, "AWS")
            and not statement.get("Condition")
        ):
            raise AwsError(
                "AccessDenied", "User is not authorized: public policies are blocked by BlockPublicPolicy", 403
            )


@rule("order", "s3", "PutBucketPolicy", says="principals of a bucket policy exist before it names them")
def principals_of_bucket_policy(call):
    for statement in statements(call.params["Policy"]):
        for arn in principals(statement, "AWS"):
            if ":role/" in arn and f":{call.account}:" in arn and arn not in roles_by_arn(call):
                raise AwsError("MalformedPolicy", "Invalid principal in policy", 400)


# CloudTrail


def trails(call):
    return call.backend("cloudtrail").trails


@rule("strict", "cloudtrail", "CreateTrail", says="a trail's name is unique")
def trail_name(call):
    if call.params["Name"] in trails(call):
        raise AwsError("TrailAlreadyExistsException", f"Trail {call.params['Name']} already exists.")


@rule(
    "order",
    "cloudtrail",
    "CreateTrail",
    "UpdateTrail",
    says="a trail's bucket exists, and its policy admits CloudTrail",
)
def trail_bucket(call):
    name = call.get("S3BucketName")
    if name is None:
        return
    bucket = call.backend("s3").buckets.get(name)
    if bucket is None:
        raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    prefix = f"{call.params['S3KeyPrefix']}/" if call.get("S3KeyPrefix") else ""
    target = f"arn:aws:s3:::{name}/{prefix}AWSLogs/{call.account}/file"
    entries = statements(bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy or "{}")
    wanted = (("s3:GetBucketAcl", f"arn:aws:s3:::{name}"), ("s3:PutObject", target))
    if not all(any(admits(s, action, resource) for s in entries) for action, resource in wanted):
        raise AwsError(
            "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}"
        )


def admits(statement, action, resource):
    named = "cloudtrail.amazonaws.com" in principals(statement, "Service") or "*" in principals(statement, "AWS")
    covered = any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement.get("Resource", [])))
    return statement.get("Effect") == "Allow" and named and covered and allows(statement, action)


@rule(
    "order", "cloudtrail", "CreateTrail", "UpdateTrail", says="a trail's key exists, and its policy admits CloudTrail"
)
def trail_key(call):
    reference = call.get("KmsKeyId")
    if not reference:
        return
    key = found_key(call, reference)
    if key is None:
        raise AwsError("KmsKeyDoesNotExistException", f"KMS key {reference} does not exist.")
    if not admits_service(key, "cloudtrail.amazonaws.com", ("kms:GenerateDataKey",)):
        message = "Insufficient permissions to access S3 bucket or KMS key"
        raise AwsError("InsufficientEncryptionPolicyException", f"{message} {reference}.")


@rule(
    "order",
    "cloudtrail",
    "CreateTrail",
    "UpdateTrail",
    says="a trail's log group and role exist, the group by an ARN that ends in :*",
)
def trail_logs(call):
    arn, role = call.get("CloudWatchLogsLogGroupArn"), call.get("CloudWatchLogsRoleArn")
    if not arn:
        return
    name = arn.partition(":log-group:")[2].removesuffix(":*")
    if not arn.endswith(":*") or name not in call.backend("logs").groups:
        raise AwsError(
            "InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN."
        )
    if not trusts(roles_by_arn(call).get(role), "cloudtrail.amazonaws.com"):
        raise AwsError(
            "InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships for your role."
        )


# WAF and GuardDuty


@rule(
    "order",
    "wafv2",
    "AssociateWebACL",
    says="a web ACL is associated with what exists, a load balancer once it is active",
)
def guarded_resource(call):
    arn = call.params["ResourceArn"]
    if ":loadbalancer/" in arn:
        balancer = call.backend("elbv2").load_balancers.get(arn)
        state = balancer.state if balancer else None
    else:
        parts = arn.rpartition("::")[2].strip("/").split("/")
        stages = call.shelf("apigateway.apis").get(parts[1], {}).get("stages", {}) if len(parts) == 4 else {}
        state = "active" if parts[-1] in stages else None
    if state is None:
        raise AwsError(
            "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist."
        )
    if state != "active":
        message = "AWS WAF couldn't retrieve the resource that you requested. Retry your request."
        raise AwsError("WAFUnavailableEntityException", message)


@rule("order", "wafv2", "DeleteWebACL", says="a web ACL that guards something cannot be deleted")
def web_acl_in_use(call):
    if any(arn.endswith(f"/{call.params['Id']}") for arn in guards(call).values()):
        message = "AWS WAF couldn't perform the operation because your resource is being used by another resource."
        raise AwsError("WAFAssociatedItemException", message)


@rule("strict", "wafv2", "CreateWebACL", "UpdateWebACL", says="rules of a web ACL have priorities of their own")
def rule_priorities(call):
    priorities = [entry["Priority"] for entry in call.get("Rules", [])]
    if len(set(priorities)) < len(priorities):
        raise AwsError("WAFInvalidParameterException", "Error reason: You have used the same priority for two rules")
