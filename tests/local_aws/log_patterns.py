"""Filter patterns of CloudWatch Logs on JSON events, as far as the stacks write them: equality, wildcards, && and ||.

Source: CloudWatch Logs user guide, "Filter pattern syntax for metric filters".
"""

import fnmatch
import re

TOKEN = re.compile(r'\s*(\(|\)|&&|\|\||!=|=|NOT EXISTS|\$(?:\.[\w-]+)+|"[^"]*"|[\w.:*/-]+)')


def matches(pattern, event):
    """Whether a pattern of the form `{ … }` takes in an event."""
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError(f"only patterns on JSON are understood: {pattern}")
    tokens = tokens_of(text[1:-1].strip())
    found = either(tokens, event)
    if tokens:
        raise ValueError(f"not understood from {tokens[0]} on: {pattern}")
    return found


def tokens_of(text):
    tokens, place = [], 0
    while place < len(text):
        found = TOKEN.match(text, place)
        if not found:
            raise ValueError(f"not understood: {text[place:]}")
        tokens.append(found.group(1))
        place = found.end()
        while place < len(text) and text[place].isspace():
            place += 1
    return tokens


def either(tokens, event):
    found = both(tokens, event)
    while tokens[:1] == ["||"]:
        tokens.pop(0)
        found = both(tokens, event) or found
    return found


def both(tokens, event):
    found = one(tokens, event)
    while tokens[:1] == ["&&"]:
        tokens.pop(0)
        found = one(tokens, event) and found
    return found


def one(tokens, event):
    first = tokens.pop(0)
    if first == "(":
        found = either(tokens, event)
        if tokens.pop(0) != ")":
            raise ValueError("a bracket is not closed")
        return found
    value, sign = value_at(event, first), tokens.pop(0)
    if sign == "NOT EXISTS":
        return value is None
    wanted = tokens.pop(0).strip('"')
    equal = value is not None and fnmatch.fnmatchcase(str(value), wanted)
    return equal if sign == "=" else value is not None and not equal


def value_at(event, path):
    for part in path.removeprefix("$.").split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event
