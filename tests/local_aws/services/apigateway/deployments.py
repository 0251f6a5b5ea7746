"""Deployments: a deployment is a snapshot of the API, and a stage shows the one it points to."""

import copy

from ...common import picked
from ...registry import now, operation
from .patches import apply_patches
from .shared import api_of, found, fresh_id, listed, present
from .stages import make_stage


# What of an API takes effect with its deployment only, besides its resources. Source: API Gateway Developer Guide, "Updates
# to REST APIs that require redeployment".
PARTS = ("authorizers", "validators", "models", "gateway-responses")


def as_deployed(api, stage):
    """The API as callers of a stage meet it, whatever has become of it since."""
    deployment = api["deployments"].get(stage["deploymentId"])
    if deployment is None:
        return api
    return api | deployment["_parts"] | {"record": api["record"] | {"policy": deployment["_policy"]}}


@operation("apigateway", "CreateDeployment")
def create_deployment(call):
    api = api_of(call)
    deployment_id = fresh_id(api["deployments"], 6)
    deployment = {"id": deployment_id, "createdDate": now(), "_snapshot": copy.deepcopy(api["resources"])}
    deployment["_parts"] = copy.deepcopy({part: api[part] for part in PARTS})
    deployment["_policy"] = api["record"].get("policy")
    deployment |= picked(call.params, "description")
    api["deployments"][deployment_id] = deployment
    if call.get("stageName"):
        point_stage(call, api, deployment_id)
    return shown(deployment)


def point_stage(call, api, deployment_id):
    stage = api["stages"].get(call.params["stageName"])
    if stage is None:
        stage = make_stage(call, api, call.params["stageName"], deployment_id)
    stage |= {"deploymentId": deployment_id, "lastUpdatedDate": now()}
    stage |= picked(call.params, "variables", "tracingEnabled", "cacheClusterEnabled")


def shown(deployment, embed=()):
    out = present(deployment)
    if "apisummary" in embed:
        out["apiSummary"] = summary(deployment["_snapshot"])
    return out


def summary(resources):
    def brief(method):
        return {"authorizationType": method["authorizationType"], "apiKeyRequired": method.get("apiKeyRequired", False)}

    return {r["path"]: {name: brief(m) for name, m in r["resourceMethods"].items()} for r in resources.values()}


@operation("apigateway", "GetDeployment")
def get_deployment(call):
    deployment = found(api_of(call)["deployments"], call.params["deploymentId"], "Deployment")
    return shown(deployment, call.get("embed", []))


@operation("apigateway", "GetDeployments")
def get_deployments(call):
    return listed(call, [shown(deployment) for deployment in api_of(call)["deployments"].values()])


@operation("apigateway", "UpdateDeployment")
def update_deployment(call):
    deployment = found(api_of(call)["deployments"], call.params["deploymentId"], "Deployment")
    apply_patches(call, deployment, {"/description": ("description", str)})
    return shown(deployment)


@operation("apigateway", "DeleteDeployment")
def delete_deployment(call):
    api = api_of(call)
    found(api["deployments"], call.params["deploymentId"], "Deployment")
    del api["deployments"][call.params["deploymentId"]]
    return {}
