"""CloudTrail: what a new trail records, whether it can deliver, and log files that keep arriving after it is gone."""

import fnmatch
import json

from ..common import page
from ..life import durations, later
from ..moto_app import ask
from ..policies import allows, as_list, principals, role_allows, roles_by_arn, statements
from ..registry import AwsError, after, now, operation
from ..services.kms import key_of
from ..world import new_id, new_name, world

SERVICE = "cloudtrail.amazonaws.com"
# What a trail records before anybody has said anything else.
MANAGEMENT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def admits_trail(call, name, prefix):
    """Whether the policy of a bucket lets CloudTrail look at it and write under a prefix."""
    policy = call.backend("s3").buckets[name].policy
    entries = statements(policy.decode() if isinstance(policy, bytes) else policy or "{}")
    target = f"arn:{call.partition}:s3:::{name}/{prefix + '/' if prefix else ''}AWSLogs/{call.account}/file"
    wanted = (("s3:GetBucketAcl", f"arn:{call.partition}:s3:::{name}"), ("s3:PutObject", target))
    return all(any(admits(s, action, resource) for s in entries) for action, resource in wanted)


def admits(statement, action, resource):
    named = SERVICE in principals(statement, "Service") or "*" in principals(statement, "AWS")
    covered = any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement.get("Resource", [])))
    return statement.get("Effect") == "Allow" and named and covered and allows(statement, action)


def deliver(call, bucket, prefix):
    """One log file, as the next delivery would bring it."""
    if bucket in call.backend("s3").buckets and admits_trail(call, bucket, prefix):
        path = f"{prefix + '/' if prefix else ''}AWSLogs/{call.account}/CloudTrail/{call.region}/{now():%Y/%m/%d}"
        body = json.dumps({"Records": []}).encode()
        call.backend("s3").put_object(bucket, f"{path}/{new_name(16)}.json.gz", body)


def trail_of(call):
    """A trail by its name or ARN, or None."""
    wanted = call.get("Name") or call.get("TrailName") or ""
    return call.backend("cloudtrail").trails.get(wanted.rpartition("/")[2])


def shadows(call):
    """The trails of all regions whose home is another, by name: a trail of all regions is in every one of them."""
    from moto.backends import get_backend

    backends = get_backend("cloudtrail")[call.account]
    homes = [backends[region] for region in list(backends) if region != call.region]
    return {name: trail for home in homes for name, trail in home.trails.items() if trail.is_multi_region}


@operation("cloudtrail", "GetTrail")
def show_a_shadow(call):
    """What a trail is, its shadows tell as well."""
    trail = trail_of(call) or shadows(call).get(call.params["Name"].rpartition("/")[2])
    return ask(call) if trail is None else {"Trail": trail.description(include_region=True)}


@after("cloudtrail", "StartLogging", "StopLogging")
def deliver_later(call, answer):
    trail = trail_of(call)
    bucket, prefix = trail.bucket_name, trail.s3_key_prefix
    later("cloudtrail.delivery", lambda: deliver(call, bucket, prefix))


@after("cloudtrail", "GetTrailStatus")
def show_failed_delivery(call, answer):
    """Every delivery of a trail that may not write fails. AWS tells how the last one ended, until the next: API reference,
    GetTrailStatus."""
    trail = trail_of(call) or shadows(call).get(call.params["Name"].rpartition("/")[2])
    if trail is None or not trail.status.is_logging:
        return
    last = deliveries(call).get(trail.arn)
    if last is None or world.clock.seconds_since(last["at"]) >= durations["cloudtrail.delivery"]:
        ended = {"error": delivery_error(call, trail), "logged": may_log(call, trail)}
        last = deliveries(call)[trail.arn] = {"at": world.clock.now()} | ended
    if last["error"]:
        answer["LatestDeliveryError"] = last["error"]
    elif last["logged"]:
        answer["LatestCloudWatchLogsDeliveryTime"] = last["at"]


def deliveries(call):
    """When a trail delivered last, and how that ended, by its ARN."""
    return call.shelf("cloudtrail.deliveries")


def delivery_error(call, trail):
    if trail.bucket_name not in call.backend("s3").buckets:
        return "NoSuchBucket"
    return None if admits_trail(call, trail.bucket_name, trail.s3_key_prefix) else "AccessDenied"


def may_log(call, trail):
    role = roles_by_arn(call).get(trail.cw_role_arn)
    return bool(trail.cw_log_group_arn) and role is not None and role_allows(call, role, "logs:PutLogEvents")


@after("cloudtrail", "CreateTrail", "UpdateTrail")
def show_the_keys_arn(call, answer):
    trail = trail_of(call)
    key = key_of(call, trail.kms_key_id) if trail.kms_key_id else None
    if key is not None:
        trail.kms_key_id = answer["KmsKeyId"] = key.arn


@after("cloudtrail", "DescribeTrails")
def only_those_asked_for(call, answer):
    wanted = call.get("trailNameList")
    if wanted:
        answer["trailList"] = [t for t in answer["trailList"] if t["Name"] in wanted or t["TrailARN"] in wanted]


@after("cloudtrail", "GetEventSelectors")
def show_the_first_selector(call, answer):
    if not answer.get("EventSelectors") and not answer.get("AdvancedEventSelectors"):
        answer["EventSelectors"] = [MANAGEMENT]


@operation("cloudtrail", "DeleteTrail")
def delete_trail(call):
    if trail_of(call) is None:
        raise AwsError("TrailNotFoundException", f"Unknown trail: {call.params['Name']} for the user: {call.account}")
    return ask(call)


def key_uses(call):
    """What was done with keys in somebody's name, as the event history has it."""
    return call.shelf("cloudtrail.key-uses")


def note_key_use(call, key, role, name, service):
    name_of_role = role.rpartition("/")[2]
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:{call.partition}:sts::{call.account}:assumed-role/{name_of_role}/s",
        "accountId": call.account,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": name_of_role}},
        "invokedBy": f"{service}.amazonaws.com",
    }
    event = {
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": f"{service}.amazonaws.com",
        "userIdentity": identity,
        "resources": [{"ARN": key, "type": "AWS::KMS::Key"}],
    }
    key_uses(call).setdefault("events", []).append((key, now(), event))


@operation("cloudtrail", "LookupEvents")
def lookup_events(call):
    """Events of the last 90 days by one attribute, the newest first."""
    wanted = {one["AttributeKey"]: one["AttributeValue"] for one in call.get("LookupAttributes", [])}
    found = []
    for key, time, event in reversed(key_uses(call).get("events", [])):
        if wanted.get("ResourceName", key) == key and wanted.get("EventName", event["eventName"]) == event["eventName"]:
            found.append(
                {
                    "EventId": new_id(36),
                    "EventName": event["eventName"],
                    "EventTime": time,
                    "EventSource": event["eventSource"],
                    "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": key}],
                    "CloudTrailEvent": json.dumps(event),
                }
            )
    found, more = page(call, found, "MaxResults", "NextToken", "NextToken", 50)
    return {"Events": found} | more
