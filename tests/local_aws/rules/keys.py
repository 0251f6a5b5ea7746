"""KMS, and what other services demand of a key."""

import fnmatch

from ..conditions import met
from ..needs import Need
from ..permissions import speaks_of
from ..policies import allows, as_list, document, policies_of, principals, roles_by_arn, statements
from ..registry import AwsError, rule
from ..services.cloudtrail import note_key_use
from ..services.kms import ON_LIVE_KEYS, key_of
from ..services.secretsmanager import secret_named
from .helpers import invalid

LOGS_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")


def found_key(call, reference):
    """The key behind a reference, or None; a key of AWS is always there."""
    return key_of(call, reference)


def of_aws(reference):
    return "alias/aws/" in reference


def require_key(call, reference, code, message=None):
    """Refuses a reference to a key that does not exist or cannot be used."""
    if not reference or of_aws(reference):
        return
    key = found_key(call, reference)
    if key is None or key.key_state != "Enabled":
        raise AwsError(
            code,
            message
            or f"The specified KMS key [{reference}] does not exist, is not enabled "
            "or you do not have permissions to access it.",
        )


def admits_service(key, service, actions, context=None):
    """Whether the policy of a key lets a service do all of that, for the thing named by an encryption context."""
    return all(any(grants(s, service, action, context) for s in statements(key.policy)) for action in actions)


def grants(statement, service, action, context):
    named = any(fnmatch.fnmatch(service, p) for p in principals(statement, "Service"))
    return (
        statement.get("Effect") == "Allow" and named and allows(statement, action) and context_fits(statement, context)
    )


def context_fits(statement, context):
    """Whether the conditions on the encryption context admit the value; other conditions are not looked at."""
    if context is None:
        return True
    key, value = context
    for operator, wanted in statement.get("Condition", {}).items():
        for name, patterns in wanted.items():
            if name.lower() == f"kms:encryptioncontext:{key}".lower() and "NotLike" not in operator:
                if not any(fnmatch.fnmatchcase(value, p) for p in as_list(patterns)):
                    return False
    return True


# strict


@rule("strict", "kms", "ScheduleKeyDeletion", says="the waiting period of a key deletion is 7 to 30 days")
def deletion_window(call):
    if not 7 <= call.get("PendingWindowInDays", 30) <= 30:
        invalid("kms", "PendingWindowInDays must be between 7 and 30.")


@rule(
    "strict",
    "kms",
    "CreateKey",
    "PutKeyPolicy",
    says="a key policy is well formed, and leaves the caller able to change it",
    source="AWS KMS Developer Guide: key policies",
)
def key_policy(call):
    text = call.get("Policy")
    if text is None:
        return
    policy = document(text)
    if policy is None or "Statement" not in policy:
        raise AwsError("MalformedPolicyDocumentException", "The policy is not a valid JSON document with statements.")
    for statement in statements(policy):
        if not {"Effect", "Principal"} <= set(statement) or not {"Action", "NotAction"} & set(statement):
            raise AwsError(
                "MalformedPolicyDocumentException", "Policy document should specify a principal and an action."
            )
    if call.get("BypassPolicyLockoutSafetyCheck"):
        return
    mine = [s for s in statements(policy) if s.get("Effect") == "Allow" and of_account(call, s)]
    if not any(allows(s, "kms:PutKeyPolicy") for s in mine):
        message = "The new key policy will not allow you to update the key policy in the future."
        raise AwsError("MalformedPolicyDocumentException", message)


def of_account(call, statement):
    roots = {"*", call.account, f"arn:{call.partition}:iam::{call.account}:root"}
    return bool(roots & set(principals(statement, "AWS"))) or "*" in principals(statement, "AWS")


@rule("strict", "kms", "CreateAlias", says="alias/aws/ is not the customer's to use")
def alias_of_aws(call):
    if of_aws(call.params["AliasName"]):
        raise AwsError("NotAuthorizedException", f"{call.params['AliasName']} is reserved by AWS.")


# order


@rule(
    "order",
    "kms",
    *ON_LIVE_KEYS,
    says="a key pending deletion takes no calls but CancelKeyDeletion",
    source="AWS KMS Developer Guide: key states",
)
def key_pending_deletion(call):
    key = key_of(call)
    if key is not None and key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


@rule("order", "kms", "CreateKey", "PutKeyPolicy", says="principals of a key policy exist before it names them")
def principals_exist(call):
    known = {role.arn for role in call.backend("iam").roles.values()} | {
        u.arn for u in call.backend("iam").users.values()
    }
    for statement in statements(call.get("Policy") or "{}"):
        for arn in principals(statement, "AWS"):
            if (":role/" in arn or ":user/" in arn) and f":{call.account}:" in arn and arn not in known:
                message = "Policy contains a statement with one or more invalid principals."
                raise AwsError("MalformedPolicyDocumentException", message)


