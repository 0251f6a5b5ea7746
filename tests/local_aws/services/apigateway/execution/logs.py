"""What a stage writes down: an access log line in its own format, and the execution log.

Sources: API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs in API Gateway" (the account's role
writes both), "Variables for access logging for API Gateway" (`-` where there is no value).
"""

import hashlib

from .... import logs_left
from ....policies import roles_by_arn
from ....registry import behaviour
from ....trusts import trusts
from ....world import world
from ..shared import account
from .principals import ALLOWED, session_of
from .refusals import filled

SERVICE = "apigateway.amazonaws.com"


@behaviour(
    "apigateway",
    says="a stage logs each access in its format, if the role of the account may write",
    source="API Gateway Developer Guide: Set up CloudWatch logging for REST APIs",
)
def write(invocation, answer):
    settings = invocation.stage.get("accessLogSettings") or {}
    if settings.get("format") and settings.get("destinationArn"):
        group = settings["destinationArn"].split(":log-group:")[-1].removesuffix(":*")
        append(invocation, group, [filled(settings["format"], invocation.context)])
    level = level_of(invocation)
    failed = answer.status >= 500
    if level == "INFO" or (level == "ERROR" and failed):
        api_id = invocation.api["record"]["id"]
        group = f"API-Gateway-Execution-Logs_{api_id}/{invocation.stage['stageName']}"
        logs_left.make(invocation.call, group)
        append(
            invocation, group, [f"({invocation.context['requestId']}) {line}" for line in lines_of(invocation, answer)]
        )


def level_of(invocation):
    settings = invocation.stage["methodSettings"]
    path = invocation.resource["path"].replace("/", "~1") if invocation.resource else ""
    found = settings.get(f"{path}/{invocation.request.method}") or settings.get("*/*") or {}
    return found.get("loggingLevel", "OFF")


def lines_of(invocation, answer):
    yield f"Extended Request Id: {invocation.context['extendedRequestId']}"
    yield f"HTTP Method: {invocation.request.method}, Resource Path: {invocation.context.get('resourcePath', '-')}"
    yield from invocation.notes
    yield f"Method completed with status: {answer.status}"


def append(invocation, group, lines):
    """Without a role that may write there, and without the group, nothing is written."""
    call = invocation.call
    logs = call.backend("logs")
    role = roles_by_arn(call).get(account(call).get("cloudwatchRoleArn"))
    if group not in logs.groups or not trusts(call, role, SERVICE) or not may_write(call, role, logs.groups[group]):
        return
    stream = hashlib.md5(f"{group}/{invocation.stage['deploymentId']}".encode()).hexdigest()
    if stream not in logs.groups[group].streams:
        logs.create_log_stream(group, stream)
    moment = int(world.time() * 1000)
    logs.put_log_events(group, stream, [{"timestamp": moment, "message": line} for line in lines])


def may_write(call, role, group):
    return session_of(call, role, "logs").decision("logs:PutLogEvents", f"{group.arn.removesuffix(':*')}:*") == ALLOWED
