"""P7: the processor on Fargate, out of reach from outside, as many as what waits in the stream needs."""

from pipeline import one


def test_the_cluster_has_container_insights(live):
    settings = {setting["name"]: setting["value"] for setting in live.cluster["settings"]}
    assert settings["containerInsights"] == "enabled"


def test_the_task_has_its_size_and_name(live):
    assert (live.task["cpu"], live.task["memory"]) == ("256", "512")
    assert live.task["requiresCompatibilities"] == ["FARGATE"]
    assert one(live.task["containerDefinitions"])["name"] == "data-processor"


def test_it_knows_the_stream_the_database_and_the_secret(live):
    container = one(live.task["containerDefinitions"])
    environment = {pair["name"]: pair["value"] for pair in container["environment"]}
    assert environment["KINESIS_STREAM"] == live.stream["StreamName"]
    assert environment["DB_ENDPOINT"] == live.database["Endpoint"]["Address"]
    assert environment["DB_SECRET_ARN"] == live.secret["ARN"]
    assert container["logConfiguration"]["options"]["awslogs-group"] in live.log_groups


def test_it_runs_in_private_subnets_without_public_addresses(live):
    network = live.service["networkConfiguration"]["awsvpcConfiguration"]
    assert set(network["subnets"]) == live.subnet_ids("private")
    assert network["assignPublicIp"] == "DISABLED"
    assert network["securityGroups"] == [live.groups[live.name("ecs-tasks-sg")]["GroupId"]]


def test_the_service_runs_what_it_should_and_rolls_back(live):
    assert live.service["runningCount"] >= 1
    assert live.service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def policies(live):
    scaling = live.client("application-autoscaling")
    resource = f"service/{live.name('cluster')}/{live.name('data-processor')}"
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    return {policy["PolicyName"].removeprefix(live.name("")): policy for policy in found}


def test_tasks_come_and_go_in_steps_of_one(live):
    steps = {}
    for name, policy in policies(live).items():
        assert policy["PolicyType"] == "StepScaling"
        step = one(policy["StepScalingPolicyConfiguration"]["StepAdjustments"])
        steps[name] = step["ScalingAdjustment"]
    assert steps == {"scale-out": 1, "scale-in": -1}


def test_the_age_of_the_oldest_record_brings_that_about(live):
    for name, comparison, threshold in (
        ("scale-out", "GreaterThanThreshold", 60_000),
        ("scale-in", "LessThanThreshold", 6_000),
    ):
        alarm = live.alarms[name]
        assert alarm["AlarmActions"] == [policies(live)[name]["PolicyARN"]]
        assert alarm["ActionsEnabled"] is True
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds")
        assert alarm["Dimensions"] == [{"Name": "StreamName", "Value": live.stream["StreamName"]}]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)


def test_there_is_a_least_and_a_most(live):
    scaling = live.client("application-autoscaling")
    resource = f"service/{live.name('cluster')}/{live.name('data-processor')}"
    target = one(scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"])
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
