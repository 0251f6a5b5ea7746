"""Requests to the stage of an API, as its callers make them."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass
class Answered:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Door:
    """A stage, by its address on AWS or, with an endpoint, on the local AWS."""

    def __init__(self, endpoint, region, api, stage):
        self.endpoint, self.region = endpoint, region
        self.address = f"https://{api}.execute-api.{region}.amazonaws.com/{stage}"
        if endpoint:
            self.address = f"{endpoint}/restapis/{api}/{stage}/_user_request_"

    def credentials(self):
        """The local AWS lets a key of any name be the account's own, with itself as its secret."""
        return Credentials("campus", "campus") if self.endpoint else boto3.Session().get_credentials()

    def call(self, method, path, body="", headers=None, signed=True):
        url, data = self.address + path, body.encode()
        given = ({"Content-Type": "application/json"} if data or method == "POST" else {}) | (headers or {})
        request = AWSRequest(method, url, headers=given, data=data)
        if signed:
            SigV4Auth(self.credentials(), "execute-api", self.region).add_auth(request)
        made = request.prepare()
        return open_url(urllib.request.Request(made.url, data=data or None, method=method, headers=dict(made.headers)))


def asked(endpoint, path, wish):
    """What the local AWS itself answers, which knows of more than AWS does."""
    request = urllib.request.Request(f"{endpoint}/_local/{path}", json.dumps(wish).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def reached(endpoint):
    """How many requests have reached the small server that stands in the place of the tasks."""
    with urllib.request.urlopen(f"{endpoint}/_local/tasks") as answer:
        return len(json.load(answer)["requests"])


def open_url(request, context=None):
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return Answered(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answered(error.code, error.headers, error.read())


def put_since(kinesis, stream):
    """A function that answers the records that have come into a stream since now: (partition key, data)."""
    shards = [shard["ShardId"] for shard in kinesis.describe_stream(StreamName=stream)["StreamDescription"]["Shards"]]
    kind = {"StreamName": stream, "ShardIteratorType": "LATEST"}
    marks = [kinesis.get_shard_iterator(ShardId=shard, **kind)["ShardIterator"] for shard in shards]

    def found():
        pages = [kinesis.get_records(ShardIterator=mark) for mark in marks]
        return [(record["PartitionKey"], record["Data"].decode()) for page in pages for record in page["Records"]]

    return found


def logged(logs, group, request_id):
    """The line of the access log about a request."""
    found = logs.filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(event["message"]) for event in found]
    (line,) = [line for line in lines if line["requestId"] == request_id]
    return line
