"""S14: what wakes people, how they hear of it, and one page that shows everything."""

import json

import pytest
from requirements.live import as_list, document, one

# Metric: its namespace, the statistic, above what, and how many of these alarms there are.
ALARMS = {
    "5XXError": ("AWS/ApiGateway", "Sum", {5.0}, 1),
    "Latency": ("AWS/ApiGateway", "p95", {200.0, 1000.0}, 2),
    "UnHealthyHostCount": ("AWS/ApplicationELB", "Maximum", {0.0}, 1),
    "HealthyHostCount": ("AWS/ApplicationELB", "Minimum", {1.0}, 1),
    "RunningTaskCount": ("ECS/ContainerInsights", "Minimum", {2.0}, 1),
    "DaysToExpiry": ("AWS/CertificateManager", "Minimum", {30.0}, 1),
    "CPUUtilization": ("AWS/ECS", "Average", {85.0}, 1),
    "MemoryUtilization": ("AWS/ECS", "Average", {85.0}, 1),
    "ACUUtilization": ("AWS/RDS", "Maximum", {85.0}, 2),
    "DatabaseConnections": ("AWS/RDS", "Maximum", None, 1),
    "EngineCPUUtilization": ("AWS/ElastiCache", "Average", {90.0}, 2),
    "CPUCreditBalance": ("AWS/ElastiCache", "Average", {5.0}, 2),
    "DatabaseMemoryUsagePercentage": ("AWS/ElastiCache", "Average", {85.0}, 2),
    "Evictions": ("AWS/ElastiCache", "Sum", {0.0}, 2),
    "GetRecords.IteratorAgeMilliseconds": ("AWS/Kinesis", "Maximum", {60000.0}, 1),
    "WriteProvisionedThroughputExceeded": ("AWS/Kinesis", "Sum", {0.0}, 1),
    "GetRecords.Success": ("AWS/Kinesis", "SampleCount", {1.0}, 1),
    "PutRecord.Success": ("AWS/Kinesis", "Average", {0.9}, 1),
}
# Where less is wrong, and what a period without a value counts as.
BELOW = {
    "HealthyHostCount": "breaching",
    "RunningTaskCount": "breaching",
    "GetRecords.Success": "breaching",
    "DaysToExpiry": "ignore",
    "PutRecord.Success": "notBreaching",
    "CPUCreditBalance": "notBreaching",
}


def dimensions(alarm):
    return {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}


def alarms_on(live, metric, namespace):
    return [a for a in live.alarms.values() if a["MetricName"] == metric and a["Namespace"] == namespace]


@pytest.mark.parametrize("metric", ALARMS)
def test_there_is_an_alarm_on(live, metric):
    namespace, statistic, thresholds, count = ALARMS[metric]
    found = alarms_on(live, metric, namespace)
    assert len(found) == count
    assert {alarm.get("Statistic") or alarm["ExtendedStatistic"] for alarm in found} == {statistic}
    if thresholds:
        assert {alarm["Threshold"] for alarm in found} == thresholds
    side = "LessThanThreshold" if metric in BELOW else "GreaterThanThreshold"
    assert {alarm["ComparisonOperator"] for alarm in found} == {side}


def test_a_busy_engine_is_seen_on_a_node_with_two_cores(live):
    """The engine has one core: all of a node with two is half busy when the engine is busy throughout."""
    found = alarms_on(live, "CPUUtilization", "AWS/ElastiCache")
    assert (len(found), {alarm["Threshold"] for alarm in found}) == (2, {45.0})


def test_alarms_look_at_our_objects(live):
    nodes = {node["CacheClusterId"] for node in live.cache_nodes}
    instances = [live.name(f"aurora-{number}") for number in (1, 2)]
    expected = {
        "AWS/ApiGateway": [{"ApiName": live.api["name"], "Stage": live.env}],
        "AWS/ApplicationELB": [
            {
                "LoadBalancer": live.balancer["LoadBalancerArn"].partition("loadbalancer/")[2],
                "TargetGroup": live.targets["TargetGroupArn"].rpartition(":")[2],
            }
        ],
        "AWS/ECS": [{"ClusterName": live.name("cluster"), "ServiceName": live.name("api")}],
        "AWS/RDS": [{"DBClusterIdentifier": live.name("aurora")}]
        + [{"DBInstanceIdentifier": instance} for instance in instances],
        "AWS/ElastiCache": [{"CacheClusterId": node} for node in nodes],
        "AWS/Kinesis": [{"StreamName": live.name("events")}],
        "ECS/ContainerInsights": [{"ClusterName": live.name("cluster"), "ServiceName": live.name("api")}],
        "AWS/CertificateManager": [{"CertificateArn": one(live.listeners[443]["Certificates"])["CertificateArn"]}],
    }
    for name, alarm in live.alarms.items():
        if alarm["Namespace"] in expected:
            assert dimensions(alarm) in expected[alarm["Namespace"]], name
    seen = {dimensions(a)["CacheClusterId"] for a in live.alarms.values() if a["Namespace"] == "AWS/ElastiCache"}
    assert seen == nodes
    watched = [dimensions(alarm) for alarm in alarms_on(live, "ACUUtilization", "AWS/RDS")]
    assert sorted(one["DBInstanceIdentifier"] for one in watched) == instances


