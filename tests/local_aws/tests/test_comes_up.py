"""What decides whether a system comes up at all: who trusts whom, what is where, and what an organisation wants."""

import json

import boto3
import pytest
from botocore.config import Config
from conftest import make_network, proves, refused

ACCOUNT = "123456789012"
HERE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
PERHAPS_HERE = {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
ELSEWHERE = {"StringEquals": {"aws:SourceAccount": "999999999999"}}


def trust(service, condition=None):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]})


@pytest.fixture
def account(local):
    """What holds for the account, until the test is over."""

    def choose(**wishes):
        local.admin("POST", "/_local/settings", {"account": wishes})

    yield choose
    choose()


@pytest.mark.parametrize(
    ("service", "condition", "fits"),
    [
        ("vpc-flow-logs.amazonaws.com", HERE, True),
        ("vpc-flow-logs.amazonaws.com", {"ArnLike": {"aws:SourceArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-flow-log/*"}}, True),
        ("vpc-flow-logs.amazonaws.com", {"ArnLike": {"aws:SourceArn": "arn:aws:ec2:us-west-2:*"}}, False),
        ("vpc-flow-logs.amazonaws.com", ELSEWHERE, False),
        ("ecs-tasks.amazonaws.com", HERE, True),
        ("monitoring.rds.amazonaws.com", HERE, True),
        ("cloudtrail.amazonaws.com", None, True),
        ("cloudtrail.amazonaws.com", HERE, False),
        ("cloudtrail.amazonaws.com", PERHAPS_HERE, True),
        ("apigateway.amazonaws.com", HERE, False),
        ("apigateway.amazonaws.com", PERHAPS_HERE, True),
        ("rds.amazonaws.com", HERE, False),
        ("rds.amazonaws.com", PERHAPS_HERE, True),
        ("rds.amazonaws.com", {"NoSuchOperator": {"a": "b"}}, False),
    ],
)
def test_a_service_takes_on_a_role_by_what_it_tells(local, name, service, condition, fits):
    """A key that a service does not tell shuts it out, unless the operator ends in IfExists."""
    from local_aws.registry import Call
    from local_aws.trusts import trusts

    local("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust(service, condition))
    call = Call("iam", "GetRole", {}, ACCOUNT, "us-east-1")
    role = next(role for role in call.backend("iam").roles.values() if role.name == name)
    assert trusts(call, role, service) is fits


def test_a_trail_whose_role_asks_for_the_account_gets_no_log(local, name):
    from test_audit import policy, statement

    bucket = f"audit-{name}"
    local("s3").create_bucket(Bucket=bucket)
    write = statement(bucket, "s3:PutObject", f"/AWSLogs/{ACCOUNT}/*")
    local("s3").put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, "s3:GetBucketAcl"), write))
    local("logs").create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}:*"
    role = local("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust("cloudtrail.amazonaws.com", HERE))
    wish = {"Name": name, "S3BucketName": bucket, "CloudWatchLogsLogGroupArn": arn}
    wish |= {"CloudWatchLogsRoleArn": role["Role"]["Arn"]}
    with refused("InvalidCloudWatchLogsRoleArnException", "trust relationships"):
        local("cloudtrail").create_trail(**wish)
    document = trust("cloudtrail.amazonaws.com")
    local("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document)
    trail = local("cloudtrail")
    trail.create_trail(**wish)
    trail.start_logging(Name=name)
    assert "LatestCloudWatchLogsDeliveryTime" not in trail.get_trail_status(Name=name)
    allowed = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    local("iam").put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=document)
    assert trail.get_trail_status(Name=name)["LatestCloudWatchLogsDeliveryTime"]


def test_a_value_like_the_engines_own_is_nobodys_choice(local, name):
    rds = local("rds")
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="d")
    wish = [
        {"ParameterName": "ssl_min_protocol_version", "ParameterValue": "TLSv1.2", "ApplyMethod": "immediate"},
        {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"},
    ]
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=wish)

    def told(**more):
        found = rds.describe_db_parameters(DBParameterGroupName=name, **more)["Parameters"]
        return {one["ParameterName"]: (one["ParameterValue"], one["Source"]) for one in found}

    assert told(Source="user") == {"rds.force_ssl": ("0", "user")}
    names = {"Name": "parameter-name", "Values": ["ssl_min_protocol_version"]}
    assert told(Filters=[names]) == {"ssl_min_protocol_version": ("TLSv1.2", "system")}
    with refused("InvalidParameterValue"):
        told(Filters=[{"Name": "source", "Values": ["user"]}])


def test_a_database_made_too_soon_after_its_parameters_starts_without_them(local, network, name):
    rds = local("rds")
    local.admin("POST", "/_local/settings", {"speed": "real", "durations": {"rds.*": 0, "rds.parameter-group": 300}})
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="d")
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="16.11",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        StorageType="gp3",
        MasterUsername="pipeline",
        MasterUserPassword="a-long-password",
        DBSubnetGroupName=name,
        DBParameterGroupName=name,
    )

    def status():
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found["DBParameterGroups"][0]["ParameterApplyStatus"]

    assert status() == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert status() == "in-sync"


