"""What ElastiCache tells about its groups."""

from ...common import page
from ...registry import now, operation


def say(call, name, message):
    event = {"SourceIdentifier": name, "SourceType": "replication-group", "Message": message, "Date": now()}
    call.shelf("elasticache.events").setdefault("all", []).append(event)


@operation("elasticache", "DescribeEvents")
def describe_events(call):
    found = call.shelf("elasticache.events").get("all", [])
    for key in ("SourceIdentifier", "SourceType"):
        found = [event for event in found if call.get(key) in (None, event[key])]
    shown, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"Events": shown} | more
