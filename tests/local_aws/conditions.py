"""The conditions of a policy: what is known about a call, and whether it meets what a statement asks."""

import re

from .policies import as_list

KNOWN = re.compile(
    r"aws:(RequestTag|ResourceTag)/.+|aws:(TagKeys|RequestedRegion|PrincipalAccount|ResourceAccount)"
    r"|iam:(PassedToService|AWSServiceName|PolicyARN|PermissionsBoundary)|ec2:CreateAction"
    r"|kms:(ViaService|CallerAccount|GrantIsForAWSResource)",
    re.IGNORECASE,
)
OPERATOR = re.compile(
    r"(?P<each>ForAllValues:|ForAnyValue:)?(?P<test>String(Not)?(Equals|EqualsIgnoreCase|Like)|Arn(Not)?(Equals|Like)"
    r"|Bool|Null)(?P<maybe>IfExists)?"
)


def like(value, pattern):
    """Whether a value fits a pattern of a policy, where * is any text and ? any character."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def check(statement):
    """Refuses what cannot be judged here, rather than to judge it wrongly."""
    for operator, wanted in (statement.get("Condition") or {}).items():
        if not OPERATOR.fullmatch(operator):
            raise ValueError(f"the condition operator {operator} is not known here")
        for key in wanted:
            if not KNOWN.fullmatch(key):
                raise ValueError(f"the condition key {key} is not known here")


def met(statement, context):
    """Whether every condition holds; `context` answers what is known of a key, as a list of values, or None."""
    return all(
        holds(OPERATOR.fullmatch(operator), as_list(values), context(key))
        for operator, wanted in (statement.get("Condition") or {}).items()
        for key, values in wanted.items()
    )


def holds(operator, wanted, found):
    test, wanted = operator["test"], [str(value) for value in wanted]
    if test == "Null":
        return wanted[0].lower() == str(found is None).lower()
    negated = "Not" in test
    if found is None:
        # AWS takes a missing key to differ from everything, and for all of no values to hold.
        return negated or bool(operator["maybe"]) or operator["each"] == "ForAllValues:"
    fits = [any(one(test.replace("Not", ""), value, pattern) for pattern in wanted) != negated for value in found]
    return any(fits) if operator["each"] == "ForAnyValue:" else all(fits)


def one(test, value, pattern):
    if test in ("StringLike", "ArnLike", "ArnEquals"):
        return like(value, pattern)
    if test in ("Bool", "StringEqualsIgnoreCase"):
        return value.lower() == pattern.lower()
    return value == pattern
