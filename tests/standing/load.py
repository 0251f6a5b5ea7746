#!/usr/bin/env python3
"""Makes an environment as an earlier tapctl left it: the calls it made, made again, and its state, with today's ids.

    scripts/local-aws python tests/standing/load.py --endpoint URL student-records > state/student-records-dev.json

A recording is never changed. It is what a tapctl once made, and every later one must take it over.
"""

import argparse
import datetime
import hashlib
import json
import pathlib
import re
import urllib.request

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
# What stands between two parts of an ARN, a host name, or an id that AWS put together of several.
SEPARATORS = re.compile(r"[:/|,.\s\"]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


class Today:
    """What is called otherwise now than when it was recorded."""

    def __init__(self):
        self.names = {}

    def learn(self, then, now):
        """Goes through two answers to the same call at once."""
        if isinstance(then, dict) and isinstance(now, dict):
            for key in then.keys() & now.keys() - {"ResponseMetadata"}:
                self.learn(then[key], now[key])
        elif isinstance(then, list) and isinstance(now, list):
            for pair in zip(then, now):
                self.learn(*pair)
        elif isinstance(then, str) and isinstance(now, str) and not TIME.match(then):
            then, now = SEPARATORS.split(then), SEPARATORS.split(now)
            if len(then) == len(now):
                self.names |= {old: new for old, new in zip(then, now) if old != new and len(old) >= 6}

    def say(self, value):
        """The same with today's names."""
        if isinstance(value, dict):
            return {key: self.say(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.say(item) for item in value]
        return self.in_text(value) if isinstance(value, str) and self.names else value

    def say_sorted(self, value):
        """The same, with what was in the order of its names in that order again."""
        if isinstance(value, dict):
            return {key: self.say_sorted(item) for key, item in value.items()}
        if isinstance(value, list):
            said = [self.say_sorted(item) for item in value]
            ordered = all(isinstance(item, str) for item in value) and value == sorted(value)
            return sorted(said) if ordered else said
        return self.say(value)

    def in_text(self, text):
        known = "|".join(map(re.escape, sorted(self.names, key=len, reverse=True)))
        return re.sub(f"(?<![A-Za-z0-9])({known})(?![A-Za-z0-9])", lambda match: self.names[match[1]], text)


def certificate(wanted):
    """A certificate for these names and its key, which no recording holds."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted["names"][0])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=wanted["days"]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in wanted["names"]]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem), key.private_bytes(pem, *private)


def api_hash(api):
    """What that tapctl called a deployment by: the content of its API, ids in it included."""
    frozen = [api[part] for part in ("routes", "policy", "minimum_compression", "security_policy", "endpoint_access_mode")]
    text = json.dumps(frozen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def local(endpoint, method, path, body=None):
    request = urllib.request.Request(f"{endpoint}/_local/{path}", json.dumps(body or {}).encode(), method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def without_condition(trust):
    """The trust of a role as services take it on whatever they tell."""
    document = json.loads(trust)
    for statement in document["Statement"]:
        statement.pop("Condition", None)
    return json.dumps(document)


def replay(endpoint, calls, state):
    """An AWS of then took trusts by which a service of today is shut out: they are put on once everything stands."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    today, clients, trusts = Today(), {}, {}
    for call in calls:
        if call["operation"] == "CreateDeployment":
            then = state["nodes"]["rest-api"]["spec"]
            today.names[api_hash(then)] = api_hash(today.say(then))
        service, params = call["service"], today.say(call["params"])
        if "certificate" in call:
            wanted = today.say(call["certificate"])
            params["Certificate"], params["PrivateKey"] = certificate(wanted)
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=endpoint)
        if call["operation"] == "CreateRole":
            trusts[params["RoleName"]] = params["AssumeRolePolicyDocument"]
            params = params | {"AssumeRolePolicyDocument": without_condition(params["AssumeRolePolicyDocument"])}
        answer = clients[service]._make_api_call(call["operation"], params)
        today.learn(call["answer"], json.loads(json.dumps(answer, default=str)))
    for role, trust in trusts.items():
        clients["iam"].update_assume_role_policy(RoleName=role, PolicyDocument=today.say(trust))
    return today


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("recording", help="student-records or data-pipeline")
    wanted = parser.parse_args()
    calls = [json.loads(line) for line in (HERE / f"{wanted.recording}.jsonl").read_text().splitlines()]
    state = json.loads((HERE / f"{wanted.recording}.state.json").read_text())
    before = local(wanted.endpoint, "GET", "settings")
    local(wanted.endpoint, "POST", "settings", {"speed": "instant", "strict": False})
    try:
        today = replay(wanted.endpoint, calls, state)
    finally:
        local(wanted.endpoint, "POST", "settings", {name: before[name] for name in ("speed", "strict")})
    print(json.dumps(today.say_sorted(state), indent=2))


if __name__ == "__main__":
    main()
