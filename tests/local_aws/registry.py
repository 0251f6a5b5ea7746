"""What a correction is made of: the decoded call, the error an AWS service answers, and the tables corrections enter.

`operation` answers a call instead of moto, `after` amends moto's answer, `recover` turns moto's error into
something else, and `rule` refuses a call that AWS would refuse before anything else sees it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .world import world


class AwsError(Exception):
    def __init__(self, code, message="", status=None, **members):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members


class Told(Exception):
    """A refusal that stands inside a success."""

    def __init__(self, answer):
        super().__init__("a refusal inside a success")
        self.answer = answer


class Unsupported(Exception):
    """Neither moto nor a correction implements the operation."""


ONLOOKERS = {"sweep"}


@dataclass
class Call:
    service: str
    operation: str
    params: dict
    account: str
    region: str
    request: Any = None
    model: Any = None
    protocol: str = ""
    principal: str = ""
    # Who makes the call, where AWS itself makes it in the name of a role.
    acting: Any = None
    trace: dict = field(default_factory=dict)

    @property
    def looks_on(self):
        """Whether this is a test that looks from outside, and not what the test is about."""
        return self.principal in ONLOOKERS

    @property
    def name(self):
        return f"{self.service}:{self.operation}"

    @property
    def partition(self):
        """The part of AWS that the region is in: every ARN names it."""
        return partition_of(self.region)

    def get(self, key, default=None):
        value = self.params.get(key)
        return default if value is None else value

    def shelf(self, name):
        return world.shelf(self.account, self.region, name)

    def arn(self, service, rest):
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    def backend(self, service):
        return backend_of(service, self.account, self.region)


GLOBAL_SERVICES = {"iam", "s3", "sts"}
PARTITIONS = {"us-gov-": "aws-us-gov", "cn-": "aws-cn"}


def partition_of(region):
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def backend_of(service, account, region):
    from moto.backends import get_backend

    return get_backend(service)[account][partition_of(region) if service in GLOBAL_SERVICES else region]


def now():
    return datetime.now(UTC)


OPERATIONS = {}
REPLAY = {}
AFTER = defaultdict(list)
RECOVER = defaultdict(list)
RULES = defaultdict(list)


@dataclass
class Rule:
    group: str
    name: str
    says: str
    source: str
    operations: tuple
    check: Any


REFERENCES = {
    "acm": "AWS Certificate Manager API Reference",
    "apigateway": "Amazon API Gateway REST API Reference",
    "apigatewayv2": "Amazon API Gateway V2 API Reference",
    "application-autoscaling": "Application Auto Scaling API Reference",
    "backup": "AWS Backup API Reference",
    "cloudtrail": "AWS CloudTrail API Reference",
    "cloudwatch": "Amazon CloudWatch API Reference",
    "cognito-idp": "Amazon Cognito user pools API Reference",
    "ec2": "Amazon EC2 API Reference, and its list of error codes",
    "ecs": "Amazon ECS API Reference",
    "efs": "Amazon EFS API Reference",
    "elasticache": "Amazon ElastiCache API Reference",
    "elbv2": "Elastic Load Balancing API Reference",
    "guardduty": "Amazon GuardDuty API Reference",
    "iam": "IAM API Reference",
    "kinesis": "Amazon Kinesis Data Streams API Reference",
    "kms": "AWS KMS API Reference",
    "logs": "Amazon CloudWatch Logs API Reference",
    "rds": "Amazon RDS API Reference",
    "s3": "Amazon S3 API Reference",
    "secretsmanager": "AWS Secrets Manager API Reference",
    "sns": "Amazon SNS API Reference",
    "wafv2": "AWS WAF API Reference",
}


def reference(service, operations):
    """Where AWS says what an operation takes and which errors it answers."""
    return f"{REFERENCES[service]}: {', '.join(operations)}"


ALL_RULES = {}
GENERAL_RULES = []


def operation(service, *names):
    def enter(function):
        for name in names:
            OPERATIONS[f"{service}:{name}"] = function
        return function

    return enter


def replay(service, *names):
    """Answers a call that has been made before, with the same token, ahead of every rule; None if it has not."""

    def enter(function):
        for name in names:
            REPLAY[f"{service}:{name}"] = function
        return function

    return enter


def after(service, *names):
    def enter(function):
        for name in names:
            AFTER[f"{service}:{name}"].append(function)
        return function

    return enter


def recover(service, *names):
    def enter(function):
        for name in names:
            RECOVER[f"{service}:{name}"].append(function)
        return function

    return enter


def rule(group, service, *names, says, source=None):
    """`says` is the AWS behaviour the rule stands for; `source` where AWS says so, if not in its API reference."""

    def enter(function):
        said = source or reference(service, names)
        entry = Rule(group, f"{service}.{function.__name__}", says, said, names, function)
        if entry.name in ALL_RULES:
            raise ValueError(f"two rules are named {entry.name}")
        ALL_RULES[entry.name] = entry
        for name in names:
            RULES[f"{service}:{name}"].append(entry)
        return function

    return enter


def general_rule(group, says, source):
    """A rule about every call of every service."""

    def enter(function):
        entry = Rule(group, f"{group}.{function.__name__}", says, source, (), function)
        ALL_RULES[entry.name] = entry
        GENERAL_RULES.append(entry)
        return function

    return enter


def behaviour(service, says, source):
    """What AWS does with what runs there, beside refusing calls: listed and proven like a rule, and called as it is."""

    def enter(function):
        entry = Rule("execution", f"{service}.{function.__name__}", says, source, (), function)
        if entry.name in ALL_RULES:
            raise ValueError(f"two rules are named {entry.name}")
        ALL_RULES[entry.name] = entry
        return function

    return enter
