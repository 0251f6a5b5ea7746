"""CloudWatch Logs: the key, class and deletion protection of a log group, and its metric filters."""

from moto.core.utils import unix_time_millis

from .. import logs_left
from ..moto_app import ask
from ..registry import AwsError, after, behaviour, now, operation

DAY = 86400
DEFAULTS = {"logGroupClass": "STANDARD", "deletionProtectionEnabled": False}


def extras(call):
    """What moto drops about a log group, by its name."""
    return call.shelf("logs.extras")


def group_of(call, name=None):
    name = name or call.get("logGroupName") or call.get("resourceIdentifier") or call.get("logGroupIdentifier") or ""
    name = name.split(":log-group:")[-1].removesuffix(":*")
    groups = call.backend("logs").groups
    if name not in groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return groups[name]


@after("logs", "CreateLogGroup")
def remember_extras(call, answer):
    extras(call)[call.params["logGroupName"]] = {name: call.get(name, value) for name, value in DEFAULTS.items()}


@after("logs", "DescribeLogGroups", "ListLogGroups")
def show_extras(call, answer):
    for group in answer.get("logGroups", []):
        known = extras(call).get(group["logGroupName"], DEFAULTS)
        group |= known if call.operation == "DescribeLogGroups" else {"logGroupClass": known["logGroupClass"]}


@operation("logs", "AssociateKmsKey")
def associate_kms_key(call):
    group_of(call).kms_key_id = call.params["kmsKeyId"]
    return {}


@operation("logs", "DisassociateKmsKey")
def disassociate_kms_key(call):
    group_of(call).kms_key_id = None
    return {}


@after("logs", "PutRetentionPolicy")
def keep_for(call, answer):
    forget_older(group_of(call), call.params["retentionInDays"])


@behaviour(
    "logs",
    says="events that are older than a shorter retention are removed; AWS takes up to 72 hours, here it is at once",
    source="Amazon CloudWatch Logs API Reference: PutRetentionPolicy",
)
def forget_older(group, days):
    oldest = (now().timestamp() - days * DAY) * 1000
    for stream in group.streams.values():
        stream.events = [event for event in stream.events if event.timestamp >= oldest]


@operation("logs", "PutLogGroupDeletionProtection")
def put_log_group_deletion_protection(call):
    name = group_of(call).name
    known = extras(call).setdefault(name, dict(DEFAULTS))
    known["deletionProtectionEnabled"] = call.params["deletionProtectionEnabled"]
    return {}


@operation("logs", "DeleteLogGroup")
def delete_log_group(call):
    """Its tags go with it: a group made anew under its name has none of them."""
    group = group_of(call)
    name = group.name
    if extras(call).get(name, DEFAULTS)["deletionProtectionEnabled"]:
        message = "Cannot delete log group with deletion protection enabled. Disable deletion protection first."
        raise AwsError("ValidationException", message)
    extras(call).pop(name, None)
    keep_filters(call, lambda entry: entry["logGroupName"] != name)
    made = ask(call)
    call.backend("logs").tagger.delete_all_tags_for_resource(group.arn)
    logs_left.written_again(call, name)
    return made


def keep_filters(call, wanted):
    filters = call.backend("logs").filters
    filters.metric_filters = [entry for entry in filters.metric_filters if wanted(entry)]


def is_named(call, entry):
    return (entry["logGroupName"], entry["filterName"]) == (call.params["logGroupName"], call.params["filterName"])


@operation("logs", "PutMetricFilter")
def put_metric_filter(call):
    """A filter of that name is replaced."""
    group_of(call)
    keep_filters(call, lambda entry: not is_named(call, entry))
    return ask(call)


@operation("logs", "DeleteMetricFilter")
def delete_metric_filter(call):
    group_of(call)
    if not any(is_named(call, entry) for entry in call.backend("logs").filters.metric_filters):
        raise AwsError("ResourceNotFoundException", "The specified metric filter does not exist.")
    return ask(call)


@operation("logs", "DescribeMetricFilters")
def describe_metric_filters(call):
    if call.get("logGroupName"):
        group_of(call)
    answer = ask(call)
    for entry in answer["metricFilters"]:
        entry.setdefault("creationTime", int(unix_time_millis(group_of(call, entry["logGroupName"]).creation_time)))
    return answer
