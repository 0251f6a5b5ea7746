"""API keys. The value is shown at creation, and later only to who asks for it."""

from ...common import picked
from ...registry import AwsError, now, operation
from ...world import new_id
from .patches import apply_patches, as_bool
from .shared import api_keys, found, fresh_id, listed, present, usage_plans

PATCHES = {
    "/name": ("name", str),
    "/description": ("description", str),
    "/enabled": ("enabled", as_bool),
    "/customerId": ("customerId", str),
}


def shown(key, with_value):
    out = present(key) | {"stageKeys": [], "enabled": key["enabled"]}
    if not with_value:
        out.pop("value")
    return out


@operation("apigateway", "CreateApiKey")
def create_api_key(call):
    value = call.get("value") or new_id(40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    if any(key["value"] == value for key in api_keys(call).values()):
        raise AwsError("ConflictException", "API Key already exists")
    key_id = fresh_id(api_keys(call))
    key = {"id": key_id, "value": value, "enabled": False, "createdDate": now(), "lastUpdatedDate": now()}
    key |= picked(call.params, "name", "description", "enabled", "customerId", "tags")
    api_keys(call)[key_id] = key
    return shown(key, True)


def key_of(call):
    return found(api_keys(call), call.params["apiKey"], "API Key")


@operation("apigateway", "GetApiKey")
def get_api_key(call):
    return shown(key_of(call), call.get("includeValue"))


@operation("apigateway", "GetApiKeys")
def get_api_keys(call):
    keys = [key for key in api_keys(call).values() if key.get("name", "").startswith(call.get("nameQuery", ""))]
    keys = [key for key in keys if call.get("customerId") in (None, key.get("customerId"))]
    return listed(call, [shown(key, call.get("includeValues")) for key in keys])


@operation("apigateway", "UpdateApiKey")
def update_api_key(call):
    key = key_of(call)
    apply_patches(call, key, PATCHES)
    key["lastUpdatedDate"] = now()
    return shown(key, False)


@operation("apigateway", "DeleteApiKey")
def delete_api_key(call):
    key = key_of(call)
    for plan in usage_plans(call).values():
        plan["_keys"].pop(key["id"], None)
    del api_keys(call)[key["id"]]
    return {}
