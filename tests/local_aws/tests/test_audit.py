"""S3, CloudTrail, CloudWatch, SNS, WAF, GuardDuty and Service Quotas."""

import json

import pytest
from conftest import proves, refused
from local_aws.world import world

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


def test_a_bucket_is_born_with_tags_and_an_owner(local, name):
    s3, tags = local("s3"), [{"Key": "k", "Value": "v"}]
    wish = {"Bucket": f"born-{name}", "ObjectOwnership": "BucketOwnerPreferred"}
    s3.create_bucket(**wish, CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket=wish["Bucket"])["TagSet"] == tags
    ownership = s3.get_bucket_ownership_controls(Bucket=wish["Bucket"])["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerPreferred"}]


def test_versioning_is_told_in_the_words_of_aws(local, bucket):
    s3, seen = local("s3"), []
    s3.meta.events.register_first("before-parse.s3.GetBucketVersioning", lambda **k: seen.append(k["response_dict"]))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert b"<VersioningConfiguration" in seen[0]["body"]


@proves("s3.another_accounts_bucket")
def test_buckets_of_others_do_not_answer(local, bucket):
    stranger = local("s3", account="999999999999")
    with refused("AccessDenied"):
        stranger.get_bucket_versioning(Bucket=bucket)
    with refused("BucketAlreadyExists"):
        stranger.create_bucket(Bucket=bucket)
    with refused("AccessDenied"):
        local("s3").get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner="999999999999")
    local("s3").get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner="123456789012")
    with refused("NoSuchBucket"):
        local("s3").get_bucket_versioning(Bucket="nobodys-at-all", ExpectedBucketOwner="123456789012")


@proves("s3.archived_before_expiry", "s3.objects_to_delete")
def test_what_a_bucket_is_asked_for_makes_sense(local, bucket):
    s3 = local("s3")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    rule["Transitions"] = [{"Days": 30, "StorageClass": "GLACIER"}]
    with refused("InvalidArgument"):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    objects = [{"Key": f"k{n}"} for n in range(1001)]
    with refused("MalformedXML"):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": objects[1:]})


