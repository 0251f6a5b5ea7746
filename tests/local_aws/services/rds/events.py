"""What RDS tells about its databases."""

from ...registry import operation


@operation("rds", "DescribeEvents")
def describe_events(call):
    found = call.shelf("rds.events").get("all", [])
    for name, key in (("SourceIdentifier", "SourceIdentifier"), ("SourceType", "SourceType")):
        found = [event for event in found if call.get(name) in (None, event[key])]
    return {"Events": found}


@operation("rds", "DescribePendingMaintenanceActions")
def describe_pending_maintenance_actions(call):
    return {"PendingMaintenanceActions": []}
