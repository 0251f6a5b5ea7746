"""GuardDuty: what is on without being asked for, and tags."""

from ..registry import AwsError, after, operation, recover

# RUNTIME_MONITORING and what it replaces start disabled; everything else is on until somebody says otherwise.
FEATURES = {
    "S3_DATA_EVENTS": "ENABLED",
    "EKS_AUDIT_LOGS": "ENABLED",
    "EBS_MALWARE_PROTECTION": "ENABLED",
    "RDS_LOGIN_EVENTS": "ENABLED",
    "LAMBDA_NETWORK_LOGS": "ENABLED",
    "EKS_RUNTIME_MONITORING": "DISABLED",
    "RUNTIME_MONITORING": "DISABLED",
}


@after("guardduty", "GetDetector")
def all_features(call, answer):
    chosen = {f["Name"]: f for f in answer.get("Features", [])}
    answer["Features"] = [chosen.get(name, {"Name": name, "Status": status}) for name, status in FEATURES.items()]


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
