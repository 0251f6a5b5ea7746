"""What a statement of a web ACL looks at in a request, and when it matches: the component, its transformations, the text.

Sources: WAF Developer Guide, "Request components in AWS WAF" (without a transformation the URI path is not normalized and is
inspected as it came from the client), "Using text transformations in AWS WAF", "String match rule statement", "Regex
match rule statement".
"""

from base64 import b64decode
from urllib.parse import unquote

import regex

from ....registry import behaviour

TRANSFORMED = {
    "NONE": lambda text: text,
    "LOWERCASE": str.lower,
    "URL_DECODE": unquote,
}
CONSTRAINTS = {
    "EXACTLY": lambda text, wanted: text == wanted,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": lambda text, wanted: wanted in text,
}


def text_matches(statement, seen):
    """Whether a string match or a regex match statement matches."""
    if "RegexMatchStatement" in statement:
        wish = statement["RegexMatchStatement"]
        return regex.search(wish["RegexString"], inspected(wish, seen)) is not None
    wish = statement["ByteMatchStatement"]
    wanted = b64decode(wish["SearchString"]).decode()
    return CONSTRAINTS[wish["PositionalConstraint"]](inspected(wish, seen), wanted)


@behaviour(
    "wafv2",
    says="the path is inspected as the client sent it, with its stage and its percent signs, unless a transformation decodes it",
    source="WAF Developer Guide: Request components in AWS WAF, URI path",
)
def inspected(wish, seen):
    text = component(wish["FieldToMatch"], seen)
    for step in sorted(wish["TextTransformations"], key=lambda step: step["Priority"]):
        text = TRANSFORMED[step["Type"]](text)
    return text


def component(field, seen):
    (kind,) = field
    if kind == "SingleHeader":
        return seen.header(field[kind]["Name"])
    return {"UriPath": seen.path, "QueryString": seen.query, "Method": seen.method}[kind]
