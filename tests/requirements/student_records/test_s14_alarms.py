"""S14: every alarm goes off when it should, and only then."""

import re

import pytest
from requirements.watchmen import Watchmen

# What is said of a thing for the alarm to go off; `N` is the number of a cache node, or of an instance of the database from
# the second on.
BUSY = {
    "api-5xx": ("stage", {"5xx": 6, "latency_ms": 50}),
    "api-latency-1s": ("stage", {"latency_ms": 1500}),
    "api-latency-200ms": ("stage", {"latency_ms": 250}),
    "cache-cpu-N": ("node", {"core": 95}),
    "cache-credits-N": ("node", {"credits": 1}),
    "cache-engine-N": ("node", {"core": 95}),
    "cache-evictions-N": ("node", {"evictions": 3}),
    "cache-memory-N": ("node", {"memory": 95}),
    "database-acu": ("instance", {"capacity": 95}),
    "database-acu-N": ("instance", {"capacity": 95}),
    "database-connections": ("database", {"connections": 10_000}),
    "service-cpu": ("service", {"cpu": 95}),
    "service-memory": ("service", {"memory": 95}),
    "unhealthy-hosts": ("targets", {"unhealthy": 1}),
}


@pytest.fixture(scope="module")
def watchmen(live):
    before, after = live.name("|").split("|")
    alarms = {name.removeprefix(before).removesuffix(after): alarm for name, alarm in live.alarms.items()}
    return Watchmen(live.endpoint, live.region, lambda service: live.client(service, live.region), alarms)


def thing(live, kind, number):
    return {
        "database": ("rds.cluster", live.name("aurora")),
        "instance": ("rds.instance", live.name(f"aurora-{number or 1}")),
        "node": ("elasticache.node", f"{live.name('redis')}-{number or 0:03}"),
        "service": ("ecs.service", live.name("api")),
        "stage": ("apigateway.stage", f"{live.name('records')}/{live.env}"),
        "targets": ("elbv2.target-group", live.targets["TargetGroupName"]),
    }[kind]


def test_a_busy_thing_is_noticed(live, watchmen):
    seen = set()
    for name in watchmen.alarms:
        number = re.search(r"-(\d)$", name)
        pattern = re.sub(r"-\d$", "-N", name)
        if pattern in BUSY:
            kind, load = BUSY[pattern]
            watchmen.goes_off_and_on(name, watchmen.busy(*thing(live, kind, number and int(number[1])), **load))
            seen.add(pattern)
    assert seen == set(BUSY)


def test_an_instance_at_its_largest_capacity_is_noticed_whatever_the_others_do(live, watchmen):
    """And of the others nobody is told that."""
    kind, name = thing(live, "instance", 1)
    with watchmen.busy(kind, name, capacity=95):
        watchmen.wait("database-acu")
        others = {watchmen.state(name) for name in watchmen.alarms if name.startswith("database-acu-")}
        assert (watchmen.state("database-acu"), others) == ("ALARM", {"OK"})


@pytest.mark.parametrize("name", ["healthy-hosts", "tasks-missing"])
def test_tasks_that_do_not_run_are_noticed(live, watchmen, name):
    watchmen.goes_off_and_on(name, watchmen.no_tasks(live.name("cluster"), live.name("api")))


@pytest.mark.parametrize("name", ["stream-refused", "stream-throttled"])
def test_a_full_stream_is_noticed(live, watchmen, name):
    watchmen.goes_off_and_on(name, watchmen.full(live.name("events")))


def test_a_stream_that_nobody_reads_is_noticed(live, watchmen):
    stream = live.name("events")
    watchmen.goes_off_and_on("stream-unread", watchmen.nothing(), watchmen.reader(stream))


def test_events_that_wait_are_noticed(live, watchmen):
    watchmen.goes_off_and_on("stream-iterator-age", watchmen.late(live.name("events"), 5))


def test_a_key_that_goes_is_noticed_as_late_as_cloudtrail_tells_it(watchmen):
    watchmen.goes_off_and_on("key-deletion", watchmen.key_deleted())


def test_a_certificate_that_ends_is_noticed(live, watchmen):
    """Last: the days do not come back."""
    certificate = watchmen.alarms["certificate-expiry"]["Dimensions"][0]["Value"]
    found = live.acm.describe_certificate(CertificateArn=certificate)["Certificate"]
    days = (found["NotAfter"] - found["NotBefore"]).days - 25
    watchmen.goes_off_and_on("certificate-expiry", watchmen.days_pass(days), mended=False)


def test_every_alarm_was_seen(watchmen):
    others = {"healthy-hosts", "tasks-missing", "stream-refused", "stream-throttled", "stream-unread"}
    others |= {"stream-iterator-age", "key-deletion", "certificate-expiry"}
    assert {re.sub(r"-\d$", "-N", name) for name in watchmen.alarms} == set(BUSY) | others
