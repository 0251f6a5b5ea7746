"""CloudWatch: alarms that know nothing yet, composite alarms, and tags that only the first write of a thing sets."""

import json
import re

from ..common import picked
from ..moto_app import ask
from ..quotas import quotas
from ..registry import AwsError, after, backend_of, now, operation
from .ecs.room import vcpus_in_use

COMPOSITE = (
    "AlarmName",
    "AlarmDescription",
    "AlarmRule",
    "ActionsEnabled",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)


def composites(call):
    return call.shelf("cloudwatch.composite-alarms")


# What a widget on a metric may say; AWS takes anything else too, and warns.
WIDGET_PROPERTIES = {
    "accountId",
    "annotations",
    "end",
    "legend",
    "liveData",
    "metrics",
    "period",
    "region",
    "setPeriodToTimeRange",
    "singleValueFullPrecision",
    "sparkline",
    "stacked",
    "start",
    "stat",
    "table",
    "timezone",
    "title",
    "trend",
    "view",
    "yAxis",
}


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call):
    """An alarm that exists keeps its state and its tags."""
    alarms, name = call.backend("cloudwatch").alarms, call.params["AlarmName"]
    known = alarms.get(name)
    answer = ask(call, params={k: v for k, v in call.params.items() if k != "Tags" or known is None})
    alarms[name].state_value = known.state_value if known else "INSUFFICIENT_DATA"
    return answer


@operation("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call):
    name = call.params["AlarmName"]
    known = composites(call).get(name, {"StateValue": "INSUFFICIENT_DATA", "_tags": call.get("Tags", [])})
    composites(call)[name] = (
        known
        | picked(call.params, *COMPOSITE)
        | {
            "AlarmArn": call.arn("cloudwatch", f"alarm:{name}"),
            "AlarmConfigurationUpdatedTimestamp": now(),
            "ActionsEnabled": call.get("ActionsEnabled", True),
        }
    )
    return {}


FARGATE = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(call):
    """Fargate's usage and its quota, once a task runs; moto tells the rest. ECS Developer Guide, "AWS Fargate usage
    metrics"; CloudWatch User Guide, "Using math expressions with CloudWatch metrics" (SERVICE_QUOTA)."""
    queries = call.params["MetricDataQueries"]
    usage = {query["Id"] for query in queries if of_fargate(query)}
    quota = {query["Id"] for query in queries if (asked := quota_of(query)) and asked in usage}
    if not usage or usage | quota != {query["Id"] for query in queries}:
        return ask(call)
    used = vcpus_in_use(call)
    values = dict.fromkeys(usage, used) | dict.fromkeys(quota, float(quotas["fargate-vcpus"]))
    points = {"Timestamps": [now()] if used else [], "StatusCode": "Complete"}
    told = [query["Id"] for query in queries if query.get("ReturnData", True)]
    results = [points | {"Id": name, "Label": name, "Values": [values[name]] if used else []} for name in told]
    return {"MetricDataResults": results, "Messages": []}


def of_fargate(query):
    metric = query.get("MetricStat", {}).get("Metric", {})
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    return (metric.get("Namespace"), metric.get("MetricName"), dimensions) == ("AWS/Usage", "ResourceCount", FARGATE)


def quota_of(query):
    found = re.fullmatch(r"SERVICE_QUOTA\((\w+)\)", query.get("Expression", ""))
    return found and found[1]


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call):
    found = ask(call)
    names, prefix = call.get("AlarmNames"), call.get("AlarmNamePrefix", "")
    shown = [a for name, a in composites(call).items() if name.startswith(prefix) and (not names or name in names)]
    if "CompositeAlarm" in call.get("AlarmTypes", ["CompositeAlarm"]):
        found["CompositeAlarms"] = [{k: v for k, v in alarm.items() if not k.startswith("_")} for alarm in shown]
    return found


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(call):
    simple = [name for name in call.params["AlarmNames"] if composites(call).pop(name, None) is None]
    tagger = call.backend("cloudwatch").tagger
    for name in simple:
        tagger.delete_all_tags_for_resource(call.arn("cloudwatch", f"alarm:{name}"))
    return ask(call, params={"AlarmNames": simple}) if simple else {}


def share_dashboards(call):
    """Dashboards are of no region: every one shows the same, with the same tags."""
    home, here = backend_of("cloudwatch", call.account, "us-east-1"), call.backend("cloudwatch")
    if here.tagger is not home.tagger:
        home.tagger.tags.update(here.tagger.tags)
        here.tagger = home.tagger
    here.dashboards = home.dashboards


@operation("cloudwatch", "DeleteDashboards", "GetDashboard", "ListDashboards")
def dashboards_of_all_regions(call):
    share_dashboards(call)
    return ask(call)


def dashboard_arn(call, name):
    return f"arn:{call.partition}:cloudwatch::{call.account}:dashboard/{name}"


@operation("cloudwatch", "PutDashboard")
def put_dashboard(call):
    share_dashboards(call)
    backend, name = call.backend("cloudwatch"), call.params["DashboardName"]
    first = name not in backend.dashboards
    answer = ask(call, params=picked(call.params, "DashboardName", "DashboardBody"))
    if first and call.get("Tags"):
        backend.tagger.tag_resource(dashboard_arn(call, name), call.params["Tags"])
    answer["DashboardValidationMessages"] = list(warnings(json.loads(call.params["DashboardBody"])))
    return answer


def warnings(body):
    for number, widget in enumerate(body.get("widgets", [])):
        unknown = set(widget.get("properties", {})) - WIDGET_PROPERTIES
        if widget.get("type") == "metric" and unknown:
            yield {"DataPath": f"/widgets/{number}/properties", "Message": "Should NOT have additional properties"}


@after("cloudwatch", "DeleteDashboards")
def forget_tags_of_dashboards(call, answer):
    for name in call.params["DashboardNames"]:
        call.backend("cloudwatch").tagger.delete_all_tags_for_resource(dashboard_arn(call, name))


def require_taggable(call):
    """Only what exists has tags; answers whether it is a dashboard, of whose tags moto knows nothing."""
    share_dashboards(call)
    arn, backend = call.params["ResourceARN"], call.backend("cloudwatch")
    kind, _, name = arn.split(":", 5)[5].replace("dashboard/", "dashboard:").partition(":")
    known = {"dashboard": backend.dashboards, "alarm": backend.alarms | composites(call)}
    if kind in known and name not in known[kind]:
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist")
    return kind == "dashboard"


@operation("cloudwatch", "TagResource")
def tag_resource(call):
    if not require_taggable(call):
        return ask(call)
    call.backend("cloudwatch").tagger.tag_resource(call.params["ResourceARN"], call.params["Tags"])
    return {}


@operation("cloudwatch", "UntagResource")
def untag_resource(call):
    if not require_taggable(call):
        return ask(call)
    call.backend("cloudwatch").tagger.untag_resource_using_names(call.params["ResourceARN"], call.params["TagKeys"])
    return {}


@operation("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(call):
    require_taggable(call)
    return ask(call)
