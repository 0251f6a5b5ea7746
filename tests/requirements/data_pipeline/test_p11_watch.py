"""P11: GuardDuty, a web ACL, alarms that reach people, and one page that shows it all."""

import json

from pipeline import one


def test_guardduty_watches(live):
    guardduty = live.client("guardduty")
    detector = guardduty.get_detector(DetectorId=one(guardduty.list_detectors()["DetectorIds"]))
    assert detector["Status"] == "ENABLED"
    assert f"tapctl:user:data-pipeline:{live.env}:{live.region}" in detector["Tags"]
    features = {feature["Name"]: feature["Status"] for feature in detector["Features"]}
    assert (features["S3_DATA_EVENTS"], features["RDS_LOGIN_EVENTS"]) == ("ENABLED", "ENABLED")


def test_a_web_acl_stands_before_the_stage(live):
    stage = f"arn:aws:apigateway:{live.region}::/restapis/{live.api['id']}/stages/{live.stage['stageName']}"
    acl = live.client("wafv2").get_web_acl_for_resource(ResourceArn=stage)["WebACL"]
    assert acl["Name"] == live.name("waf")
    rules = [rule["Statement"] for rule in acl["Rules"]]
    assert [rule["RateBasedStatement"]["Limit"] for rule in rules if "RateBasedStatement" in rule] == [36_000]
    managed = {rule["ManagedRuleGroupStatement"]["Name"] for rule in rules if "ManagedRuleGroupStatement" in rule}
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= managed


def test_alarms_reach_an_encrypted_topic(live):
    topic = f"arn:aws:sns:{live.region}:{live.account}:{live.name('alarms')}"
    attributes = live.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["KmsMasterKeyId"] in (live.key_arn, live.key["KeyId"])
    speaking = {name for name, alarm in live.alarms.items() if alarm["AlarmActions"] == [topic]}
    assert speaking == {
        "api-4xx",
        "api-5xx",
        "db-cpu",
        "db-storage",
        "stream-iterator-age",
        "stream-refused",
        "stream-throttled",
        "stream-unread",
        "tasks-cpu",
        "tasks-memory",
        "tasks-missing",
    }


def test_they_look_at_what_is_live(live):
    names = {
        "ApiName": live.api["name"],
        "Stage": live.stage["stageName"],
        "StreamName": live.stream["StreamName"],
        "ClusterName": live.cluster["clusterName"],
        "ServiceName": live.service["serviceName"],
        "DBInstanceIdentifier": live.database["DBInstanceIdentifier"],
    }
    for alarm in live.alarms.values():
        for dimension in alarm["Dimensions"]:
            assert dimension["Value"] == names[dimension["Name"]], alarm["AlarmName"]
    assert live.alarms["db-storage"]["ComparisonOperator"] == "LessThanThreshold"


def test_one_page_shows_all_of_it(live):
    found = live.client("cloudwatch").get_dashboard(DashboardName=live.name("ingest"))
    widgets = json.loads(found["DashboardBody"])["widgets"]
    shown = {widget["properties"]["title"] for widget in widgets}
    assert shown == set(live.alarms) - {"scale-out", "scale-in"}
