"""Application Auto Scaling without moto, which looks for ECS services among its own and has no tags."""

from ..common import page, picked
from ..registry import AwsError, now, operation
from ..world import new_id, new_name

POLICY_FIELDS = (
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScalingPolicyConfiguration",
)
NAMED_BY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def targets(call):
    return call.shelf("autoscaling.targets")


def policies(call):
    return call.shelf("autoscaling.policies")


def key_of(call):
    return tuple(call.params[name] for name in NAMED_BY)


def target_of(call):
    if key_of(call) not in targets(call):
        message = "No scalable target found for service namespace: {}, resource ID: {}, scalable dimension: {}"
        raise AwsError("ObjectNotFoundException", message.format(*key_of(call)))
    return targets(call)[key_of(call)]


@operation("application-autoscaling", "RegisterScalableTarget")
def register_scalable_target(call):
    key = key_of(call)
    target = targets(call).get(key)
    if target is not None and call.get("Tags"):
        # terraform-aws-modules/terraform-aws-rds-aurora#420 on GitHub.
        message = "The scalable target that you tried to tag already exists. To update tags on an existing resource,"
        raise AwsError("ValidationException", f"{message} use the TagResource API.")
    if target is None:
        target = targets(call)[key] = new_target(call)
    target.update(picked(call.params, "MinCapacity", "MaxCapacity", "RoleARN"))
    target["SuspendedState"] = target["SuspendedState"] | call.get("SuspendedState", {})
    if call.get("Tags"):
        target["_tags"] = dict(call.params["Tags"])
    keep_within(call, target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def new_target(call):
    if call.get("MinCapacity") is None or call.get("MaxCapacity") is None:
        raise AwsError(
            "ValidationException", "MinCapacity and MaxCapacity must be specified when registering a new target"
        )
    require_service(call)
    role = f"arn:{call.partition}:iam::{call.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com"
    arn = call.arn("application-autoscaling", f"scalable-target/{new_id(20, '0123456789abcdef')}")
    return picked(call.params, *NAMED_BY) | {
        "RoleARN": f"{role}/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": now(),
        "SuspendedState": dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        ),
        "ScalableTargetARN": arn,
        "_tags": {},
    }


def ecs_service(call):
    if call.params["ServiceNamespace"] != "ecs":
        return None
    parts = call.params["ResourceId"].split("/")
    return call.shelf("ecs.services").get(tuple(parts[1:])) if len(parts) == 3 else None


def require_service(call):
    service = ecs_service(call)
    if call.params["ServiceNamespace"] == "ecs" and (service is None or service["status"] != "ACTIVE"):
        raise AwsError("ValidationException", f"ECS service doesn't exist: {call.params['ResourceId']}")


def keep_within(call, target):
    """Registering moves the present number into the range at once."""
    service = ecs_service(call)
    if service is None:
        return
    wanted = min(max(service["desiredCount"], target["MinCapacity"]), target["MaxCapacity"])
    if wanted != service["desiredCount"]:
        from .ecs.service_calls import scale

        service["desiredCount"] = wanted
        scale(call, service)


def shown(item):
    return {name: value for name, value in item.items() if not name.startswith("_")}


@operation("application-autoscaling", "DescribeScalableTargets")
def describe_scalable_targets(call):
    found = [t for t in targets(call).values() if t["ServiceNamespace"] == call.params["ServiceNamespace"]]
    wanted = call.get("ResourceIds")
    found = [target for target in found if not wanted or target["ResourceId"] in wanted]
    found = [t for t in found if call.get("ScalableDimension") in (None, t["ScalableDimension"])]
    found, more = page(call, [shown(t) for t in found], "MaxResults", "NextToken", "NextToken", 50)
    return {"ScalableTargets": found} | more


@operation("application-autoscaling", "DeregisterScalableTarget")
def deregister_scalable_target(call):
    target_of(call)
    del targets(call)[key_of(call)]
    for name in [name for name, p in policies(call).items() if tuple(p[n] for n in NAMED_BY) == key_of(call)]:
        del policies(call)[name]
    return {}


@operation("application-autoscaling", "PutScalingPolicy")
def put_scaling_policy(call):
    target_of(call)
    name = (*key_of(call), call.params["PolicyName"])
    policy = policies(call).get(name) or new_policy(call)
    for field in POLICY_FIELDS[1:]:
        policy.pop(field, None)
    policy.update(picked(call.params, *POLICY_FIELDS))
    policy["Alarms"] = alarms(call, policy)
    policies(call)[name] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def new_policy(call):
    namespace, resource, _ = key_of(call)
    policy_id = "-".join(new_id(n) for n in (8, 4, 4, 4, 12))
    path = f"scalingPolicy:{policy_id}:resource/{namespace}/{resource}:policyName/{call.params['PolicyName']}"
    policy = {
        "PolicyARN": call.arn("autoscaling", path),
        "PolicyType": "StepScaling",
        "CreationTime": now(),
        "Alarms": [],
    }
    return policy | picked(call.params, "PolicyName", *NAMED_BY)


def alarms(call, policy):
    """Target tracking makes its own; those of a step policy are whoever's alarms name it."""
    if policy["PolicyType"] != "TargetTrackingScaling":
        return []
    return policy["Alarms"] or [alarm(call, policy["ResourceId"], word) for word in ("AlarmHigh", "AlarmLow")]


def alarm(call, resource, word):
    name = f"TargetTracking-{resource}-{word}-{new_name(8)}"
    return {"AlarmName": name, "AlarmARN": call.arn("cloudwatch", f"alarm:{name}")}


@operation("application-autoscaling", "DescribeScalingPolicies")
def describe_scaling_policies(call):
    found = [p for p in policies(call).values() if p["ServiceNamespace"] == call.params["ServiceNamespace"]]
    for name in ("ResourceId", "ScalableDimension"):
        found = [p for p in found if call.get(name) in (None, p[name])]
    wanted = call.get("PolicyNames")
    found = [p for p in found if not wanted or p["PolicyName"] in wanted]
    found, more = page(call, found, "MaxResults", "NextToken", "NextToken", 10)
    return {"ScalingPolicies": found} | more


@operation("application-autoscaling", "DeleteScalingPolicy")
def delete_scaling_policy(call):
    name = (*key_of(call), call.params["PolicyName"])
    if name not in policies(call):
        raise AwsError("ObjectNotFoundException", f"No scaling policy found for {call.params['PolicyName']}")
    del policies(call)[name]
    return {}


def tagged(call):
    for target in targets(call).values():
        if target["ScalableTargetARN"] == call.params["ResourceARN"]:
            return target
    raise AwsError("ResourceNotFoundException", f"Resource {call.params['ResourceARN']} not found")


@operation("application-autoscaling", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"Tags": tagged(call)["_tags"]}


@operation("application-autoscaling", "TagResource")
def tag_resource(call):
    target = tagged(call)
    target["_tags"] = target["_tags"] | call.params["Tags"]
    return {}


@operation("application-autoscaling", "UntagResource")
def untag_resource(call):
    target = tagged(call)
    target["_tags"] = {k: v for k, v in target["_tags"].items() if k not in call.params["TagKeys"]}
    return {}
