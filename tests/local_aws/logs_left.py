"""The log groups that services make by themselves, without retention, and make again if they are deleted too early.

A tool that does not make them first, or deletes them before their writers, leaves them in the account for ever.
"""

from .life import later
from .policies import role_allows, roles_by_arn

# What API Gateway makes when an account is given the role it writes logs with.
WELCOME = "/aws/apigateway/welcome"


def make(call, name):
    backend = call.backend("logs")
    if name not in backend.groups:
        backend.create_log_group(name, {}, kmsKeyId=None)


def written_again(call, name):
    """A group that was deleted comes back with the next line of a writer that is still there."""
    later("logs.next-line", lambda: make(call, name) if name in set(writers(call)) else None)


def writers(call):
    yield from written_by_rds(call)
    yield from written_by_ecs(call)
    yield from written_by_apigateway(call)
    yield from written_by_flow_logs(call)


def written_by_rds(call):
    for proxy in call.shelf("rds.proxies").values():
        if proxy["Status"] == "available":
            yield f"/aws/rds/proxy/{proxy['DBProxyName']}"
    for instance in call.shelf("rds.instances").values():
        if instance["DBInstanceStatus"] == "available":
            yield from exports_of(instance)


def exports_of(instance):
    cluster = instance.get("DBClusterIdentifier")
    path = f"cluster/{cluster}" if cluster else f"instance/{instance['DBInstanceIdentifier']}"
    return [f"/aws/rds/{path}/{kind}" for kind in instance["EnabledCloudwatchLogsExports"]]


def written_by_ecs(call):
    clusters = call.shelf("ecs.clusters")
    for service in call.shelf("ecs.services").values():
        cluster = clusters[service["clusterArn"].rpartition("/")[2]]
        if service["runningCount"] and insights_on(cluster):
            yield insights_group(cluster)


def insights_on(cluster):
    return any(s["name"] == "containerInsights" and s["value"] != "disabled" for s in cluster["settings"])


def insights_group(cluster):
    return f"/aws/ecs/containerinsights/{cluster['clusterName']}/performance"


def written_by_apigateway(call):
    for api_id, api in call.shelf("apigateway.apis").items():
        for name, stage in api["stages"].items():
            if any(settings["loggingLevel"] != "OFF" for settings in stage["methodSettings"].values()):
                yield f"API-Gateway-Execution-Logs_{api_id}/{name}"


def written_by_flow_logs(call):
    """Only where the role of the flow log may create log groups; that is what makes such a permission a bad idea."""
    roles = roles_by_arn(call)
    for log in call.backend("ec2").flow_logs.values():
        role = roles.get(log.deliver_logs_permission_arn)
        if log.log_group_name and role_allows(call, role, "logs:CreateLogGroup"):
            yield log.log_group_name


def make_all(call):
    for name in set(writers(call)):
        make(call, name)
