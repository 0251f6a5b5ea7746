"""The tree of resources."""

from ...registry import AwsError, operation
from .patches import apply_patches
from .shared import api_of, found, fresh_id, listed, present


def resource_of(call, api=None, key="resourceId"):
    return found((api or api_of(call))["resources"], call.params[key], "Resource")


def shown(resource, with_methods):
    out = {key: resource[key] for key in ("id", "parentId", "pathPart", "path") if key in resource}
    methods = resource["resourceMethods"]
    if methods:
        out["resourceMethods"] = {name: shown_method(m) if with_methods else {} for name, m in methods.items()}
    return out


def shown_method(method):
    out = present(method)
    out["apiKeyRequired"] = method.get("apiKeyRequired", False)
    if "methodIntegration" in method:
        out["methodIntegration"] = shown_integration(method["methodIntegration"])
    return out


def shown_integration(integration):
    return present(integration) | {"cacheKeyParameters": integration.get("cacheKeyParameters", [])}


@operation("apigateway", "GetResources")
def get_resources(call):
    with_methods = "methods" in call.get("embed", [])
    ordered = sorted(api_of(call)["resources"].values(), key=lambda resource: resource["id"])
    return listed(call, [shown(resource, with_methods) for resource in ordered])


@operation("apigateway", "GetResource")
def get_resource(call):
    return shown(resource_of(call), "methods" in call.get("embed", []))


@operation("apigateway", "CreateResource")
def create_resource(call):
    api = api_of(call)
    parent, part = resource_of(call, api, "parentId"), call.params["pathPart"]
    for other in api["resources"].values():
        if other.get("parentId") == parent["id"] and other["pathPart"] == part:
            raise AwsError("ConflictException", f"Another resource with the same parent already has this name: {part}")
    resource_id = fresh_id(api["resources"], 6)
    path = f"{parent['path'].rstrip('/')}/{part}"
    resource = {"id": resource_id, "parentId": parent["id"], "pathPart": part, "path": path, "resourceMethods": {}}
    api["resources"][resource_id] = resource
    return shown(resource, False)


@operation("apigateway", "UpdateResource")
def update_resource(call):
    resource = resource_of(call)
    apply_patches(call, resource, {"/pathPart": ("pathPart", str), "/parentId": ("parentId", str)})
    return shown(resource, False)


@operation("apigateway", "DeleteResource")
def delete_resource(call):
    api = api_of(call)
    resource = resource_of(call, api)
    if resource["path"] == "/":
        raise AwsError("BadRequestException", "Root resource cannot be deleted")
    below = resource["path"] + "/"
    doomed = [r["id"] for r in api["resources"].values() if r["path"].startswith(below)]
    for resource_id in [resource["id"], *doomed]:
        del api["resources"][resource_id]
    return {}
