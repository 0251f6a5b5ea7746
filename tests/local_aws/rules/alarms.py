"""Alarms that CloudWatch takes and that can never go off."""

from ..metric_table import METRICS, PUBLISHED_BY_AWS
from ..registry import AwsError, rule


def in_vain(message):
    raise AwsError("InVain", message)


def looks_at(call):
    """(namespace, metric, names of its dimensions, unit) for each metric that an alarm looks at."""
    if call.get("MetricName"):
        yield call.get("Namespace", ""), call.params["MetricName"], call.get("Dimensions", []), call.get("Unit")
    for query in call.get("Metrics", []):
        found = query.get("MetricStat", {})
        metric = found.get("Metric", {})
        if metric:
            yield metric["Namespace"], metric["MetricName"], metric.get("Dimensions", []), found.get("Unit")


@rule(
    "in vain",
    "cloudwatch",
    "PutMetricAlarm",
    says="AWS publishes a metric under certain dimensions and in one unit; an alarm on anything else waits for ever",
    source="the page of each metric in metric_table.py",
)
def metric_of_aws(call):
    for namespace, metric, dimensions, unit in looks_at(call):
        if not namespace.startswith(PUBLISHED_BY_AWS):
            continue
        known = METRICS.get((namespace, metric))
        if known is None:
            in_vain(f"there is no metric {metric} in {namespace}")
        names = frozenset(dimension["Name"] for dimension in dimensions)
        if names not in known.dimensions:
            in_vain(f"{metric} of {namespace} is not published under {', '.join(sorted(names)) or 'no dimension'}")
        if unit not in (None, known.unit):
            in_vain(f"{metric} of {namespace} is published in {known.unit}, not in {unit}")


@rule(
    "in vain",
    "cloudwatch",
    "PutMetricAlarm",
    says="a metric that nobody publishes has no values: a filter of a log group makes it, or a program puts it",
    source="CloudWatch Logs user guide: creating metrics from log events using filters",
)
def metric_of_a_filter(call):
    filters = call.backend("logs").filters.metric_filters
    made = {(one["metricNamespace"], one["metricName"]) for entry in filters for one in entry["metricTransformations"]}
    put = {(one.namespace, one.name) for one in call.backend("cloudwatch").metric_data}
    for namespace, metric, dimensions, _ in looks_at(call):
        if not namespace.startswith(PUBLISHED_BY_AWS) and (namespace, metric) not in made | put:
            in_vain(f"nobody publishes {metric} in {namespace}")
