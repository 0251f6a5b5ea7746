"""Alarms: what they look at, what is measured of things as they are, and when they go off."""

import json

import pytest
from conftest import proves
from test_ecs import described
from test_gaps import serve

ABOVE = {"ComparisonOperator": "GreaterThanThreshold", "Period": 60, "Statistic": "Maximum"}
BELOW = ABOVE | {"ComparisonOperator": "LessThanThreshold", "Statistic": "Minimum"}


@pytest.fixture
def alarm(local, name):
    """Makes an alarm, and answers what tells its state."""

    def make(namespace, metric, dimensions, threshold, periods=1, points=None, missing="notBreaching", **more):
        wish = {"AlarmName": name, "Namespace": namespace, "MetricName": metric, "Threshold": threshold}
        wish["Dimensions"] = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        wish |= {"EvaluationPeriods": periods, "DatapointsToAlarm": points or periods, "TreatMissingData": missing}
        local("cloudwatch").put_metric_alarm(**wish | more)
        return lambda: local("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

    yield make
    local("cloudwatch").delete_alarms(AlarmNames=[name])


def wait(local, minutes=0, days=0):
    local.admin("POST", "/_local/minutes", {"minutes": minutes, "days": days})


def say(local, kind, name, **load):
    found = local.admin("POST", "/_local/loads", {"kind": kind, "name": name} | load)
    assert "error" not in found, found


@proves("cloudwatch.metric_of_aws", "cloudwatch.metric_of_a_filter")
def test_an_alarm_on_what_is_never_measured_is_noted_and_not_refused(local, name, alarm, noted):
    cluster = {"ClusterName": name, "ServiceName": name}
    alarm("ECS/ContainerInsights", "RunningTaskCount", cluster, 1, **BELOW)
    assert noted() == []
    alarm("AWS/ECS", "RunningTaskCount", cluster, 1, **BELOW)
    alarm("AWS/ECS", "CPUUtilization", {"Cluster": name}, 1, **BELOW)
    alarm("AWS/ECS", "CPUUtilization", cluster, 1, **BELOW, Unit="Count")
    assert noted() == ["cloudwatch.metric_of_aws"] * 3
    alarm("Ours", name, {}, 1, **ABOVE)
    assert noted()[3:] == ["cloudwatch.metric_of_a_filter"]


def test_an_alarm_knows_nothing_before_a_minute_has_passed(local, name, alarm):
    state = alarm("AWS/ElastiCache", "Evictions", {"CacheClusterId": name}, 0, **ABOVE)
    assert state() == "INSUFFICIENT_DATA"
    wait(local, 1)
    assert state() == "OK"


def test_tasks_that_stop_are_missed(local, network, name, alarm):
    service = serve(local, network, name)
    local("ecs").update_cluster_settings(cluster=name, settings=[{"name": "containerInsights", "value": "enabled"}])
    dimensions = {"ClusterName": name, "ServiceName": name}
    state = alarm("ECS/ContainerInsights", "RunningTaskCount", dimensions, 1, 5, missing="breaching", **BELOW)
    wait(local, 5)
    assert state() == "OK"
    ecs = local("ecs")
    for task in ecs.list_tasks(cluster=name, serviceName=name)["taskArns"]:
        ecs.stop_task(cluster=name, task=task)
    wait(local, 4)
    assert state() == "OK"
    wait(local, 1)
    assert state() == "ALARM"
    assert described(local, service)["status"] == "ACTIVE"


def test_a_metric_of_tasks_that_do_not_run_is_missing(local, network, name, alarm):
    serve(local, network, name)
    state = alarm("AWS/ECS", "CPUUtilization", {"ClusterName": name, "ServiceName": name}, 80, **ABOVE)
    say(local, "ecs.service", name, cpu=95.0)
    wait(local, 1)
    assert state() == "ALARM"
    for task in local("ecs").list_tasks(cluster=name, serviceName=name)["taskArns"]:
        local("ecs").stop_task(cluster=name, task=task)
    wait(local, 1)
    assert state() == "OK"


def test_a_stream_that_nobody_reads_and_one_whose_records_wait(local, name, alarm):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = {"StreamName": name}
    unread = alarm("AWS/Kinesis", "GetRecords.Success", stream, 1, 3, missing="breaching", **BELOW | {"Statistic": "SampleCount"})
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    for _ in range(3):
        kinesis.get_records(ShardIterator=iterator)
        wait(local, 1)
    assert unread() == "OK"
    kinesis.put_record(StreamName=name, Data=b"1", PartitionKey="k")
    wait(local, 3)
    assert unread() == "ALARM"
    old = alarm("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", stream, 120_000, **ABOVE)
    kinesis.get_records(ShardIterator=iterator)
    wait(local, 1)
    assert old() == "ALARM"


def test_a_stream_that_is_full_turns_records_away(local, name, alarm):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    full = {"code": "ProvisionedThroughputExceededException", "status": 400, "message": "full"}
    local.admin("POST", "/_local/faults", {"match": {"operation": "PutRecord"}, "nth": 2, "action": "error"} | full)
    state = alarm("AWS/Kinesis", "WriteProvisionedThroughputExceeded", {"StreamName": name}, 0, **ABOVE)
    kinesis.put_record(StreamName=name, Data=b"1", PartitionKey="k")
    wait(local, 1)
    assert state() == "OK"
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
        kinesis.put_record(StreamName=name, Data=b"1", PartitionKey="k")
    wait(local, 1)
    assert state() == "ALARM"


KEYS = '{ ($.eventSource = "kms.amazonaws.com") && (($.eventName = "ScheduleKeyDeletion") || ($.eventName = "DisableKey")) }'


@pytest.mark.parametrize("periods,seen", [(1, False), (15, True)])
def test_cloudtrail_tells_five_minutes_late_under_the_time_of_the_call(local, name, key, alarm, trail, periods, seen):
    local("logs").put_metric_filter(
        logGroupName=trail,
        filterName=name,
        filterPattern=KEYS,
        metricTransformations=[{"metricNamespace": "Ours", "metricName": name, "metricValue": "1"}],
    )
    state = alarm("Ours", name, {}, 0, periods, 1, **ABOVE | {"Statistic": "Sum"})
    key = key.rpartition("/")[2]
    local("kms").enable_key_rotation(KeyId=key)
    wait(local, 20)
    assert state() == "OK"
    local("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    states = set()
    for _ in range(15):
        wait(local, 1)
        states.add(state())
    assert ("ALARM" in states) is seen


@pytest.fixture
def trail(local, name, role):
    """A trail that writes to a log group; answers the group's name."""
    from local_aws.registry import backend_of

    local("s3").create_bucket(Bucket=f"{name}-trail")
    entries = [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": action, "Resource": resource}
        for action, resource in (
            ("s3:GetBucketAcl", f"arn:aws:s3:::{name}-trail"),
            ("s3:PutObject", f"arn:aws:s3:::{name}-trail/*"),
        )
    ]
    local("s3").put_bucket_policy(Bucket=f"{name}-trail", Policy=json.dumps({"Version": "2012-10-17", "Statement": entries}))
    local("cloudtrail").create_trail(Name=f"{name}-trail", S3BucketName=f"{name}-trail")
    local("logs").create_log_group(logGroupName=name)
    known = backend_of("cloudtrail", "123456789012", "us-east-1").trails[f"{name}-trail"]
    known.cw_log_group_arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{name}:*"
    local("cloudtrail").start_logging(Name=f"{name}-trail")
    yield name
    local("cloudtrail").delete_trail(Name=f"{name}-trail")


def test_a_certificate_is_measured_once_a_day_and_no_longer_once_it_has_ended(local, alarm):
    arn = local("acm").import_certificate(**certificate(days=33))["CertificateArn"]
    daily = BELOW | {"Period": 86_400}
    state = alarm("AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": arn}, 30, missing="ignore", **daily)
    wait(local, days=2)
    assert state() == "OK"
    wait(local, days=2)
    assert state() == "ALARM"
    wait(local, days=40)
    assert state() == "ALARM"


def certificate(days):
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    own = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.org")])
    start = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(own.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(start)
    made = made.not_valid_after(start + datetime.timedelta(days=days)).sign(own, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return {"Certificate": made.public_bytes(pem), "PrivateKey": own.private_bytes(pem, *plain)}


def test_a_busy_engine_leaves_the_other_core_of_a_node_idle():
    from local_aws.measures import cores_of

    assert [cores_of(f"cache.{size}") for size in ("t3.micro", "m7g.large", "r7g.xlarge")] == [2, 2, 4]


@pytest.mark.parametrize(
    "pattern,taken",
    [
        ('{ $.a = "x" }', True),
        ('{ $.a = "y" }', False),
        ('{ $.a != "y" }', True),
        ('{ $.b.c = "d*" }', True),
        ("{ $.missing NOT EXISTS }", True),
        ('{ ($.a = "y") || (($.a = "x") && ($.b.c = "deep")) }', True),
        ('{ ($.a = "x") && ($.b.c = "other") }', False),
    ],
)
def test_filter_patterns(pattern, taken):
    from local_aws.log_patterns import matches

    assert matches(pattern, {"a": "x", "b": {"c": "deep"}}) is taken


def test_a_cluster_is_as_busy_as_its_instances_are_together(local, network, name, alarm):
    rds = local("rds")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion="16.8",
        MasterUsername="admins",
        ManageMasterUserPassword=True,
        DBSubnetGroupName=name,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4},
    )
    of_cluster = {"DBClusterIdentifier": name, "Engine": "aurora-postgresql"}
    members = [f"{name}-{number}" for number in (1, 2, 3)]
    for member in members:
        rds.create_db_instance(DBInstanceIdentifier=member, DBInstanceClass="db.serverless", **of_cluster)
    say(local, "rds.instance", members[0], capacity=95)
    found = {}
    for dimensions in [{"DBClusterIdentifier": name}, *({"DBInstanceIdentifier": member} for member in members)]:
        for statistic in ("Average", "Maximum"):
            state = alarm("AWS/RDS", "ACUUtilization", dimensions, 85, **ABOVE | {"Statistic": statistic})
            wait(local, 1)
            found[(*dimensions.values(), statistic)] = state()
    busy = {key for key, state in found.items() if state == "ALARM"}
    assert busy == {(name, "Maximum"), (members[0], "Average"), (members[0], "Maximum")}
    assert set(found.values()) == {"ALARM", "OK"}
