"""Services with a correction or two each."""

import datetime
import json

from conftest import proves, refused
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}


def key_policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})


def logs_statement(pattern):
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{pattern}"
            }
        },
    }


def log_group(local, name):
    return local("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]


@proves("logs.log_group_key")
def test_key_of_a_log_group(local, name, key):
    logs, kms = local("logs"), local("kms")
    logs.create_log_group(logGroupName=name)
    with refused("AccessDeniedException"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=key_policy(logs_statement("other")))
    with refused("AccessDeniedException"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=key_policy(logs_statement(f"{name}*")))
    logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
    assert log_group(local, name)["kmsKeyId"] == key
    logs.disassociate_kms_key(logGroupName=name)
    assert "kmsKeyId" not in log_group(local, name)
    with refused("ResourceNotFoundException"):
        logs.associate_kms_key(logGroupName=f"{name}-none", kmsKeyId=key)


def test_a_key_tells_what_it_is_for(local):
    kms = local("kms")
    made = kms.create_key()["KeyMetadata"]
    assert made["KeyUsage"] == "ENCRYPT_DECRYPT"
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["KeyUsage"] == "ENCRYPT_DECRYPT"


def test_class_and_protection_of_a_log_group(local, name):
    logs = local("logs")
    logs.create_log_group(logGroupName=name, logGroupClass="INFREQUENT_ACCESS", deletionProtectionEnabled=True)
    assert log_group(local, name)["logGroupClass"] == "INFREQUENT_ACCESS"
    with refused("ValidationException"):
        logs.delete_log_group(logGroupName=name)
    logs.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName=name)


def test_a_log_group_made_anew_has_none_of_its_tags(local, name):
    logs = local("logs")
    logs.create_log_group(logGroupName=name, tags={"whose": "mine"})
    arn = log_group(local, name)["logGroupArn"]
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"whose": "mine"}
    logs.delete_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=name)
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_name_of_a_secret_scheduled_for_deletion(local, name):
    secrets = local("secretsmanager")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    with refused("InvalidRequestException") as error:
        secrets.create_secret(Name=name, SecretString="x")
    assert "already scheduled for deletion" in error.message
    secrets.restore_secret(SecretId=name)
    assert "DeletedDate" not in secrets.describe_secret(SecretId=name)


def test_the_current_value_is_meant_where_none_is_named(local, name):
    secrets = local("secretsmanager")
    first = secrets.create_secret(Name=name, SecretString="first")["VersionId"]
    second = secrets.put_secret_value(SecretId=name, SecretString="second", VersionStages=["AWSPENDING"])["VersionId"]
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first"
    move = {"SecretId": name, "VersionStage": "AWSCURRENT"}
    secrets.update_secret_version_stage(**move, MoveToVersionId=second, RemoveFromVersionId=first)
    found = secrets.get_secret_value(SecretId=name)
    assert (found["SecretString"], found["VersionId"]) == ("second", second)


@proves("secretsmanager.secret_key")
def test_secret_token(local, name, key):
    secrets, token = local("secretsmanager"), "t" * 32
    wish = {"Name": name, "SecretString": "x", "ClientRequestToken": token, "KmsKeyId": key}
    assert secrets.create_secret(**wish)["ARN"] == secrets.create_secret(**wish)["ARN"]
    assert secrets.describe_secret(SecretId=name)["KmsKeyId"] == key
    with refused("ResourceExistsException"):
        secrets.create_secret(Name=name, SecretString="y")
    with refused("InvalidRequestException"):
        secrets.create_secret(
            Name=f"{name}-2", SecretString="x", KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/none"
        )


@proves("secretsmanager.managed_secret")
def test_secret_of_another_service(local, network, name):
    rds = local("rds")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets)
    wish = {"Engine": "aurora-postgresql", "MasterUsername": "app", "ManageMasterUserPassword": True}
    rds.create_db_cluster(DBClusterIdentifier=name, DBSubnetGroupName=name, **wish)
    secret = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    with refused("InvalidRequestException"):
        local("secretsmanager").put_secret_value(SecretId=secret, SecretString="x")


def test_key_rotation_period(local):
    kms = local("kms")
    key = kms.create_key(Tags=[{"TagKey": "k", "TagValue": "v"}])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    found = kms.get_key_rotation_status(KeyId=key)
    assert (found["KeyRotationEnabled"], found["RotationPeriodInDays"]) == (True, 180)
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "k", "TagValue": "v"}]


