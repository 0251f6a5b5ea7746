"""S3, CloudTrail, SNS, CloudWatch, WAF and GuardDuty."""

import re

from ..policies import as_list, document, principals, roles_by_arn, statements
from ..registry import AwsError, rule
from ..services.cloudtrail import admits_trail, shadows, trail_of
from ..services.cognito import pools
from ..services.wafv2 import guards
from ..trusts import trusts
from ..wire import service_model
from ..world import world
from .keys import admits_service, found_key

# S3


@rule("strict", "s3", "PutBucketPolicy", says="a bucket policy is well formed and about its bucket")
def bucket_policy(call):
    policy = document(call.params["Policy"])
    entries = statements(policy) if policy else []
    if not entries:
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
    arn = f"arn:{call.partition}:s3:::{call.params['Bucket']}"
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


def names_a_bucket(operation):
    wish = service_model("s3").operation_model(operation).input_shape
    return operation != "CreateBucket" and wish is not None and "Bucket" in wish.members


ON_BUCKETS = [name for name in service_model("s3").operation_names if names_a_bucket(name)]


@rule("order", "s3", *ON_BUCKETS, says="a bucket of another account answers only whom its policy admits")
def another_accounts_bucket(call):
    from moto.s3.models import s3_backends

    owner = s3_backends.bucket_accounts.get(call.params["Bucket"], (None, call.account))[1]
    if owner not in (call.account, None) or call.get("ExpectedBucketOwner", owner) != owner:
        raise AwsError("AccessDenied", "Access Denied", 403)


@rule("strict", "s3", "PutBucketLifecycleConfiguration", says="objects are archived before they expire")
def archived_before_expiry(call):
    for entry in call.get("LifecycleConfiguration", {}).get("Rules", []):
        expiry = entry.get("Expiration", {}).get("Days")
        if expiry is not None and any(expiry <= t.get("Days", 0) for t in entry.get("Transitions", [])):
            message = "'Days' in the Expiration action must be greater than 'Days' in the Transition action"
            raise AwsError("InvalidArgument", message, 400)


@rule("strict", "s3", "DeleteObjects", says="one call deletes 1000 objects at most")
def objects_to_delete(call):
    if not 1 <= len(call.params["Delete"]["Objects"]) <= 1000:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message, 400)


@rule(
    "order",
    "s3",
    "PutBucketVersioning",
    says="the versioning of a bucket with an Object Lock stays as it is",
    source="localstack/localstack on GitHub, snapshot of test_disable_versioning_on_locked_bucket, taken on AWS",
)
def versioning_of_a_locked_bucket(call):
    bucket = call.backend("s3").buckets.get(call.params["Bucket"])
    if bucket is not None and bucket.object_lock_enabled:
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise AwsError("InvalidBucketState", message, 409)


# CloudTrail


def trails(call):
    return call.backend("cloudtrail").trails


@rule("strict", "cloudtrail", "CreateTrail", says="the name of a trail has no two marks side by side and is no address")
def trail_name_marks(call):
    name = call.params["Name"]
    if re.search(r"[._-]{2}", name) or re.fullmatch(r"\d+(\.\d+){3}", name):
        message = "Trail name cannot have two adjacent periods, dashes or underscores."
        raise AwsError("InvalidTrailNameException", message)


@rule("strict", "cloudtrail", "CreateTrail", "UpdateTrail", says="a trail of all regions records global services too")
def global_events(call):
    trail = trail_of(call)
    regions = call.get("IsMultiRegionTrail", trail.is_multi_region if trail else False)
    services = call.get("IncludeGlobalServiceEvents", trail.include_global_service_events if trail else True)
    if regions and not services:
        message = "Multi-Region trail must include global service events."
        raise AwsError("InvalidParameterCombinationException", message)


@rule(
    "strict",
    "cloudtrail",
    "CreateTrail",
    says="a trail's name is unique, also among the shadows of trails of other regions",
)
def trail_name(call):
    if call.params["Name"] in trails(call) or call.params["Name"] in shadows(call):
        raise AwsError("TrailAlreadyExistsException", f"Trail {call.params['Name']} already exists.")


@rule(
    "strict",
    "cloudtrail",
    "GetTrailStatus",
    says="a trail of another region tells its status only by its ARN",
    source="GetTrailStatus, Name",
)
def status_of_a_shadow(call):
    name = call.params["Name"]
    if not name.startswith("arn:") and name not in trails(call):
        raise AwsError("TrailNotFoundException", f"Unknown trail: {name} for the user: {call.account}")


