"""What must not be written down: secrets, whose account it is, who calls, and from where."""

import base64
import ipaddress
import json
import re
from datetime import datetime
from urllib.parse import quote

MASK = "***"
ACCOUNT = "123456789012"
CALLER = "somebody"

# Beside those that the models call sensitive.
SECRET_MEMBERS = {
    "AccessKeyId",
    "AuthToken",
    "ClientSecret",
    "MasterUserPassword",
    "Passphrase",
    "Password",
    "Passwords",
    "Plaintext",
    "PrivateKey",
    "RandomPassword",
    "SecretAccessKey",
    "SecretBinary",
    "SecretString",
    "SessionToken",
}
# API Gateway's models call the value of an API key a String like any other.
SECRET_IN = {("ApiKey", "value"), ("CreateApiKeyRequest", "value"), ("UsagePlanKey", "value")}
SECRET_HEADERS = {"authorization", "cookie", "x-amz-security-token", "x-api-key"}
# Shapes that the models call sensitive and that open nothing: ids of keys, names of clients, expressions of alarms.
OPEN_SHAPES = {"ClientIdType", "MetricExpressionString", "NonEmptyKmsKeyArnString", "SSEKMSKeyId"}
# Beside the secret itself a secret says what it opens.
BESIDE_SECRETS = re.compile(
    r"(?!.*(user|pass|secret|token|key))(engine|host|port|region|proxy|ssl|db.*|.*(arn|endpoint|identifier|name))",
    re.IGNORECASE,
)
OPENS = re.compile(r"passw|secret|private|passphrase|plaintext|token|authkey", re.IGNORECASE)
# A shorter text is masked where it stands, but is too common to be looked for everywhere.
SHORTEST = 8
# What a user's policy says of itself when it refuses; only its owner can decode it, and should.
ENCODED = re.compile(r"(Encoded authorization failure message: )[\w+/=-]+")
ADDRESS = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-]*[a-zA-Z]|\.?\d)")
STAND_IN = "203.0.113.{}"


class Masks:
    """Learns what is secret from the calls it sees, and takes it out of whatever is written from then on."""

    def __init__(self):
        self._instead = {}
        self._addresses = {}

    def hide(self, text, by=MASK):
        """From now on `text` is `by`, however it is written."""
        if text and len(text) >= SHORTEST:
            for form in forms(text):
                self._instead.setdefault(form, by)

    def hide_caller(self, identity):
        """`identity` is what STS says of who calls. The account keeps its shape."""
        self._instead[identity["Account"]] = ACCOUNT
        kind, *names = identity["Arn"].rpartition(":")[2].split("/")
        if names:
            # However short the name is.
            self._instead[f":{kind}/{'/'.join(names)}"] = f":{kind}/{CALLER}"
        for part in [*names, *identity["UserId"].split(":")]:
            self.hide(part, CALLER)

    def hide_credentials(self, credentials):
        for part in (credentials.access_key, credentials.secret_key, credentials.token):
            self.hide(part)

    def learn(self, value, shape=None, name="", within=""):
        """Every secret in a request or an answer is hidden from now on, wherever it turns up."""
        if opens(name, shape, within):
            for text in leaves(value):
                self.hide(text)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.learn(item, member_of(shape, key), str(key), getattr(shape, "name", ""))
        elif isinstance(value, (list, tuple)):
            for item in value:
                self.learn(item, getattr(shape, "member", None))

    def written(self, value, shape=None, name="", within=""):
        """The value as it may be written, in what JSON has."""
        if value is not None and is_secret(name, shape, within):
            return MASK
        if isinstance(value, dict):
            own = getattr(shape, "name", "")
            return {
                self.text(str(key)): self.written(item, member_of(shape, key), str(key), own)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.written(item, getattr(shape, "member", None)) for item in value]
        return self.leaf(value)

    def leaf(self, value):
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            return self.text(readable(bytes(value)))
        if hasattr(value, "read"):
            return "<stream>"
        return self.text(value) if isinstance(value, str) else value

    def text(self, text):
        # The longest first: a secret may contain another.
        for hidden in sorted(self._instead, key=len, reverse=True):
            if hidden in text:
                text = text.replace(hidden, self._instead[hidden])
        return ADDRESS.sub(self._address, ENCODED.sub(rf"\1{MASK}", text))

    def file(self, path):
        """A file of text as it may stay."""
        text = path.read_text(encoding="utf-8", errors="replace")
        masked = "".join(self.text(line) for line in text.splitlines(keepends=True))
        if masked != text:
            path.write_text(masked, encoding="utf-8")

    def _address(self, found):
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]
        if not address.is_global:
            return found[0]
        return self._addresses.setdefault(found[0], STAND_IN.format(len(self._addresses) % 254 + 1))

    def headers(self, headers):
        return {key: MASK if key.lower() in SECRET_HEADERS else self.text(value) for key, value in headers.items()}


def is_secret(name, shape, within):
    """Whether a member is masked where it stands."""
    sensitive = shape is not None and shape.metadata.get("sensitive") and shape.name not in OPEN_SHAPES
    return bool(sensitive) or name in SECRET_MEMBERS or (within, name) in SECRET_IN


def opens(name, shape, within):
    """Whether its value is looked for everywhere else, too: an environment variable may be the name of a region."""
    return is_secret(name, shape, within) and (
        name in SECRET_MEMBERS or (within, name) in SECRET_IN or bool(OPENS.search(shape.name))
    )


def member_of(shape, key):
    members = getattr(shape, "members", None)
    return members.get(key) if members is not None else getattr(shape, "value", None)


def leaves(value):
    """The texts in a secret: itself, and what it holds where it is JSON."""
    if isinstance(value, (bytes, bytearray)):
        value = readable(bytes(value))
    if isinstance(value, str):
        yield value
        try:
            inner = json.loads(value)
        except ValueError:
            return
        if isinstance(inner, (dict, list)):
            yield from leaves(inner)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not BESIDE_SECRETS.fullmatch(str(key)):
                yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)


def forms(text):
    """A text as it stands in JSON, in JSON within JSON, in a URL and in base64, too."""
    once = json.dumps(text)[1:-1]
    encoded = base64.b64encode(text.encode()).decode().rstrip("=")
    return {text, once, json.dumps(once)[1:-1], quote(text, safe=""), encoded}


def readable(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()
