"""Velocity as API Gateway speaks it: airspeed, with what it does otherwise put right.

Every difference mended here has a line in the table of `tests/test_apigateway_templates.py`, with its source.
Sources: Apache Velocity user guide and its grammar (Parser.jjt); for null, maps and lists what real API Gateway
answered in localstack/localstack, tests/aws/services/apigateway/test_apigateway_common.snapshot.json
(test_input_path_template_formatting, test_input_body_formatting) and test_apigateway_integrations.snapshot.json.
"""

import re
from functools import lru_cache

import airspeed

from .java import LIST_METHODS, MAP_METHODS, TEXT_METHODS, shown


class Failed(Exception):
    """The template could not be read or carried out."""


@lru_cache(maxsize=256)
def compiled(template):
    made = airspeed.Template(template)
    made.ensure_compiled()
    return made


def render(template, names):
    """The text that a template makes of what its names stand for."""
    try:
        return compiled(template).merge(names)
    except airspeed.TemplateExecutionError as error:
        raise error.__cause__ from None
    except airspeed.TemplateError as error:
        raise Failed(str(error)) from error


def member(holder, name, called):
    """What `.name` is of something in Velocity, or None."""
    if isinstance(holder, airspeed.LocalNamespace):
        try:
            return holder[name]
        except KeyError:
            return None
    if isinstance(holder, dict):
        return bound(MAP_METHODS, holder, name) if called else holder.get(name)
    if isinstance(holder, str):
        return bound(TEXT_METHODS, holder, name) if called else None
    if isinstance(holder, (list, range)):
        return bound(LIST_METHODS, holder, name) if called else None
    if holder is None or name.startswith("_"):
        return None
    if isinstance(holder, (bool, int, float)):
        return (lambda: shown(holder)) if name == "toString" else None
    return getattr(holder, name, None)


def bound(methods, holder, name):
    method = methods.get(name)
    return None if method is None else lambda *given: method(holder, *given)


def at(holder, index):
    """`holder[index]`, and nothing where there is nothing."""
    try:
        return holder[int(index)] if isinstance(holder, (list, range)) else holder.get(index)
    except (AttributeError, IndexError, TypeError, ValueError):
        return None


def name_or_call(self, holder, loader, namespace):
    found = member(holder, self.name, self.parameters is not None)
    if isinstance(found, airspeed._FunctionDefinition):
        out = airspeed.StoppableStream()
        found.execute_function(
            out, namespace, self.parameters.calculate(namespace, loader) if self.parameters else [], loader
        )
        return out.getvalue()
    if self.parameters is not None:
        return found(*self.parameters.calculate(namespace, loader)) if callable(found) else None
    if self.index is not None:
        return at(found, self.index.calculate(namespace, loader))
    return found


def sub_expression(self, holder, loader, namespace):
    """An index is worked out among all names, and not among those of the object it is an index of."""
    if not isinstance(self.expression, airspeed.ArrayIndex):
        return self.expression.calculate(holder, loader, namespace)
    found = at(holder, self.expression.calculate(namespace, loader))
    return self.subexpression.calculate(found, loader, namespace) if self.subexpression else found


def write_reference(self, stream, namespace, loader):
    """What is null leaves nothing behind, neither its name nor the word."""
    if self.expression is None:
        return stream.write(self.my_text())
    value = self.expression.calculate(namespace, loader)
    if value is None and self.alternate is not None:
        value = self.alternate.calculate(namespace, loader)
    return stream.write("" if value is None else shown(value))


def parse_single_quoted(self):
    (text,) = self.identity_match(self.STRING)
    self.value = text.replace("''", "'")


def parse_double_quoted(self):
    (text,) = self.identity_match(self.STRING)
    self.value = text.replace('""', '"')
    self.block = airspeed.Block(self.filename, self.value, 0)


def equal(one, other):
    """Null equals the empty text; values of two kinds are compared as texts."""
    if one is None or other is None:
        return shown(other if one is None else one) == "" if (one, other) != (None, None) else True
    return one == other if isinstance(one, type(other)) or isinstance(other, type(one)) else shown(one) == shown(other)


