"""Answers that AWS itself once gave, served in place of those of the local AWS: what a tool makes of them is then seen.

A line is one of `tests/recorded`: an operation, spelled as `ec2:DescribeVpcs`, and its answer with the names of the API's model.
Where an operation has several, each call gets the next of them; `when` limits one to calls with these parameters.
"""

import threading
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from dateutil import parser

# The names of the SDK's crates, where they are not botocore's.
SERVICES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
    "resourcegroupstagging": "resourcegroupstaggingapi",
}
# What says from where a list goes on. Every answer served is the last one.
TOKENS = ("NextToken", "nextToken", "NextMarker", "Marker", "position", "KeyMarker", "PaginationToken")
# IAM encodes these once more; recordings have them with it and without.
ENCODED = {"iam": ("AssumeRolePolicyDocument", "PolicyDocument")}


class Answers:
    def __init__(self):
        self._lock = threading.Lock()
        self._lines = {}

    def add(self, lines):
        for line in lines:
            unknown = {"operation", "answer"} - set(line)
            if unknown:
                raise ValueError(f"a line has an operation and its answer; {sorted(unknown)} is missing")
            service, _, operation = line["operation"].partition(":")
            name = f"{SERVICES.get(service, service)}:{operation}"
            with self._lock:
                self._lines.setdefault(name, []).append(line | {"served": 0})

    def clear(self):
        with self._lock:
            self._lines.clear()

    def report(self):
        return {name: [line["served"] for line in lines] for name, lines in self._lines.items()}

    def taking(self, call):
        """The answer for a call, ready to be written; None where nothing was recorded."""
        with self._lock:
            lines = [line for line in self._lines.get(call.name, ()) if fits(line, call)]
            if not lines or call.looks_on:
                return None
            line = min(lines, key=lambda line: line["served"])
            line["served"] += 1
        if any(call.get(token) for token in TOKENS):
            return {}
        encoded = ENCODED.get(call.name.partition(":")[0], ())
        return typed(line["answer"], call.model.output_shape, encoded) or {}


def fits(line, call):
    return all(call.get(name) == value for name, value in line.get("when", {}).items())


def typed(value, shape, encoded=(), name=None):
    """A value with the types that serializers ask for."""
    if shape is None or value is None:
        return None
    if shape.type_name == "structure":
        known = {key: typed(item, shape.members[key], encoded, key) for key, item in value.items() if key in shape.members}
        return {key: item for key, item in known.items() if item is not None}
    if shape.type_name == "list":
        return [typed(item, shape.member, encoded) for item in value]
    if shape.type_name == "map":
        return {key: typed(item, shape.value, encoded) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return moment(value)
    if shape.type_name == "blob":
        return value.encode() if isinstance(value, str) else value
    return quote(unquote(value)) if name in encoded and isinstance(value, str) else value


def moment(value):
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    found = parser.parse(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


answers = Answers()
