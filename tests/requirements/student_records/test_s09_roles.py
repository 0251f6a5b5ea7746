"""S9: who may do what."""

import pytest
from requirements.live import as_list

# Service, and the ARN it must act for; API Gateway does not tell one.
TRUST = {
    "execution": ("ecs-tasks.amazonaws.com", "arn:aws:ecs:{region}:{account}:*"),
    "task": ("ecs-tasks.amazonaws.com", "arn:aws:ecs:{region}:{account}:*"),
    "flow-logs": ("vpc-flow-logs.amazonaws.com", "arn:aws:ec2:{region}:{account}:vpc-flow-log/*"),
    "api-events": ("apigateway.amazonaws.com", None),
    "trail-logs": ("cloudtrail.amazonaws.com", "arn:aws:cloudtrail:{region}:{account}:trail/student-trail-{env}"),
}
PROXY = {"proxy": ("rds.amazonaws.com", "arn:aws:rds:{region}:{account}:db-proxy:*")}
BACKUP = {"backup": ("backup.amazonaws.com", None)}
# CloudTrail tells its logs role nothing, and of RDS's proxies no page says that they tell anything.
UNTOLD = {"cloudtrail.amazonaws.com"}
PERHAPS = {"rds.amazonaws.com"}
API_LOGS = "tapctl-api-gateway-logs"
LOG_WRITING = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


def trusts(wanted):
    return TRUST | (PROXY if wanted.has("proxy") else {}) | (BACKUP if wanted.protect else {})


def only(live, role, action):
    """The resources a role may do this to, and under which conditions."""
    return live.allowed(role)[action]


def test_there_are_no_other_roles(live, wanted):
    assert set(live.roles) == set(trusts(wanted))


def test_no_role_carries_more_than_its_own_policy(live):
    assert {name: role["attached"] for name, role in live.roles.items() if role["attached"]} == {}
    assert {name: len(role["inline"]) for name, role in live.roles.items()} == dict.fromkeys(live.roles, 1)


def test_each_role_is_for_one_service_acting_for_us(live, wanted):
    for name, (service, source) in trusts(wanted).items():
        (statement,) = live.roles[name]["trust"]["Statement"]
        assert statement["Principal"] == {"Service": service}, name
        assert as_list(statement["Action"]) == ["sts:AssumeRole"], name
        if service in UNTOLD:
            assert "Condition" not in statement, name
        elif source:
            source = source.format(region=live.region, account=live.account, env=live.env)
            maybe = "IfExists" if service in PERHAPS else ""
            assert statement["Condition"][f"StringEquals{maybe}"]["aws:SourceAccount"] == live.account, name
            assert statement["Condition"][f"ArnLike{maybe}"]["aws:SourceArn"] == source, name
        else:
            assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": live.account}}, name


def test_nothing_is_allowed_everywhere(live):
    for name, role in live.roles.items():
        for policy in role["inline"].values():
            for statement in policy["Statement"]:
                actions = as_list(statement["Action"])
                # It names no repository: AWS has no narrower resource for it.
                everywhere = actions == ["ecr:GetAuthorizationToken"]
                assert everywhere or "*" not in as_list(statement["Resource"]), (name, statement)
                assert not [a for a in actions if a == "*" or a.endswith(":*")], (name, statement)


def test_the_execution_role_reads_exactly_the_secrets_of_the_task(live):
    resources, _ = only(live, "execution", "secretsmanager:GetSecretValue")
    injected = {":".join(secret["valueFrom"].split(":")[:7]) for secret in live.container["secrets"]}
    assert resources == injected


@pytest.mark.parametrize("role", ["execution", "task"])
def test_secrets_are_decrypted_through_secrets_manager_only(live, role):
    for policy in live.roles[role]["inline"].values():
        for statement in policy["Statement"]:
            if live.key_arn("secrets") in as_list(statement["Resource"]):
                assert as_list(statement["Action"]) == ["kms:Decrypt"]
                via = f"secretsmanager.{live.region}.amazonaws.com"
                assert statement["Condition"] == {"StringEquals": {"kms:ViaService": via}}
                break
        else:
            raise AssertionError(f"{role} cannot decrypt secrets")


def test_the_execution_role_writes_the_log_of_the_service_only(live):
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        resources, _ = only(live, "execution", action)
        assert resources == {live.arn("logs", f"log-group:{live.name('service')}:*")}