def test_a_policy_denies_what_it_denies_without_conditions(local, bucket):
    s3 = local("s3")
    every = statement(bucket, "s3:PutObject", "/*", "*") | {"Effect": "Deny"}
    plain = every | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(plain))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(every))
    with refused("AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_bucket_policy(Bucket=bucket)


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


@proves("cloudtrail.trail_name_marks", "cloudtrail.global_events")
def test_trails_that_cannot_be(local, trail_bucket, name):
    trail = local("cloudtrail")
    for wrong in ("a--b", "a._b", "192.168.5.4"):
        with refused("InvalidTrailNameException"):
            trail.create_trail(Name=wrong, S3BucketName=trail_bucket)
    with refused("InvalidParameterCombinationException"):
        trail.create_trail(
            Name=name * 2, S3BucketName=trail_bucket, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False
        )
    with refused("TrailNotFoundException"):
        trail.delete_trail(Name="nobodys")


@proves("cloudtrail.status_of_a_shadow", "cloudtrail.tags_of_a_shadow", "cloudtrail.home_of_a_shadow")
def test_a_trail_of_all_regions_has_a_shadow_in_every_other(local, trail_bucket, name):
    home, away = local("cloudtrail"), local("cloudtrail", "eu-west-1")
    arn = home.create_trail(Name=f"trail-{name}", S3BucketName=trail_bucket, IsMultiRegionTrail=True)["TrailARN"]
    home.create_trail(Name=f"local-{name}", S3BucketName=trail_bucket)
    assert [t["HomeRegion"] for t in away.describe_trails()["trailList"]] == ["us-east-1"]
    assert away.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert away.get_trail(Name=f"trail-{name}")["Trail"]["HomeRegion"] == "us-east-1"
    assert away.get_trail_status(Name=arn)["IsLogging"] is False
    with refused("TrailNotFoundException"):
        away.get_trail(Name=f"local-{name}")
    with refused("TrailNotFoundException"):
        away.get_trail_status(Name=f"trail-{name}")
    with refused("CloudTrailARNInvalidException"):
        away.list_tags(ResourceIdList=[arn])
    with refused("TrailAlreadyExistsException"):
        away.create_trail(Name=f"trail-{name}", S3BucketName=trail_bucket)
    for change in (away.delete_trail, away.start_logging, away.update_trail):
        with refused("InvalidHomeRegionException"):
            change(Name=f"trail-{name}")
    for made in (f"trail-{name}", f"local-{name}"):
        home.delete_trail(Name=made)


def test_a_trail_is_asked_for_in_the_words_of_every_sdk(local, trail_bucket, name):
    trail = local("cloudtrail")
    trail.create_trail(Name=f"trail-{name}", S3BucketName=trail_bucket)

    def shorten(request, **_):
        request.headers.replace_header("X-Amz-Target", "CloudTrail_20131101.GetTrail")

    trail.meta.events.register_last("before-sign.cloudtrail.GetTrail", shorten)
    try:
        assert trail.get_trail(Name=f"trail-{name}")["Trail"]["S3BucketName"] == trail_bucket
    finally:
        trail.meta.events.unregister("before-sign.cloudtrail.GetTrail", shorten)
    trail.delete_trail(Name=f"trail-{name}")


def test_a_trail_reads_back_as_it_is(local, trail_bucket, name, key):
    trail = local("cloudtrail")
    grant = {"Effect": "Allow", "Principal": TRAIL, "Action": "kms:GenerateDataKey*", "Resource": "*"}
    local("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy(ROOT, grant))
    names = [f"trail-{name}-{n}" for n in (1, 2)]
    for each in names:
        trail.create_trail(Name=each, S3BucketName=trail_bucket, KmsKeyId=key.rpartition("/")[2])
    found = trail.describe_trails(trailNameList=names[1:], includeShadowTrails=False)["trailList"]
    assert [(t["Name"], t["KmsKeyId"]) for t in found] == [(names[1], key)]
    selectors = trail.get_event_selectors(TrailName=names[0])["EventSelectors"]
    assert [(s["ReadWriteType"], s["IncludeManagementEvents"]) for s in selectors] == [("All", True)]
    for each in names:
        trail.delete_trail(Name=each)


def test_a_trail_that_may_not_write_says_so(local, trail_bucket, name):
    trail, wanted = local("cloudtrail"), {"Name": f"trail-{name}"}
    trail.create_trail(**wanted, S3BucketName=trail_bucket)
    trail.start_logging(**wanted)
    assert "LatestDeliveryError" not in trail.get_trail_status(**wanted)
    local("s3").delete_bucket_policy(Bucket=trail_bucket)
    assert trail.get_trail_status(**wanted)["LatestDeliveryError"] == "AccessDenied"
    trail.delete_trail(**wanted)


def test_a_trail_tells_how_the_last_delivery_ended_until_the_next(local, trail_bucket, name):
    """API reference, GetTrailStatus: LatestDeliveryError is of the last attempt."""
    trail, s3, wanted = local("cloudtrail"), local("s3"), {"Name": f"trail-{name}"}
    trail.create_trail(**wanted, S3BucketName=trail_bucket)
    trail.start_logging(**wanted)
    text = s3.get_bucket_policy(Bucket=trail_bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=trail_bucket)
    assert trail.get_trail_status(**wanted)["LatestDeliveryError"] == "AccessDenied"
    world.settings.speed = "real"
    s3.put_bucket_policy(Bucket=trail_bucket, Policy=text)
    trail.update_trail(**wanted, S3BucketName=trail_bucket)
    assert trail.get_trail_status(**wanted)["LatestDeliveryError"] == "AccessDenied"
    world.settings.speed = "instant"
    assert "LatestDeliveryError" not in trail.get_trail_status(**wanted)
    trail.delete_trail(**wanted)


@proves("s3.versioning_of_a_locked_bucket")
def test_the_versioning_of_a_locked_bucket_stays(local, name):
    s3, bucket = local("s3"), f"locked-{name}"
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    with refused("InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


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
    trail.update_trail(Name=f"trail-{name}", IsMultiRegionTrail=True)
    with refused("MaximumNumberOfTrailsExceededException") as refusal:
        local("cloudtrail", "us-west-2").create_trail(Name=f"trail-{name}-2", S3BucketName=trail_bucket)
    assert refusal.message == "User: 123456789012 already has 1 trails in us-west-2."
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


ALARM = {
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


@proves("cloudwatch.alarm_periods", "cloudwatch.alarm_statistic")
def test_alarms_that_cannot_be(local, name):
    for wrong in (
        {"Period": 45},
        {"EvaluationPeriods": 1441},
        {"DatapointsToAlarm": 3},
        {"ExtendedStatistic": "p95"},
    ):
        with refused("ValidationError"):
            local("cloudwatch").put_metric_alarm(AlarmName=name, **ALARM | wrong)


def test_only_the_first_write_sets_tags(local, name):
    cloudwatch = local("cloudwatch")
    arns = [f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"]
    arns += [f"arn:aws:cloudwatch::123456789012:dashboard/{name}"]
    for value in ("first", "second"):
        tags = [{"Key": "k", "Value": value}]
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM, Tags=tags)
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}', Tags=tags)
    for arn in arns:
        assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "first"}]
        cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "l", "Value": "w"}])
        cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["k"])
        assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
    cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.delete_dashboards(DashboardNames=[name])
    for arn in arns:
        with refused("ResourceNotFoundException"):
            cloudwatch.list_tags_for_resource(ResourceARN=arn)


