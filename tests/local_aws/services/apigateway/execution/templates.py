"""Mapping templates: what `$input`, `$util`, `$context` and `$stageVariables` are, and what a template may override.

Source: API Gateway Developer Guide, "Variables for data transformations for API Gateway" and "Override your API's
request and response parameters and status codes for REST APIs".
"""

import base64
import json
import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote_plus, unquote_plus

from jsonpath_ng import exceptions as jsonpath_errors
from jsonpath_ng.ext import parse

from ....world import world
from . import velocity
from .java import compact, json_value, shown
from .refusals import refuse

EMPTY = "{}"


class Once(dict):
    """What a template may override once in its run: a second time makes the whole answer a 5XX. What an earlier
    template left may be overridden, once, by the next."""

    def __init__(self, values=()):
        super().__init__(values)
        self.written = set()

    def __setitem__(self, key, value):
        if key in self.written:
            raise velocity.Failed(f"{key} is overridden for a second time")
        self.written.add(key)
        super().__setitem__(key, value)


@dataclass
class Overrides:
    """What the templates of one invocation have overridden so far."""

    request: dict = field(default_factory=lambda: {"header": Once(), "path": Once(), "querystring": Once()})
    response: Once = field(default_factory=lambda: Once({"header": Once()}))

    def next_run(self):
        """As the next template finds them."""
        request = {place: Once(values) for place, values in self.request.items()}
        return Overrides(request, Once(self.response | {"header": Once(self.response["header"])}))


class Input:
    """`$input`. Of an empty body it makes `{}`."""

    def __init__(self, body, parameters):
        self.body = body or EMPTY
        self._parameters = parameters

    def json(self, path="$"):
        found = self._at(path)
        return compact(found[0]) if found else '""'

    def path(self, path="$"):
        found = self._at(path)
        return json_value(found[0]) if found else None

    def params(self, name=None):
        if name is None:
            return self._parameters
        for place in ("path", "querystring", "header"):
            if name in self._parameters[place]:
                return self._parameters[place][name]
        return ""

    def _at(self, path):
        document = read_json(self.body)
        try:
            found = [match.value for match in expression(path).find(document)]
        except (AttributeError, TypeError, KeyError):
            return []
        return found[:1] if definite(path) else [found]


def read_json(text):
    """The document in a body. Whether its parser minds what follows a document, AWS does not say: a setting decides."""
    try:
        document, end = json.JSONDecoder().raw_decode(text.lstrip())
        if text.lstrip()[end:].strip() and not world.settings.trailing_json:
            raise ValueError(f"Unexpected character after the document at {end}")
        return document
    except ValueError as error:
        refuse("BAD_REQUEST_BODY", f"Could not parse request body into json: {error}")


@cache
def expression(path):
    try:
        return parse(path)
    except jsonpath_errors.JSONPathError as error:
        raise velocity.Failed(f"{path} is no JSONPath: {error}") from error


def definite(path):
    """Whether a path can lead to one value only; of others the answer is a list."""
    return not re.search(r"\.\.|\*|\?\(|\[[^\]'\"]*[,:]", path)


JAVASCRIPT = {
    "'": "\\'",
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\n": "\\n",
    "\t": "\\t",
    "\f": "\\f",
    "\r": "\\r",
}


def javascript_sign(sign):
    if sign in JAVASCRIPT:
        return JAVASCRIPT[sign]
    if " " <= sign <= "~":
        return sign
    units = sign.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02X}{units[n + 1]:02X}" for n in range(0, len(units), 2))


class Util:
    """`$util`."""

    def escapeJavaScript(self, value):  # noqa: N802, the names are AWS's
        """As in Apache Commons Lang 2, single quotes too, which the guide warns of: JSON does not allow them."""
        return "".join(map(javascript_sign, shown(value)))

    def parseJson(self, text):  # noqa: N802
        try:
            return json_value(json.loads(text))
        except ValueError as error:
            raise velocity.Failed(str(error)) from error

    def urlEncode(self, text):  # noqa: N802
        return quote_plus(shown(text), safe="*")

    def urlDecode(self, text):  # noqa: N802
        return unquote_plus(shown(text))

    def base64Encode(self, text):  # noqa: N802
        return base64.b64encode(shown(text).encode()).decode()

    def base64Decode(self, text):  # noqa: N802
        return base64.b64decode(shown(text)).decode("utf-8", "replace")


def carry_out(template, body, invocation, overrides):
    """What a template makes of a body; what it overrides is left in `overrides`."""
    context = invocation.context | {"requestOverride": overrides.request, "responseOverride": overrides.response}
    names = {
        "input": Input(body, invocation.parameters()),
        "util": Util(),
        "context": context,
        "stageVariables": dict(invocation.stage.get("variables") or {}),
    }
    try:
        return velocity.render(template, names)
    except velocity.Failed as error:
        reason = f"Unable to transform request: {error}"
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        reason = f"Unable to transform request: {type(error).__name__}: {error}"
    invocation.note(f"Execution failed due to configuration error: {reason}")
    refuse("API_CONFIGURATION_ERROR", "Internal server error")
