"""S3, CloudTrail, CloudWatch, SNS, WAF, GuardDuty and Service Quotas."""

import json

import pytest
from conftest import proves, refused

ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
TRAIL = {"Service": "cloudtrail.amazonaws.com"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(bucket, action, path="", principal=TRAIL):
    resource = f"arn:aws:s3:::{bucket}{path}"
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}


@pytest.fixture
def bucket(local, name):
    local("s3").create_bucket(Bucket=f"audit-{name}")
    return f"audit-{name}"


@pytest.fixture
def trail_bucket(local, bucket):
    write = statement(bucket, "s3:PutObject", "/AWSLogs/123456789012/*")
    local("s3").put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, "s3:GetBucketAcl"), write))
    return bucket


def test_new_buckets_are_closed_and_encrypted(local, bucket):
    s3 = local("s3")
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True} and len(block) == 4
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@proves("s3.bucket_policy", "s3.public_policy", "s3.principals_of_bucket_policy")
def test_bucket_policies_that_cannot_be(local, bucket):
    s3 = local("s3")
    stranger = {"AWS": "arn:aws:iam::123456789012:role/not-yet"}
    for text, code in (
        ("garbage", "MalformedPolicy"),
        (policy(statement("other-bucket", "s3:GetObject", "/*")), "MalformedPolicy"),
        (policy(statement(bucket, "s3:GetObject", "/*", "*")), "AccessDenied"),
        (policy(statement(bucket, "s3:GetObject", "/*", stranger)), "MalformedPolicy"),
    ):
        with refused(code):
            s3.put_bucket_policy(Bucket=bucket, Policy=text)


@proves("cloudtrail.trail_bucket", "cloudtrail.trail_key", "cloudtrail.trail_logs", "cloudtrail.trail_name")
def test_trails_check_what_they_write_to(local, bucket, name, key, role):
    trail, s3 = local("cloudtrail"), local("s3")
    wish = {"Name": f"trail-{name}", "S3BucketName": bucket}
    with refused("S3BucketDoesNotExistException"):
        trail.create_trail(**wish | {"S3BucketName": "nowhere-at-all"})
    with refused("InsufficientS3BucketPolicyException"):
        trail.create_trail(**wish)
    write = statement(bucket, "s3:PutObject", "/AWSLogs/123456789012/*")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, "s3:GetBucketAcl"), write))
    with refused("InsufficientEncryptionPolicyException"):
        trail.create_trail(**wish, KmsKeyId=key)
    grant = {"Effect": "Allow", "Principal": TRAIL, "Action": "kms:GenerateDataKey*", "Resource": "*"}
    local("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy(ROOT, grant))
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{name}:*"
    logs = {"CloudWatchLogsLogGroupArn": arn, "CloudWatchLogsRoleArn": role("cloudtrail.amazonaws.com")}
    with refused("InvalidCloudWatchLogsLogGroupArnException"):
        trail.create_trail(**wish, **logs)
    local("logs").create_log_group(logGroupName=name)
    with refused("InvalidCloudWatchLogsRoleArnException"):
        trail.create_trail(**wish, **logs | {"CloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/none"})
    trail.create_trail(**wish, **logs, KmsKeyId=key, TagsList=[{"Key": "k", "Value": "v"}])
    with refused("TrailAlreadyExistsException"):
        trail.create_trail(**wish)
    assert trail.get_trail_status(Name=wish["Name"])["IsLogging"] is False
    trail.delete_trail(Name=wish["Name"])


def test_log_files_arrive_after_the_trail_has_stopped(local, trail_bucket, name, held):
    trail, s3 = local("cloudtrail"), local("s3")
    trail.create_trail(Name=f"trail-{name}", S3BucketName=trail_bucket)
    trail.start_logging(Name=f"trail-{name}")
    trail.stop_logging(Name=f"trail-{name}")
    trail.delete_trail(Name=f"trail-{name}")
    assert "Contents" not in s3.list_objects_v2(Bucket=trail_bucket)
    held()
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=trail_bucket)


@proves("cloudtrail.trails")
def test_five_trails_are_the_most(local, at_most, trail_bucket, name):
    trail = local("cloudtrail")
    at_most({"trails": 1})
    trail.create_trail(Name=f"trail-{name}", S3BucketName=trail_bucket)
    with refused("MaximumNumberOfTrailsExceededException"):
        trail.create_trail(Name=f"trail-{name}-2", S3BucketName=trail_bucket)
    trail.delete_trail(Name=f"trail-{name}")