def test_dashboards_are_of_no_region(local, name):
    home, away = local("cloudwatch"), local("cloudwatch", "eu-west-1")
    tags = [{"Key": "k", "Value": "v"}]
    home.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}', Tags=tags)
    arn = away.get_dashboard(DashboardName=name)["DashboardArn"]
    assert away.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    assert name in [entry["DashboardName"] for entry in away.list_dashboards()["DashboardEntries"]]
    away.delete_dashboards(DashboardNames=[name])
    with refused("ResourceNotFound"):
        home.get_dashboard(DashboardName=name)


def test_a_dashboard_is_taken_with_a_warning(local, name):
    body = {"widgets": [{"type": "text"}, {"type": "metric", "properties": {"metrics": [], "colour": "red"}}]}
    answer = local("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))
    assert [m["DataPath"] for m in answer["DashboardValidationMessages"]] == ["/widgets/1/properties"]


def test_metric_filters_live_in_their_group(local, name):
    logs, wish = local("logs"), {"logGroupName": name, "filterName": "f"}
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    with refused("ResourceNotFoundException"):
        logs.put_metric_filter(**wish, filterPattern="one", metricTransformations=[metric])
    logs.create_log_group(logGroupName=name)
    for pattern in ("one", "two"):
        logs.put_metric_filter(**wish, filterPattern=pattern, metricTransformations=[metric])
    found = logs.describe_metric_filters(logGroupName=name)["metricFilters"]
    assert [f["filterPattern"] for f in found] == ["two"]
    logs.delete_log_group(logGroupName=name)
    with refused("ResourceNotFoundException"):
        logs.describe_metric_filters(logGroupName=name)
    logs.create_log_group(logGroupName=name)
    assert logs.describe_metric_filters(logGroupName=name)["metricFilters"] == []
    with refused("ResourceNotFoundException"):
        logs.delete_metric_filter(**wish)


@proves("sns.topic_policy")
def test_policies_of_topics(local, name):
    sns = local("sns")
    arn = sns.create_topic(Name=name)["TopicArn"]
    entry = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    wish = {"TopicArn": arn, "AttributeName": "Policy"}
    for wrong in ("garbage", policy(entry), policy(entry | {"Resource": arn + "-other"})):
        with refused("InvalidParameter"):
            sns.set_topic_attributes(**wish, AttributeValue=wrong)
    sns.set_topic_attributes(**wish, AttributeValue=policy(entry | {"Resource": arn}))


def test_what_is_pending_cannot_be_unsubscribed(local, name):
    sns = local("sns")
    arn = sns.create_topic(Name=name)["TopicArn"]
    wish = {"TopicArn": arn, "Protocol": "email", "Endpoint": "a@example.com", "ReturnSubscriptionArn": True}
    pending = sns.subscribe(**wish)["SubscriptionArn"]
    for wrong in ("PendingConfirmation", pending):
        with refused("InvalidParameter"):
            sns.unsubscribe(SubscriptionArn=wrong)
    sns.delete_topic(TopicArn=arn)
    assert arn not in [s["TopicArn"] for s in sns.list_subscriptions()["Subscriptions"]]


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
    pool = local("cognito-idp").create_user_pool(PoolName=name)["UserPool"]["Arn"]
    with refused("WAFNonexistentItemException"):
        waf.associate_web_acl(**pair | {"ResourceArn": f"{pool}0"})
    waf.associate_web_acl(**pair | {"ResourceArn": pool})
    protected = {"APPLICATION_LOAD_BALANCER": [pair["ResourceArn"]], "COGNITO_USER_POOL": [pool], "APPSYNC": []}
    for kind, arns in protected.items():
        assert waf.list_resources_for_web_acl(WebACLArn=made["ARN"], ResourceType=kind)["ResourceArns"] == arns
    assert waf.list_resources_for_web_acl(WebACLArn=made["ARN"])["ResourceArns"] == [pair["ResourceArn"]]
    waf.disassociate_web_acl(ResourceArn=pool)
    gone = {"Name": name, "Scope": "REGIONAL", "Id": made["Id"], "LockToken": made["LockToken"]}
    with refused("WAFAssociatedItemException"):
        waf.delete_web_acl(**gone)
    waf.disassociate_web_acl(ResourceArn=pair["ResourceArn"])
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=pair["ResourceArn"])
    waf.delete_web_acl(**gone)


