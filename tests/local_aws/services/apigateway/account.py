"""The account: one per region, shared by every API in it."""

from ... import logs_left
from ...registry import AwsError, after, operation
from .patches import apply_patches
from .shared import account


def shown(call):
    out = {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }
    return out | {key: value for key, value in account(call).items() if value}


def used(call):
    """Whether API Gateway has been used in the region, which it remembers for good."""
    return call.shelf("apigateway.used")


@after("apigateway", "CreateRestApi", "ImportRestApi")
def note_use(call, answer):
    used(call)["ever"] = True


@operation("apigateway", "GetAccount")
def get_account(call):
    """Where it has never been used, there is nothing: https://github.com/cloud-custodian/cloud-custodian/issues/2033."""
    if not used(call):
        raise AwsError("NotFoundException", "Invalid Customer identifier specified", 404)
    return shown(call)


@operation("apigateway", "UpdateAccount")
def update_account(call):
    used(call)["ever"] = True
    apply_patches(call, account(call), {"/cloudwatchRoleArn": ("cloudwatchRoleArn", str)})
    if account(call).get("cloudwatchRoleArn"):
        # Proof that the role can write: aws-cloudformation/cloudformation-coverage-roadmap#2312.
        logs_left.make(call, logs_left.WELCOME)
    return shown(call)
