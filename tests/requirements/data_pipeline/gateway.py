"""A request template, evaluated as API Gateway does it: what Velocity is given there, and no more.

Sources: API Gateway developer guide, "Mapping template and access logging variable reference" for $input and $util.
"""

import base64
import json

import airspeed
from jsonpath_ng import parse


class Refused(Exception):
    """API Gateway itself answers 400, and calls nobody."""


class Input:
    """$input. Without a body API Gateway takes `{}`. Whether its parser minds what follows a record, AWS does not say."""

    def __init__(self, body, lenient):
        self.body = body or "{}"
        self.lenient = lenient

    def _at(self, path):
        try:
            record, _ = json.JSONDecoder().raw_decode(self.body.lstrip())
            if not self.lenient:
                record = json.loads(self.body)
        except json.JSONDecodeError as error:
            raise Refused(f"Could not parse request body into json: {error}") from error
        return [match.value for match in parse(path).find(record)]

    def json(self, path):
        found = self._at(path)
        return json.dumps(found[0], ensure_ascii=False, separators=(",", ":")) if found else '""'

    def path(self, path):
        found = self._at(path)
        return found[0] if found else ""


class Util:
    """$util."""

    def base64Encode(self, text):  # noqa: N802, the name is AWS's
        return base64.b64encode(text.encode()).decode()

    def escapeJavaScript(self, text):  # noqa: N802
        return json.dumps(text)[1:-1].replace("'", "\\'").replace("/", "\\/")

    def parseJson(self, text):  # noqa: N802
        return json.loads(text)


def evaluate(template, body, lenient=False):
    """The request that the template makes of a body, as text."""
    given = {"input": Input(body, lenient), "util": Util(), "context": {}}
    try:
        return airspeed.Template(template).merge(given)
    except airspeed.TemplateExecutionError as error:
        raise error.__cause__ from None
