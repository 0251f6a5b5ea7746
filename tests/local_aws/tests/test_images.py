"""What becomes of containers when their tasks start: images that cannot be pulled, and images that need a place to write."""

import json

import pytest
from conftest import make_role, proves, refused
from test_ecs import CONTAINER, described

VOLUME = {"name": "tmp"}
MOUNTED = {"mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}]}


@pytest.fixture
def running(local, network, name):
    """The number of tasks that run of a service with such a container, and why there is none."""
    ecs = local("ecs")
    ecs.create_cluster(clusterName=name)
    placed = {"awsvpcConfiguration": {"subnets": network.subnets, "securityGroups": [network.group]}}

    def run(service, role=None, **container):
        wish = {"cluster": name, "serviceName": service, "desiredCount": 1}
        wish["taskDefinition"] = registered(local, f"{name}-{service}", role, **container)
        ecs.create_service(**wish, launchType="FARGATE", networkConfiguration=placed)
        found = described(local, wish)
        return found["runningCount"], " ".join(event["message"] for event in found["events"])

    return run


def registered(local, family, role=None, **container):
    role = role or make_role(local, family, "ecs-tasks.amazonaws.com")
    definition = {"networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"]}
    definition |= {"executionRoleArn": role, "volumes": [VOLUME]}
    container = {"name": "api", "image": "example.org/api:1"} | container
    made = local("ecs").register_task_definition(family=family, containerDefinitions=[container], **definition)
    return made["taskDefinition"]["taskDefinitionArn"]


def test_an_image_that_writes_into_tmp_needs_a_place_there(running):
    image = {"image": "example.org/api:needs-tmp-1"}
    fixed = image | {"readonlyRootFilesystem": True}
    assert running("writable", **image)[0] == 1
    assert running("mounted", **fixed | MOUNTED)[0] == 1
    count, why = running("fixed", **fixed)
    assert (count, "Essential container in task exited" in why) == (0, True)


@pytest.mark.parametrize(
    "host", ["dkr.ecr.us-east-1.amazonaws.com", "dkr.ecr-fips.us-east-1.amazonaws.com", "dkr-ecr.us-east-1.on.aws"]
)
def test_a_private_image_needs_a_role_that_may_pull_it(local, name, running, host):
    image = f"123456789012.{host}/team/api:1"
    count, why = running("bare", image=image)
    assert (count, "CannotPullContainerError" in why) == (0, True)
    role = make_role(local, f"{name}-pull", "ecs-tasks.amazonaws.com")
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    entries = [
        {"Effect": "Allow", "Action": pull, "Resource": "arn:aws:ecr:us-east-1:123456789012:repository/team/api"},
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": entries})
    local("iam").put_role_policy(RoleName=f"{name}-pull", PolicyName="pull", PolicyDocument=policy)
    assert running("permitted", role, image=image)[0] == 1


@proves("ecs.log_mode")
def test_a_log_is_blocking_or_has_a_buffer(local, name):
    def logged(**options):
        usual = {"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
        return {"logConfiguration": {"logDriver": "awslogs", "options": usual | options}}

    buffered = registered(local, name, **logged(**{"mode": "non-blocking", "max-buffer-size": "25m"}))
    found = local("ecs").describe_task_definition(taskDefinition=buffered)["taskDefinition"]["containerDefinitions"][0]
    assert found["logConfiguration"]["options"]["max-buffer-size"] == "25m"
    for wrong in ({"mode": "sometimes"}, {"mode": "blocking", "max-buffer-size": "25m"}, {"max-buffer-size": "lots"}):
        with refused("ClientException"):
            registered(local, f"{name}-wrong", f"arn:aws:iam::123456789012:role/{name}", **logged(**wrong))


def test_what_nobody_set_of_a_log_is_not_there(local, name):
    found = local("ecs").describe_task_definition(taskDefinition=registered(local, name, **CONTAINER | MOUNTED))
    options = found["taskDefinition"]["containerDefinitions"][0]["logConfiguration"]["options"]
    assert not {"mode", "max-buffer-size"} & set(options)
