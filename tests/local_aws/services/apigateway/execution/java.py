"""What templates may ask of texts, lists and maps: the methods of Java's String, List and Map, and how each is shown.

Source: java.lang.String, java.util.List and java.util.Map in the Java SE 8 API specification.
"""

import json
import re


class JsonMap(dict):
    """A map out of $input.path: shown as {key=value}, what is in a list within it as JSON."""


class JsonList(list):
    """A list out of $input.path: shown as JSON."""


def json_value(value):
    """What $input.path gives of a JSON value."""
    if isinstance(value, dict):
        return JsonMap({key: json_value(item) for key, item in value.items()})
    return JsonList(json_value(item) for item in value) if isinstance(value, list) else value


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown(value):
    """The text of a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonList):
        return compact(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={within(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, range)):
        return "[" + ", ".join(within(item) for item in value) + "]"
    return str(value)


def within(value):
    """Inside of a map or a list Java writes null."""
    return "null" if value is None else shown(value)


def java_pattern(pattern):
    """A regular expression of Java, as Python writes it; those that templates have differ in quoting only."""
    return re.sub(r"\\Q(.*?)(\\E|$)", lambda found: re.escape(found[1]), pattern, flags=re.DOTALL)


def java_replacement(text):
    """In a replacement `$1` is a group, and a backslash takes the next sign as it is."""

    def replace(found):
        pieces = re.findall(r"\\(.)|\$(\d)|([^\\$]+)", text, re.DOTALL)
        return "".join(sign or (found[int(group)] or "" if group else plain) for sign, group, plain in pieces)

    return replace


def replace_all(text, pattern, replacement):
    return re.sub(java_pattern(pattern), java_replacement(replacement), text)


def replace_first(text, pattern, replacement):
    return re.sub(java_pattern(pattern), java_replacement(replacement), text, count=1)


def split(text, pattern, limit=0):
    """Java leaves out the empty texts at the end."""
    parts = re.split(java_pattern(pattern), text, maxsplit=max(limit - 1, 0))
    while limit == 0 and len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return parts


TEXT_METHODS = {
    "charAt": lambda text, index: text[index],
    "concat": lambda text, other: text + other,
    "contains": lambda text, other: other in text,
    "endsWith": lambda text, end: text.endswith(end),
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "indexOf": lambda text, other, start=0: text.find(other, start),
    "isEmpty": lambda text: text == "",
    "lastIndexOf": lambda text, other: text.rfind(other),
    "length": len,
    "matches": lambda text, pattern: re.fullmatch(java_pattern(pattern), text) is not None,
    "replace": lambda text, one, other: text.replace(one, other),
    "replaceAll": replace_all,
    "replaceFirst": replace_first,
    "split": split,
    "startsWith": lambda text, start: text.startswith(start),
    "substring": lambda text, start, end=None: text[start:end],
    "toLowerCase": lambda text: text.lower(),
    "toString": lambda text: text,
    "toUpperCase": lambda text: text.upper(),
    "trim": lambda text: text.strip("".join(map(chr, range(33)))),
}


def put(holder, key, value):
    before = holder.get(key)
    holder[key] = value
    return before


def add(items, value):
    items.append(value)
    return True


def put_at(items, index, value):
    before, items[index] = items[index], value
    return before


LIST_METHODS = {
    "add": add,
    "contains": lambda items, value: value in items,
    "get": lambda items, index: items[index],
    "isEmpty": lambda items: not items,
    "set": put_at,
    "size": len,
    "toString": shown,
}
MAP_METHODS = {
    "containsKey": lambda holder, key: key in holder,
    "containsValue": lambda holder, value: value in holder.values(),
    "entrySet": lambda holder: [{"key": key, "value": value} for key, value in holder.items()],
    "get": lambda holder, key: holder.get(key),
    "isEmpty": lambda holder: not holder,
    "keySet": lambda holder: list(holder),
    "put": put,
    "putAll": lambda holder, more: holder.update(more),
    "remove": lambda holder, key: holder.pop(key, None),
    "size": len,
    "toString": shown,
    "values": lambda holder: list(holder.values()),
}
