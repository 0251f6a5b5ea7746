"""CloudTrail: log files that keep arriving after the trail is gone."""

import json

from ..life import later
from ..moto_app import ask
from ..registry import after, now
from ..world import new_name


def deliver(call, bucket, prefix):
    """One log file, as the next delivery would bring it."""
    buckets = call.backend("s3").buckets
    if bucket in buckets:
        path = f"{prefix + '/' if prefix else ''}AWSLogs/{call.account}/CloudTrail/{call.region}/{now():%Y/%m/%d}"
        body = json.dumps({"Records": []}).encode()
        ask(call, "s3", "PutObject", {"Bucket": bucket, "Key": f"{path}/{new_name(16)}.json.gz", "Body": body})


def trail_of(call):
    wanted = call.get("Name", "").rpartition("/")[2]
    found = ask(call, operation="DescribeTrails", params={"trailNameList": [wanted]})["trailList"]
    return found[0] if found else {}


@after("cloudtrail", "StartLogging", "StopLogging")
def deliver_later(call, answer):
    trail = trail_of(call)
    bucket, prefix = trail.get("S3BucketName"), trail.get("S3KeyPrefix", "")
    later("cloudtrail.delivery", lambda: deliver(call, bucket, prefix))
