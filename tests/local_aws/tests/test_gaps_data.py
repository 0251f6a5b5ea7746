"""What moto forgets or lets pass in keys, roles, logs, databases and streams, each as AWS does it."""

import json
from datetime import UTC, datetime

import pytest
from conftest import proves, refused
from test_rds import add_instance, cluster, described  # noqa: F401
from test_small import TRUST, key_policy, logs_statement


@pytest.fixture
def dying(local):
    """A key that is pending deletion, and the answer that made it so."""
    key = local("kms").create_key()["KeyMetadata"]["KeyId"]
    return local("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def test_key_policy_that_is_no_policy_is_refused(local):
    kms = local("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for garbage in ("garbage", '"text"', "{}", '{"Statement": "all"}', '{"Version": "2012-10-17", "Statement": []}'):
        with refused("MalformedPolicyDocumentException"):
            kms.create_key(Policy=garbage)
        with refused("MalformedPolicyDocumentException"):
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=garbage)


def test_key_policy_is_named_default_unless_it_is_named(local, key):
    kms = local("kms")
    kms.put_key_policy(KeyId=key, Policy=key_policy(logs_statement("mine")))
    assert "mine" in kms.get_key_policy(KeyId=key)["Policy"]
    with refused("NotFoundException"):
        kms.get_key_policy(KeyId=key, PolicyName="other")


def test_key_pending_deletion_tells_when_it_goes(local, dying):
    assert (dying["KeyState"], dying["PendingWindowInDays"]) == ("PendingDeletion", 7)
    found = local("kms").describe_key(KeyId=dying["KeyId"])["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion" and not found["Enabled"]
    assert 6 < (found["DeletionDate"] - datetime.now(UTC)).total_seconds() / 86400 <= 7


def test_key_pending_deletion_does_not_encrypt(local, dying):
    with refused("KMSInvalidStateException"):
        local("kms").encrypt(KeyId=dying["KeyId"], Plaintext=b"grade")


def test_key_pending_deletion_does_not_rotate(local, dying):
    with refused("KMSInvalidStateException"):
        local("kms").enable_key_rotation(KeyId=dying["KeyId"])


def test_key_is_scheduled_for_deletion_once(local, dying):
    with refused("KMSInvalidStateException"):
        local("kms").schedule_key_deletion(KeyId=dying["KeyId"], PendingWindowInDays=7)


def test_key_is_kept_for_a_week_at_least(local, key):
    with refused("ValidationException"):
        local("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=3)


SERVICE = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
NO_TRUST = {
    "garbage": "garbage",
    "text": '"text"',
    "no statement": "{}",
    "no principal": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE | {"Principal": {}}]}),
    "no effect": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE | {"Effect": "Permit"}]}),
    "no action": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE | {"Action": []}]}),
    "another service's action": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE | {"Action": "s3:*"}]}),
    "a resource": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE | {"Resource": "*"}]}),
    "another version": json.dumps({"Version": "2026-01-01", "Statement": [SERVICE]}),
}


@proves("iam.trust_policy")
@pytest.mark.parametrize("kind", NO_TRUST)
def test_trust_policy_that_is_none_is_refused(local, name, kind):
    iam = local("iam")
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=NO_TRUST[kind])
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    with refused("MalformedPolicyDocument"):
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=NO_TRUST[kind])


READING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
NO_POLICY = {
    "garbage": "garbage",
    "no statement": '{"Version": "2012-10-17"}',
    "no resource": json.dumps({"Version": "2012-10-17", "Statement": [SERVICE]}),
    "no action": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}),
    "a principal": json.dumps({"Version": "2012-10-17", "Statement": [READING | {"Principal": "*"}]}),
    "no service": json.dumps({"Version": "2012-10-17", "Statement": [READING | {"Action": "everything"}]}),
    "no ARN": json.dumps({"Version": "2012-10-17", "Statement": [READING | {"Resource": "bucket"}]}),
}


@proves("iam.permission_policy")
@pytest.mark.parametrize("kind", NO_POLICY)
def test_permission_policy_that_is_none_is_refused(local, name, kind):
    iam = local("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    with refused("MalformedPolicyDocument"):
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=NO_POLICY[kind])
    with refused("MalformedPolicyDocument"):
        iam.create_policy(PolicyName=name, PolicyDocument=NO_POLICY[kind])
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []


def test_log_group_tells_retention_key_and_both_arns(local, name, key):
    logs = local("logs")
    local("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=key_policy(logs_statement(f"{name}*")))
    logs.create_log_group(logGroupName=name, kmsKeyId=key)
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    with refused("InvalidParameterException"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=31)
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    assert (found["retentionInDays"], found["kmsKeyId"]) == (30, key)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{name}"
    assert (found["arn"], found["logGroupArn"]) == (f"{arn}:*", arn)
    assert found["logGroupClass"] == "STANDARD"


def test_subnet_group_of_the_name_is_there_already(local, network, name):
    wish = {"DBSubnetGroupName": name, "DBSubnetGroupDescription": "d", "SubnetIds": network.subnets}
    local("rds").create_db_subnet_group(**wish)
    with refused("DBSubnetGroupAlreadyExists"):
        local("rds").create_db_subnet_group(**wish)


def test_cluster_of_the_name_is_there_already(local, cluster):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    with refused("DBClusterAlreadyExistsFault"):
        local("rds").create_db_cluster(**cluster)


def test_security_group_of_a_database_cannot_be_deleted(local, cluster, network, name):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    add_instance(local, name, 1)
    with refused("DependencyViolation"):
        local("ec2").delete_security_group(GroupId=network.group)


def test_deleting_a_cluster_answers_that_it_is_deleting(local, cluster, name, held):  # noqa: F811
    local("rds").create_db_cluster(**cluster)
    held()
    gone = local("rds").delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)["DBCluster"]
    assert gone["Status"] == "deleting" == described(local, name)["Status"]


def test_instance_of_its_own_needs_a_final_snapshot_or_none(local, cluster, name):  # noqa: F811
    wish = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "MasterUsername": "app"}
    wish |= {"MasterUserPassword": "not-a-real-one", "DBSubnetGroupName": name}
    local("rds").create_db_instance(DBInstanceIdentifier=f"{name}-db", **wish)
    with refused("InvalidParameterCombination"):
        local("rds").delete_db_instance(DBInstanceIdentifier=f"{name}-db")
    gone = local("rds").delete_db_instance(DBInstanceIdentifier=f"{name}-db", SkipFinalSnapshot=True)
    assert gone["DBInstance"]["DBInstanceStatus"] == "deleting"


def test_records_of_an_encrypted_stream_say_so(local, name):
    kinesis = local("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="1")["EncryptionType"] == "NONE"
    kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="1")["EncryptionType"] == "KMS"
    records = [{"Data": b"x", "PartitionKey": "1"}]
    assert kinesis.put_records(StreamName=name, Records=records)["EncryptionType"] == "KMS"


def test_an_alias_tells_when_it_was_made(local, key, name):
    kms = local("kms")

    def dates():
        listed = kms.list_aliases(KeyId=key)["Aliases"]
        return next((a["CreationDate"], a["LastUpdatedDate"]) for a in listed if a["AliasName"] == f"alias/{name}")

    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    made = dates()
    kms.update_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    assert dates()[0] == made[0] and dates()[1] > made[1]
    kms.delete_alias(AliasName=f"alias/{name}")
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    assert dates()[0] > made[0]
    kms.delete_alias(AliasName=f"alias/{name}")