@rule(
    "order",
    "logs",
    "CreateLogGroup",
    "AssociateKmsKey",
    says="a log group's key exists and its policy admits CloudWatch Logs for that group",
    source="CloudWatch Logs User Guide: encrypting log data with AWS KMS",
)
def log_group_key(call):
    reference = call.get("kmsKeyId")
    if not reference:
        return
    name = call.get("logGroupName") or call.get("resourceIdentifier", "").rpartition(":")[2]
    arn = call.arn("logs", f"log-group:{name}")
    key = found_key(call, reference)
    if key is None or not admits_service(key, f"logs.{call.region}.amazonaws.com", LOGS_ACTIONS, ("aws:logs:arn", arn)):
        message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
        raise AwsError("AccessDeniedException", message)
    if key.key_state != "Enabled":
        raise AwsError("InvalidParameterException", "The KMS key is disabled or pending deletion.")


@rule("order", "kinesis", "StartStreamEncryption", says="a stream's key exists and is enabled")
def stream_key(call):
    reference = call.params["KeyId"]
    if of_aws(reference):
        return
    key = found_key(call, reference)
    if key is None:
        raise AwsError("KMSNotFoundException", f"Key '{reference}' does not exist")
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.key_state != "Enabled":
        raise AwsError("KMSDisabledException", f"{key.arn} is disabled.")


@rule("order", "efs", "CreateFileSystem", says="a file system's key exists and is enabled")
def file_system_key(call):
    require_key(call, call.get("KmsKeyId"), "BadRequest")


@rule("order", "elasticache", "CreateReplicationGroup", says="a replication group's key exists and is enabled")
def cache_key(call):
    require_key(call, call.get("KmsKeyId"), "InvalidParameterValue")


@rule(
    "order",
    "secretsmanager",
    "CreateSecret",
    "UpdateSecret",
    says="a secret's key exists and is enabled when a value is encrypted under it",
)
def secret_key(call):
    if call.get("SecretString") or call.get("SecretBinary"):
        message = "Access to KMS is not allowed, or the key does not exist or is disabled."
        require_key(call, call.get("KmsKeyId"), "InvalidRequestException", message)


def role_of(call):
    """The role that whoever calls has taken on, None where it is none."""
    from moto.sts.models import sts_backends

    assumed = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.principal)
    return roles_by_arn(call).get(assumed.role_arn) if assumed else None


def may_use(call, role, key, action, service):
    """Whether a role may use a key through a service: by the key's policy itself, or by its own where that leaves it to IAM."""
    known = {"kms:viaservice": f"{service}.{call.region}.amazonaws.com", "kms:calleraccount": call.account}
    need = Need(action, key.arn, lambda name: as_list(known[name.lower()]) if name.lower() in known else None)
    by_key = [s for s in statements(key.policy) if speaks_of(s | {"Resource": "*"}, need) and met(s, need.context)]
    by_key = [(s["Effect"], set(principals(s, "AWS"))) for s in by_key]
    of_role = [s for policy in policies_of(role) for s in statements(policy)]
    of_role = [s["Effect"] for s in of_role if speaks_of(s, need) and met(s, need.context)]
    everybody, root = {"*", role.arn}, {call.account, f"arn:{call.partition}:iam::{call.account}:root"}
    if "Deny" in of_role or any(effect == "Deny" and who & everybody for effect, who in by_key):
        return False
    allowed = [who for effect, who in by_key if effect == "Allow"]
    return any(who & everybody for who in allowed) or ("Allow" in of_role and any(who & root for who in allowed))


@rule(
    "permissions",
    "secretsmanager",
    "GetSecretValue",
    says="a role reads a secret only where it may decrypt with the secret's key",
    source="AWS Secrets Manager User Guide: secret encryption and decryption, permissions for the KMS key",
)
def key_of_a_secret(call):
    role, secret = role_of(call), secret_named(call, call.params["SecretId"])
    key = secret and secret.kms_key_id and found_key(call, secret.kms_key_id)
    if role is None or not key or of_aws(secret.kms_key_id):
        return
    if not may_use(call, role, key, "kms:Decrypt", "secretsmanager"):
        raise AwsError("AccessDeniedException", "Access to KMS is not allowed")
    note_key_use(call, key.arn, role.arn, "Decrypt", "secretsmanager")
