"""What an installed policy allows: actions, resources and conditions, and what a refusal says."""

import json

import pytest
from conftest import proves, refused
from local_aws.conditions import like
from local_aws.needs import request_tags
from local_aws.wire import service_model

ACCOUNT = "123456789012"


class Asked:
    """A call, as far as its tags go."""

    def __init__(self, service, params):
        self.service, self.params, self.get = service, params, params.get


def statement(actions, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": actions, "Resource": resource} | more


@pytest.fixture
def allow(local):
    def install(*statements):
        return local.admin("POST", "/_local/iam", {"Version": "2012-10-17", "Statement": list(statements)})

    return install


TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
SECRET = {"SecretString": "x"}
# Of each service: what is allowed, the call that is about it, and the same about something else.
RESOURCES = [
    ("iam", "create_role", f"arn:aws:iam::{ACCOUNT}:role/mine-*", "RoleName", {"AssumeRolePolicyDocument": TRUST}),
    ("s3", "create_bucket", "arn:aws:s3:::mine-*", "Bucket", {}),
    ("secretsmanager", "create_secret", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:mine-*", "Name", SECRET),
    ("logs", "create_log_group", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:mine-*", "logGroupName", {}),
    ("kinesis", "create_stream", f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/mine-*", "StreamName", {"ShardCount": 1}),
    ("sns", "create_topic", f"arn:aws:sns:us-east-1:{ACCOUNT}:mine-*", "Name", {}),
    (
        "rds",
        "create_db_parameter_group",
        f"arn:aws:rds:us-east-1:{ACCOUNT}:pg:mine-*",
        "DBParameterGroupName",
        {"DBParameterGroupFamily": "postgres16", "Description": "d"},
    ),
    (
        "elasticache",
        "create_user",
        f"arn:aws:elasticache:us-east-1:{ACCOUNT}:user:mine-*",
        "UserId",
        {"UserName": "u", "Engine": "redis", "AccessString": "on ~* +@all", "NoPasswordRequired": True},
    ),
    (
        "cloudwatch",
        "put_composite_alarm",
        f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:mine-*",
        "AlarmName",
        {"AlarmRule": "TRUE"},
    ),
    ("ecs", "delete_cluster", f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/mine-*", "cluster", {}),
]


@proves("permissions.allowed")
@pytest.mark.parametrize(("service", "operation", "arn", "parameter", "more"), RESOURCES, ids=[r[0] for r in RESOURCES])
def test_permission_for_some_resources(local, allow, name, service, operation, arn, parameter, more):
    if service == "ecs":
        local("ecs").create_cluster(clusterName=f"mine-{name}")
    allow(statement(f"{service}:*", arn))
    call = getattr(local(service), operation)
    call(**{parameter: f"mine-{name}"}, **more)
    with pytest.raises(local(service).exceptions.ClientError) as error:
        call(**{parameter: f"theirs-{name}"}, **more)
    assert error.value.response["Error"]["Code"].startswith("AccessDenied")
    denied = local.admin("GET", "/_local/iam")["denied"]
    assert [entry["resource"].count("theirs-") for entry in denied] == [1]


def test_permission_for_a_load_balancer_of_a_name(local, allow, network, name):
    kind = {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    base = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}"
    allow(statement("elasticloadbalancing:*", [f"{base}:targetgroup/{name}/*", f"{base}:loadbalancer/app/{name}/*"]))
    elb = local("elbv2")
    group = elb.create_target_group(Name=name, **kind)["TargetGroups"][0]["TargetGroupArn"]
    elb.create_load_balancer(Name=name, Subnets=network.subnets, Scheme="internal")
    with refused("AccessDenied"):
        elb.create_load_balancer(Name=f"{name}-2", Subnets=network.subnets, Scheme="internal")
    elb.delete_target_group(TargetGroupArn=group)
    elb.describe_load_balancers()


def test_permission_for_one_key_by_whatever_name(local, allow, name):
    kms = local("kms")
    one, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=one["KeyId"])
    allow(statement("kms:*", one["Arn"]))
    for reference in (one["KeyId"], one["Arn"], f"alias/{name}"):
        kms.describe_key(KeyId=reference)
    with refused("AccessDeniedException") as error:
        kms.describe_key(KeyId=other["KeyId"])
    assert other["Arn"] in error.message
    with refused("AccessDeniedException"):
        kms.create_alias(AliasName=f"alias/{name}-2", TargetKeyId=one["KeyId"])


def test_permission_for_one_api(local, allow, name):
    gateway = local("apigateway")
    one, other = (gateway.create_rest_api(name=name)["id"] for _ in range(2))
    allow(statement("apigateway:*", f"arn:aws:apigateway:us-east-1::/restapis/{one}*"))
    gateway.get_resources(restApiId=one)
    with refused("AccessDeniedException"):
        gateway.get_resources(restApiId=other)
    with refused("AccessDeniedException"):
        gateway.get_rest_apis()


def test_permission_for_objects_is_not_for_their_bucket(local, allow, name):
    s3 = local("s3")
    s3.create_bucket(Bucket=f"b-{name}")
    allow(statement("s3:*", f"arn:aws:s3:::b-{name}/state/*"))
    s3.put_object(Bucket=f"b-{name}", Key="state/one", Body=b"")
    for call, wish in ((s3.put_object, {"Key": "other", "Body": b""}), (s3.list_objects_v2, {})):
        with refused("AccessDenied"):
            call(Bucket=f"b-{name}", **wish)


def test_a_call_needs_permission_for_all_it_refers_to(local, allow, network, name):
    rds = local("rds")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    wish = {"DBClusterIdentifier": name, "Engine": "aurora-postgresql", "MasterUsername": "app"}
    wish |= {"MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
    allow(statement("rds:*", f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:{name}"))
    with refused("AccessDenied") as error:
        rds.create_db_cluster(**wish)
    assert f"subgrp:{name}" in error.message
    allow(statement("rds:*", [f"arn:aws:rds:us-east-1:{ACCOUNT}:{kind}:{name}" for kind in ("cluster", "subgrp")]))
    rds.create_db_cluster(**wish)


def test_what_is_forbidden_is_not_allowed(local, allow, name):
    kept = f"arn:aws:kinesis:*:*:stream/{name}-kept"
    for stream in (name, f"{name}-kept"):
        local("kinesis").create_stream(StreamName=stream, ShardCount=1)
    allow(statement("*"), statement("kinesis:Delete*", kept, "Deny"))
    local("kinesis").delete_stream(StreamName=name)
    with refused("AccessDeniedException"):
        local("kinesis").delete_stream(StreamName=f"{name}-kept")
    local("kinesis").describe_stream_summary(StreamName=f"{name}-kept")


def test_everything_but(local, allow, name):
    allow({"Effect": "Allow", "NotAction": ["kinesis:*", "kms:Create*"], "Resource": "*"})
    local("kms").list_keys()
    for service, call, wish in (
        ("kms", "create_key", {}),
        ("kinesis", "create_stream", {"StreamName": name, "ShardCount": 1}),
    ):
        with refused("AccessDeniedException"):
            getattr(local(service), call)(**wish)


def test_condition_on_the_tags_of_a_request(local, allow, name):
    ecs = local("ecs")
    allow(statement("ecs:*", Condition={"StringEquals": {"aws:RequestTag/tapctl:stack": "students"}}))
    wanted, other = {"key": "tapctl:stack", "value": "students"}, {"key": "tapctl:stack", "value": "others"}
    ecs.create_cluster(clusterName=name, tags=[wanted])
    for tags in ([other], []):
        with refused("AccessDeniedException"):
            ecs.create_cluster(clusterName=f"{name}-2", tags=tags)
    allow(statement("ecs:*", Condition={"ForAllValues:StringLike": {"aws:TagKeys": ["tapctl:*"]}}))
    ecs.create_cluster(clusterName=f"{name}-3", tags=[wanted])
    ecs.create_cluster(clusterName=f"{name}-4")
    with refused("AccessDeniedException"):
        ecs.create_cluster(clusterName=f"{name}-5", tags=[wanted, {"key": "Name", "value": "x"}])


# A create call of each service, with where its tags are.
TAGGED = [
    ("acm", "import_certificate", "Tags", "list"),
    ("apigateway", "create_rest_api", "tags", "map"),
    ("apigatewayv2", "create_vpc_link", "Tags", "map"),
    ("application-autoscaling", "register_scalable_target", "Tags", "map"),
    ("cloudtrail", "create_trail", "TagsList", "list"),
    ("cloudwatch", "put_metric_alarm", "Tags", "list"),
    ("cognito-idp", "create_user_pool", "UserPoolTags", "map"),
    ("ec2", "create_vpc", "TagSpecifications", "specification"),
    ("ecs", "create_cluster", "tags", "small"),
    ("efs", "create_file_system", "Tags", "list"),
    ("elasticache", "create_replication_group", "Tags", "list"),
    ("elbv2", "create_target_group", "Tags", "list"),
    ("guardduty", "create_detector", "Tags", "map"),
    ("iam", "create_role", "Tags", "list"),
    ("kinesis", "create_stream", "Tags", "map"),
    ("kms", "create_key", "Tags", "key"),
    ("logs", "create_log_group", "tags", "map"),
    ("rds", "create_db_cluster", "Tags", "list"),
    ("s3", "create_bucket", "CreateBucketConfiguration", "nested"),
    ("secretsmanager", "create_secret", "Tags", "list"),
    ("sns", "create_topic", "Tags", "list"),
    ("wafv2", "create_web_acl", "Tags", "list"),
]


@pytest.mark.parametrize("service, call, parameter, form", TAGGED, ids=[row[0] for row in TAGGED])
def test_the_tags_of_every_create_can_be_demanded(service, call, parameter, form):
    """Judged from the parameters alone, so the others need not be right."""
    pairs = {"Key": "CostCenter", "Value": "4711"}
    shapes = {
        "list": [pairs],
        "map": {"CostCenter": "4711"},
        "small": [{"key": "CostCenter", "value": "4711"}],
        "key": [{"TagKey": "CostCenter", "TagValue": "4711"}],
        "specification": [{"ResourceType": "vpc", "Tags": [pairs]}],
        "nested": {"Tags": [pairs]},
    }
    asked = Asked(service, {parameter: shapes[form]})
    assert request_tags(asked) == {"CostCenter": "4711"}
    assert request_tags(Asked(service, {})) == {}
    operation = "".join(word.title() for word in call.split("_"))
    known = {name.lower() for name in service_model(service).operation_names}
    assert operation.lower() in known


def test_condition_on_the_tags_of_a_bucket_and_a_role(local, allow, name):
    """As an organisation's policy does: everything is allowed, but to make something that nobody pays for."""
    everything = statement("*")
    unpaid = {"Null": {"aws:RequestTag/CostCenter": "true"}}
    allow(everything, statement(["s3:CreateBucket", "iam:CreateRole"], effect="Deny", Condition=unpaid))
    tags = [{"Key": "CostCenter", "Value": "4711"}]
    with refused("AccessDenied"):
        local("s3").create_bucket(Bucket=name)
    local("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
    with refused("AccessDenied"):
        local("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    local("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)


@proves("iam.tags_of_a_role")
def test_a_role_takes_fifty_tags(local, name):
    iam = local("iam")
    tags = [{"Key": f"t{number}", "Value": ""} for number in range(50)]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)
    iam.tag_role(RoleName=name, Tags=[{"Key": "t7", "Value": "again"}])
    with refused("LimitExceeded"):
        iam.tag_role(RoleName=name, Tags=[{"Key": "one-more", "Value": ""}])
    iam.untag_role(RoleName=name, TagKeys=["t7"])
    iam.tag_role(RoleName=name, Tags=[{"Key": "one-more", "Value": ""}])


@proves("guardduty.tags_of_a_detector")
def test_a_detector_takes_fifty_tags(local):
    guardduty = local("guardduty")
    detector = guardduty.create_detector(Enable=True, Tags={f"t{number}": "" for number in range(50)})["DetectorId"]
    arn = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{detector}"
    guardduty.tag_resource(ResourceArn=arn, Tags={"t7": "again"})
    with refused("BadRequestException"):
        guardduty.tag_resource(ResourceArn=arn, Tags={"one-more": ""})
    guardduty.delete_detector(DetectorId=detector)


def test_condition_on_the_tags_of_a_resource(local, allow, name):
    kms, iam = local("kms"), local("iam")
    mine = kms.create_key(Tags=[{"TagKey": "owner", "TagValue": name}])["KeyMetadata"]["KeyId"]
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "owner", "Value": name}])
    iam.create_role(RoleName=f"{name}-2", AssumeRolePolicyDocument=TRUST)
    allow(statement("*", Condition={"StringEquals": {"aws:ResourceTag/owner": name}}))
    kms.describe_key(KeyId=mine)
    iam.get_role(RoleName=name)
    with refused("AccessDeniedException"):
        kms.describe_key(KeyId=theirs)
    with refused("AccessDenied"):
        iam.get_role(RoleName=f"{name}-2")


def test_condition_on_whom_a_role_is_passed_to(local, allow, role, name):
    arn = role("ecs-tasks.amazonaws.com")
    wish = {"family": name, "taskRoleArn": arn, "containerDefinitions": [{"name": "api", "image": "x", "memory": 64}]}
    for service, permitted in (("rds.amazonaws.com", False), ("ecs-tasks.amazonaws.com", True)):
        passing = statement("iam:PassRole", arn, Condition={"StringEquals": {"iam:PassedToService": service}})
        allow(statement("ecs:*"), passing)
        if permitted:
            local("ecs").register_task_definition(**wish)
        else:
            with refused("AccessDeniedException") as error:
                local("ecs").register_task_definition(**wish)
            assert f"iam:PassRole on resource: {arn}" in error.message


def test_condition_on_the_service_that_uses_a_key(local, allow, key, name):
    secrets = local("secretsmanager")
    for number, service, permitted in ((1, "rds", False), (2, "secretsmanager", True)):
        via = {"StringEquals": {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}}
        allow(statement("secretsmanager:*"), statement("kms:*", key, Condition=via))
        if permitted:
            secrets.create_secret(Name=f"{name}-{number}", SecretString="x", KmsKeyId=key)
        else:
            with refused("AccessDeniedException"):
                secrets.create_secret(Name=f"{name}-{number}", SecretString="x", KmsKeyId=key)
    with refused("AccessDeniedException"):
        local("kms").describe_key(KeyId=key)


@pytest.mark.parametrize(
    ("condition", "permitted"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:requestedregion": "US-EAST-1"}}, True),
        ({"StringLike": {"aws:RequestedRegion": ["eu-*", "us-*"]}}, True),
        ({"StringNotLike": {"aws:RequestedRegion": "eu-*"}}, True),
        ({"StringLike": {"aws:RequestTag/a": "*"}}, False),
        ({"StringLikeIfExists": {"aws:RequestTag/a": "b"}}, True),
        ({"StringNotEquals": {"aws:RequestTag/a": "b"}}, True),
        ({"Null": {"aws:RequestTag/a": "true"}}, True),
        ({"Null": {"aws:RequestTag/a": "false"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalAccount": "999999999999"}}, False),
    ],
)
def test_conditions(local, allow, condition, permitted):
    allow(statement("kms:*", Condition=condition))
    if permitted:
        local("kms").list_keys()
    else:
        with refused("AccessDeniedException"):
            local("kms").list_keys()


def test_conditions_that_cannot_be_judged_are_refused(allow):
    said = allow(statement("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))["error"]
    assert said == "the condition operator IpAddress is not known here"
    said = allow(statement("*", Condition={"StringEquals": {"ec2:Vpc": "vpc-1"}}))["error"]
    assert said == "the condition key ec2:Vpc is not known here"


def test_patterns():
    assert like("arn:aws:s3:::a/b/c", "arn:aws:s3:::a/*") and like("[x]", "[?]") and not like("x", "[xy]")


def test_a_call_made_before_needs_permission_too(local, allow, network, name):
    ec2 = local("ec2")
    table = ec2.create_route_table(VpcId=network.vpc, ClientToken=name)["RouteTable"]["RouteTableId"]
    allow(statement("ec2:Describe*"))
    with refused("UnauthorizedOperation"):
        ec2.create_route_table(VpcId=network.vpc, ClientToken=name)
    allow(statement("ec2:*"))
    assert ec2.create_route_table(VpcId=network.vpc, ClientToken=name)["RouteTable"]["RouteTableId"] == table
