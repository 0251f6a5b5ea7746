"""What is tried, step by step; the same against AWS and against the local AWS."""

import json
import re
import time
from dataclasses import dataclass
from functools import cached_property

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from .forwarder import UNSIGNED

# What is put into a security group by hand. The address is one of those kept for documentation.
BY_HAND = "203.0.113.7/32"
# How long a stage that was just deployed, and a stream, are waited for.
PATIENCE = 300
PAUSE = 5
STEPS = ("plan", "apply", "plan_again", "status", "call", "event", "drift", "by_hand", "kill", "destroy")
# "[  21.2s] created   web-acl-stage (wafv2.web_acl_association) in 1.6s"
DONE = re.compile(r"^\[[^]]*\] +(\w+) +(\S+) \(([\w.]+)\) in ([\d.]+)s$", re.MULTILINE)

SETTINGS = """stack = "{stack}"
account = "{account}"
environments = ["{env}"]

[tags]
Expires = "{expires}"
"""
# Something is made, and much is updated: the account of a run that is killed in between is neither old nor new.
CHANGE = """Step = "changed"

[network]
endpoints = ["logs"]
"""


class Failure(Exception):
    """A step did not end as it must."""


@dataclass(frozen=True)
class Subject:
    """What is tried: which stack, in which environment of which account."""

    stack: str
    env: str
    region: str
    account: str
    # When it may be removed by anybody.
    expires: str

    def settings(self, changed=False):
        text = SETTINGS.format(stack=self.stack, account=self.account, env=self.env, expires=self.expires)
        return text + (CHANGE if changed else "")


class Tripwire:
    """Kills the running tapctl when the first thing was made, before it hears of it."""

    def __init__(self, desk):
        self.desk, self.struck = desk, None

    def meets(self, operation):
        name = operation.partition(":")[2]
        return name.startswith("Create") and name != "CreateTags"

    def strike(self, operation):
        self.struck = operation
        self.desk.kill()