@rule(
    "strict",
    "cloudtrail",
    "AddTags",
    "ListTags",
    "RemoveTags",
    says="a trail's tags are to be had in its home region only",
    source="https://github.com/aws/aws-sdk-java/issues/1309",
)
def tags_of_a_shadow(call):
    arns = call.get("ResourceIdList") or [call.get("ResourceId") or ""]
    for region in (arn.split(":")[3] for arn in arns if arn.count(":") > 4):
        if region != call.region:
            message = f"Region in ARN is wrong, you can only access resources in region {call.region}"
            raise AwsError("CloudTrailARNInvalidException", message)


@rule(
    "strict",
    "cloudtrail",
    "DeleteTrail",
    "PutEventSelectors",
    "StartLogging",
    "StopLogging",
    "UpdateTrail",
    says="a trail is changed in its home region only",
)
def home_of_a_shadow(call):
    name = (call.get("Name") or call.get("TrailName") or "").rpartition("/")[2]
    if trail_of(call) is None and name in shadows(call):
        home = shadows(call)[name].region_name
        message = f"The trail {name} can only be changed in its home region, {home}."
        raise AwsError("InvalidHomeRegionException", message)


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
    known = trail_of(call)
    prefix = call.get("S3KeyPrefix", known.s3_key_prefix if known else None)
    if not admits_trail(call, name, prefix):
        raise AwsError(
            "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}"
        )


@rule(
    "order", "cloudtrail", "CreateTrail", "UpdateTrail", says="a trail's key exists, and its policy admits CloudTrail"
)
def trail_key(call):
    reference = call.get("KmsKeyId")
    if not reference:
        return
    key = found_key(call, reference)
    if key is None:
        raise AwsError("KmsKeyNotFoundException", f"KMS key {reference} does not exist.")
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
    if not trusts(call, roles_by_arn(call).get(role), "cloudtrail.amazonaws.com"):
        raise AwsError(
            "InvalidCloudWatchLogsRoleArnException", "Access denied. Check the trust relationships for your role."
        )


# SNS and CloudWatch


@rule("strict", "sns", "SetTopicAttributes", says="a topic's policy is well formed and about that topic")
def topic_policy(call):
    if call.params["AttributeName"] != "Policy":
        return
    entries = statements(call.get("AttributeValue", ""))
    resources = [resource for entry in entries for resource in as_list(entry.get("Resource", []))]
    if not entries or not all({"Effect", "Principal", "Action", "Resource"} <= set(entry) for entry in entries):
        raise AwsError("InvalidParameter", "Invalid parameter: Policy Error: null")
    if any(resource != call.params["TopicArn"] for resource in resources):
        raise AwsError("InvalidParameter", "Invalid parameter: Policy statement resource must match topic")


@rule("strict", "cloudwatch", "PutMetricAlarm", says="the periods of an alarm are of lengths that CloudWatch keeps")
def alarm_periods(call):
    period, count = call.get("Period"), call.get("EvaluationPeriods", 1)
    if period is None:
        return
    if period not in (10, 20, 30) and period % 60:
        raise AwsError("ValidationError", "Period must be 10, 20, 30 or a multiple of 60")
    if period * count > (86_400 if period < 3600 else 604_800):
        raise AwsError("ValidationError", "Metrics cannot be checked across more than a day")
    if call.get("DatapointsToAlarm", 1) > count:
        raise AwsError("ValidationError", "DatapointsToAlarm must not exceed EvaluationPeriods")


@rule("strict", "cloudwatch", "PutMetricAlarm", says="an alarm on one metric has one statistic")
def alarm_statistic(call):
    if call.get("MetricName") and bool(call.get("Statistic")) == bool(call.get("ExtendedStatistic")):
        raise AwsError("ValidationError", "Exactly one of Statistic and ExtendedStatistic must be specified")


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
    elif ":userpool/" in arn:
        state = "active" if arn.rpartition("/")[2] in pools(call) else None
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


def administrator():
    return world.account("guardduty_administrator")


@rule(
    "order",
    "guardduty",
    "UpdateDetector",
    "DeleteDetector",
    "CreateDetector",
    says="a member of an organisation's GuardDuty does not change its own detector",
    source="GuardDuty API reference, StopMonitoringMembers; https://github.com/hashicorp/terraform-provider-aws/issues/26168",
)
def member_of_an_organisation(call):
    if administrator():
        message = "The request is rejected because member accounts are not allowed to change their own detector status."
        raise AwsError("BadRequestException", message)


@rule(
    "order",
    "guardduty",
    "CreateDetector",
    "UpdateDetector",
    says="a feature that the region does not have cannot be asked for",
    source="GuardDuty API reference, CreateDetector: regional differences",
)
def feature_not_here(call):
    asked = {feature["Name"] for feature in call.get("Features", [])}
    lacking = asked & set(world.account("guardduty_lacks"))
    if lacking and world.account("guardduty_refuses"):
        message = f"The request is rejected because the feature {min(lacking)} is not supported in this region."
        raise AwsError("BadRequestException", message)
