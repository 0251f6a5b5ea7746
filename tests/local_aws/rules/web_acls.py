"""WAF: what the rules of a web ACL may be."""

import re

import regex

from ..registry import AwsError, rule
from ..services.wafv2 import capacity, nested

# What a web ACL may hold at most: WAF Developer Guide, "AWS WAF quotas".
MOST_UNITS = 5000
# Looking around, too: "it supports some zero-width assertions, but not all".
UNKNOWN = re.compile(
    r"\\[1-9gkCKR]"  # a reference, a byte, a line break, a new start
    r"|\((?!\?)"  # a capture, or a verb
    r"|\(\?(?:P|[<'=!>&(]|R\)|[+-]?\d|C)"  # a name, a look, an atom, a call, a condition
    r"|(?<=[*+?}])\+"  # possession
)


def refuse(reason):
    raise AwsError("WAFInvalidParameterException", f"Error reason: {reason}")


@rule("strict", "wafv2", "CreateWebACL", "UpdateWebACL", says="rules of a web ACL have priorities of their own")
def rule_priorities(call):
    priorities = [entry["Priority"] for entry in call.get("Rules", [])]
    if len(set(priorities)) < len(priorities):
        refuse("You have used the same priority for two rules")


def statements(statement):
    """A statement and all that stand in it, each as its kind and what it says."""
    for kind, wish in statement.items():
        yield kind, wish
        for one in nested(wish):
            yield from statements(one)


def all_statements(call):
    return [pair for entry in call.get("Rules", []) for pair in statements(entry["Statement"])]


@rule(
    "strict",
    "wafv2",
    "CreateWebACL",
    "UpdateWebACL",
    says="a rule has one statement, and an action of its own or, of a group of rules, an override action",
    source="AWS WAF API Reference: Rule",
)
def rule_actions(call):
    for entry in call.get("Rules", []):
        if len(entry["Statement"]) != 1:
            refuse(f"The rule {entry['Name']} must have exactly one statement, field: STATEMENT")
        of_group = bool({"ManagedRuleGroupStatement", "RuleGroupReferenceStatement"} & set(entry["Statement"]))
        given = {name for name in ("Action", "OverrideAction") if entry.get(name)}
        if given != {"OverrideAction" if of_group else "Action"}:
            refuse(f"The rule {entry['Name']} has the wrong kind of action, field: RULE_ACTION")


@rule(
    "strict",
    "wafv2",
    "CreateWebACL",
    "UpdateWebACL",
    says="a match statement looks at one component of a request, and its transformations have priorities of their own",
    source="AWS WAF API Reference: FieldToMatch, TextTransformation",
)
def one_component(call):
    for kind, wish in all_statements(call):
        if len(wish.get("FieldToMatch", {"one": None})) != 1:
            refuse(f"{kind} must have exactly one component, field: FIELD_TO_MATCH")
        priorities = [step["Priority"] for step in wish.get("TextTransformations", [])]
        if len(set(priorities)) < len(priorities):
            refuse("You have used the same priority for two text transformations, field: TEXT_TRANSFORMATION")


@rule(
    "strict",
    "wafv2",
    "CreateWebACL",
    "UpdateWebACL",
    says="a regular expression is valid, and has nothing that WAF does not know: no captures, no looking around",
    source="WAF Developer Guide: Supported regular expression syntax in AWS WAF",
)
def regex_syntax(call):
    for kind, wish in all_statements(call):
        if kind == "RegexMatchStatement" and not known(wish["RegexString"]):
            refuse(f"The regular expression is not valid, field: REGEX_STRING, parameter: {wish['RegexString']}")


def known(pattern):
    try:
        regex.compile(pattern)
    except regex.error:
        return False
    # Within a class, and after a backslash that only quotes, everything is a letter.
    plain = re.sub(r"\\[^1-9gkCKR]", "x", pattern)
    return UNKNOWN.search(re.sub(r"\[\^?\]?[^\]]*\]", "x", plain)) is None


@rule(
    "strict",
    "wafv2",
    "CreateWebACL",
    "UpdateWebACL",
    says="the rules of a web ACL take 5000 capacity units at most",
    source="WAF Developer Guide: AWS WAF quotas",
)
def web_acl_capacity(call):
    if capacity(call.get("Rules", [])) > MOST_UNITS:
        message = f"AWS WAF couldn't perform the operation because it would exceed the limit of {MOST_UNITS} WCUs."
        raise AwsError("WAFLimitsExceededException", message)
