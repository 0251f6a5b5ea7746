"""IAM, Secrets Manager and CloudWatch Logs."""

from ..policies import as_list, document, statements
from ..registry import AwsError, rule
from ..services.secretsmanager import SCHEDULED, going, managed, secret_named
from ..world import world
from .helpers import invalid

POLICY_VERSIONS = ("2008-10-17", "2012-10-17")
RETENTION_DAYS = {
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
}


# IAM


@rule("order", "iam", "CreateRole", says="role names are unique whatever their case")
def role_name(call):
    wanted = call.params["RoleName"].lower()
    for role in call.backend("iam").roles.values():
        if role.name.lower() == wanted:
            raise AwsError("EntityAlreadyExists", f"Role with name {call.params['RoleName']} already exists.")


def malformed(message):
    raise AwsError("MalformedPolicyDocument", message)


def statements_of(text):
    """The statements of a policy, as far as policies of every kind look alike."""
    policy = document(text)
    if policy is None:
        malformed("This policy contains invalid Json")
    if policy.get("Version", POLICY_VERSIONS[0]) not in POLICY_VERSIONS:
        malformed("The policy must contain a valid version string")
    found = statements(policy)
    if not found or len(found) < len(as_list(policy["Statement"])):
        malformed("Syntax errors in policy.")
    for statement in found:
        if statement.get("Effect") not in ("Allow", "Deny"):
            malformed(f"Invalid effect: {statement.get('Effect')}")
        if not statement.get("Action") and not statement.get("NotAction"):
            malformed("Policy statement must contain actions.")
    return found


@rule(
    "strict",
    "iam",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    says="a trust policy has principals and actions of STS, and no resource",
    source="IAM User Guide: IAM JSON policy elements",
)
def trust_policy(call):
    for statement in statements_of(call.get("AssumeRolePolicyDocument") or call.get("PolicyDocument")):
        if "Resource" in statement:
            malformed("Has prohibited field Resource")
        if not statement.get("Principal"):
            malformed("Missing required field Principal")
        if any(not action.lower().startswith("sts:") for action in as_list(statement.get("Action", []))):
            malformed("AssumeRole policy may only specify STS AssumeRole actions.")


@rule(
    "strict",
    "iam",
    "PutRolePolicy",
    "CreatePolicy",
    "CreatePolicyVersion",
    says="a permission policy has resources, and no principal",
    source="IAM User Guide: IAM JSON policy elements",
)
def permission_policy(call):
    for statement in statements_of(call.params["PolicyDocument"]):
        if {"Principal", "NotPrincipal"} & set(statement):
            malformed("Policy document should not specify a principal.")
        if not statement.get("Resource") and not statement.get("NotResource"):
            malformed("Policy statement must contain resources.")


# Secrets Manager


@rule("strict", "secretsmanager", "DeleteSecret", says="a secret is kept 7 to 30 days, or not at all")
def recovery_window(call):
    days, force = call.get("RecoveryWindowInDays"), call.get("ForceDeleteWithoutRecovery")
    if days is not None and force:
        message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        raise AwsError("InvalidParameterException", message)
    if days is not None and not 7 <= days <= 30:
        raise AwsError(
            "InvalidParameterException", "RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
        )


@rule(
    "strict",
    "secretsmanager",
    "CreateSecret",
    "PutSecretValue",
    "UpdateSecret",
    says="a value is a string or bytes, not both",
)
def one_value(call):
    if call.get("SecretString") is not None and call.get("SecretBinary") is not None:
        message = "You can't specify both a binary secret value and a string secret value in the same secret."
        raise AwsError("InvalidParameterException", message)


@rule("strict", "secretsmanager", "CreateSecret", says="a name has letters, digits and /_+=.@-")
def secret_name(call):
    if not set(call.params["Name"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+=.@-"):
        message = (
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
        invalid("secretsmanager", message)


@rule("strict", "secretsmanager", "PutResourcePolicy", says="a resource policy is a policy")
def resource_policy(call):
    policy = document(call.params["ResourcePolicy"])
    if policy is None or "Statement" not in policy:
        raise AwsError("MalformedPolicyDocumentException", "This resource policy contains invalid Json")


@rule("order", "secretsmanager", "CreateSecret", says="the name of a secret deleted by force is not free at once")
def name_still_taken(call):
    if call.params["Name"] in going(call):
        raise AwsError("InvalidRequestException", SCHEDULED)


@rule(
    "order",
    "secretsmanager",
    "DeleteSecret",
    "PutSecretValue",
    "UpdateSecret",
    says="a secret managed by RDS is not its customer's to change or delete",
    source="AWS Secrets Manager User Guide: managed secrets",
)
def managed_secret(call):
    secret = secret_named(call, call.params["SecretId"])
    if secret is not None and secret.arn in managed(call):
        message = "You can't perform this operation on the secret because it is managed by rds."
        raise AwsError("InvalidRequestException", message)


# CloudWatch Logs


@rule("strict", "logs", "PutRetentionPolicy", says="retention is one of the periods of the list")
def retention(call):
    if call.params["retentionInDays"] not in RETENTION_DAYS:
        message = (
            "1 validation error detected: Value at 'retentionInDays' failed to satisfy "
            "constraint: Member must satisfy enum value set: "
        )
        invalid("logs", message + str(sorted(RETENTION_DAYS)))


@rule("strict", "logs", "CreateLogGroup", "AssociateKmsKey", says="a log group's key is given by its ARN")
def key_by_arn(call):
    key = call.get("kmsKeyId")
    if key and not key.startswith(f"arn:{call.partition}:kms:"):
        invalid("logs", "The specified KMS key must be given by its ARN.")


@rule(
    "order",
    "iam",
    "CreateRole",
    says="where the organisation demands it, no role is made without the permissions boundary",
    source="IAM User Guide: delegating responsibility to others using permissions boundaries",
)
def boundary_of_the_organisation(call):
    wanted = world.account("required_boundary")
    if wanted and call.get("PermissionsBoundary") != wanted:
        role = f"arn:{call.partition}:iam::{call.account}:role{call.get('Path', '/')}{call.params['RoleName']}"
        message = f"iam:CreateRole on resource: {role} with an explicit deny in a service control policy"
        user = f"arn:{call.partition}:iam::{call.account}:user/{call.principal}"
        raise AwsError("AccessDenied", f"User: {user} is not authorized to perform: {message}", 403)
