"""Where ECS keeps its objects, and how a call names them."""

from ...registry import AwsError


def clusters(call):
    return call.shelf("ecs.clusters")


def services(call):
    return call.shelf("ecs.services")


def tasks(call):
    return call.shelf("ecs.tasks")


def task_definitions(call):
    return call.shelf("ecs.task-definitions")


def service_deployments(call):
    return call.shelf("ecs.service-deployments")


def service_revisions(call):
    return call.shelf("ecs.service-revisions")


def name_of(arn_or_name):
    return arn_or_name.rpartition("/")[2]


def cluster_of(call):
    cluster = clusters(call).get(name_of(call.get("cluster", "default")))
    if cluster is None or cluster["status"] != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


def services_of(call, cluster):
    return [service for service in services(call).values() if service["clusterArn"] == cluster["clusterArn"]]


def tasks_of(call, cluster):
    return [task for task in tasks(call).values() if task["clusterArn"] == cluster["clusterArn"]]


def service_of(call, reference):
    cluster = cluster_of(call)
    service = services(call).get((cluster["clusterName"], name_of(reference)))
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return service
