"""The form of a value: what stays the same when ids, names and times are others."""

import json
import re

# What AWS draws or counts, by what it looks like; the first that fits stands for it.
CLASSES = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "<uuid>"),
    (
        re.compile(
            r"\b[a-z]{2}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d[a-z]?\b"
        ),
        "<region>",
    ),
    (re.compile(r"\b(AROA|AIDA|AKIA|ASIA|ANPA|AIPA)[A-Z0-9]{12,}\b"), r"\1<unique>"),
    (re.compile(r"\b(\d{1,3}\.){3}\d{1,3}\b"), "<address>"),
    (re.compile(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b"), "<mac>"),
    (re.compile(r"\bZ[A-Z0-9]{9,31}\b"), "<zone>"),
    (re.compile(r"\b[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"\b(cluster|db)-[A-Z2-7]{26}\b"), r"\1-<unique>"),
    (re.compile(r"(?<=[:/-])[A-Za-z0-9]{6}(?=$|[\"':])"), "<suffix>"),
    (re.compile(r"\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{8,14}\b"), "<id>"),
    (re.compile(r"(?<=\b[Ii][Dd] )[A-Za-z0-9]{6,}"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
]
# An id that may look like a word, told by the member it stands in.
ID_MEMBER = re.compile(r"id|.*Ids?|.*Namespace")
ID = re.compile(r"[A-Za-z0-9+/=_-]{6,}")


def text_class(text):
    """A text without what is drawn: an ARN keeps its parts, a constant is itself."""
    for pattern, stands_for in CLASSES:
        text = pattern.sub(stands_for, text)
    return text


def class_of(value, member=""):
    """What a leaf is: of a text what is not drawn, so that a constant is itself; of a number only that it is one."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return "<number>"
    if value is None:
        return "<nothing>"
    if value == "":
        return "<empty>"
    if ID_MEMBER.fullmatch(member) and ID.fullmatch(value) and "-" not in value:
        return "<id>"
    return text_class(value)


LIST = "[]"
DRAWN = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def key_class(key):
    """A member is called what it is called; a key that was drawn, as the id of a version, is like any other."""
    return DRAWN.sub("<drawn>", str(key))


def leaves(value, path=()):
    """(path, leaf) of everything in a value; an empty list or map is a leaf of its own."""
    if isinstance(value, dict):
        if not value:
            yield path, "<empty map>"
        for key, item in value.items():
            yield from leaves(item, (*path, key_class(key)))
    elif isinstance(value, (list, tuple)):
        if not value:
            yield path, "<empty list>"
        for item in value:
            yield from leaves(item, (*path, LIST))
    else:
        yield path, value


def form_of(value):
    """Equal for two values that differ in nothing but what is drawn."""
    return json.dumps(sorted({("/".join(path), class_of(leaf, name_of(path))) for path, leaf in leaves(value)}))


def name_of(path):
    """The member a leaf stands in."""
    return next((part for part in reversed(path) if part != LIST), "")
