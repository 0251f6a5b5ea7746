"""Parameter mappings: where the value of a header, a query parameter or a part of a path comes from.

Source: API Gateway Developer Guide, "Parameter mapping examples for REST APIs" and "Parameter mapping source
reference". The names of headers are compared to the letter. A value that is missing or empty maps nothing.
"""

from .templates import Input


def mapped(mappings, invocation, response=None):
    """{place: {name: value}} of `integration.request.*` or, with an integration's response, `method.response.*`."""
    out = {"header": {}, "path": {}, "querystring": {}}
    for target, source in (mappings or {}).items():
        place, _, name = target.split(".", 2)[2].partition(".")
        value = source_value(source, invocation, response)
        if value not in (None, ""):
            out[place][name] = value
    return out


def source_value(source, invocation, response):
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    kind, _, path = source.partition(".")
    if kind == "stageVariables":
        return (invocation.stage.get("variables") or {}).get(path)
    if kind == "context":
        return of_context(invocation.context, path)
    if kind == "integration":
        return of_response(path.removeprefix("response."), response, invocation)
    return of_request(path.removeprefix("request."), invocation)


def of_context(context, path):
    value = context
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def of_request(path, invocation):
    place, _, name = path.partition(".")
    if place == "body":
        return Input(invocation.text(), {}).path(f"$.{name}") if name else invocation.text()
    if place == "path":
        return invocation.path_values.get(name)
    if place in ("querystring", "multivaluequerystring"):
        values = invocation.query.get(name) or [None]
        return values[-1] if place == "querystring" or len(values) == 1 else values
    return invocation.headers.get(name)


def of_response(path, response, invocation):
    place, _, name = path.partition(".")
    if place == "body":
        text = response.body.decode("utf-8", "replace")
        return Input(text, {}).path(f"$.{name}") if name else text
    return next((value for key, value in response.headers.items() if key == name), None)
