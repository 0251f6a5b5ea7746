"""A request against botocore's model of it: what is required, and the bounds of each value."""

from functools import cache

import regex

from ..registry import AwsError, general_rule

# How each service words the refusal of a malformed request. Services not listed say ValidationException.
CODES = {
    "apigateway": "BadRequestException",
    "apigatewayv2": "BadRequestException",
    "cognito-idp": "InvalidParameterException",
    "ec2": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "efs": "BadRequest",
    "elasticache": "InvalidParameterValue",
    "elbv2": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "rds": "InvalidParameterValue",
    "resourcegroupstaggingapi": "InvalidParameterException",
    "sns": "InvalidParameter",
    "sts": "ValidationError",
    "wafv2": "WAFInvalidParameterException",
}
MISSING_CODES = {"ec2": "MissingParameter", "rds": "MissingParameter", "elasticache": "MissingParameter"}
# Where the models are known to say something else than the service does.
KNOWN_WRONG = {"AttributeNames", "PendingWindowInDays"}
SKIPPED_SERVICES = {"s3"}


def code_of(service):
    return CODES.get(service, "ValidationException")


@general_rule(
    "model",
    says="required members, types, enumerations, lengths, ranges and patterns of botocore's models",
    source="botocore's service models, which are those of the AWS SDKs",
)
def fits_model(call):
    shape = call.model.input_shape
    if shape is None or call.service in SKIPPED_SERVICES:
        return
    for path, constraint, missing in problems(call.params, shape, ""):
        code = MISSING_CODES.get(call.service) if missing else None
        text = f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}"
        if code:
            text = f"The request must contain the parameter {path}"
        raise AwsError(code or code_of(call.service), text)


def problems(value, shape, path):
    """(path, constraint, whether something is missing) for everything wrong with a value."""
    checker = CHECKERS.get(shape.type_name)
    if checker and path.rpartition(".")[2] not in KNOWN_WRONG:
        yield from checker(value, shape, path)


def check_structure(value, shape, path):
    if not isinstance(value, dict):
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield join(path, name), "Member must not be null", True
    for name, item in value.items():
        if item is not None and name in shape.members:
            yield from problems(item, shape.members[name], join(path, name))


def join(path, name):
    return f"{path}.{name}" if path else name


def check_list(value, shape, path):
    yield from check_size(len(value), shape, path)
    for number, item in enumerate(value, 1):
        yield from problems(item, shape.member, f"{path}.{number}.member")


def check_map(value, shape, path):
    yield from check_size(len(value), shape, path)
    for key, item in value.items():
        yield from problems(key, shape.key, path)
        yield from problems(item, shape.value, f"{path}.{key}")


def check_string(value, shape, path):
    if not isinstance(value, str):
        return
    yield from check_size(len(value), shape, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield path, f"Member must satisfy enum value set: [{', '.join(allowed)}]", False
    pattern = compiled(shape.metadata.get("pattern"))
    if pattern and not pattern.fullmatch(value):
        yield path, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}", False


def check_size(size, shape, path):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield path, f"Member must have length greater than or equal to {low}", False
    if high is not None and size > high:
        yield path, f"Member must have length less than or equal to {high}", False


def check_number(value, shape, path):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield path, f"Member must have value greater than or equal to {low}", False
    if high is not None and value > high:
        yield path, f"Member must have value less than or equal to {high}", False


@cache
def compiled(pattern):
    """The patterns are Java's; the few that mean nothing here are not checked."""
    try:
        return regex.compile(pattern) if pattern else None
    except regex.error:
        return None


CHECKERS = {
    "structure": check_structure,
    "list": check_list,
    "map": check_map,
    "string": check_string,
    "integer": check_number,
    "long": check_number,
    "float": check_number,
    "double": check_number,
}