def test_alarms(local, name):
    cloudwatch = local("cloudwatch")
    wish = {
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 80,
    }
    wish |= {
        "ComparisonOperator": "GreaterThanThreshold",
        "ExtendedStatistic": "p95",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **wish)
    found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert (found["StateValue"], found["ExtendedStatistic"]) == ("INSUFFICIENT_DATA", "p95")
    cloudwatch.put_composite_alarm(AlarmName=f"{name}-all", AlarmRule=f"ALARM({name})", AlarmActions=[])
    both = cloudwatch.describe_alarms(AlarmNamePrefix=name, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert len(both["MetricAlarms"]) == 1 and both["CompositeAlarms"][0]["AlarmRule"] == f"ALARM({name})"
    cloudwatch.delete_alarms(AlarmNames=[name, f"{name}-all"])
    assert cloudwatch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"] == []


def test_topics(local, name):
    sns = local("sns")
    tags = [{"Key": "k", "Value": "v"}]
    arn = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": "alias/aws/sns"}, Tags=tags)["TopicArn"]
    assert sns.create_topic(Name=name)["TopicArn"] == arn
    with refused("InvalidParameter"):
        sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": "alias/other"})
    with refused("InvalidParameter"):
        sns.create_topic(Name=name, Tags=[{"Key": "k", "Value": "other"}])
    assert (
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")["SubscriptionArn"]
        == "pending confirmation"
    )
    found = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert found[0]["SubscriptionArn"] == "PendingConfirmation"


VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


@proves("wafv2.guarded_resource", "wafv2.web_acl_in_use", "wafv2.rule_priorities")
def test_web_acls(local, network, name, held):
    waf, elb = local("wafv2"), local("elbv2")
    wish = {"Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBILITY}
    rate = {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}}
    rule = {"Name": "rate", "Priority": 0, "Action": {"Block": {}}, "Statement": rate, "VisibilityConfig": VISIBILITY}
    with refused("WAFInvalidParameterException"):
        waf.create_web_acl(**wish, Rules=[rule, rule | {"Name": "rate-2"}])
    made = waf.create_web_acl(**wish, Rules=[rule])["Summary"]
    with refused("WAFDuplicateItemException"):
        waf.create_web_acl(**wish)
    balancer = elb.create_load_balancer(Name=name, Subnets=network.subnets, Scheme="internal")["LoadBalancers"][0]
    pair = {"WebACLArn": made["ARN"], "ResourceArn": balancer["LoadBalancerArn"]}
    with refused("WAFUnavailableEntityException"):
        waf.associate_web_acl(**pair)
    with refused("WAFNonexistentItemException"):
        waf.associate_web_acl(**pair | {"ResourceArn": "arn:aws:apigateway:us-east-1::/restapis/none/stages/dev"})
    held()
    waf.associate_web_acl(**pair)
    assert waf.get_web_acl_for_resource(ResourceArn=pair["ResourceArn"])["WebACL"]["Id"] == made["Id"]
    assert waf.list_resources_for_web_acl(WebACLArn=made["ARN"])["ResourceArns"] == [pair["ResourceArn"]]
    gone = {"Name": name, "Scope": "REGIONAL", "Id": made["Id"], "LockToken": made["LockToken"]}
    with refused("WAFAssociatedItemException"):
        waf.delete_web_acl(**gone)
    waf.disassociate_web_acl(ResourceArn=pair["ResourceArn"])
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=pair["ResourceArn"])
    waf.delete_web_acl(**gone)


def test_detectors(local):
    guard = local("guardduty", "eu-west-1")
    made = guard.create_detector(
        Enable=True, Features=[{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}], Tags={"k": "v"}
    )
    found = {f["Name"]: f["Status"] for f in guard.get_detector(DetectorId=made["DetectorId"])["Features"]}
    assert (found["S3_DATA_EVENTS"], found["EKS_AUDIT_LOGS"], found["RUNTIME_MONITORING"]) == (
        "DISABLED",
        "ENABLED",
        "DISABLED",
    )
    arn = f"arn:aws:guardduty:eu-west-1:123456789012:detector/{made['DetectorId']}"
    guard.tag_resource(ResourceArn=arn, Tags={"l": "w"})
    assert guard.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"k": "v", "l": "w"}
