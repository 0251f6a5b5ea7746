"""P11: every alarm goes off when it should, and only then."""

import os

import pytest
from requirements.watchmen import Watchmen

# What is said of a thing for the alarm to go off.
BUSY = {
    "api-4xx": ("stage", {"4xx": 51, "latency_ms": 50}),
    "api-5xx": ("stage", {"5xx": 6, "latency_ms": 50}),
    "db-cpu": ("database", {"cpu": 95}),
    "db-storage": ("database", {"free_storage": 1_000_000_000}),
    "tasks-cpu": ("tasks", {"cpu": 95}),
    "tasks-memory": ("tasks", {"memory": 95}),
}


@pytest.fixture(scope="module")
def watchmen(live):
    return Watchmen(os.environ["AWS_ENDPOINT_URL"], live.region, live.client, live.alarms)


@pytest.mark.parametrize("name", BUSY)
def test_a_busy_thing_is_noticed(live, watchmen, name):
    kind, load = BUSY[name]
    thing = {
        "database": ("rds.instance", live.database["DBInstanceIdentifier"]),
        "stage": ("apigateway.stage", f"{live.api['name']}/{live.stage['stageName']}"),
        "tasks": ("ecs.service", live.service["serviceName"]),
    }[kind]
    watchmen.goes_off_and_on(name, watchmen.busy(*thing, **load))


def test_tasks_that_do_not_run_are_noticed(live, watchmen):
    trouble = watchmen.no_tasks(live.cluster["clusterName"], live.service["serviceName"])
    watchmen.goes_off_and_on("tasks-missing", trouble)


@pytest.mark.parametrize("name", ["stream-refused", "stream-throttled"])
def test_a_full_stream_is_noticed(live, watchmen, name):
    watchmen.goes_off_and_on(name, watchmen.full(live.stream["StreamName"]))


def test_a_stream_that_nobody_reads_is_noticed(live, watchmen):
    watchmen.goes_off_and_on("stream-unread", watchmen.nothing(), watchmen.reader(live.stream["StreamName"]))


@pytest.mark.parametrize("name", ["scale-out", "stream-iterator-age"])
def test_records_that_wait_are_noticed(live, watchmen, name):
    watchmen.goes_off_and_on(name, watchmen.late(live.stream["StreamName"], 10))


def test_tasks_are_fewer_only_where_a_reader_keeps_up(live, watchmen):
    stream = live.stream["StreamName"]
    watchmen.put(stream)
    watchmen.local("POST", "minutes", {"minutes": 1})
    late = watchmen.late_reader(stream)
    watchmen.goes_off_and_on("scale-in", watchmen.keeping_up(stream), late)


def test_every_alarm_was_seen(watchmen):
    others = {"tasks-missing", "stream-refused", "stream-throttled", "stream-unread"}
    assert set(watchmen.alarms) == set(BUSY) | others | {"scale-in", "scale-out", "stream-iterator-age"}
