"""Every request, one JSON object: what a test asserts on, and what `--log` keeps."""

import hashlib
import itertools
import json
import time
from datetime import datetime

READ_PREFIXES = (
    "Describe",
    "Get",
    "List",
    "BatchGet",
    "Head",
    "Lookup",
    "Search",
    "Filter",
    "Simulate",
    "Check",
    "Scan",
)
READS = {
    "AssumeRole",
    "AssumeRoleWithWebIdentity",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateRandom",
    "ReEncrypt",
    "DecodeAuthorizationMessage",
}
SECRET_MEMBERS = {
    "AuthToken",
    "MasterUserPassword",
    "Password",
    "Passwords",
    "PrivateKey",
    "SecretBinary",
    "SecretString",
    "SecretAccessKey",
}
MASK = "***"
LONGEST = 4000


def is_write(operation):
    return not operation.startswith(READ_PREFIXES) and operation not in READS


def masked(value, shape=None, name=""):
    if name in SECRET_MEMBERS or (shape is not None and shape.metadata.get("sensitive")):
        return MASK
    if name == "value" and getattr(shape, "name", "") == "String":
        return MASK
    if isinstance(value, dict):
        members = getattr(shape, "members", None)
        inner = (lambda key: members.get(key)) if members is not None else (lambda key: getattr(shape, "value", None))
        return {str(key): masked(item, inner(key), str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, getattr(shape, "member", None)) for item in value]
    return plain(value)


def plain(value):
    if isinstance(value, bytes):
        return readable_bytes(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "read"):
        return "<stream>"
    return value


def readable_bytes(value):
    try:
        return value[:LONGEST].decode()
    except UnicodeDecodeError:
        return f"<{len(value)} bytes>"


def digest(path):
    """The SHA-256 of a file, or nothing where there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return None


class Journal:
    def __init__(self):
        self.entries = []
        self.file = None
        self.watched = None
        self.unsupported = {}
        self._numbers = itertools.count(1)

    def open(self, path):
        self.file = open(path, "a", buffering=1)

    def begin(self, service, operation, params, shape, extra):
        entry = {
            "seq": next(self._numbers),
            "time": time.time(),
            "service": service,
            "operation": operation,
            "params": masked(params, shape),
            "status": None,
            "error_code": None,
            "write": is_write(operation),
        }
        if self.watched:
            entry["file"] = digest(self.watched)
        entry.update(extra)
        self.entries.append(entry)
        return entry

    def end(self, entry, status, error_code=None, **more):
        entry.update(status=status, error_code=error_code, seconds=round(time.time() - entry["time"], 4), **more)
        if self.file:
            self.file.write(json.dumps(entry, default=str) + "\n")

    def since(self, number):
        return [entry for entry in self.entries if entry["seq"] > number]

    def clear(self):
        self.entries.clear()

    def note_unsupported(self, name):
        self.unsupported[name] = self.unsupported.get(name, 0) + 1


journal = Journal()
