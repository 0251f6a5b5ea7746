"""The try with tapctl itself, on a local AWS in AWS's place: short of what takes long, and compared with nothing."""

import json
import os

import botocore.session
import pytest
from accept.masks import ACCOUNT, MASK
from accept.prices import Bill
from accept.scenario import Subject
from accept.trial import Plan, Trial

from .conftest import ACCESS_KEY, ask, client, written

STEPS = ("plan", "apply", "call", "event", "destroy")


@pytest.fixture
def tapctl():
    path = os.environ.get("TAPCTL")
    if not path:
        pytest.skip("TAPCTL names no tapctl to try; scripts/test does")
    return path


def test_a_pipeline_is_tried_and_nothing_of_it_is_left_or_told(aws, tapctl, tmp_path, monkeypatch):
    # Of the local AWS a key of any name is the account's own, with itself as its secret.
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
    subject = Subject("data-pipeline", "acc261128-1530", "us-east-1", ACCOUNT, "2026-11-28T15:30Z")
    bill = Bill("data-pipeline", "us-east-1")
    session = botocore.session.get_session()
    plan = Plan(subject, tmp_path / "written", tapctl, session, 1.0, bill, aws, False, "off", STEPS, pause=0.1)
    trial = Trial(plan)
    trial.bench.masks.hide_caller(client(aws, "sts").get_caller_identity())
    assert trial.run() == 0, trial.outcome
    assert trial.found["ours"] == [] and trial.found["new"] == []
    files = written(plan.folder)
    calls = [json.loads(line) for line in files["aws/calls.jsonl"].splitlines()]
    assert not [call for call in calls if "unread" in call]
    drawn = [call for call in calls if call["operation"] == "secretsmanager:GetRandomPassword"]
    assert drawn and all(call["answer"]["RandomPassword"] == MASK for call in drawn)
    [made] = [call for call in calls if call["operation"] == "rds:CreateDBInstance" and "answer" in call]
    assert made["request"]["MasterUserPassword"] == MASK
    answers = [call["answer"]["status"] for call in calls if call["operation"] == "execute-api:Invoke"]
    assert answers[0] == 403 and answers[-1] in (200, 202)
    assert ask(aws, "GET", "/_local/violations")["violations"] == []