def test_classes_are_those_that_there_are(local, account):
    def zones(name):
        wish = {"Engine": "postgres", "EngineVersion": "16.11", "DBInstanceClass": name}
        found = local("rds").describe_orderable_db_instance_options(**wish)["OrderableDBInstanceOptions"]
        return [zone["Name"] for option in found for zone in option["AvailabilityZones"]]

    assert zones("db.m5.24xlarge") and zones("db.r8g.48xlarge") and zones("db.m6i.32xlarge")
    assert not zones("db.m6g.24xlarge") and not zones("db.r5.32xlarge")
    account(zones_without_class={"db.t3.micro": ["us-east-1a"]})
    assert "us-east-1a" not in zones("db.t3.micro") and "us-east-1b" in zones("db.t3.micro")


@proves("apigatewayv2.link_zone")
def test_not_every_zone_has_vpc_links(local, name):
    def subnet(region, zone):
        ec2 = local("ec2", region)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=zone)
        return made["Subnet"]["SubnetId"], ec2.describe_availability_zones(ZoneNames=[zone])["AvailabilityZones"][0]

    for region, zone, zone_id, fits in (
        ("eu-west-3", "eu-west-3a", "euw3-az1", True),
        ("eu-west-3", "eu-west-3b", "euw3-az2", False),
        ("us-east-1", "us-east-1e", "use1-az3", False),
        ("ca-central-1", "ca-central-1d", "cac1-az4", False),
        ("us-gov-west-1", "us-gov-west-1a", "usgw1-az1", True),
        ("us-gov-east-1", "us-gov-east-1a", "usge1-az1", False),
    ):
        made, described = subnet(region, zone)
        assert described["ZoneId"] == zone_id
        links = local("apigatewayv2", region)
        if fits:
            links.create_vpc_link(Name=name, SubnetIds=[made])
        else:
            with refused("BadRequestException", f"is in Availability Zone '{zone_id}' where service is not available"):
                links.create_vpc_link(Name=name, SubnetIds=[made])


@proves("ec2.endpoint_zone")
def test_an_endpoint_service_is_not_in_every_zone(local, network, account):
    service = "com.amazonaws.us-east-1.kms"
    account(zones_without_endpoint={"kms": ["us-east-1b"]})
    ec2 = local("ec2")
    (detail,) = ec2.describe_vpc_endpoint_services(ServiceNames=[service])["ServiceDetails"]
    assert "us-east-1a" in detail["AvailabilityZones"] and "us-east-1b" not in detail["AvailabilityZones"]
    wish = {"VpcId": network.vpc, "ServiceName": service, "VpcEndpointType": "Interface", "PrivateDnsEnabled": False}
    with refused("InvalidParameter", "does not support the availability zone of the subnet"):
        ec2.create_vpc_endpoint(**wish, SubnetIds=network.subnets)
    ec2.create_vpc_endpoint(**wish, SubnetIds=network.subnets[:1])


def test_where_api_gateway_was_never_used_it_has_no_account(local, name):
    gateway = local("apigateway", "ap-south-1")
    with refused("NotFoundException", "Invalid Customer identifier specified"):
        gateway.get_account()
    gateway.create_rest_api(name=name)
    assert "cloudwatchRoleArn" not in gateway.get_account()


@proves("apigateway.public_host")
@pytest.mark.parametrize("host", ["student-api-dev.internal", "alb.local", "a.test", "alb.corp"])
def test_a_host_that_can_be_nobodys_is_refused(local, name, host):
    gateway = local("apigateway")
    api = gateway.create_rest_api(name=name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    wish = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET"}
    with refused("BadRequestException", "Invalid HTTP endpoint specified for URI"):
        gateway.put_integration(**method, **wish, uri=f"https://{host}/")
    integration = {"type": "http_proxy", "httpMethod": "GET", "uri": f"https://{host}/health"}
    route = {"responses": {}, "x-amazon-apigateway-integration": integration}
    document = {"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": {"/health": {"get": route}}}
    with refused("BadRequestException", "Unable to put integration on 'GET' for resource at path '/health'"):
        gateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
    gateway.put_integration(**method, **wish, uri="https://internal-alb-1.us-east-1.elb.amazonaws.com/")


@proves("guardduty.feature_not_here", "guardduty.member_of_an_organisation")
def test_guardduty_is_not_the_same_everywhere(local, account):
    guard = local("guardduty", "ap-northeast-3")
    account(guardduty_lacks=["RDS_LOGIN_EVENTS"], guardduty_refuses=True)
    asked = [{"Name": "RDS_LOGIN_EVENTS", "Status": "DISABLED"}]
    with refused("BadRequestException", "RDS_LOGIN_EVENTS"):
        guard.create_detector(Enable=True, Features=asked)
    made = guard.create_detector(Enable=True)["DetectorId"]
    features = {one["Name"]: one["Status"] for one in guard.get_detector(DetectorId=made)["Features"]}
    assert "RDS_LOGIN_EVENTS" not in features and features["FLOW_LOGS"] == "ENABLED"
    assert features["AI_PROTECTION"] == features["AI_ANALYST"] == "ENABLED", "what nobody named is on"
    assert not guard.get_administrator_account(DetectorId=made).get("Administrator")
    account(guardduty_administrator="222222222222")
    administrator = guard.get_administrator_account(DetectorId=made)["Administrator"]
    assert (administrator["AccountId"], administrator["RelationshipStatus"]) == ("222222222222", "Enabled")
    for change in (lambda: guard.update_detector(DetectorId=made, Enable=True), lambda: guard.delete_detector(DetectorId=made)):
        with refused("BadRequestException", "member accounts are not allowed"):
            change()
    account()
    guard.delete_detector(DetectorId=made)


@proves("iam.boundary_of_the_organisation")
def test_an_organisation_may_demand_a_boundary(local, name, account):
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    account(required_boundary=boundary)
    wish = {"RoleName": name, "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com")}
    with refused("AccessDenied", "service control policy"):
        local("iam").create_role(**wish)
    local("iam").create_role(**wish, PermissionsBoundary=boundary)


