"""What API Gateway makes of Kinesis's answers by the response templates of a route.

Sources: API Gateway developer guide, "Override your API's request and response parameters and status codes for REST
APIs"; Kinesis API reference, PutRecord: Errors, all of which have the status 400.
"""

import json
import re
import urllib.request
from contextlib import contextmanager

import airspeed

# What a caller does about each: sends the record again, or never.
SEND_AGAIN = {
    "ProvisionedThroughputExceededException": 429,
    "KMSThrottlingException": 429,
    "ThrottlingException": 429,
    "LimitExceededException": 429,
    "AccessDeniedException": 502,
    "KMSAccessDeniedException": 502,
    "KMSDisabledException": 502,
    "KMSInvalidStateException": 502,
    "KMSNotFoundException": 502,
    "KMSOptInRequired": 502,
    "ResourceNotFoundException": 502,
    "ExpiredTokenException": 502,
    "UnrecognizedClientException": 502,
    "SomethingNewException": 502,
}
NEVER_AGAIN = ("ValidationException", "InvalidArgumentException", "SerializationException")


class Override(dict):
    """An override may be made once; a second one makes an answer of 5XX."""

    def __setitem__(self, key, value):
        assert key not in self, f"{key} is overridden twice"
        super().__setitem__(key, value)


class Input:
    def __init__(self, body):
        self.body = json.loads(body)

    def path(self, path):
        return self.body.get(path.removeprefix("$."), "")


def told(integration, status, body):
    """(status, body) that a caller gets for an answer of the service."""
    answers = integration["integrationResponses"].values()
    fitting = [one for one in answers if re.fullmatch(one.get("selectionPattern", "-"), str(status))]
    answer = fitting[0] if fitting else next(one for one in answers if not one.get("selectionPattern"))
    override = Override()
    given = {"input": Input(body), "context": {"responseOverride": override}}
    text = airspeed.Template(answer["responseTemplates"]["application/json"]).merge(given)
    return int(override.get("status", answer["statusCode"])), json.loads(text)


def judge(integration, thing):
    """That a caller sends again what may get in later, and drops only what never will."""
    kinds = [lambda name: name, lambda name: f"com.amazonaws.kinesis.v20131202#{name}"]
    for kind in kinds:
        for name, status in SEND_AGAIN.items():
            got, body = told(integration, 400, json.dumps({"__type": kind(name), "message": "no"}))
            assert (got, f"send the {thing} again" in body["message"]) == (status, True), name
        for name in NEVER_AGAIN:
            got, body = told(integration, 400, json.dumps({"__type": kind(name), "message": "no"}))
            assert (got, f"the {thing} was not accepted" in body["message"]) == (400, True), name
    assert told(integration, 400, '{"message": "no"}')[0] == 502, "an answer that says nothing of its kind"
    assert told(integration, 500, '{"__type": "InternalFailure"}')[0] == 502


# A few of them, sent through the API of a local AWS.
TOLD = [("ProvisionedThroughputExceededException", 429), ("KMSDisabledException", 502), ("ValidationException", 400)]


@contextmanager
def refused_by_kinesis(endpoint, code):
    """The local AWS has Kinesis answer every record so."""
    refusal = {"action": "error", "code": code, "status": 400, "message": "not now"}
    wish = {"match": {"service": "kinesis", "operation": "PutRecord"}, "probability": 1.0, "seed": 1} | refusal

    def faults(method, body):
        request = urllib.request.Request(f"{endpoint}/_local/faults", json.dumps(body).encode(), method=method)
        urllib.request.urlopen(request).close()

    faults("POST", wish)
    try:
        yield
    finally:
        faults("DELETE", {})