def test_an_update_replaces_a_web_acl_whole(local, name):
    waf = local("wafv2")
    wish = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBILITY}
    geo = {"GeoMatchStatement": {"CountryCodes": ["AQ"]}}
    rule = {"Name": "geo", "Priority": 0, "Action": {"Block": {}}, "Statement": geo, "VisibilityConfig": VISIBILITY}
    made = waf.create_web_acl(Name=name, Description="what for", Rules=[rule], TokenDomains=["a.example"], **wish)
    which = {"Name": name, "Id": made["Summary"]["Id"]}
    token = made["Summary"]["LockToken"]
    fresh = waf.update_web_acl(**which, LockToken=token, **wish)["NextLockToken"]
    with refused("WAFOptimisticLockException"):
        waf.update_web_acl(**which, LockToken=token, **wish)
    found = waf.get_web_acl(**which, Scope="REGIONAL")
    assert (found["LockToken"], found["WebACL"]["Rules"], found["WebACL"].get("Description", "")) == (fresh, [], "")
    assert not found["WebACL"].get("TokenDomains")
    waf.delete_web_acl(**which, Scope="REGIONAL", LockToken=fresh)


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
    wish = [{"Name": "RDS_LOGIN_EVENTS", "Status": "DISABLED"}]
    guard.update_detector(DetectorId=made["DetectorId"], Features=wish)
    found = {f["Name"]: f["Status"] for f in guard.get_detector(DetectorId=made["DetectorId"])["Features"]}
    assert (found["S3_DATA_EVENTS"], found["RDS_LOGIN_EVENTS"], found["EKS_AUDIT_LOGS"]) == (
        "DISABLED",
        "DISABLED",
        "ENABLED",
    )
    guard.delete_detector(DetectorId=made["DetectorId"])
    with refused("BadRequestException"):
        guard.get_detector(DetectorId=made["DetectorId"])