def test_the_execution_role_pulls_its_image_and_the_agent_of_guardduty_only(live, wanted):
    repositories = {f"arn:aws:ecr:{live.region}:*:repository/aws-guardduty-agent-fargate"}
    if wanted.has("image"):
        registry, _, rest = live.container["image"].partition("/")
        account, region = registry.split(".")[0], registry.split(".")[3]
        repositories.add(f"arn:aws:ecr:{region}:{account}:repository/{rest.partition(':')[0]}")
    for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        assert only(live, "execution", action)[0] == repositories


def test_the_execution_role_may_do_nothing_else(live):
    allowed = {action for action in live.allowed("execution") if not action.startswith("ecr:")}
    assert allowed == {"secretsmanager:GetSecretValue", "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_role_of_the_last_copy_copies_files_and_nothing_else(live, wanted):
    if wanted.protect:
        resources = {resource for found, _ in live.allowed("backup").values() for resource in found}
        assert resources == {
            live.arn("elasticfilesystem", "file-system/*"),
            live.arn("backup", "backup-vault:*"),
            live.arn("backup", "recovery-point:*"),
        }


def test_the_task_uses_exactly_this_stream(live):
    stream = {
        action: resources for action, (resources, _) in live.allowed("task").items() if action.startswith("kinesis:")
    }
    assert stream
    assert all(resources == {live.stream["StreamARN"]} for resources in stream.values())


def test_the_task_uses_exactly_these_keys(live):
    keys = {
        resource
        for action, (found, _) in live.allowed("task").items()
        if action.startswith("kms:")
        for resource in found
    }
    assert keys == {live.key_arn("kinesis"), live.key_arn("secrets")}


def test_the_task_reads_exactly_these_secrets(live):
    resources, _ = only(live, "task", "secretsmanager:GetSecretValue")
    assert resources == {live.master_secret["ARN"], live.cache_secret["ARN"], live.third_party_secret["ARN"]}


def test_the_task_mounts_exactly_this_access_point(live):
    for action in ("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"):
        resources, conditions = only(live, "task", action)
        assert resources == {live.files["FileSystemArn"]}
        point = live.access_point["AccessPointArn"]
        assert conditions == [{"StringEquals": {"elasticfilesystem:AccessPointArn": point}}]


def test_the_task_may_do_nothing_else(live):
    services = {action.split(":")[0] for action in live.allowed("task")}
    assert services == {"kinesis", "kms", "secretsmanager", "elasticfilesystem", "rds-db"}
    resources, _ = only(live, "task", "rds-db:connect")
    user = f"dbuser:{live.database['DbClusterResourceId']}/studentadmin"
    assert resources == {live.arn("rds-db", user)}


def test_the_api_puts_events_into_this_stream_only(live):
    allowed = live.allowed("api-events")
    assert set(allowed) <= {"kinesis:PutRecord", "kinesis:PutRecords", "kms:GenerateDataKey"}
    assert allowed["kinesis:PutRecord"][0] == {live.stream["StreamARN"]}
    assert allowed["kms:GenerateDataKey"][0] == {live.key_arn("kinesis")}


def test_the_flow_logs_are_written_to_their_group_only(live):
    group = live.arn("logs", f"log-group:{live.name('vpc-flow')}")
    for action, (resources, _) in live.allowed("flow-logs").items():
        assert action.startswith("logs:")
        assert resources <= {group, f"{group}:*"}, action


def test_the_trail_writes_its_group_only(live):
    group = live.arn("logs", f"log-group:{live.name('trail')}:log-stream:")
    allowed = live.allowed("trail-logs")
    assert set(allowed) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    for resources, _ in allowed.values():
        assert all(resource.startswith(group) for resource in resources)


def test_the_proxy_reads_the_masters_secret_only(live, wanted):
    if not wanted.has("proxy"):
        assert "proxy" not in live.roles
        return
    allowed = live.allowed("proxy")
    assert set(allowed) == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
    assert allowed["secretsmanager:GetSecretValue"][0] == {live.master_secret["ARN"]}
    assert allowed["kms:Decrypt"][0] == {live.key_arn("secrets")}


def test_api_gateway_writes_logs_by_the_role_of_the_account(live):
    """There is one for all stages of an account and region, and AWS's own policy for it, which names no group."""
    role = live.role(API_LOGS)
    assert live.apigateway.get_account()["cloudwatchRoleArn"] == role["arn"]
    assert (role["attached"], role["inline"]) == ([LOG_WRITING], {})
    (statement,) = role["trust"]["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": live.account}}
