"""P9: roles that can do just what they are for, and logs that are encrypted and expire."""

from pipeline import one


def test_the_api_puts_records_into_this_stream_only(live):
    trust, allowed = live.role("api-ingest")
    assert one(trust["Statement"])["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert set(allowed) == {"kinesis:PutRecord", "kinesis:PutRecords", "kms:GenerateDataKey"}
    assert allowed["kinesis:PutRecord"][0] == {live.stream["StreamARN"]}
    assert allowed["kms:GenerateDataKey"][0] == {live.key_arn}


def test_tasks_start_with_this_secret_and_this_log_only(live):
    _, allowed = live.role("execution")
    assert allowed["secretsmanager:GetSecretValue"][0] == {live.secret["ARN"]}
    assert allowed["kms:Decrypt"][0] == {live.key_arn}
    assert one(allowed["logs:PutLogEvents"][0]).endswith(f":log-group:{live.name('data-processor')}:*")
    rest = {action for action in allowed if not action.startswith("ecr:")}
    assert rest == {"secretsmanager:GetSecretValue", "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents"}
    agent = f"arn:aws:ecr:{live.region}:*:repository/aws-guardduty-agent-fargate"
    assert allowed["ecr:BatchGetImage"][0] == {agent}, "beside it GuardDuty may put its agent"


def test_the_processor_reads_this_stream_and_writes_nowhere(live):
    iam, name = live.client("iam"), live.name("task")
    document = iam.get_role_policy(RoleName=name, PolicyName="task")["PolicyDocument"]
    statements = {statement["Sid"]: statement for statement in document["Statement"]}
    assert set(statements) == {"ReadStream", "DecryptRecords", "ReadSecret", "DecryptSecrets"}
    assert statements["ReadStream"]["Resource"] == [live.stream["StreamARN"]]
    assert not [action for action in statements["ReadStream"]["Action"] if "Put" in action]
    assert statements["ReadSecret"]["Resource"] == [live.secret["ARN"]]
    for sid, service in (("DecryptRecords", "kinesis"), ("DecryptSecrets", "secretsmanager")):
        assert statements[sid]["Action"] == ["kms:Decrypt"]
        assert statements[sid]["Resource"] == [live.key_arn]
        through = statements[sid]["Condition"]["StringEquals"]["kms:ViaService"]
        assert through == f"{service}.{live.region}.amazonaws.com"


def test_no_other_account_can_have_a_service_take_on_a_role(live):
    for thing in ("execution", "task", "api-ingest", "flow-logs"):
        trust = live.client("iam").get_role(RoleName=live.name(thing))["Role"]["AssumeRolePolicyDocument"]
        conditions = one(trust["Statement"])["Condition"]
        named = {key: value for test in conditions.values() for key, value in test.items()}
        assert named["aws:SourceAccount"] == live.account, thing


def test_every_log_group_is_encrypted_and_expires(live, protect):
    for thing in ("vpc-flow", "data-processor", "api-access"):
        assert live.name(thing) in live.log_groups
    assert f"API-Gateway-Execution-Logs_{live.api['id']}/{live.stage['stageName']}" in live.log_groups
    assert f"/aws/ecs/containerinsights/{live.name('cluster')}/performance" in live.log_groups
    for name, group in live.log_groups.items():
        assert group["kmsKeyId"] == live.key_arn, name
        assert group["retentionInDays"] == (365 if protect else 7), name