def plus(one, other):
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    return one + other if numbers else shown(one) + shown(other)


OPERATORS = airspeed.BinaryOperator.OPERATORS | {
    "==": equal,
    "eq": equal,
    "!=": lambda one, other: not equal(one, other),
    "ne": lambda one, other: not equal(one, other),
    "+": plus,
    # As Java divides: towards zero.
    "/": lambda one, other: None if other == 0 else int(one / other),
}


class SetDirective(airspeed._Element):
    """`#set($a.b["c"].d = value)`; airspeed takes no brackets on the left."""

    START = re.compile(r"#set\s*\(\s*", re.S)
    EQUALS = re.compile(r"\s*=\s*", re.S)
    END = re.compile(r"\s*\)(?:[ \t]*\r?\n)?", re.S)

    def parse(self):
        self.identity_match(self.START)
        place = self.require_next_element(airspeed.FormalReference, "place")
        self.steps = list(steps_of(place.expression))
        self.require_match(self.EQUALS, "=")
        self.value = self.require_next_element(airspeed.Expression, "expression")
        self.require_match(self.END, "closing paren")

    def evaluate_raw(self, stream, namespace, loader):
        value = self.value.calculate(namespace, loader)
        keys = [step if isinstance(step, str) else step.calculate(namespace, loader) for step in self.steps]
        if len(keys) == 1:
            return namespace.set_inherited(keys[0], value)
        holder = namespace[keys[0]]
        for key in keys[1:-1]:
            holder = at(holder, key)
        holder[keys[-1]] = value
        return None


def steps_of(expression):
    """The names and indices of a reference, one after the other."""
    yield expression.part.name
    if expression.part.index is not None:
        yield expression.part.index
    inner = expression.subexpression
    while inner is not None:
        if isinstance(inner.expression, airspeed.ArrayIndex):
            yield inner.expression
            inner = inner.subexpression
        else:
            yield from steps_of(inner.expression)
            return


def foreach(self, stream, namespace, loader):
    """A loop over a map goes over its values."""
    found = self.value.calculate(namespace, loader)
    items = list(found.values() if isinstance(found, dict) else found if isinstance(found, (list, range)) else ())
    for index, item in enumerate(items):
        inner = airspeed.LocalNamespace(namespace)
        last = index + 1 == len(items)
        inner["velocityCount"] = index + 1
        inner["foreach"] = {"index": index, "count": index + 1, "hasNext": not last, "first": not index, "last": last}
        inner[self.loop_var_name] = item
        self.block.evaluate(stream, inner, loader)


def directive(parse):
    """What begins as a directive and does not go on as one is an error, and no text."""

    def strictly(self):
        try:
            parse(self)
        except airspeed.NoMatch:
            if self.START.match(self._full_text, self.start):
                raise self.syntax_error("a whole directive") from None
            raise

    return strictly


def mend():
    """airspeed's elements name each other by its module, so that is where they are put right."""
    airspeed.NameOrCall.calculate = name_or_call
    airspeed.SubExpression.calculate = sub_expression
    airspeed.FormalReference.evaluate_raw = write_reference
    # Velocity knows no escapes within quotes: a quote is doubled, and a backslash is a backslash.
    airspeed.StringLiteral.STRING = re.compile(r"'((?:''|[^'])*)'", re.S)
    airspeed.StringLiteral.parse = parse_single_quoted
    airspeed.InterpolatedStringLiteral.STRING = re.compile(r'"((?:""|[^"])*)"', re.S)
    airspeed.InterpolatedStringLiteral.parse = parse_double_quoted
    airspeed.BinaryOperator.OPERATORS = OPERATORS
    airspeed.SetDirective = SetDirective
    airspeed.ForeachDirective.evaluate_raw = foreach
    for kind in (airspeed.IfDirective, airspeed.ForeachDirective):
        kind.parse = directive(kind.parse)


mend()