@proves("kms.end_of_keys")
def test_a_key_is_gone_at_the_end_of_its_waiting_period(local):
    kms = local("kms")
    gone, back = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    for key in (gone, back):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    local.admin("POST", "/_local/minutes", {"days": 6})
    kms.cancel_key_deletion(KeyId=back)
    assert kms.describe_key(KeyId=gone)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    # Days end at midnight, and the first of them was no whole one.
    local.admin("POST", "/_local/minutes", {"days": 2})
    with refused("NotFoundException"):
        kms.describe_key(KeyId=gone)
    assert kms.describe_key(KeyId=back)["KeyMetadata"]["KeyState"] == "Disabled"


@proves("kms.key_pending_deletion", "kms.deletion_window")
def test_key_pending_deletion(local, name):
    kms = local("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    with refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=3)
    found = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (found["KeyState"], found["PendingWindowInDays"]) == ("PendingDeletion", 7)
    with refused("KMSInvalidStateException"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMSInvalidStateException"):
        kms.enable_key_rotation(KeyId=key)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    with refused("AlreadyExistsException"):
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=other)
    kms.delete_alias(AliasName=f"alias/{name}")
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=other)
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


@proves("kms.key_policy", "kms.principals_exist", "kms.alias_of_aws")
def test_keys_that_cannot_be(local, name):
    kms = local("kms")
    for policy in ("garbage", '{"Version": "2012-10-17", "Statement": []}', key_policy({"Effect": "Allow"})):
        with refused("MalformedPolicyDocumentException"):
            kms.create_key(Policy=policy)
    stranger = ROOT | {"Principal": {"AWS": "arn:aws:iam::123456789012:role/not-yet"}}
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=key_policy(stranger))
    with refused("NotAuthorizedException"):
        kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


@proves("kinesis.stream_key", "efs.file_system_key", "elasticache.cache_key")
def test_keys_exist_before_what_they_encrypt(local, name):
    none = "arn:aws:kms:us-east-1:123456789012:key/none"
    local("kinesis").create_stream(StreamName=name, ShardCount=1)
    with refused("KMSNotFoundException"):
        local("kinesis").start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=none)
    with refused("BadRequest"):
        local("efs").create_file_system(CreationToken=name, Encrypted=True, KmsKeyId=none)
    with refused("InvalidParameterValue"):
        wish = {"ReplicationGroupDescription": "d", "AtRestEncryptionEnabled": True, "KmsKeyId": none}
        local("elasticache").create_replication_group(ReplicationGroupId=name, **wish)


def test_roles(local, name, key):
    iam = local("iam")
    wish = {"Description": "d", "MaxSessionDuration": 7200, "Tags": [{"Key": "k", "Value": "v"}]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **wish)
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)
    role = iam.get_role(RoleName=name)["Role"]
    assert {key: role[key] for key in wish} == wish and role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert iam.get_role_policy(RoleName=name, PolicyName="inline")["PolicyDocument"] == json.loads(policy)
    with refused("DeleteConflict"):
        iam.delete_role(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.attach_role_policy(
        RoleName=name, PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    )
    with refused("DeleteConflict"):
        iam.delete_role(RoleName=name)


def test_service_linked_roles(local):
    iam = local("iam")
    role = iam.create_service_linked_role(AWSServiceName="elasticache.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForElastiCache"
    assert iam.get_role(RoleName=role["RoleName"])["Role"]["Path"] == "/aws-service-role/elasticache.amazonaws.com/"
    with refused("InvalidInput"):
        iam.create_service_linked_role(AWSServiceName="elasticache.amazonaws.com")


def test_tag_search_finds_every_service(local, network, name):
    tags = [{"Key": "tapctl:stack", "Value": name}]
    pairs = {"tapctl:stack": name}
    local("kms").create_key(Tags=[{"TagKey": "tapctl:stack", "TagValue": name}])
    local("ec2").create_tags(Resources=[network.vpc], Tags=tags)
    local("ec2").allocate_address(Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}])
    local("ecs").create_cluster(clusterName=name, tags=[{"key": "tapctl:stack", "value": name}])
    local("kinesis").create_stream(StreamName=name, ShardCount=1, Tags=pairs)
    local("efs").create_file_system(CreationToken=name, Tags=tags)
    local("apigateway").create_rest_api(name=name, tags=pairs)
    local("apigatewayv2").create_vpc_link(Name=name, SubnetIds=network.subnets, Tags=pairs)
    local("rds").create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets, Tags=tags
    )
    tagging = local("resourcegroupstaggingapi")
    wish = {"TagFilters": [{"Key": "tapctl:stack", "Values": [name]}]}
    found = {r["ResourceARN"].split(":")[2] for r in tagging.get_resources(**wish)["ResourceTagMappingList"]}
    assert found == {"kms", "ec2", "ecs", "kinesis", "elasticfilesystem", "apigateway", "rds"}
    keys = tagging.get_resources(**wish, ResourceTypeFilters=["kms:key"])["ResourceTagMappingList"]
    assert len(keys) == 1 and keys[0]["Tags"] == tags
    first = tagging.get_resources(**wish, ResourcesPerPage=4)
    second = tagging.get_resources(**wish, ResourcesPerPage=100, PaginationToken=first["PaginationToken"])
    assert len(first["ResourceTagMappingList"]) == 4 and second["PaginationToken"] == ""


