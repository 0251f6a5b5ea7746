"""S10: the cluster, the task, the service, and how it grows and shrinks."""

from requirements.live import one

IMAGE = "public.ecr.aws/docker/library/busybox:1.37"


def test_the_cluster_is_observed(live):
    settings = {setting["name"]: setting["value"] for setting in live.cluster["settings"]}
    assert settings["containerInsights"] in ("enabled", "enhanced")
    assert live.cluster["status"] == "ACTIVE"


def test_a_task_is_as_large_as_asked_for(live):
    assert (live.task["cpu"], live.task["memory"]) == ("512", "1024")
    assert live.task["requiresCompatibilities"] == ["FARGATE"]
    assert live.task["networkMode"] == "awsvpc"


def test_the_container_listens(live):
    assert live.container["name"] == "student-api"
    port = one(live.container["portMappings"])
    assert (port["containerPort"], port["protocol"]) == (8080, "tcp")


def test_the_default_image_answers_the_health_check(live, wanted):
    if wanted.has("image"):
        assert live.container["image"] != IMAGE
        assert not live.container.get("command")
        return
    assert live.container["image"] == IMAGE
    shell = live.container["command"]
    assert shell[:2] == ["sh", "-c"]
    assert "/www/health" in shell[2] and "httpd -f -p 8080" in shell[2]


def test_the_environment_tells_where_everything_is(live, wanted):
    environment = {variable["name"]: variable["value"] for variable in live.container["environment"]}
    writer = live.database["Endpoint"]
    if wanted.has("proxy"):
        writer = one(live.rds.describe_db_proxies(DBProxyName=live.name("proxy"))["DBProxies"])["Endpoint"]
    node_group = one(live.cache["NodeGroups"])
    assert environment == {
        "DB_ENDPOINT": writer,
        "DB_READER_ENDPOINT": live.database["ReaderEndpoint"],
        "REDIS_ENDPOINT": node_group["PrimaryEndpoint"]["Address"],
        "KINESIS_STREAM": live.name("events"),
        "ENVIRONMENT_SUFFIX": live.env,
        "AWS_REGION": live.region,
    }


def test_the_shared_files_are_mounted_with_tls_iam_and_the_access_point(live):
    mount = one(found for found in live.container["mountPoints"] if found["containerPath"] == "/mnt/efs")
    volume = one(found for found in live.task["volumes"] if "efsVolumeConfiguration" in found)
    assert (mount["containerPath"], mount["sourceVolume"]) == ("/mnt/efs", volume["name"])
    efs = volume["efsVolumeConfiguration"]
    assert efs["fileSystemId"] == live.files["FileSystemId"]
    assert efs["transitEncryption"] == "ENABLED"
    point = live.access_point["AccessPointId"]
    assert efs["authorizationConfig"] == {"accessPointId": point, "iam": "ENABLED"}


def test_the_container_cannot_change_itself(live):
    assert live.container["readonlyRootFilesystem"] is True
    assert not live.container.get("privileged")


def test_its_log_goes_to_an_encrypted_group(live, wanted):
    log = live.container["logConfiguration"]
    assert (log["logDriver"], log["options"]["awslogs-group"]) == ("awslogs", live.name("service"))
    group = live.log_groups[live.name("service")]
    assert group["kmsKeyId"] == live.key_arn("logs")
    assert group["retentionInDays"] == wanted.log_days


def test_the_task_runs_by_its_roles(live):
    assert live.task["executionRoleArn"] == live.roles["execution"]["arn"]
    assert live.task["taskRoleArn"] == live.roles["task"]["arn"]


def test_two_tasks_run_across_the_zones_without_public_addresses(live):
    network = live.service["networkConfiguration"]["awsvpcConfiguration"]
    assert set(network["subnets"]) == live.subnet_ids("private")
    assert network["assignPublicIp"] == "DISABLED"
    assert (live.service["desiredCount"], live.service["runningCount"]) == (2, 2)
    assert live.service["launchType"] == "FARGATE"
    assert live.service["availabilityZoneRebalancing"] == "ENABLED"


def test_a_bad_deployment_is_taken_back(live):
    deployment = live.service["deploymentConfiguration"]
    assert deployment["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (deployment["minimumHealthyPercent"], deployment["maximumPercent"]) == (100, 200)


def test_a_task_has_60_seconds_of_grace(live):
    assert live.service["healthCheckGracePeriodSeconds"] == 60


def test_the_deployment_is_complete(live):
    deployment = one(live.service["deployments"])
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "COMPLETED")


def test_nobody_can_open_a_shell_in_a_task(live):
    assert live.service["enableExecuteCommand"] is False


def test_it_scales_from_2_to_10_tasks(live):
    resource = f"service/{live.name('cluster')}/{live.name('api')}"
    found = live.application_autoscaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])
    target = one(found["ScalableTargets"])
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)


def test_it_scales_on_requests_and_cpu(live):
    resource = f"service/{live.name('cluster')}/{live.name('api')}"
    found = live.application_autoscaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)
    policies = [policy["TargetTrackingScalingPolicyConfiguration"] for policy in found["ScalingPolicies"]]
    metrics = {p["PredefinedMetricSpecification"]["PredefinedMetricType"]: p for p in policies}
    assert set(metrics) == {"ALBRequestCountPerTarget", "ECSServiceAverageCPUUtilization"}
    label = metrics["ALBRequestCountPerTarget"]["PredefinedMetricSpecification"]["ResourceLabel"]
    balancer = live.balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
    assert label == f"{balancer}/{live.targets['TargetGroupArn'].rpartition(':')[2]}"
