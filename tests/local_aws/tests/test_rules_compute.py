"""Refusals of ECS, load balancing and scaling: one request that works, and what makes it fail."""

import copy

import pytest
from conftest import make_role, proves, refused

CLIENT, PARAMETER = "ClientException", "InvalidParameterException"


def task(local, name):
    logs = {"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "api"}
    return {
        "family": name,
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": make_role(local, f"{name}-execution", "ecs-tasks.amazonaws.com"),
        "containerDefinitions": [
            {
                "name": "api",
                "image": "example/api:1",
                "portMappings": [{"containerPort": 8080}],
                "logConfiguration": {"logDriver": "awslogs", "options": logs},
            }
        ],
    }


def container(**change):
    def apply(wish):
        wish["containerDefinitions"][0] |= change

    return apply


def whole(**change):
    return lambda wish: wish.update(change)


def efs_volume(**settings):
    return whole(volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"} | settings}])


TASKS = [
    ("fargate_size", whole(memory="512")),
    ("fargate_size", whole(cpu="300")),
    ("fargate_network", whole(networkMode="bridge")),
    ("execution_role", whole(executionRoleArn="")),
    ("containers", container(essential=False)),
    ("logging", container(logConfiguration={"logDriver": "syslog"})),
    ("logging", container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "g"}})),
    ("ports", container(portMappings=[{"containerPort": 8080, "hostPort": 80}])),
    ("mount_points", container(mountPoints=[{"sourceVolume": "none", "containerPath": "/mnt"}])),
    ("efs_volumes", efs_volume(authorizationConfig={"accessPointId": "fsap-0123456789abcdef0"})),
    (
        "efs_volumes",
        efs_volume(
            transitEncryption="ENABLED",
            rootDirectory="/x",
            authorizationConfig={"accessPointId": "fsap-0123456789abcdef0"},
        ),
    ),
    ("family", whole(family="a b")),
    ("ephemeral_storage", whole(ephemeralStorage={"sizeInGiB": 20})),
    ("task_roles", whole(taskRoleArn="arn:aws:iam::123456789012:role/none")),
]


@proves(*{f"ecs.{rule}" for rule, _ in TASKS})
@pytest.mark.parametrize(("rule", "change"), TASKS, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(TASKS)])
def test_tasks_that_cannot_be(local, name, rule, change):
    wish = copy.deepcopy(task(local, name))
    change(wish)
    wish = {key: value for key, value in wish.items() if value != ""}
    with refused(CLIENT):
        local("ecs").register_task_definition(**wish)


@pytest.fixture
def service(local, network, name):
    local("ecs").create_cluster(clusterName=name)
    local("ecs").register_task_definition(**task(local, name))
    return {
        "cluster": name,
        "serviceName": name,
        "taskDefinition": name,
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": network.subnets, "securityGroups": [network.group]}
        },
    }


def vpc_settings(**more):
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]} | more}}


SERVICES = [
    ("names", {"serviceName": "a b"}),
    ("network", {"networkConfiguration": None}),
    (
        "container_of_load_balancer",
        {"loadBalancers": [{"targetGroupArn": "x", "containerName": "none", "containerPort": 8080}]},
    ),
    (
        "container_of_load_balancer",
        {"loadBalancers": [{"targetGroupArn": "x", "containerName": "api", "containerPort": 80}]},
    ),
    ("grace_period", {"healthCheckGracePeriodSeconds": 60}),
    ("deployment_bounds", {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}}),
    (
        "deployment_bounds",
        {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": True}}},
    ),
    ("network_exists", vpc_settings()),
    (
        "target_group_ready",
        {"loadBalancers": [{"targetGroupArn": "none", "containerName": "api", "containerPort": 8080}]},
    ),
]


@proves(*{f"ecs.{rule}" for rule, _ in SERVICES})
@pytest.mark.parametrize(
    ("rule", "change"), SERVICES, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(SERVICES)]
)
def test_services_that_cannot_be(local, service, rule, change):
    wish = {key: value for key, value in (service | change).items() if value is not None}
    with refused(PARAMETER):
        local("ecs").create_service(**wish)


@proves("ecs.launch_type")
def test_task_that_is_not_for_fargate(local, service, name):
    wish = task(local, f"{name}-ec2") | {"requiresCompatibilities": ["EC2"]}
    local("ecs").register_task_definition(**wish)
    with refused(PARAMETER):
        local("ecs").create_service(**service | {"taskDefinition": f"{name}-ec2"})


@proves("ecs.target_group_ready")
def test_listener_comes_before_the_service(local, service, network, name):
    elb = local("elbv2")
    wish = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    group = elb.create_target_group(**wish)["TargetGroups"][0]["TargetGroupArn"]
    service["loadBalancers"] = [{"targetGroupArn": group, "containerName": "api", "containerPort": 8080}]
    with refused(PARAMETER) as error:
        local("ecs").create_service(**service)
    assert "does not have an associated load balancer" in error.message
    balancer = elb.create_load_balancer(Name=name, Subnets=network.subnets, Scheme="internal")["LoadBalancers"][0]
    action = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=action)
    local("ecs").create_service(**service)


