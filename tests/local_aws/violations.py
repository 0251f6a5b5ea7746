"""Requests that AWS would have found invalid: what was wrong with each, for a test to print."""

import itertools

from .journal import masked

numbers = itertools.count(1)
found = []


def note(call, rule, error):
    found.append(
        {
            "number": next(numbers),
            "service": call.service,
            "operation": call.operation,
            "rule": rule,
            "code": error.code,
            "message": error.message,
            "params": masked(call.params, call.model.input_shape),
        }
    )