def test_the_alarm_on_connections_is_within_what_aurora_takes(live):
    """With 0.5 ACU at least, Aurora takes 2000 connections at most, and at 4 ACU around 800."""
    alarm = one(alarms_on(live, "DatabaseConnections", "AWS/RDS"))
    assert 100 <= alarm["Threshold"] < 800


def test_a_key_scheduled_for_deletion_wakes_people(live):
    found = live.all("logs", "describe_metric_filters", "metricFilters", logGroupName=live.name("trail"))
    found = one(found)
    for word in ("kms.amazonaws.com", "ScheduleKeyDeletion", "DisableKey"):
        assert word in found["filterPattern"]
    made = one(found["metricTransformations"])
    assert made["metricValue"] == "1"
    alarm = one(alarms_on(live, made["metricName"], made["metricNamespace"]))
    assert (alarm["Threshold"], alarm["Statistic"]) == (0.0, "Sum")
    # CloudTrail tells minutes later, under the time of the call.
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"] * alarm["Period"]) == (1, 900)


def test_every_alarm_reaches_the_topic_both_ways(live):
    assert len(live.alarms) >= 16
    for name, alarm in live.alarms.items():
        assert alarm["ActionsEnabled"] is True, name
        assert alarm["AlarmActions"] == [live.topic_arn], name
        assert alarm["OKActions"] == [live.topic_arn], name


def test_silence_is_an_alarm_where_something_is_always_measured(live):
    for alarm in live.alarms.values():
        assert alarm["TreatMissingData"] == BELOW.get(alarm["MetricName"], "notBreaching"), alarm["AlarmName"]


def test_the_topic_is_encrypted_under_a_key_alarms_may_use(live):
    """AWS's own key for topics lets no alarm through."""
    reference = live.topic["KmsMasterKeyId"]
    assert live.kms.describe_key(KeyId=reference)["KeyMetadata"]["Arn"] == live.key_arn("logs")
    statements = live.keys["logs"]["Policy"]["Statement"]
    by_alarms = [s for s in statements if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    actions = {action for statement in by_alarms for action in as_list(statement["Action"])}
    assert actions == {"kms:Decrypt", "kms:GenerateDataKey*"}


def test_only_alarms_of_this_account_publish(live):
    statements = document(live.topic["Policy"])["Statement"]
    allowed = [s for s in statements if s["Effect"] == "Allow"]
    statement = one(allowed)
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert as_list(statement["Action"]) == ["sns:Publish"]
    assert as_list(statement["Resource"]) == [live.topic_arn]
    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == live.account


def test_those_who_asked_are_told(live, wanted):
    found = live.all("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=live.topic_arn)
    mails = {"registrar@university.edu"} if wanted.has("mails") else set()
    assert {(s["Protocol"], s["Endpoint"]) for s in found} == {("email", mail) for mail in mails}


def test_the_dashboard_shows_every_service(live):
    body = json.loads(live.cloudwatch.get_dashboard(DashboardName=live.name("records"))["DashboardBody"])
    shown = {metric[0] for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])}
    wanted = {namespace for namespace, *_ in ALARMS.values()}
    assert wanted <= shown
    assert {w["properties"]["region"] for w in body["widgets"] if "region" in w["properties"]} == {live.region}


def test_the_dashboard_shows_what_every_alarm_watches(live):
    body = json.loads(live.cloudwatch.get_dashboard(DashboardName=live.name("records"))["DashboardBody"])
    shown = {tuple(m[:2]) for widget in body["widgets"] for m in widget["properties"].get("metrics", [])}
    watched = {(alarm["Namespace"], alarm["MetricName"]) for alarm in live.alarms.values()}
    assert watched <= shown