@proves("ecs.scaled_above_zero", "ecs.cluster_has_services", "ecs.services_a_call", "ecs.many_a_call")
def test_services_in_the_way(local, service, name):
    ecs = local("ecs")
    ecs.create_service(**service)
    with refused(PARAMETER):
        ecs.delete_service(cluster=name, service=name)
    with refused("ClusterContainsServicesException"):
        ecs.delete_cluster(cluster=name)
    with refused(PARAMETER):
        ecs.describe_services(cluster=name, services=[name] * 11)
    with refused(PARAMETER):
        ecs.describe_clusters(clusters=[name] * 101)


@proves("ecs.cluster_has_tasks")
def test_tasks_in_the_way(local, service, name, held):
    ecs = local("ecs")
    ecs.create_service(**service)
    held()
    from local_aws.world import world

    world.shelf("123456789012", "us-east-1", "ecs.services").pop((name, name))
    with refused("ClusterContainsTasksException"):
        ecs.delete_cluster(cluster=name)


@proves(
    "application-autoscaling.capacity_range",
    "application-autoscaling.resource_label",
    "application-autoscaling.tracked_metric",
)
def test_scaling_that_cannot_be(local, service, name):
    scaling = local("application-autoscaling")
    local("ecs").create_service(**service)
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{name}/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    with refused("ValidationException"):
        scaling.register_scalable_target(**where, MinCapacity=5, MaxCapacity=2)
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)
    label = {
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": "app/a/0123456789abcdef/targetgroup/b/0123456789abcdef",
    }
    for settings in ({"TargetValue": 1.0}, {"TargetValue": 1.0, "PredefinedMetricSpecification": label}):
        with refused("ValidationException"):
            scaling.put_scaling_policy(
                **where,
                PolicyName="p",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=settings,
            )


@pytest.fixture
def balancer(local, network, name):
    wish = {"Name": name, "Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    return wish


BALANCERS = [
    ("name", {"Name": "a" * 33}, "ValidationError"),
    ("name", {"Name": "ends-"}, "ValidationError"),
    ("name", {"Name": "internal-one"}, "ValidationError"),
    ("zones", {"Subnets": "first"}, "ValidationError"),
    ("groups_of_the_network", {"SecurityGroups": ["sg-0123456789abcdef0"]}, "InvalidConfigurationRequest"),
    ("internet_gateway", {"Scheme": "internet-facing"}, "InvalidSubnet"),
]


@proves(*{f"elbv2.{rule}" for rule, _, _ in BALANCERS})
@pytest.mark.parametrize(("rule", "change", "code"), BALANCERS)
def test_balancers_that_cannot_be(local, balancer, network, rule, change, code):
    wish = balancer | change
    if wish["Subnets"] == "first":
        wish["Subnets"] = network.subnets[:1]
    with refused(code):
        local("elbv2").create_load_balancer(**wish)


GROUPS = [
    ("health_check_times", {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10}),
    ("health_check_times", {"HealthCheckTimeoutSeconds": 60}),
]


@proves(*{f"elbv2.{rule}" for rule, _ in GROUPS})
@pytest.mark.parametrize(("rule", "change"), GROUPS)
def test_target_groups_that_cannot_be(local, network, name, rule, change):
    wish = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    with refused("ValidationError"):
        local("elbv2").create_target_group(**wish | change)


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/none"
LISTENERS = [
    ("certificates", {"Protocol": "HTTPS", "Port": 443}, "ValidationError"),
    ("certificates", {"Certificates": [{"CertificateArn": CERTIFICATE}]}, "ValidationError"),
    (
        "certificate_exists",
        {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": CERTIFICATE}]},
        "CertificateNotFound",
    ),
    (
        "ssl_policy",
        {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": CERTIFICATE}], "SslPolicy": "Mine"},
        "SSLPolicyNotFound",
    ),
    ("protocol_and_port", {"Protocol": "TCP"}, "ValidationError"),
]


@proves(*{f"elbv2.{rule}" for rule, _, _ in LISTENERS}, "elbv2.target_group_of_listener", "elbv2.deletion_protection")
@pytest.mark.parametrize(("rule", "change", "code"), LISTENERS)
def test_listeners_that_cannot_be(local, balancer, rule, change, code):
    arn = local("elbv2").create_load_balancer(**balancer)["LoadBalancers"][0]["LoadBalancerArn"]
    action = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    wish = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": action}
    with refused(code):
        local("elbv2").create_listener(**wish | change)


@proves("elbv2.target_group_of_listener")
def test_target_group_belongs_to_one_balancer(local, balancer, network, name):
    elb = local("elbv2")
    wish = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    group = elb.create_target_group(**wish)["TargetGroups"][0]["TargetGroupArn"]
    listener = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}]}
    for number, code in ((1, None), (2, "TargetGroupAssociationLimit")):
        made = elb.create_load_balancer(**balancer | {"Name": f"{name}-{number}"})["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        if code is None:
            elb.create_listener(LoadBalancerArn=made, **listener)
        else:
            with refused(code):
                elb.create_listener(LoadBalancerArn=made, **listener)


@proves("elbv2.deletion_protection", "elbv2.attributes", "elbv2.arns_a_call")
def test_attributes_and_protection(local, balancer):
    elb = local("elbv2")
    arn = elb.create_load_balancer(**balancer)["LoadBalancers"][0]["LoadBalancerArn"]
    with refused("InvalidConfigurationRequest"):
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "yes"}]
        )
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    with refused("OperationNotPermitted"):
        elb.delete_load_balancer(LoadBalancerArn=arn)
    with refused("ValidationError"):
        elb.describe_tags(ResourceArns=[arn] * 21)
