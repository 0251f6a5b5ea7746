"""Whether a service may take on a role, by what it tells of whom it acts for.

A condition on a key that a service does not tell fails, and shuts the service out; one that ends in IfExists passes.
"""

import fnmatch

from .conditions import OPERATOR, holds
from .policies import as_list, principals, statements

# The source ARN that each service tells, None where it tells neither that nor the source account.
TOLD = {
    # API Gateway's guide shows the trust of an integration's role, and of the role for logs, without conditions.
    "apigateway.amazonaws.com": None,
    # AWS Backup Developer Guide, "IAM service roles", shows the trust of a backup role without conditions.
    "backup.amazonaws.com": None,
    # CloudTrail User Guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring": the policy "doesn't
    # support the use of aws:SourceArn and aws:SourceAccount"; https://github.com/prowler-cloud/prowler/issues/4714.
    "cloudtrail.amazonaws.com": None,
    # Amazon ECS Developer Guide, "Task IAM role": both, as its example has them.
    "ecs-tasks.amazonaws.com": "ecs:{region}:{account}:task/any",
    # RDS User Guide, "Setting up and enabling Enhanced Monitoring": both, to prevent the confused deputy problem.
    "monitoring.rds.amazonaws.com": "rds:{region}:{account}:db:any",
    # RDS User Guide, "Configuring IAM authentication for RDS Proxy" shows no condition, and no page says that any is met.
    "rds.amazonaws.com": None,
    # VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs": both.
    "vpc-flow-logs.amazonaws.com": "ec2:{region}:{account}:vpc-flow-log/any",
}


def told(call, service):
    """The keys that a service tells, with their values."""
    source = TOLD.get(service)
    if source is None:
        return {}
    arn = f"arn:{call.partition}:{source.format(region=call.region, account=call.account)}"
    return {"aws:sourceaccount": [call.account], "aws:sourcearn": [arn]}


def names(role, service):
    """Whether the role's trust names the service, on whatever condition."""
    found = statements(role.assume_role_policy_document) if role else []
    return any(fnmatch.fnmatch(service, pattern) for s in found for pattern in principals(s, "Service"))


def trusts(call, role, service):
    """Whether the service may take on the role for this account."""
    if role is None:
        return False
    found = told(call, service)
    return any(
        s.get("Effect") == "Allow"
        and any(fnmatch.fnmatch(service, pattern) for pattern in principals(s, "Service"))
        and fits(s, found)
        for s in statements(role.assume_role_policy_document)
    )


def fits(statement, found):
    conditions = (statement.get("Condition") or {}).items()
    return all(
        OPERATOR.fullmatch(operator) and holds(OPERATOR.fullmatch(operator), as_list(values), found.get(key.lower()))
        for operator, wanted in conditions
        for key, values in wanted.items()
    )
