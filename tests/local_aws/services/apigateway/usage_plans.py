"""Usage plans and the keys that belong to them."""

from ...common import picked
from ...registry import AwsError, operation
from .patches import apply_patches
from .shared import api_keys, apis, found, fresh_id, listed, present, usage_plans

PATCHES = {
    "/name": ("name", str),
    "/description": ("description", str),
    "/productCode": ("productCode", str),
    "/throttle": ("throttle", str),
    "/throttle/rateLimit": ("throttle.rateLimit", float),
    "/throttle/burstLimit": ("throttle.burstLimit", int),
    "/quota": ("quota", str),
    "/quota/limit": ("quota.limit", int),
    "/quota/offset": ("quota.offset", int),
    "/quota/period": ("quota.period", str),
}


def plan_of(call):
    return found(usage_plans(call), call.params["usagePlanId"], "Usage Plan ID", "Invalid {} specified")


def shown(plan):
    return present(plan) | {"apiStages": plan["apiStages"]}


def check_stage(call, api_id, stage):
    if api_id not in apis(call) or stage not in apis(call)[api_id]["stages"]:
        raise AwsError("NotFoundException", f"API Stage not found: {api_id}:{stage}")


@operation("apigateway", "CreateUsagePlan")
def create_usage_plan(call):
    for wanted in call.get("apiStages", []):
        check_stage(call, wanted["apiId"], wanted["stage"])
    plan_id = fresh_id(usage_plans(call), 6)
    plan = {"id": plan_id, "apiStages": []} | picked(
        call.params, "name", "description", "apiStages", "throttle", "quota", "tags"
    )
    if "quota" in plan:
        plan["quota"].setdefault("offset", 0)
    usage_plans(call)[plan_id] = plan | {"_keys": {}}
    return shown(usage_plans(call)[plan_id])


@operation("apigateway", "GetUsagePlan")
def get_usage_plan(call):
    return shown(plan_of(call))


@operation("apigateway", "GetUsagePlans")
def get_usage_plans(call):
    plans = list(usage_plans(call).values())
    return listed(call, [shown(p) for p in plans if call.get("keyId") is None or call.get("keyId") in p["_keys"]])


@operation("apigateway", "UpdateUsagePlan")
def update_usage_plan(call):
    plan = plan_of(call)
    apply_patches(call, plan, PATCHES, lambda plan, patch: patch_stages(call, plan, patch))
    return shown(plan)


def patch_stages(call, plan, patch):
    if patch["path"] == "/apiStages":
        return change_stages(call, plan, patch)
    if patch["path"].startswith("/apiStages/"):
        return change_stage_throttle(plan, patch)
    return False


def change_stages(call, plan, patch):
    api_id, _, stage = patch["value"].partition(":")
    here = [s for s in plan["apiStages"] if (s["apiId"], s["stage"]) == (api_id, stage)]
    if patch["op"] == "remove":
        if not here:
            raise AwsError("NotFoundException", f"API Stage not found: {patch['value']}")
        plan["apiStages"].remove(here[0])
    else:
        check_stage(call, api_id, stage)
        if here:
            raise AwsError("ConflictException", f"API Stage {patch['value']} is already in the usage plan")
        plan["apiStages"].append({"apiId": api_id, "stage": stage})


def change_stage_throttle(plan, patch):
    """/apiStages/API:STAGE/throttle/PATH/METHOD/rateLimit"""
    parts = patch["path"].split("/")
    api_id, _, stage = parts[2].partition(":")
    for entry in plan["apiStages"]:
        if (entry["apiId"], entry["stage"]) == (api_id, stage):
            throttle = entry.setdefault("throttle", {})
            if patch["op"] == "remove" or len(parts) < 7:
                entry.pop("throttle", None)
                return None
            settings = throttle.setdefault("/".join(parts[4:-1]), {})
            settings[parts[-1]] = float(patch["value"]) if parts[-1] == "rateLimit" else int(patch["value"])
            return None
    return False


@operation("apigateway", "DeleteUsagePlan")
def delete_usage_plan(call):
    plan = plan_of(call)
    del usage_plans(call)[plan["id"]]
    return {}


@operation("apigateway", "CreateUsagePlanKey")
def create_usage_plan_key(call):
    plan, key_id = plan_of(call), call.params["keyId"]
    key = found(api_keys(call), key_id, "API Key")
    if key_id in plan["_keys"]:
        raise AwsError("ConflictException", "Usage plan key already exists")
    plan["_keys"][key_id] = call.params["keyType"]
    return shown_key(plan, key)


def shown_key(plan, key):
    return {"id": key["id"], "type": plan["_keys"][key["id"]], "name": key.get("name"), "value": key["value"]}


@operation("apigateway", "GetUsagePlanKeys")
def get_usage_plan_keys(call):
    plan = plan_of(call)
    keys = [api_keys(call)[key_id] for key_id in plan["_keys"] if key_id in api_keys(call)]
    wanted = call.get("nameQuery", "")
    return listed(call, [shown_key(plan, key) for key in keys if key.get("name", "").startswith(wanted)])


def plan_key(call):
    plan = plan_of(call)
    found(plan["_keys"], call.params["keyId"], "Usage Plan Key")
    return plan, api_keys(call)[call.params["keyId"]]


@operation("apigateway", "GetUsagePlanKey")
def get_usage_plan_key(call):
    return shown_key(*plan_key(call))


@operation("apigateway", "DeleteUsagePlanKey")
def delete_usage_plan_key(call):
    plan, key = plan_key(call)
    del plan["_keys"][key["id"]]
    return {}
