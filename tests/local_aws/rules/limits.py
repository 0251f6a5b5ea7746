"""How often a call may be made. The buckets refill in real time, whatever the speed of everything else."""

import time

from ..registry import AwsError, general_rule

# (tokens, tokens a second) of each bucket; a call takes one from every bucket it belongs to.
BUCKETS = {
    "apigateway": (40, 10.0),
    "apigateway:CreateRestApi": (1, 1 / 3),
    "apigateway:ImportRestApi": (1, 1 / 3),
    "apigateway:PutRestApi": (1, 1.0),
    "apigateway:DeleteRestApi": (1, 1 / 30),
    "apigateway:CreateDeployment": (1, 1 / 5),
    "apigateway:CreateResource": (5, 5.0),
    "apigateway:DeleteResource": (5, 5.0),
    "apigateway:GetResources": (5, 2.5),
    "apigateway:UpdateAccount": (1, 1 / 20),
    "apigateway:UpdateUsagePlan": (1, 1 / 20),
    "apigateway:CreateApiKey": (5, 5.0),
    "apigateway:DeleteApiKey": (5, 5.0),
    "apigatewayv2:CreateVpcLink": (1, 1 / 15),
    "apigatewayv2:DeleteVpcLink": (1, 1 / 30),
    "cloudwatch:PutMetricAlarm": (10, 4.0),
    "cloudwatch:DeleteAlarms": (10, 4.0),
    "ec2 reads": (100, 20.0),
    "ec2 writes": (50, 5.0),
    "ec2 group rules": (200, 20.0),
    "ec2 tags": (100, 10.0),
    "ec2 NAT gateways": (10, 1.0),
    "ec2 endpoints": (4, 0.3),
    "elbv2 reads": (40, 10.0),
    "elbv2 writes": (20, 3.0),
    "elbv2:CreateLoadBalancer": (10, 0.2),
    "elbv2:SetSubnets": (10, 0.2),
    "kinesis:CreateStream": (5, 5.0),
    "kinesis:DeleteStream": (5, 5.0),
    "kinesis:AddTagsToStream": (5, 5.0),
    "kinesis:DescribeStreamSummary": (20, 20.0),
    "kinesis:DescribeStream": (10, 10.0),
    "kms:CreateKey": (5, 5.0),
    "kms:CreateAlias": (5, 5.0),
    "ecs:RegisterTaskDefinition": (20, 1.0),
    "logs:DescribeLogGroups": (10, 10.0),
}
THROTTLING = ("Throttling", "Rate exceeded", 400)
REFUSALS = {
    "apigateway": ("TooManyRequestsException", "Too Many Requests", 429),
    "apigatewayv2": ("TooManyRequestsException", "Too Many Requests", 429),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "kinesis": ("LimitExceededException", "Rate exceeded for stream", 400),
    # The services that speak the query protocol.
    "cloudwatch": THROTTLING,
    "elasticache": THROTTLING,
    "elbv2": THROTTLING,
    "iam": THROTTLING,
    "rds": THROTTLING,
    "sns": ("Throttled", "Rate exceeded", 429),
    "sts": THROTTLING,
}
EC2_GROUPS = {
    "ec2 group rules": ("Authorize", "Revoke"),
    "ec2 tags": ("CreateTags", "DeleteTags"),
    "ec2 NAT gateways": ("CreateNatGateway", "DeleteNatGateway"),
    "ec2 endpoints": ("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"),
    "ec2 reads": ("Describe", "Get", "List"),
}


def buckets_of(call):
    if call.name in BUCKETS:
        yield call.name
    if call.service in ("apigateway", "apigatewayv2"):
        # Both versions of the service draw on one account-wide bucket.
        yield "apigateway"
    elif call.service == "ec2":
        yield next((name for name, starts in EC2_GROUPS.items() if call.operation.startswith(starts)), "ec2 writes")
    elif call.service == "elbv2":
        yield "elbv2 reads" if call.operation.startswith("Describe") else "elbv2 writes"


def take(call, name):
    """Whether the bucket had a token; EC2 counts each kind of call for itself."""
    shelf = call.shelf("limits")
    key = (name, call.operation) if name.startswith("ec2 ") else name
    size, rate = BUCKETS[name]
    tokens, last = shelf.get(key, (size, time.monotonic()))
    now = time.monotonic()
    tokens = min(size, tokens + (now - last) * rate)
    shelf[key] = (tokens - 1 if tokens >= 1 else tokens, now)
    return tokens >= 1


def refusal(service):
    """What the service answers to calls that come too fast."""
    return AwsError(*REFUSALS.get(service, ("ThrottlingException", "Rate exceeded", 400)))


@general_rule(
    "limits",
    says="API Gateway, EC2 and others take so many calls a second",
    source="Amazon API Gateway quotas; Amazon EC2 and Elastic Load Balancing API throttling",
)
def throttled(call):
    # Each bucket loses its token, whichever of them is empty.
    if not all([take(call, name) for name in buckets_of(call)]):  # noqa: C419
        raise refusal(call.service)
