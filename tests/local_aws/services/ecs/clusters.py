"""Clusters. A deleted one stays visible as INACTIVE, and its name is free at once."""

from ...common import picked
from ...registry import operation
from .shared import cluster_of, clusters, name_of, services_of

KEPT = (
    "tags",
    "settings",
    "configuration",
    "capacityProviders",
    "defaultCapacityProviderStrategy",
    "serviceConnectDefaults",
)
SHOWN_ONLY_ON_DEMAND = {
    "TAGS": "tags",
    "SETTINGS": "settings",
    "CONFIGURATIONS": "configuration",
    "STATISTICS": "statistics",
}


@operation("ecs", "CreateCluster")
def create_cluster(call):
    name = call.get("clusterName", "default")
    existing = clusters(call).get(name)
    if existing and existing["status"] == "ACTIVE":
        return {"cluster": shown(call, existing, SHOWN_ONLY_ON_DEMAND)}
    cluster = {
        "clusterArn": call.arn("ecs", f"cluster/{name}"),
        "clusterName": name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
        "tags": [],
    } | picked(call.params, *KEPT)
    clusters(call)[name] = cluster
    return {"cluster": shown(call, cluster, SHOWN_ONLY_ON_DEMAND)}


def shown(call, cluster, include):
    hidden = {field for word, field in SHOWN_ONLY_ON_DEMAND.items() if word not in (include or ())}
    out = {key: value for key, value in cluster.items() if key not in hidden}
    live = [service for service in services_of(call, cluster) if service["status"] in ("ACTIVE", "DRAINING")]
    out["activeServicesCount"] = len(live)
    out["runningTasksCount"] = sum(service["runningCount"] for service in live)
    out["pendingTasksCount"] = sum(service["pendingCount"] for service in live)
    out["statistics"] = []
    return out


@operation("ecs", "DescribeClusters")
def describe_clusters(call):
    found, failures = [], []
    for wanted in call.get("clusters", ["default"]):
        cluster = clusters(call).get(name_of(wanted))
        if cluster:
            found.append(shown(call, cluster, call.get("include")))
        else:
            arn = wanted if wanted.startswith("arn:") else call.arn("ecs", f"cluster/{wanted}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"clusters": found, "failures": failures}


@operation("ecs", "ListClusters")
def list_clusters(call):
    return {"clusterArns": [c["clusterArn"] for c in clusters(call).values() if c["status"] == "ACTIVE"]}


@operation("ecs", "UpdateCluster")
def update_cluster(call):
    cluster = cluster_of(call)
    merge_settings(cluster, call.get("settings", []))
    cluster.update(picked(call.params, "configuration", "serviceConnectDefaults"))
    return {"cluster": shown(call, cluster, SHOWN_ONLY_ON_DEMAND)}


@operation("ecs", "UpdateClusterSettings")
def update_cluster_settings(call):
    return update_cluster(call)


def merge_settings(cluster, settings):
    merged = {setting["name"]: setting for setting in cluster["settings"]}
    merged.update({setting["name"]: dict(setting) for setting in settings})
    cluster["settings"] = list(merged.values())


@operation("ecs", "PutClusterCapacityProviders")
def put_cluster_capacity_providers(call):
    cluster = cluster_of(call)
    cluster.update(picked(call.params, "capacityProviders", "defaultCapacityProviderStrategy"))
    return {"cluster": shown(call, cluster, SHOWN_ONLY_ON_DEMAND)}


@operation("ecs", "DeleteCluster")
def delete_cluster(call):
    cluster = cluster_of(call)
    cluster["status"] = "INACTIVE"
    return {"cluster": shown(call, cluster, SHOWN_ONLY_ON_DEMAND)}
