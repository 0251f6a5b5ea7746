"""IAM: service-linked roles under their real names, and the quotas of the account."""

from ..moto_app import ask
from ..policies import policies_of, roles_by_arn, statements
from ..quotas import quotas
from ..registry import AwsError, after, operation

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