def test_tag_search_shows_no_roles(local, name):
    tags = [{"Key": "tapctl:stack", "Value": name}]
    local("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)
    wish = {"TagFilters": [{"Key": "tapctl:stack", "Values": [name]}]}
    assert local("resourcegroupstaggingapi").get_resources(**wish)["ResourceTagMappingList"] == []


def test_tag_search_lags_behind_both_ways(local, name):
    tags = {"tapctl:stack": name}
    wish = {"TagFilters": [{"Key": "tapctl:stack", "Values": [name]}]}
    kinesis, tagging = local("kinesis"), local("resourcegroupstaggingapi")

    def found():
        return len(tagging.get_resources(**wish)["ResourceTagMappingList"])

    local.admin("POST", "/_local/settings", {"lag": 2})
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags=tags)
    assert [found(), found(), found()] == [0, 0, 1]
    kinesis.delete_stream(StreamName=name)
    local.admin("POST", "/_local/settle")
    assert [found(), found(), found()] == [1, 1, 0]


def test_caller_identity(local):
    assert local("sts").get_caller_identity()["Account"] == "123456789012"


def test_conditional_writes_of_a_lock(local, name):
    s3 = local("s3")
    s3.create_bucket(Bucket=f"bucket-{name}")
    s3.put_object(Bucket=f"bucket-{name}", Key="lock", Body=b"me", IfNoneMatch="*")
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=f"bucket-{name}", Key="lock", Body=b"you", IfNoneMatch="*")
    assert s3.get_object(Bucket=f"bucket-{name}", Key="lock")["Body"].read() == b"me"


@proves("iam.role_name", "iam.trust_policy")
def test_roles_that_cannot_be(local, name):
    iam = local("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    with refused("EntityAlreadyExists"):
        iam.create_role(RoleName=name.upper(), AssumeRolePolicyDocument=TRUST)
    statement = json.loads(TRUST)["Statement"][0]
    for change in ({"Resource": "*"}, {"Principal": None}):
        with refused("MalformedPolicyDocument"):
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement | change]})
            iam.create_role(RoleName=f"{name}-2", AssumeRolePolicyDocument=document)


@proves(
    "secretsmanager.recovery_window",
    "secretsmanager.one_value",
    "secretsmanager.secret_name",
    "secretsmanager.resource_policy",
)
def test_secrets_that_cannot_be(local, name):
    secrets = local("secretsmanager")
    with refused("ValidationException"):
        secrets.create_secret(Name="with space", SecretString="x")
    with refused("InvalidParameterException"):
        secrets.create_secret(Name=name, SecretString="x", SecretBinary=b"x")
    secrets.create_secret(Name=name, SecretString="x")
    with refused("InvalidParameterException"):
        secrets.delete_secret(SecretId=name, RecoveryWindowInDays=3)
    with refused("InvalidParameterException"):
        secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)
    with refused("MalformedPolicyDocumentException"):
        secrets.put_resource_policy(SecretId=name, ResourcePolicy="garbage")


@proves("logs.retention", "logs.key_by_arn")
def test_log_groups_that_cannot_be(local, name):
    local("logs").create_log_group(logGroupName=name)
    with refused("InvalidParameterException"):
        local("logs").put_retention_policy(logGroupName=name, retentionInDays=31)
    with refused("InvalidParameterException"):
        local("logs").create_log_group(logGroupName=f"{name}-2", kmsKeyId="alias/mine")


@proves("acm.key_of_certificate")
def test_key_must_fit_the_certificate(local):
    with refused("ValidationException"):
        local("acm").import_certificate(Certificate=b"garbage", PrivateKey=b"garbage")


