"""Whatever happens in a try, what it made is taken down, unless it was to be kept; and what it wrote opens nothing."""

import json
import signal
import threading
import time

import pytest
from accept import leftovers

from .conftest import ACCESS_KEY, SECRET_KEY, interrupt, vpcs, written


def after(condition, act):
    """Acts once a condition holds."""

    def wait():
        while not condition():
            time.sleep(0.02)
        act()

    threading.Thread(target=wait, daemon=True).start()


def hangs(made):
    return (made.desk.directory / "hangs").exists()


def test_every_step_goes_well_and_nothing_is_left(aws, trial):
    made = trial()
    assert made.run() == 0, made.outcome
    assert vpcs(aws) == []
    results = {result["step"]: result for result in made.scenario.results}
    assert [name for name, result in results.items() if result["ok"]] == list(made.plan.steps)
    assert "killed at ec2:CreateSubnet" in results["kill"]["note"]
    heard = (made.desk.directory / "heard").read_text().split("\n")
    assert sum(line.startswith("apply") for line in heard) == 3, "made, killed, gone on"
    report = (made.plan.folder / "REPORT.md").read_text()
    assert "all steps went well" in report and "Nothing is left behind" in report


def test_what_is_written_is_in_the_form_of_recordings_and_opens_nothing(trial):
    made = trial()
    made.run()
    files = written(made.plan.folder)
    for name, text in files.items():
        for secret in (ACCESS_KEY, SECRET_KEY, made.bench.forwarder.access_key):
            assert secret not in text, name
    calls = [json.loads(line) for line in files["aws/calls.jsonl"].splitlines()]
    [subnet] = [call for call in calls if call["operation"] == "ec2:CreateSubnet"]
    assert subnet["answer"]["Subnet"]["CidrBlock"] == "10.0.1.0/24"
    assert subnet["request"]["CidrBlock"] == "10.0.1.0/24"
    assert (subnet["kind"], subnet["source"], subnet["step"]) == ("recorded", "accept-on-aws", "kill")
    once = [json.loads(line) for line in files["aws/recorded/ec2.jsonl"].splitlines()]
    operations = [line["operation"] for line in once]
    assert {"ec2:CreateVpc", "ec2:DeleteSubnet"} <= set(operations)
    assert operations.count("ec2:DescribeVpcs") < sum(call["operation"] == "ec2:DescribeVpcs" for call in calls)


def test_a_step_that_fails_is_told_and_all_is_taken_down(aws, trial):
    made = trial({"fails": {"status": 2}})
    assert made.run() == 1
    assert vpcs(aws) == []
    assert made.outcome.startswith("status failed: `tapctl status` ended with 2")
    assert [result["step"] for result in made.scenario.results] == ["plan", "apply", "plan_again", "status", "destroy"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_tapctl_and_all_is_taken_down(aws, trial, number):
    made = trial({"hangs": "apply"})
    after(lambda: hangs(made), lambda: interrupt(number))
    assert made.run() == 130
    assert vpcs(aws) == []
    assert made.outcome == f"stopped by {number.name}"
    assert made.desk.running is None


def test_when_the_hours_are_over_all_is_taken_down(aws, trial):
    made = trial({"hangs": "status"}, hours=8 / 3600)
    assert made.plan.deadline < made.plan.began + 6, "a part of the hours is for the teardown"
    assert made.run() == 1
    assert vpcs(aws) == []
    assert made.outcome == "the hours were over"


def test_a_teardown_that_fails_is_tried_again_and_what_is_left_is_named(aws, trial, capsys):
    made = trial({"fails": {"destroy": 5}, "stays": True})
    assert made.run() == 1
    [vpc] = vpcs(aws)
    heard = (made.desk.directory / "heard").read_text()
    assert heard.count("destroy") >= 4
    said = capsys.readouterr().out
    assert f"left behind: ec2.vpc {vpc}" in said
    assert "tapctl destroy --stack data-pipeline --env acc261128-1530" in said
    assert made.desk.directory.is_dir() and "ec2.vpc" in (made.plan.folder / "REPORT.md").read_text()


def test_a_second_ctrl_c_in_the_teardown_leaves_what_stands_and_says_how_to_remove_it(aws, trial, capsys):
    made = trial({"fails": {"status": 2}, "hangs": "destroy", "stays": True})
    after(lambda: hangs(made), lambda: (interrupt(signal.SIGINT), time.sleep(0.5), interrupt(signal.SIGINT)))
    assert made.run() == 1
    assert len(vpcs(aws)) == 1
    said = capsys.readouterr().out
    assert "the teardown goes on; once more leaves" in said and "To remove it" in said


@pytest.mark.parametrize("trouble", [{}, {"fails": {"status": 2}}])
def test_what_is_to_be_kept_is_left_and_how_to_remove_it_is_said(aws, trial, capsys, trouble):
    made = trial(trouble, keep=True)
    assert made.run() == (1 if trouble else 0)
    assert len(vpcs(aws)) == 1
    said = capsys.readouterr().out
    assert "tapctl destroy --stack data-pipeline --env acc261128-1530" in said and "USD an hour" in said
    assert "destroy" not in [result["step"] for result in made.scenario.results]


def test_nothing_is_taken_down_where_nothing_was_made(trial):
    made = trial({"fails": {"plan": 1}})
    assert made.run() == 1
    assert "destroy" not in (made.desk.directory / "heard").read_text()


def test_whose_what_is_left_is():
    item = {"id": "vpc-1", "name": "vpc-1", "tags": {}}
    ours = {"id": "vpc-2", "name": "a", "tags": {"tapctl:env": "acc1"}}
    key = {"id": "k", "name": "k", "tags": {"tapctl:env": "acc1"}}
    before = {"ec2.vpc": [item]}
    found = {"ec2.vpc": [item, ours, {"id": "vpc-3", "name": "b", "tags": {}}], "kms.key-pending-deletion": [key]}
    assert leftovers.left(before, found, {"acc1"}) == (
        ["ec2.vpc a (vpc-2)"],
        ["kms.key-pending-deletion k"],
        ["ec2.vpc b (vpc-3)"],
    )
    assert leftovers.left(before, {"ec2.subnet": [{"id": "s", "name": "s", "vpc": "vpc-9"}]}, {"acc1", "vpc-9"})[0] == [
        "ec2.subnet s"
    ]