def test_public_access_to_vpcs_may_be_blocked(local, account):
    def mode():
        told = local("ec2").describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
        return told["InternetGatewayBlockMode"]

    assert mode() == "off"
    account(block_public_access="block-bidirectional")
    assert mode() == "block-bidirectional"


def test_arns_and_names_follow_the_region(local, name):
    gov = "us-gov-west-1"
    arn = local("kms", gov).create_key()["KeyMetadata"]["Arn"]
    assert arn.startswith(f"arn:aws-us-gov:kms:{gov}:")
    made = local("iam", gov).create_role(RoleName=name, AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"))
    assert made["Role"]["Arn"].startswith("arn:aws-us-gov:iam::")
    local("rds", gov).create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="d"
    )
    (group,) = local("rds", gov).describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"]
    assert group["DBParameterGroupArn"].startswith(f"arn:aws-us-gov:rds:{gov}:")
    identity = local("sts", gov).get_caller_identity()
    assert identity["Arn"].startswith("arn:aws-us-gov:")


def assumed(local, role):
    """Clients that act as the role."""
    found = local("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    keys = {"aws_access_key_id": found["AccessKeyId"], "aws_secret_access_key": found["SecretAccessKey"]}
    keys |= {"aws_session_token": found["SessionToken"]}
    config = Config(retries={"max_attempts": 0})
    return lambda service: boto3.client(service, "us-east-1", endpoint_url=local.url, config=config, **keys)


@proves("secretsmanager.key_of_a_secret")
def test_a_secret_is_read_by_those_who_may_use_its_key(local, name, key):
    iam = local("iam")
    bystander = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"))["Role"]["Arn"]
    secret = local("secretsmanager").create_secret(Name=name, SecretString="hush", KmsKeyId=key)["ARN"]

    def permit(*statements):
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)

    def open_to(*principals):
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        all_of_it = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
        through = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
        more = [{"Effect": "Allow", "Principal": {"AWS": who}, "Action": "kms:Decrypt", "Resource": "*"} for who in principals]
        document = {"Version": "2012-10-17", "Statement": [all_of_it, *(one | {"Condition": through} for one in more)]}
        local("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(document))

    read = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    through = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through}
    reader = assumed(local, bystander)("secretsmanager")
    open_to()
    permit(read)
    with refused("AccessDeniedException", "Access to KMS is not allowed"):
        reader.get_secret_value(SecretId=secret)
    open_to("*")
    assert reader.get_secret_value(SecretId=secret)["SecretString"] == "hush", "the policy of the key names everybody"
    open_to()
    permit(read, decrypt)
    assert reader.get_secret_value(SecretId=secret)["SecretString"] == "hush"
    permit(read, decrypt | {"Condition": {"StringEquals": {"kms:ViaService": "rds.us-east-1.amazonaws.com"}}})
    with refused("AccessDeniedException"):
        reader.get_secret_value(SecretId=secret)


def test_a_log_group_misses_a_fresh_key_in_two_ways(local, name):
    local.admin("POST", "/_local/settings", {"lag": 2})
    key = local("kms").create_key(Policy=for_logs())["KeyMetadata"]["Arn"]
    for code in ("AccessDeniedException", "InvalidParameterException"):
        with refused(code):
            local("logs").create_log_group(logGroupName=name, kmsKeyId=key)
    local("logs").create_log_group(logGroupName=name, kmsKeyId=key)


def for_logs():
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    logs = {"Service": "logs.us-east-1.amazonaws.com"}
    writes = {"Effect": "Allow", "Principal": logs, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [root, writes]})


def test_new_buckets_take_no_keys_of_others(local, name):
    s3, bucket = local("s3"), f"closed-{name}"
    s3.create_bucket(Bucket=bucket)

    def blocked():
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return rule["BlockedEncryptionTypes"]["EncryptionType"]

    assert blocked() == ["SSE-C"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    for wish, found in ((["NONE"], ["NONE"]), (["SSE-C"], ["SSE-C"])):
        rules = [rule | {"BlockedEncryptionTypes": {"EncryptionType": wish}}]
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        assert blocked() == found
