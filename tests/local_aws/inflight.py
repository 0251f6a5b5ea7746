"""Calls that are being made at this moment, so that a rule can see two at once.

Calls are carried out one after the other here, so what overlaps on AWS shows only in who is waiting for whom.
"""

import threading
from collections import Counter
from contextlib import contextmanager

from .journal import is_write

lock = threading.Lock()
writing = Counter()


def key_of(call):
    """What a write belongs to, if AWS takes only one write to it at a time."""
    api = call.params.get("restApiId") if call.service == "apigateway" else None
    return (call.account, call.region, api) if api and is_write(call.operation) else None


@contextmanager
def counted(call):
    key = key_of(call)
    if key is None:
        yield
        return
    with lock:
        writing[key] += 1
        call.trace["overlaps"] = writing[key] > 1
    try:
        yield
    finally:
        with lock:
            writing[key] -= 1
