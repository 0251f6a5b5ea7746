"""Only what the installed policy allows, and only what was signed about now."""

from datetime import UTC, datetime, timedelta

from ..permissions import permissions
from ..registry import AwsError, general_rule
from ..world import world

TOLERANCE = {"ec2": timedelta(minutes=15), "s3": timedelta(minutes=15)}
REFUSALS = {"ec2": "RequestExpired", "s3": "RequestTimeTooSkewed"}


@general_rule(
    "permissions",
    says="a call needs its action, the tagging action, the right to pass a role, and what its service does in its name",
    source="Service Authorization Reference",
)
def allowed(call):
    permissions.check(call)


@general_rule(
    "permissions",
    says="a request is signed within minutes of AWS's own time",
    source="IAM User Guide: Troubleshoot Signature Version 4 requests for AWS APIs",
)
def signed_in_time(call):
    signed_at = call.request.headers.get("X-Amz-Date")
    if signed_at is None:
        return
    signed = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    now = datetime.fromtimestamp(world.time(), UTC)
    tolerance = TOLERANCE.get(call.service, timedelta(minutes=5))
    if abs(now - signed) <= tolerance:
        return
    code = "SignatureDoesNotMatch" if call.protocol == "query" else "InvalidSignatureException"
    side = "Signature expired" if signed < now else "Signature not yet current"
    limit = f"{now:%Y%m%dT%H%M%SZ} ({tolerance.seconds // 60} min.)"
    raise AwsError(REFUSALS.get(call.service, code), f"{side}: {signed_at} is not within {limit}", 403)


NOT_ENABLED = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "sts": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
}


@general_rule(
    "permissions",
    says="a region that the account has not enabled answers as if the credentials were wrong",
    source="aws/aws-sdk-ruby#2850, segmentio/aws-okta#225; AWS Account Management Guide: Enable or disable AWS Regions",
)
def region_enabled(call):
    if call.region in world.settings.disabled_regions:
        other = ("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
        raise AwsError(*NOT_ENABLED.get(call.service, other))
