"""What moto forgets or lets pass in what watches over an account, each as AWS does it."""

from conftest import refused
from test_audit import bucket, policy, statement, trail_bucket  # noqa: F401
from test_ecs import service  # noqa: F401

VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def test_policy_for_everybody_is_refused_while_public_access_is_blocked(local, bucket):  # noqa: F811
    s3 = local("s3")
    for_all = policy(statement(bucket, "s3:GetObject", "/*", "*"))
    with refused("AccessDenied"):
        s3.put_bucket_policy(Bucket=bucket, Policy=for_all)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=for_all)


def test_trail_of_the_name_is_there_already(local, trail_bucket, name):  # noqa: F811
    trail = local("cloudtrail", account="111111111111")
    local("s3", account="111111111111").create_bucket(Bucket=f"other-{name}")
    write = statement(f"other-{name}", "s3:PutObject", "/AWSLogs/111111111111/*")
    document = policy(statement(f"other-{name}", "s3:GetBucketAcl"), write)
    local("s3", account="111111111111").put_bucket_policy(Bucket=f"other-{name}", Policy=document)
    trail.create_trail(Name=f"trail-{name}", S3BucketName=f"other-{name}")
    with refused("TrailAlreadyExistsException"):
        trail.create_trail(Name=f"trail-{name}", S3BucketName=f"other-{name}")


def test_alarm_comes_back_as_it_was_put(local, name):
    wish = {
        "AlarmDescription": "d",
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "ClusterName", "Value": "c"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"],
        "InsufficientDataActions": [],
    }
    local("cloudwatch").put_metric_alarm(AlarmName=name, **wish)
    found = local("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert {key: found[key] for key in wish} == wish and found["StateValue"] == "INSUFFICIENT_DATA"


def test_region_has_one_detector(local, at_most):
    at_most({})
    guard = local("guardduty", "eu-north-1")
    made = guard.create_detector(Enable=True)["DetectorId"]
    with refused("BadRequestException"):
        guard.create_detector(Enable=True)
    assert guard.list_detectors()["DetectorIds"] == [made]


def test_web_acl_of_the_name_is_there_already(local, name):
    wish = {"Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBILITY}
    local("wafv2").create_web_acl(**wish)
    with refused("WAFDuplicateItemException"):
        local("wafv2").create_web_acl(**wish)


def test_web_acl_guards_only_what_exists(local, name):
    wish = {"Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBILITY}
    acl = local("wafv2").create_web_acl(**wish)["Summary"]["ARN"]
    nowhere = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/none/0123456789abcdef"
    with refused("WAFNonexistentItemException"):
        local("wafv2").associate_web_acl(WebACLArn=acl, ResourceArn=nowhere)


def test_default_quotas_are_those_of_aws(local, at_most):
    at_most({"elastic-ips": 7})
    quotas, wish = local("service-quotas"), {"ServiceCode": "ec2", "QuotaCode": "L-0263D0A3"}
    assert quotas.get_service_quota(**wish)["Quota"]["Value"] == 7
    assert quotas.get_aws_default_service_quota(**wish)["Quota"]["Value"] == 5
    listed = quotas.list_aws_default_service_quotas(ServiceCode="ec2")["Quotas"]
    assert [q["Value"] for q in listed if q["QuotaCode"] == "L-0263D0A3"] == [5]


def test_scalable_target_is_deregistered_once(local, service):  # noqa: F811
    local("ecs").create_service(**service)
    scaling = local("application-autoscaling")
    where = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    where["ResourceId"] = f"service/{service['cluster']}/{service['serviceName']}"
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2, Tags={"k": "v"})
    with refused("ValidationException") as again:  # terraform-aws-modules/terraform-aws-rds-aurora#420 on GitHub
        scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2, Tags={"k": "v"})
    assert "already exists" in again.message
    scaling.deregister_scalable_target(**where)
    with refused("ObjectNotFoundException"):
        scaling.deregister_scalable_target(**where)


def test_tags_of_an_api_can_be_read_back(local, name):
    gateway = local("apigateway")
    made = gateway.create_rest_api(name=name, tags={"a": "1"})
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{made['id']}"
    gateway.tag_resource(resourceArn=arn, tags={"b": "2"})
    assert gateway.get_tags(resourceArn=arn)["tags"] == {"a": "1", "b": "2"}
    assert gateway.get_rest_api(restApiId=made["id"])["tags"] == {"a": "1", "b": "2"}
