import datetime
from functools import cache

import pytest
from conftest import make_role, proves, refused

CONTAINER = {
    "name": "api",
    "image": "example/api:1",
    "portMappings": [{"containerPort": 8080}],
    "secrets": [{"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "api"},
    },
    "mountPoints": [{"sourceVolume": "efs", "containerPath": "/mnt/efs"}],
}
VOLUME = {
    "name": "efs",
    "efsVolumeConfiguration": {
        "fileSystemId": "fs-0123456789abcdef0",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
    },
}


@cache
def execution_role(local):
    return make_role(local, "execution", "ecs-tasks.amazonaws.com")


def register(local, family, **more):
    return local("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        cpu="512",
        memory="1024",
        requiresCompatibilities=["FARGATE"],
        executionRoleArn=execution_role(local),
        containerDefinitions=[CONTAINER],
        volumes=[VOLUME],
        **more,
    )["taskDefinition"]["taskDefinitionArn"]


@pytest.fixture
def service(local, network, name):
    """Arguments of CreateService for a fresh cluster."""
    local("ecs").create_cluster(clusterName=name)
    return {
        "cluster": name,
        "serviceName": name,
        "taskDefinition": register(local, name),
        "desiredCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": network.subnets, "securityGroups": [network.group]}
        },
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "enableExecuteCommand": True,
        "propagateTags": "SERVICE",
        "tags": [{"key": "Name", "value": name}],
    }


def described(local, service):
    found = local("ecs").describe_services(
        cluster=service["cluster"], services=[service["serviceName"]], include=["TAGS"]
    )
    return found["services"][0]


