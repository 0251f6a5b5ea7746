"""Stages and the many paths by which they are patched."""

from ... import logs_left
from ...common import picked
from ...registry import AwsError, now, operation
from ..wafv2 import guards
from .patches import apply_patches, as_bool
from .shared import api_of, found, present

KEPT = (
    "description",
    "cacheClusterEnabled",
    "cacheClusterSize",
    "variables",
    "documentationVersion",
    "canarySettings",
    "tracingEnabled",
    "tags",
)
PATCHES = {
    "/deploymentId": ("deploymentId", str),
    "/description": ("description", str),
    "/clientCertificateId": ("clientCertificateId", str),
    "/documentationVersion": ("documentationVersion", str),
    "/cacheClusterEnabled": ("cacheClusterEnabled", as_bool),
    "/cacheClusterSize": ("cacheClusterSize", str),
    "/tracingEnabled": ("tracingEnabled", as_bool),
    "/accessLogSettings": ("accessLogSettings", str),
    "/accessLogSettings/destinationArn": ("accessLogSettings.destinationArn", lambda arn: arn.removesuffix(":*")),
    "/accessLogSettings/format": ("accessLogSettings.format", str),
    "/canarySettings": ("canarySettings", str),
    "/canarySettings/percentTraffic": ("canarySettings.percentTraffic", float),
    "/canarySettings/deploymentId": ("canarySettings.deploymentId", str),
    "/canarySettings/useStageCache": ("canarySettings.useStageCache", as_bool),
}
METHOD_SETTINGS = {
    "logging/loglevel": ("loggingLevel", str),
    "logging/dataTrace": ("dataTraceEnabled", as_bool),
    "metrics/enabled": ("metricsEnabled", as_bool),
    "throttling/rateLimit": ("throttlingRateLimit", float),
    "throttling/burstLimit": ("throttlingBurstLimit", int),
    "caching/enabled": ("cachingEnabled", as_bool),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", int),
    "caching/dataEncrypted": ("cacheDataEncrypted", as_bool),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", as_bool),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", str),
}
METHOD_DEFAULTS = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def stage_of(call):
    return found(api_of(call)["stages"], call.params["stageName"], "stage")


def make_stage(call, api, name, deployment_id):
    stage = {
        "stageName": name,
        "deploymentId": deployment_id,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
        "tags": {},
        "createdDate": now(),
        "lastUpdatedDate": now(),
    } | picked(call.params, *KEPT)
    api["stages"][name] = stage
    return stage


def shown(call, stage):
    return present(stage) | {"methodSettings": stage["methodSettings"]} | web_acl_of(call, stage)


def web_acl_of(call, stage):
    ending = f"/restapis/{call.params['restApiId']}/stages/{stage['stageName']}"
    found = [acl for guarded, acl in guards(call).items() if guarded.endswith(ending)]
    return {"webAclArn": found[0]} if found else {}


@operation("apigateway", "CreateStage")
def create_stage(call):
    api = api_of(call)
    if call.params["stageName"] in api["stages"]:
        raise AwsError("ConflictException", "Stage already exists")
    if call.params["deploymentId"] not in api["deployments"]:
        raise AwsError("BadRequestException", "Deployment id does not exist")
    return shown(call, make_stage(call, api, call.params["stageName"], call.params["deploymentId"]))


@operation("apigateway", "GetStage")
def get_stage(call):
    return shown(call, stage_of(call))


@operation("apigateway", "GetStages")
def get_stages(call):
    found_stages = list(api_of(call)["stages"].values())
    wanted = call.get("deploymentId")
    return {"item": [shown(call, stage) for stage in found_stages if wanted in (None, stage["deploymentId"])]}


@operation("apigateway", "UpdateStage")
def update_stage(call):
    api, stage = api_of(call), stage_of(call)
    for patch in call.get("patchOperations", []):
        if patch["path"] == "/deploymentId" and patch.get("value") not in api["deployments"]:
            raise AwsError("BadRequestException", "Deployment id does not exist")
    apply_patches(call, stage, PATCHES, patch_maps)
    if not stage.get("accessLogSettings"):
        stage.pop("accessLogSettings", None)
    stage["lastUpdatedDate"] = now()
    logs_left.make_all(call)
    return shown(call, stage)


def patch_maps(stage, patch):
    path = patch["path"]
    if path.startswith("/variables/"):
        return change_entry(stage.setdefault("variables", {}), path.removeprefix("/variables/"), patch)
    if path.startswith("/canarySettings/stageVariableOverrides/"):
        holder = stage.setdefault("canarySettings", {}).setdefault("stageVariableOverrides", {})
        return change_entry(holder, path.rpartition("/")[2], patch)
    return patch_method_settings(stage["methodSettings"], patch)


def change_entry(holder, key, patch):
    if patch["op"] == "remove":
        holder.pop(key, None)
    else:
        holder[key] = patch["value"]


def patch_method_settings(settings, patch):
    """/RESOURCE/METHOD/group/setting, where RESOURCE has its slashes escaped; without the setting, all of them."""
    parts = patch["path"].lstrip("/").split("/")
    if len(parts) == 2 and patch["op"] == "remove":
        settings.pop("/".join(parts), None)
        return None
    known = METHOD_SETTINGS.get("/".join(parts[2:]))
    if len(parts) != 4 or known is None:
        return False
    name, convert = known
    entry = settings.setdefault("/".join(parts[:2]), dict(METHOD_DEFAULTS))
    entry[name] = METHOD_DEFAULTS[name] if patch["op"] == "remove" else convert(patch["value"])
    return None


@operation("apigateway", "DeleteStage")
def delete_stage(call):
    stage_of(call)
    del api_of(call)["stages"][call.params["stageName"]]
    return {}


@operation("apigateway", "FlushStageCache", "FlushStageAuthorizersCache")
def flush_stage(call):
    stage_of(call)
    return {}
