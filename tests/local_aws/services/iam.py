"""IAM: service-linked roles under their real names, and the quotas of the account."""

import json
from datetime import datetime
from functools import cache

from moto.iam.models import AWSManagedPolicy, IAMBackend, aws_managed_policies_data

from ..moto_app import ask
from ..policies import policies_of, roles_by_arn, statements
from ..quotas import quotas
from ..registry import AwsError, after, operation, recover


@cache
def managed_by_aws():
    """AWS's own policies, read once: moto reads them for every account, partition and reset, for half a second of CPU."""
    return [
        {
            "name": name,
            "default_version_id": policy.get("DefaultVersionId"),
            "path": policy.get("Path"),
            "document": json.dumps(policy.get("Document")),
            "create_date": datetime.fromisoformat(policy["CreateDate"]),
            "update_date": datetime.fromisoformat(policy["UpdateDate"]),
        }
        for name, policy in json.loads(aws_managed_policies_data).items()
    ]


def init_aws_policies(backend):
    place = {"account_id": backend.account_id, "region": backend.region_name}
    return [AWSManagedPolicy(**policy, **place) for policy in managed_by_aws()]


IAMBackend._init_aws_policies = init_aws_policies

LINKED = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "elasticache.amazonaws.com": "AWSServiceRoleForElastiCache",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "ops.apigateway.amazonaws.com": "AWSServiceRoleForAPIGateway",
    "elasticfilesystem.amazonaws.com": "AWSServiceRoleForAmazonElasticFileSystem",
    "backup.amazonaws.com": "AWSServiceRoleForBackup",
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
    "cloudtrail.amazonaws.com": "AWSServiceRoleForCloudTrail",
}


@recover(
    "iam",
    "AttachRolePolicy",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "GetRole",
    "ListAttachedRolePolicies",
    "ListRolePolicies",
    "ListRoleTags",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
)
def no_such_role(call, error):
    """In AWS's words: cloud-custodian, test_delete_role."""
    if error.code == "NoSuchEntity" and "olicy" not in error.message:
        raise AwsError(error.code, f"The role with name {call.params['RoleName']} cannot be found.", 404)


@after("iam", "CreateRole")
def leave_out_its_last_use(call, answer):
    answer["Role"].pop("RoleLastUsed", None)


@after("iam", "GetAccountSummary")
def quotas_of_the_account(call, answer):
    answer["SummaryMap"] |= {
        "RolesQuota": quotas["roles"],
        "AttachedPoliciesPerRoleQuota": quotas["managed-policies"],
        "AssumeRolePolicySizeQuota": quotas["trust-policy-characters"],
        "RolePolicySizeQuota": quotas["inline-policy-characters"],
    }


@operation("iam", "CreateServiceLinkedRole")
def create_service_linked_role(call):
    service = call.params["AWSServiceName"]
    roles = call.backend("iam").roles
    name = LINKED.get(service)
    if name and any(role.name == name for role in roles.values()):
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise AwsError("InvalidInput", message)
    made = ask(call)
    if name:
        rename(made["Role"], roles, name)
    return made


def rename(shown, roles, name):
    role = next(role for role in roles.values() if role.name == shown["RoleName"])
    role.name = name
    shown |= {"RoleName": name, "Arn": role.arn}


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(call):
    """By the policies of the principal alone, as where no resource policy is given."""
    from ..conditions import met
    from ..needs import Need
    from ..permissions import speaks_of

    role = roles_by_arn(call).get(call.params["PolicySourceArn"])
    if role is None:
        raise AwsError("NoSuchEntity", f"ARN {call.params['PolicySourceArn']} does not exist.", 404)
    known = {one["ContextKeyName"].lower(): one["ContextKeyValues"] for one in call.get("ContextEntries", [])}
    results = []
    for action in call.params["ActionNames"]:
        for resource in call.get("ResourceArns", ["*"]):
            need = Need(action, resource, lambda key: known.get(key.lower()))
            spoken = [s for policy in policies_of(role) for s in statements(policy) if speaks_of(s, need)]
            effects = {s["Effect"] for s in spoken if met(s, need.context)}
            decision = "explicitDeny" if "Deny" in effects else "allowed" if effects else "implicitDeny"
            results.append({"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision})
    return {"EvaluationResults": results, "IsTruncated": False}
