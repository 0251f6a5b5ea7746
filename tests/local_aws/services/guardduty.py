"""GuardDuty: what is on without being asked for, and tags."""

from ..registry import AwsError, after, operation

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


def detector_of(call):
    wanted = call.params["ResourceArn"].rpartition("/")[2]
    detectors = call.backend("guardduty").detectors
    if wanted not in detectors:
        raise AwsError(
            "BadRequestException",
            "The request is rejected because the input detectorId is not owned by the current account.",
        )
    return detectors[wanted]


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