@proves("acm.issuer_of_certificate")
def test_a_certificate_has_an_issuer(local):
    key, now = rsa.generate_private_key(65537, 2048), datetime.datetime.now(datetime.UTC)
    nobody = x509.Name([])
    made = x509.CertificateBuilder().subject_name(nobody).issuer_name(nobody).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with refused("ValidationException"):
        made = made.sign(key, hashes.SHA256()).public_bytes(pem)
        local("acm").import_certificate(Certificate=made, PrivateKey=private)


@proves("model.fits_model")
def test_requests_are_checked_against_the_models(local, name):
    """boto3 checks some of this itself, so these go out without its help."""
    import boto3
    from botocore.config import Config

    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "config": config, "region_name": "us-east-1"}
    for service, call, wish, code in (
        ("ec2", "create_subnet", {"CidrBlock": "10.0.0.0/24"}, "MissingParameter"),
        ("rds", "create_db_subnet_group", {"DBSubnetGroupName": name}, "MissingParameter"),
        ("iam", "create_role", {"RoleName": "a b", "AssumeRolePolicyDocument": TRUST}, "ValidationError"),
        ("kms", "enable_key_rotation", {"KeyId": "x", "RotationPeriodInDays": 30}, "ValidationException"),
        ("logs", "create_log_group", {"logGroupName": "with space"}, "InvalidParameterException"),
        ("efs", "create_file_system", {"CreationToken": name, "PerformanceMode": "fast"}, "BadRequest"),
        ("kinesis", "create_stream", {"StreamName": "a b", "ShardCount": 1}, "ValidationException"),
    ):
        local.admin("DELETE", "/_local/violations")
        with refused(code):
            getattr(boto3.client(service, endpoint_url=local.url, **keys), call)(**wish)
        found = local.admin("GET", "/_local/violations")["violations"]
        assert [(v["service"], v["rule"]) for v in found] == [(service, "model.fits_model")]


def test_strictness_can_be_turned_off(local, name):
    local.admin("POST", "/_local/settings", {"strict": False})
    local("logs").create_log_group(logGroupName=name)
    local("logs").put_retention_policy(logGroupName=name, retentionInDays=31)
    assert "unknown settings" in local.admin("POST", "/_local/settings", {"stirct": True})["error"]


@proves("strict.tags")
def test_tags_that_cannot_be(local, name):
    ecs = local("ecs")
    for tags in (
        [{"key": f"k{number}", "value": "v"} for number in range(51)],
        [{"key": "k", "value": "v"}, {"key": "k", "value": "w"}],
        [{"key": "aws:mine", "value": "v"}],
    ):
        with refused("InvalidParameterException"):
            ecs.create_cluster(clusterName=name, tags=tags)


@proves("secretsmanager.name_still_taken")
def test_name_of_a_secret_deleted_by_force(local, name, held):
    secrets = local("secretsmanager")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    with refused("InvalidRequestException"):
        secrets.create_secret(Name=name, SecretString="x")
    held()
    secrets.create_secret(Name=name, SecretString="x")


def test_small_objects_are_archived_only_where_a_lifecycle_says_so(local, name):
    s3, bucket = local("s3"), {"Bucket": f"{name}-archive"}
    s3.create_bucket(**bucket)
    entry = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]}

    def smallest(**wish):
        s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [entry]}, **wish)
        return s3.get_bucket_lifecycle_configuration(**bucket)["TransitionDefaultMinimumObjectSize"]

    assert smallest() == "all_storage_classes_128K"
    varies = "varies_by_storage_class"
    assert smallest(TransitionDefaultMinimumObjectSize=varies) == varies
    assert smallest() == "all_storage_classes_128K"


def test_an_update_of_a_web_acl_forgets_what_it_does_not_say_about_floods(local, name):
    waf, seen = local("wafv2"), {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": name}
    whole = {"Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": seen, "Rules": []}
    always = {"ALBLowReputationMode": "ALWAYS_ON"}
    acl = waf.create_web_acl(**whole, OnSourceDDoSProtectionConfig=always)["Summary"]
    named = {"Name": name, "Id": acl["Id"], "Scope": "REGIONAL"}
    found = waf.get_web_acl(**named)
    assert found["WebACL"]["OnSourceDDoSProtectionConfig"] == always
    waf.update_web_acl(**whole | named, LockToken=found["LockToken"])
    assert "OnSourceDDoSProtectionConfig" not in waf.get_web_acl(**named)["WebACL"]