def test_service_reaches_a_steady_state(local, service, held):
    local("ecs").create_service(**service)
    found = described(local, service)
    assert (found["runningCount"], found["pendingCount"]) == (0, 2)
    assert found["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    held()
    found = described(local, service)
    assert (found["runningCount"], found["pendingCount"], len(found["deployments"])) == (2, 0, 1)
    assert found["deployments"][0]["rolloutState"] == "COMPLETED"


def test_service_keeps_how_it_was_configured(local, service):
    local("ecs").create_service(**service)
    found = described(local, service)
    configuration = found["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (configuration["maximumPercent"], configuration["minimumHealthyPercent"]) == (200, 100)
    assert found["healthCheckGracePeriodSeconds"] == 0 and found["enableExecuteCommand"]
    assert (found["propagateTags"], found["platformVersion"]) == ("SERVICE", "LATEST")
    assert found["availabilityZoneRebalancing"] == "ENABLED"
    assert found["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert found["tags"] == service["tags"]


def test_a_new_task_definition_is_a_new_deployment(local, service, held):
    ecs = local("ecs")
    ecs.create_service(**service)
    held()
    before = described(local, service)["deployments"][0]["id"]
    newer = register(local, service["cluster"])
    ecs.update_service(cluster=service["cluster"], service=service["serviceName"], taskDefinition=newer)
    both = described(local, service)["deployments"]
    assert [d["status"] for d in both] == ["PRIMARY", "ACTIVE"] and both[1]["id"] == before != both[0]["id"]
    held()
    after = described(local, service)
    assert after["taskDefinition"] == newer and [d["taskDefinition"] for d in after["deployments"]] == [newer]


def test_service_deployments_tell_how_a_deployment_ends(local, service, held):
    ecs = local("ecs")
    ecs.create_service(**service)
    wish = {"cluster": service["cluster"], "service": service["serviceName"]}
    assert [d["status"] for d in ecs.list_service_deployments(**wish)["serviceDeployments"]] == ["IN_PROGRESS"]
    held()
    listed = ecs.list_service_deployments(**wish)["serviceDeployments"][0]
    full = ecs.describe_service_deployments(serviceDeploymentArns=[listed["serviceDeploymentArn"]])[
        "serviceDeployments"
    ][0]
    assert full["status"] == "SUCCESSFUL" and full["targetServiceRevision"]["runningTaskCount"] == 2
    revision = ecs.describe_service_revisions(serviceRevisionArns=[full["targetServiceRevision"]["arn"]])
    assert revision["serviceRevisions"][0]["taskDefinition"] == service["taskDefinition"]


def test_scaling_to_zero_stops_all_tasks(local, service):
    ecs = local("ecs")
    ecs.create_service(**service)
    ecs.update_service(cluster=service["cluster"], service=service["serviceName"], desiredCount=0)
    found = described(local, service)
    assert (found["desiredCount"], found["runningCount"]) == (0, 0)
    assert ecs.list_tasks(cluster=service["cluster"])["taskArns"] == []


def test_deleted_service_drains_and_frees_its_name(local, service, held):
    ecs = local("ecs")
    ecs.create_service(**service)
    held()
    with refused("InvalidParameterException"):
        ecs.delete_service(cluster=service["cluster"], service=service["serviceName"])
    ecs.delete_service(cluster=service["cluster"], service=service["serviceName"], force=True)
    assert described(local, service)["status"] == "DRAINING"
    with refused("InvalidParameterException") as error:
        ecs.create_service(**service)
    assert "Draining" in error.message
    held()
    assert described(local, service)["status"] == "INACTIVE"
    with refused("ServiceNotFoundException"):
        ecs.delete_service(cluster=service["cluster"], service=service["serviceName"])
    ecs.create_service(**service)


def test_service_name_is_taken_except_for_the_same_token(local, service):
    ecs = local("ecs")
    first = ecs.create_service(**service, clientToken="one")["service"]["serviceArn"]
    assert ecs.create_service(**service, clientToken="one")["service"]["serviceArn"] == first
    with refused("InvalidParameterException") as error:
        ecs.create_service(**service, clientToken="two")
    assert "not idempotent" in error.message


def test_missing_services_and_clusters_are_failures_not_errors(local, name):
    ecs = local("ecs")
    ecs.create_cluster(clusterName=name)
    assert ecs.describe_services(cluster=name, services=["none"])["failures"][0]["reason"] == "MISSING"
    assert ecs.describe_clusters(clusters=["none"])["failures"][0]["reason"] == "MISSING"
    with refused("ClusterNotFoundException"):
        ecs.describe_services(cluster="none", services=["none"])


def test_task_definition_comes_back_whole(local, name):
    arn = register(
        local,
        name,
        tags=[{"key": "a", "value": "b"}],
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        ephemeralStorage={"sizeInGiB": 30},
    )
    found = local("ecs").describe_task_definition(taskDefinition=arn, include=["TAGS"])
    definition = found["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    assert container["secrets"] == CONTAINER["secrets"] and container["essential"] is True
    efs = definition["volumes"][0]["efsVolumeConfiguration"]
    assert efs["authorizationConfig"] == VOLUME["efsVolumeConfiguration"]["authorizationConfig"]
    assert efs["rootDirectory"] == "/" and definition["ephemeralStorage"] == {"sizeInGiB": 30}
    assert definition["runtimePlatform"]["cpuArchitecture"] == "ARM64" and found["tags"] == [{"key": "a", "value": "b"}]


def test_task_definition_revisions_are_never_used_again(local, name, held):
    ecs = local("ecs")
    arn = register(local, name)
    refusal = ecs.delete_task_definitions(taskDefinitions=[arn])["failures"]
    assert refusal and ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    assert ecs.delete_task_definitions(taskDefinitions=[arn])["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
    held()
    with refused("ClientException"):
        ecs.describe_task_definition(taskDefinition=arn)
    assert register(local, name).endswith(":2")


def test_cluster_life(local, service):
    ecs = local("ecs")
    name = service["cluster"]
    settings = [{"name": "containerInsights", "value": "enabled"}]
    ecs.update_cluster_settings(cluster=name, settings=settings)
    ecs.tag_resource(
        resourceArn=ecs.describe_clusters(clusters=[name])["clusters"][0]["clusterArn"],
        tags=[{"key": "k", "value": "v"}],
    )
    found = ecs.describe_clusters(clusters=[name], include=["TAGS", "SETTINGS"])["clusters"][0]
    assert found["settings"] == settings and found["tags"] == [{"key": "k", "value": "v"}]
    assert "settings" not in ecs.describe_clusters(clusters=[name])["clusters"][0]
    ecs.create_service(**service)
    with refused("ClusterContainsServicesException"):
        ecs.delete_cluster(cluster=name)
    ecs.delete_service(cluster=name, service=service["serviceName"], force=True)
    assert ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"
    assert ecs.describe_clusters(clusters=[name])["clusters"][0]["status"] == "INACTIVE"
    assert ecs.create_cluster(clusterName=name)["cluster"]["status"] == "ACTIVE"


def test_circuit_breaker_rolls_back(local, service):
    ecs = local("ecs")
    ecs.create_service(**service)
    local.admin(
        "POST", "/_local/endings", {"kind": "ecs.deployment", "name": service["serviceName"], "ending": "failed"}
    )
    newer = register(local, service["cluster"])
    ecs.update_service(cluster=service["cluster"], service=service["serviceName"], taskDefinition=newer)
    found = described(local, service)
    assert found["taskDefinition"] == service["taskDefinition"] and found["runningCount"] == 2
    statuses = ecs.list_service_deployments(cluster=service["cluster"], service=service["serviceName"])[
        "serviceDeployments"
    ]
    assert statuses[0]["status"] == "ROLLBACK_SUCCESSFUL"
    stopped = ecs.list_tasks(cluster=service["cluster"], desiredStatus="STOPPED")["taskArns"]
    reasons = {t["stoppedReason"] for t in ecs.describe_tasks(cluster=service["cluster"], tasks=stopped)["tasks"]}
    assert any("CannotPullContainer" in reason for reason in reasons)


def test_first_deployment_that_fails_has_nothing_to_roll_back_to(local, service):
    local.admin("POST", "/_local/endings", {"kind": "ecs.deployment", "ending": "failed"})
    local("ecs").create_service(**service)
    found = described(local, service)
    assert (found["status"], found["runningCount"]) == ("ACTIVE", 0)
    assert found["deployments"][0]["rolloutState"] == "FAILED"


def test_scaling_target_and_policies(local, service):
    scaling, resource = local("application-autoscaling"), f"service/{service['cluster']}/{service['serviceName']}"
    where = {"ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": "ecs:service:DesiredCount"}
    with refused("ValidationException"):
        scaling.register_scalable_target(**where, MinCapacity=2, MaxCapacity=10)
    local("ecs").create_service(**service)
    with refused("ObjectNotFoundException"):
        scaling.deregister_scalable_target(**where)
    arn = scaling.register_scalable_target(**where, MinCapacity=3, MaxCapacity=10, Tags={"a": "b"})["ScalableTargetARN"]
    assert described(local, service)["desiredCount"] == 3
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b", "c": "d"}
    tracking = {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    }
    policy = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    scaling.put_scaling_policy(**where, **policy, TargetTrackingScalingPolicyConfiguration=tracking)
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    assert found[0]["TargetTrackingScalingPolicyConfiguration"] == tracking and len(found[0]["Alarms"]) == 2
    scaling.deregister_scalable_target(**where)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"] == []
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"] == []


def test_tasks_have_interfaces_that_linger(local, network, service, held):
    ecs, ec2 = local("ecs"), local("ec2")
    ecs.create_service(**service)
    held()
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}]
    assert {e["SubnetId"] for e in ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]} == set(
        network.subnets
    )
    task = ecs.describe_tasks(cluster=service["cluster"], tasks=ecs.list_tasks(cluster=service["cluster"])["taskArns"])[
        "tasks"
    ][0]
    assert "networkInterfaceId" in {detail["name"] for detail in task["attachments"][0]["details"]}
    ecs.delete_service(cluster=service["cluster"], service=service["serviceName"], force=True)
    with refused("DependencyViolation"):
        ec2.delete_subnet(SubnetId=network.subnets[0])
    held()
    ec2.delete_subnet(SubnetId=network.subnets[0])


@proves("ecs.cluster_has_tasks")
def test_tasks_that_no_service_keeps_hold_their_cluster(local, network, service, name):
    ecs = local("ecs")
    network_of = service["networkConfiguration"]
    task = ecs.run_task(
        cluster=name, taskDefinition=name, launchType="FARGATE", startedBy="a-person", networkConfiguration=network_of
    )["tasks"][0]
    assert (task["group"], task["startedBy"], task["lastStatus"]) == (f"family:{name}", "a-person", "RUNNING")
    assert ecs.list_tasks(cluster=name)["taskArns"] == [task["taskArn"]]
    with refused("ClusterContainsTasksException"):
        ecs.delete_cluster(cluster=name)
    assert ecs.stop_task(cluster=name, task=task["taskArn"])["task"]["lastStatus"] == "STOPPED"
    ecs.delete_cluster(cluster=name)


def test_log_groups_that_services_write_come_back(local, service):
    ecs, logs = local("ecs"), local("logs")
    insights = [{"name": "containerInsights", "value": "enabled"}]
    ecs.update_cluster_settings(cluster=service["cluster"], settings=insights)
    ecs.create_service(**service)
    name = f"/aws/ecs/containerinsights/{service['cluster']}/performance"
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    logs.delete_log_group(logGroupName=name)
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    ecs.delete_service(cluster=service["cluster"], service=service["serviceName"], force=True)
    logs.delete_log_group(logGroupName=name)
    assert not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]


def test_fargate_s_usage_and_quota_are_told_once_a_task_runs(local, service, at_most):
    at_most({"fargate-vcpus": 7})
    names = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
    metric = {"Namespace": "AWS/Usage", "MetricName": "ResourceCount", "Dimensions": dimensions}
    queries = [
        {"Id": "used", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Maximum"}},
        {"Id": "most", "Expression": "SERVICE_QUOTA(used)"},
    ]
    end = datetime.datetime.now(datetime.UTC)
    wish = {"MetricDataQueries": queries, "StartTime": end - datetime.timedelta(hours=1), "EndTime": end}

    def told():
        results = local("cloudwatch").get_metric_data(**wish)["MetricDataResults"]
        return {result["Id"]: result["Values"] for result in results}

    ecs = local("ecs")
    ecs.create_service(**service)
    tasks = [task for cluster in ecs.list_clusters()["clusterArns"] for task in tasks_of(ecs, cluster)]
    revisions = [task["taskDefinitionArn"] for task in tasks if task["lastStatus"] == "RUNNING"]
    sizes = [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["cpu"] for arn in revisions]
    running = sum(map(int, sizes)) / 1024
    assert told()["used"][0] >= running > 0
    assert told()["most"] == [7.0]


def tasks_of(ecs, cluster):
    arns = ecs.list_tasks(cluster=cluster)["taskArns"]
    return ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []


def test_fargate_runs_as_many_tasks_as_there_are_vcpus_for(local, service, at_most):
    at_most({"fargate-vcpus": 0})
    local("ecs").create_service(**service)
    found = described(local, service)
    assert (found["desiredCount"], found["runningCount"]) == (2, 0)
    assert found["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert "limit on the number of vCPUs" in found["events"][0]["message"]
    at_most({"fargate-vcpus": 1000})
    found = described(local, service)
    assert (found["runningCount"], found["deployments"][0]["rolloutState"]) == (2, "COMPLETED")
    at_most({"fargate-vcpus": 0})
    local("ecs").update_service(cluster=service["cluster"], service=service["serviceName"], desiredCount=4)
    assert "limit on the number of vCPUs" in described(local, service)["events"][0]["message"]
