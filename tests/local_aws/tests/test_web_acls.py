"""What a web ACL looks at in a request, and which rules of a web ACL AWS takes."""

import pytest
from conftest import proves, refused
from stages import guard, mock, stage_of, visible

FORBIDDEN = (403, "ForbiddenException", "Forbidden")


def about_path(statement, *steps, **wish):
    """A rule that blocks by the path, which is transformed first."""
    steps = [{"Priority": number, "Type": step} for number, step in enumerate(steps or ["NONE"])]
    wish = {"FieldToMatch": {"UriPath": {}}, "TextTransformations": steps} | wish
    return {
        "Name": "path",
        "Priority": 0,
        "Statement": {statement: wish},
        "Action": {"Block": {}},
        "VisibilityConfig": visible("path"),
    }


def by_regex(pattern, *steps):
    return about_path("RegexMatchStatement", *steps, RegexString=pattern)


def by_text(constraint, text, *steps):
    return about_path("ByteMatchStatement", *steps, PositionalConstraint=constraint, SearchString=text.encode())


@proves("wafv2.inspected")
@pytest.mark.parametrize(
    "rule,blocked,passed",
    [
        (by_regex("%2[fF]"), ["/a%2Fb", "/%2f"], ["/a%252Fb", "/a%20b", "/ab?c=%2F"]),
        (by_regex("%2f", "LOWERCASE"), ["/a%2Fb"], ["/a%252Fb"]),
        (by_regex("^/dev/a/b$", "URL_DECODE"), ["/a%2Fb"], ["/a%252Fb", "/ab"]),
        (by_regex("%2f", "URL_DECODE", "LOWERCASE"), ["/a%252Fb"], ["/a%2Fb"]),
        (by_text("CONTAINS", "%2F"), ["/a%2Fb"], ["/a%2fb"]),
        (by_text("STARTS_WITH", "/dev/b"), ["/b"], ["/ab"]),
        (by_text("ENDS_WITH", "/b%20c"), ["/b%20c"], ["/b%20cd"]),
        (by_text("EXACTLY", "/dev/b"), ["/b"], ["/bc"]),
    ],
)
def test_the_path_is_seen_as_it_was_sent(local, name, rule, blocked, passed):
    stage = stage_of(local, name, {"/{id}": {"get": mock()}})
    guard(local, stage, name, rule)
    assert [stage.call("GET", path).refusal for path in blocked] == [FORBIDDEN] * len(blocked)
    assert [stage.call("GET", path).status for path in passed] == [200] * len(passed)


def made(local, name, *rules):
    """A web ACL with these rules, as it is then."""
    waf, whole = local("wafv2"), {"Scope": "REGIONAL", "VisibilityConfig": visible(name)}
    summary = waf.create_web_acl(Name=name, DefaultAction={"Allow": {}}, Rules=list(rules), **whole)["Summary"]
    return waf.get_web_acl(Name=name, Scope="REGIONAL", Id=summary["Id"])["WebACL"]


@proves("wafv2.regex_syntax")
@pytest.mark.parametrize(
    "pattern",
    ["(a|b)", r"(?:a)\1", "(?=a)", "(?<!a)b", "(?P<n>a)", "(?>a)", "a++", "(?R)", r"a\Kb", r"\C", r"\R", "(*FAIL)", "a)"],
)
def test_a_regular_expression_that_waf_does_not_know_is_refused(local, name, pattern):
    with refused("WAFInvalidParameterException"):
        made(local, name, by_regex(pattern))


@pytest.mark.parametrize("pattern", ["^(?:a|b)$", "(?i)a", r"\(a\)", "[(?=+]+", r"%2[fF]", r"\ba{1,2}\.", "[a-z]+?"])
def test_a_regular_expression_that_waf_knows_is_taken(local, name, pattern):
    assert made(local, name, by_regex(pattern))["Rules"][0]["Name"] == "path"


@proves("wafv2.rule_actions", "wafv2.one_component")
def test_rules_that_cannot_be_are_refused(local, name):
    good = by_regex("a")
    twice = [{"Priority": 0, "Type": "NONE"}, {"Priority": 0, "Type": "LOWERCASE"}]
    group = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesSQLiRuleSet"}}
    both = {"UriPath": {}, "Method": {}}
    for wrong in (
        good | {"OverrideAction": {"None": {}}},
        {key: value for key, value in good.items() if key != "Action"},
        good | {"Statement": good["Statement"] | group},
        good | {"Statement": group},
        about_path("RegexMatchStatement", RegexString="a", FieldToMatch=both),
        about_path("RegexMatchStatement", RegexString="a", FieldToMatch={}),
        about_path("RegexMatchStatement", RegexString="a", TextTransformations=twice),
    ):
        with refused("WAFInvalidParameterException"):
            made(local, name, wrong)


@proves("wafv2.web_acl_capacity")
def test_a_web_acl_tells_its_capacity_and_has_no_more_than_there_is(local, name):
    rate = {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}}
    rules = [by_regex("a", "NONE"), by_text("CONTAINS", "a", "LOWERCASE") | {"Name": "text", "Priority": 1}]
    rules.append(by_regex("a") | {"Name": "rate", "Priority": 2, "Statement": rate})
    assert made(local, name, *rules)["Capacity"] == 13 + 20 + 2
    many = [by_text("CONTAINS", "a") | {"Name": f"text-{number}", "Priority": number} for number in range(251)]
    with refused("WAFLimitsExceededException"):
        made(local, name + "m", *many)
