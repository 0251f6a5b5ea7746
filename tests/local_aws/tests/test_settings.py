"""What can be set, at the start and while the server runs."""

import subprocess
import sys
import time
import urllib.request
from json import load
from pathlib import Path

import pytest
from local_aws.life import SECONDS

TESTS = Path(__file__).parents[2]


def change(local, **wishes):
    return local.admin("POST", "/_local/settings", wishes)


def cluster_status(local, name):
    return local("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"]


def test_durations_can_be_chosen(local, name):
    """At the pace of AWS a stream takes 25 seconds; here it takes none, and another kind keeps its time."""
    told = change(local, speed="real", durations={"kinesis.create": 0})
    assert (told["durations"]["kinesis.create"], told["durations"]["ecs.drain"]) == (0, SECONDS["ecs.drain"])
    local("kinesis").create_stream(StreamName=name, ShardCount=1)
    assert cluster_status(local, name) == "ACTIVE"
    local("kinesis").delete_stream(StreamName=name)
    assert cluster_status(local, name) == "DELETING"


def test_durations_are_scaled_by_the_speed(local, name):
    change(local, speed="fast", durations={"kinesis.create": 60})
    local("kinesis").create_stream(StreamName=name, ShardCount=1)
    assert cluster_status(local, name) == "CREATING"
    time.sleep(60 / 200)
    assert cluster_status(local, name) == "ACTIVE"


def test_durations_can_be_chosen_by_pattern_and_forgotten(local):
    told = change(local, durations={"ec2.*": 1, "ec2.nat.delete": 2})["durations"]
    assert (told["ec2.nat.create"], told["ec2.nat.delete"], told["ecs.drain"]) == (1, 2, SECONDS["ecs.drain"])
    assert change(local, durations=None)["durations"] == SECONDS


@pytest.mark.parametrize(
    ("wishes", "text"),
    [
        ({"durations": {"ec2.nat-gateway": 1}}, "nothing that takes time is named ec2.nat-gateway"),
        ({"durations": {"ec2.nat.*": -1}}, "a number of seconds"),
        ({"speed": "slow"}, "speed is one of instant, fast, real"),
        ({"lag": -1}, "lag is a number of calls"),
        ({"ahead": "soon"}, "ahead is a number of seconds"),
        ({"strict": "no"}, "strict is true or false"),
        ({"disabled_regions": "af-south-1"}, "disabled_regions is a list of names"),
        ({"account": {"boundary": "x"}}, "account is an object of block_public_access"),
        ({"account": {"guardduty_refuses": "yes"}}, "account.guardduty_refuses is like False"),
        ({"stirct": True}, "unknown settings ['stirct']"),
    ],
)
def test_settings_that_cannot_be(local, wishes, text):
    before = local.admin("GET", "/_local/settings")
    assert text in change(local, **{"lag": 3} | wishes)["error"]
    assert local.admin("GET", "/_local/settings") == before


def test_quotas_are_whole_numbers(local):
    assert "whole numbers" in local.admin("POST", "/_local/quotas", {"vpcs": -1})["error"]


def ask(url, path, data=None):
    with urllib.request.urlopen(urllib.request.Request(url + path, data=data)) as answer:
        return load(answer)


def test_everything_can_be_set_at_the_start(tmp_path):
    flags = ["--speed", "real", "--lag", "2", "--ahead", "9", "--limits", "--no-strict", "--quota", "vpcs=3", "--duration", "ec2.*=7"]
    ready = tmp_path / "port"
    command = [sys.executable, "-m", "local_aws", "--port", "0", "--ready-file", str(ready), *flags]
    server = subprocess.Popen(command, cwd=TESTS, stdout=subprocess.DEVNULL)
    try:
        while not ready.exists() or not ready.read_text().endswith("\n"):
            assert server.poll() is None
            time.sleep(0.1)
        url = f"http://127.0.0.1:{ready.read_text().strip()}"
        found = ask(url, "/_local/settings")
        assert {"speed": "real", "lag": 2, "ahead": 9, "limits": True, "strict": False}.items() <= found.items()
        assert found["durations"]["ec2.nat.create"] == 7
        ask(url, "/_local/settings", b'{"strict": true}')
        ask(url, "/_local/quotas", b'{"vpcs": 1}')
        ask(url, "/_local/reset", b"{}")
        assert ask(url, "/_local/quotas")["quotas"]["vpcs"] == 3
        assert ask(url, "/_local/settings")["strict"] is True
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize(
    ("flag", "text"),
    [("--quota=vpcs", "--quota"), ("--quota=vpc=3", "unknown quotas"), ("--duration=ec2=1", "nothing that takes time")],
)
def test_flags_that_cannot_be(flag, text):
    made = subprocess.run([sys.executable, "-m", "local_aws", flag], cwd=TESTS, capture_output=True, text=True)
    assert made.returncode == 2 and text in made.stderr
