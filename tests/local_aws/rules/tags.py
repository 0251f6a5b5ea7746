"""Tags, which every service limits alike."""

from ..registry import AwsError, general_rule, rule
from .model import code_of

MOST = 50
LONGEST_KEY, LONGEST_VALUE = 128, 256


def tag_lists(call):
    """Each list of (key, value) in a call, in whatever shape the service has for tags."""
    for name in ("Tags", "tags", "TagsList", "UserPoolTags"):
        found = call.get(name)
        if isinstance(found, dict):
            yield list(found.items())
        elif isinstance(found, list) and all(isinstance(tag, dict) for tag in found):
            yield [pair(tag) for tag in found]
    for parameter, name in (("CreateBucketConfiguration", "Tags"), ("Tagging", "TagSet")):
        found = (call.get(parameter) or {}).get(name) if call.service == "s3" else None
        if found:
            yield [pair(tag) for tag in found]
    for specification in call.get("TagSpecifications") or []:
        yield [pair(tag) for tag in specification.get("Tags", [])]


def pair(tag):
    key = tag.get("Key") or tag.get("key") or tag.get("TagKey") or ""
    return key, tag.get("Value") or tag.get("value") or tag.get("TagValue") or ""


@general_rule(
    "strict",
    says="50 tags, keys of 1 to 128 characters once each and not of aws:, values up to 256",
    source="Tagging AWS Resources User Guide: tag naming limits",
)
def tags(call):
    for found in tag_lists(call):
        keys = [key for key, _ in found]
        if len(found) > MOST or len(set(keys)) < len(keys):
            raise AwsError(code_of(call.service), "There are more than 50 tags, or a tag key is given twice.")
        for key, value in found:
            if not 1 <= len(key) <= LONGEST_KEY or len(value) > LONGEST_VALUE or key.lower().startswith("aws:"):
                raise AwsError(
                    code_of(call.service),
                    f"The tag {key} is not valid: keys beginning with aws: are reserved, and lengths are limited.",
                )


@rule(
    "order",
    "iam",
    "TagRole",
    says="a role carries at most 50 tags, those it has already among them",
    source="IAM and AWS STS quotas: tags that can be attached to an IAM role",
)
def tags_of_a_role(call):
    role = next((r for r in call.backend("iam").roles.values() if r.name == call.params["RoleName"]), None)
    if role and len({tag["Key"] for tag in role.tags} | set(keys_of(call))) > MOST:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for TagsPerRole: {MOST}", 409)


@rule(
    "order",
    "guardduty",
    "TagResource",
    says="a detector carries at most 50 tags, those it has already among them",
    source="Tagging AWS Resources User Guide: tag naming limits",
)
def tags_of_a_detector(call):
    detector = call.backend("guardduty").detectors.get(call.params["ResourceArn"].rpartition("/")[2])
    if detector and len(set(detector.tags or {}) | set(keys_of(call))) > MOST:
        raise AwsError("BadRequestException", f"The request is rejected because it exceeds {MOST} tags per resource.")


def keys_of(call):
    return [key for found in tag_lists(call) for key, _ in found]
