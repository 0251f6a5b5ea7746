"""Deployments: a deployment is a snapshot of the API, and a stage shows the one it points to."""

import copy

from ...common import picked
from ...registry import now, operation
from .patches import apply_patches
from .shared import api_of, found, fresh_id, listed, present
from .stages import make_stage


@operation("apigateway", "CreateDeployment")
def create_deployment(call):
    api = api_of(call)
    deployment_id = fresh_id(api["deployments"], 6)
    deployment = {"id": deployment_id, "createdDate": now(), "_snapshot": copy.deepcopy(api["resources"])}
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
