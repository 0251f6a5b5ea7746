"""The account: one per region, shared by every API in it."""

from ...registry import operation
from .patches import apply_patches
from .shared import account


def shown(call):
    out = {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }
    return out | {key: value for key, value in account(call).items() if value}


@operation("apigateway", "GetAccount")
def get_account(call):
    return shown(call)


@operation("apigateway", "UpdateAccount")
def update_account(call):
    apply_patches(call, account(call), {"/cloudwatchRoleArn": ("cloudwatchRoleArn", str)})
    return shown(call)
