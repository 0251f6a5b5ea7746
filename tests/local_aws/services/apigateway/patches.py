"""JSON patches, in the dialect of API Gateway: every value is a string, and each object knows its own paths."""

from ...registry import AwsError


def as_bool(text):
    return str(text).lower() == "true"


def unescape(token):
    return token.replace("~1", "/").replace("~0", "~")


def refuse(patch, allowed=()):
    text = f"Invalid patch path '{patch.get('path')}' specified for op '{patch.get('op')}'."
    if allowed:
        text += f" Must be one of: [{', '.join(allowed)}]"
    raise AwsError("BadRequestException", text)


def apply_patches(call, target, paths, fallback=None):
    """`paths` maps a path to (field, conversion); anything else goes to `fallback`, or is refused."""
    for patch in call.get("patchOperations", []):
        if patch.get("path") in paths:
            set_field(target, patch, *paths[patch["path"]])
        elif fallback is None or fallback(target, patch) is False:
            refuse(patch, paths)


def set_field(target, patch, field, convert):
    holder = target
    *above, last = field.split(".")
    for name in above:
        holder = holder.setdefault(name, {})
    if patch["op"] == "remove" or (patch["op"] == "replace" and patch.get("value") is None):
        holder.pop(last, None)
    elif patch["op"] in ("replace", "add"):
        holder[last] = convert(patch["value"])
    else:
        refuse(patch)
