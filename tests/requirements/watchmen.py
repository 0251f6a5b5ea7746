"""Each alarm is seen to go off when what it watches is in trouble, and seen not to before and after.

What is in trouble is the thing itself: tasks are stopped, records put into a stream that is full, a key is scheduled for
deletion. Only how busy a thing is has to be said, by `/_local/loads`; minutes pass by `/_local/minutes`.
"""

import json
import urllib.request
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config


class Watchmen:
    """One environment's alarms, and the trouble that tests make for them."""

    def __init__(self, endpoint, region, client, alarms):
        self.endpoint, self.region, self.client, self.alarms = endpoint, region, client, alarms

    def local(self, method, path, body):
        request = urllib.request.Request(f"{self.endpoint}/_local/{path}", json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def state(self, name):
        wanted = self.alarms[name]["AlarmName"]
        return self.client("cloudwatch").describe_alarms(AlarmNames=[wanted])["MetricAlarms"][0]["StateValue"]

    def wait(self, name, meanwhile=None):
        """As long as the alarm looks back, doing the same every minute."""
        alarm = self.alarms[name]
        minutes = alarm["EvaluationPeriods"] * alarm["Period"] // 60
        if alarm["Period"] == 86_400:
            return self.local("POST", "minutes", {"days": 2})
        if meanwhile is None:
            return self.local("POST", "minutes", {"minutes": minutes})
        for _ in range(minutes):
            meanwhile()
            self.local("POST", "minutes", {"minutes": 1})

    def goes_off_and_on(self, name, trouble, usual=None, mended=True):
        """`trouble` is a context in which something is wrong and, maybe, what to do each minute of it."""
        self.wait(name, usual)
        assert self.state(name) == "OK", f"{name} before anything is wrong"
        with trouble as each_minute:
            self.wait(name, each_minute)
            assert self.state(name) == "ALARM", f"{name} while it is"
        if mended:
            self.wait(name, usual)
            assert self.state(name) == "OK", f"{name} after it was put right"

    @contextmanager
    def busy(self, kind, thing, **load):
        self.local("POST", "loads", {"kind": kind, "name": thing} | load)
        yield
        self.local("DELETE", "loads", {})

    @contextmanager
    def no_tasks(self, cluster, service):
        ecs = self.client("ecs")
        for task in ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]:
            ecs.stop_task(cluster=cluster, task=task)
        yield
        ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)
        self.local("POST", "settle", {})

    def put(self, stream):
        self.client("kinesis").put_record(StreamName=stream, Data=b"{}", PartitionKey="k")

    @contextmanager
    def full(self, stream):
        full = {"action": "error", "code": "ProvisionedThroughputExceededException", "status": 400, "message": "full"}
        wish = {"match": {"operation": "PutRecord"}, "probability": 1.0, "seed": 1} | full
        self.local("POST", "faults", wish)
        yield lambda: self.put_as_a_caller(stream)
        self.local("DELETE", "faults", {})

    def put_as_a_caller(self, stream):
        """Faults strike callers, and not those who look on."""
        keys = {"aws_access_key_id": "caller", "aws_secret_access_key": "caller", "endpoint_url": self.endpoint}
        once = Config(retries={"max_attempts": 0})
        kinesis = boto3.client("kinesis", region_name=self.region, config=once, **keys)
        with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
            kinesis.put_record(StreamName=stream, Data=b"{}", PartitionKey="k")

    def iterators(self, stream):
        kinesis = self.client("kinesis")
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            where = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            yield kinesis.get_shard_iterator(**where)["ShardIterator"]

    def reader(self, stream):
        """Reads what is new, as a reader does that keeps up."""
        kinesis, places = self.client("kinesis"), list(self.iterators(stream))

        def read():
            places[:] = [kinesis.get_records(ShardIterator=place)["NextShardIterator"] for place in places]

        return read

    def late_reader(self, stream):
        """Reads from the first record on each time, as a reader does that never gets on."""
        kinesis = self.client("kinesis")

        def read():
            for first in self.iterators(stream):
                kinesis.get_records(ShardIterator=first)

        return read

    @contextmanager
    def nothing(self):
        """Nobody does anything, which is the trouble."""
        yield

    @contextmanager
    def late(self, stream, minutes):
        """Each minute a record is read that has waited so long at least."""
        self.put(stream)
        self.local("POST", "minutes", {"minutes": minutes})
        yield self.late_reader(stream)

    @contextmanager
    def keeping_up(self, stream):
        reader = self.reader(stream)
        reader()
        self.local("POST", "minutes", {"minutes": 1})
        yield reader

    @contextmanager
    def days_pass(self, days):
        """Time itself is the trouble, and does not go back."""
        self.local("POST", "minutes", {"days": days})
        yield

    @contextmanager
    def key_deleted(self):
        """In the first minute; CloudTrail tells of it five minutes later, under the time of the call."""
        kms, deleted = self.client("kms"), []

        def delete_one():
            if not deleted:
                deleted.append(kms.create_key(Description="made to be deleted")["KeyMetadata"]["KeyId"])
                kms.schedule_key_deletion(KeyId=deleted[0], PendingWindowInDays=7)

        yield delete_one
