"""GuardDuty: what is on without being asked for, and tags."""

from ..registry import AwsError, after, operation, recover
from ..wire import service_model
from ..world import world

# RUNTIME_MONITORING and what it replaces start disabled; everything else is on until somebody says otherwise.
FEATURES = {
    "S3_DATA_EVENTS": "ENABLED",
    "EKS_AUDIT_LOGS": "ENABLED",
    "EBS_MALWARE_PROTECTION": "ENABLED",
    "RDS_LOGIN_EVENTS": "ENABLED",
    "LAMBDA_NETWORK_LOGS": "ENABLED",
    "EKS_RUNTIME_MONITORING": "DISABLED",
    "RUNTIME_MONITORING": "DISABLED",
    "AI_PROTECTION": "ENABLED",
    "AI_ANALYST": "ENABLED",
    # What AWS will think of next, which is on unasked as well.
    "QUANTUM_PROTECTION": "ENABLED",
}
service_model("guardduty")._shape_resolver._shape_map["DetectorFeature"]["enum"].append("QUANTUM_PROTECTION")
# What it always looks at.
BASE = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")


def features_here():
    """The region may lack some: API reference, CreateDetector, "There might be regional differences"."""
    return {name: status for name, status in FEATURES.items() if name not in world.account("guardduty_lacks")}


@after("guardduty", "GetDetector")
def all_features(call, answer):
    chosen = {f["Name"]: f for f in answer.get("Features", [])}
    here = {name: "ENABLED" for name in BASE} | features_here()
    answer["Features"] = [chosen.get(name, {"Name": name, "Status": status}) for name, status in here.items()]


@operation("guardduty", "GetAdministratorAccount")
def get_administrator_account(call):
    administrator = world.account("guardduty_administrator")
    if not administrator:
        return {}
    known = {"AccountId": administrator, "RelationshipStatus": "Enabled", "InvitedAt": "2026-01-01T00:00:00Z"}
    return {"Administrator": known}


NOT_OWNED = "The request is rejected because the input detectorId is not owned by the current account."


@recover("guardduty", "GetDetector", "DeleteDetector")
def not_owned(call, error):
    """moto has the code in a header only."""
    raise AwsError("BadRequestException", error.message)


def detector_with(call, detector_id):
    detectors = call.backend("guardduty").detectors
    if detector_id not in detectors:
        raise AwsError("BadRequestException", NOT_OWNED)
    return detectors[detector_id]


def detector_of(call):
    return detector_with(call, call.params["ResourceArn"].rpartition("/")[2])


@operation("guardduty", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"Tags": detector_of(call).tags or {}}


@operation("guardduty", "TagResource")
def tag_resource(call):
    detector = detector_of(call)
    detector.tags = (detector.tags or {}) | call.params["Tags"]
    return {}


@operation("guardduty", "UntagResource")
def untag_resource(call):
    detector = detector_of(call)
    detector.tags = {key: value for key, value in (detector.tags or {}).items() if key not in call.params["TagKeys"]}
    return {}


@operation("guardduty", "UpdateDetector")
def update_detector(call):
    """Changes what is named; moto forgets every feature that is not."""
    found = detector_with(call, call.params["DetectorId"])
    features = {feature["name"]: feature for feature in found.features}
    for feature in call.get("Features", []):
        features[feature["Name"]] = {"name": feature["Name"], "status": feature["Status"]}
    found.update(call.params.get("Enable"), call.get("FindingPublishingFrequency"), None, list(features.values()))
    return {}
