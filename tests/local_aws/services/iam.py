"""IAM: service-linked roles under their real names, and the quotas of the account."""

from ..moto_app import ask
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