class Scenario:
    def __init__(self, subject, desk, forwarder, recorder, say, pause=PAUSE):
        self.subject, self.desk, self.forwarder, self.recorder, self.say = subject, desk, forwarder, recorder, say
        self.pause = pause
        # Whether anything may stand by now.
        self.begun = False
        self.results = []
        self.nodes = []

    def run(self, steps=STEPS, go_on=False):
        """Every step in turn. With `go_on` one that fails ends nothing, but for those that the others stand on."""
        for name in steps:
            try:
                self.step(name)
            except Failure as failure:
                if not go_on or name in ("plan", "apply"):
                    raise
                self.say(f"{name.replace('_', ' ')} failed: {failure}")

    def step(self, name):
        self.recorder.step = name
        self.say(f"{name.replace('_', ' ')} …")
        began = time.monotonic()
        result = {"step": name, "ok": False, "note": ""}
        self.results.append(result)
        try:
            result["note"] = getattr(self, name)() or ""
            result["ok"] = True
        except BaseException as problem:
            result["note"] = str(problem) or type(problem).__name__
            raise
        finally:
            result["seconds"] = round(time.monotonic() - began, 1)
        self.say(f"{name.replace('_', ' ')}: {result['note'] or 'as it must'} ({words(result['seconds'])})")

    # tapctl

    def tapctl(self, *arguments, code=0):
        run = self.desk.run(*arguments)
        self._note_nodes(run)
        if run.code != code:
            raise Failure(f"{run.words()}\nin place of {code}")
        return run

    def _note_nodes(self, run):
        for verb, node, kind, took in DONE.findall(run.err + run.out):
            step = self.recorder.step
            self.nodes.append({"step": step, "verb": verb, "node": node, "kind": kind, "seconds": float(took)})

    def plan(self):
        self.desk.settings(self.subject.settings())
        steps = self.tapctl("plan", "--json", code=2).json()
        return f"{len(steps)} to create"

    def apply(self):
        self.begun = True
        self.tapctl("apply", "--yes")
        return f"{sum(node['verb'] == 'created' for node in self.nodes)} created"

    def plan_again(self):
        self.tapctl("plan")
        return "nothing to do"

    def status(self):
        self.tapctl("status")
        return "all is ready"

    def drift(self):
        self.tapctl("drift")
        return "none"

    def by_hand(self):
        ec2 = self.client("ec2")
        group = self.a_group(ec2)
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        rule["IpRanges"] = [{"CidrIp": BY_HAND, "Description": "by hand"}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        seen = self.tapctl("drift", "--json", code=2)
        if BY_HAND not in seen.out:
            raise Failure(f"drift says nothing of {BY_HAND}:\n{seen.out[:2000]}")
        self.tapctl("apply", "--yes")
        filters = [{"Name": "group-id", "Values": [group]}]
        rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        if any(rule.get("CidrIpv4") == BY_HAND for rule in rules):
            raise Failure(f"apply left the rule for {BY_HAND} in {group}")
        self.tapctl("drift")
        return "seen and repaired"

    def kill(self):
        self.desk.settings(self.subject.settings(changed=True))
        tripwire = Tripwire(self.desk)
        self.forwarder.tripwire = tripwire
        self.desk.start("apply", "--yes")
        run = self.desk.finish()
        self.forwarder.tripwire = None
        if not tripwire.struck:
            raise Failure(f"nothing was made in which it could be killed: {run.words()}")
        self.tapctl("apply", "--yes")
        self.tapctl("plan")
        return f"killed at {tripwire.struck}, gone on, nothing left to do"

    def destroy(self):
        # Where the state was lost, too, and where nothing was recorded yet.
        run = self.tapctl("destroy", "--yes", "--confirm", f"{self.subject.stack}-{self.subject.env}")
        self.begun = False
        return f"{sum(verb == 'deleted' for verb, *_ in DONE.findall(run.err + run.out))} removed"

    # The API

    def call(self):
        unsigned = self.invoke(*self.harmless(), signed=False)
        if unsigned.status_code != 403:
            raise Failure(f"without a signature the stage answers {unsigned.status_code}: {unsigned.text[:500]}")
        wanted = {"student-records": 200, "data-pipeline": 400}[self.subject.stack]
        answer = self.until(lambda: self.invoke(*self.harmless()), lambda answer: answer.status_code == wanted)
        if answer.status_code != wanted:
            raise Failure(f"signed, the stage answers {answer.status_code} in place of {wanted}: {answer.text[:500]}")
        return f"403 without a signature, {wanted} with one"

    def harmless(self):
        """A call that changes nothing: the health of a task, and what is no record."""
        if self.subject.stack == "student-records":
            return "GET", "/health", b""
        return "POST", "/ingest", b"[]"

    def event(self):
        sent = json.dumps(
            {"partitionKey": "accept-1", "said": f"{self.subject.env} ä € 😀"}, ensure_ascii=False
        ).encode()
        path = "/students/accept-1/events" if self.subject.stack == "student-records" else "/ingest"
        answer = self.until(lambda: self.invoke("POST", path, sent), taken)
        if not taken(answer):
            raise Failure(f"the event is answered {answer.status_code}: {answer.text[:500]}")
        found = self.until(self.records, lambda records: sent in records)
        if sent not in found:
            raise Failure(f"the event is not in the stream; there are {len(found)} others")
        return "byte for byte in the stream"

    def invoke(self, method, path, body, signed=True):
        """Asks the stage, by way of the forwarder."""
        base = self.outputs[
            {"student-records": "api_gateway_url", "data-pipeline": "ApiGatewayUrl"}[self.subject.stack]
        ]
        host, _, stage = base.removeprefix("https://").partition("/")
        headers = {"Host": host, "Content-Type": "application/json"}
        if signed and self.subject.stack == "student-records":
            headers["x-api-key"] = self.api_key()
        if not signed:
            headers[UNSIGNED] = self.forwarder.access_key
        request = AWSRequest(method, f"{self.forwarder.url}/{stage}{path}", headers, body or None)
        if signed:
            known = Credentials(self.forwarder.access_key, "of-the-forwarder")
            SigV4Auth(known, "execute-api", self.subject.region).add_auth(request)
        return URLLib3Session(timeout=90).send(request.prepare())

    @cached_property
    def outputs(self):
        return self.desk.run("outputs", "--json").json()

    def api_key(self):
        keys = self.client("apigateway").get_api_keys(includeValues=True, limit=500)["items"]
        ours = [key for key in keys if key.get("tags", {}).get("tapctl:env") == self.subject.env]
        if not ours:
            raise Failure("no API key carries the environment's tags")
        return ours[0]["value"]

    def records(self):
        """The data of every record in the stream."""
        kinesis = self.client("kinesis")
        outputs = self.outputs
        name = outputs.get("kinesis_stream_name") or outputs["KinesisStreamName"]
        found = []
        for shard in kinesis.list_shards(StreamName=name)["Shards"]:
            wanted = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = kinesis.get_shard_iterator(**wanted)["ShardIterator"]
            found += [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
        return found

    # AWS

    def client(self, service):
        config = Config(retries={"mode": "standard", "max_attempts": 4})
        return boto3.client(
            service,
            region_name=self.subject.region,
            endpoint_url=self.forwarder.url,
            aws_access_key_id=self.forwarder.access_key,
            aws_secret_access_key="of-the-forwarder",
            config=config,
        )

    def a_group(self, ec2):
        """A security group of the environment, the first by name."""
        ours = {"tapctl:stack": self.subject.stack, "tapctl:env": self.subject.env}
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in ours.items()]
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        if not groups:
            raise Failure("no security group carries the environment's tags")
        return min(groups, key=lambda group: group["GroupName"])["GroupId"]

    def until(self, ask, good):
        """The first good answer, or the last one."""
        deadline = time.monotonic() + self.pause * PATIENCE / PAUSE
        while not good(answer := ask()) and time.monotonic() < deadline:
            time.sleep(self.pause)
        return answer


def taken(answer):
    """Whether the stage says that it took what was sent."""
    return 200 <= answer.status_code < 300


def words(seconds):
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{seconds:.1f}s"
