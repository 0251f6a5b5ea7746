"""A local AWS to try the try on, and a small program in tapctl's place that makes a VPC and takes it away again."""

import json
import os
import stat
import sys
import urllib.request
from pathlib import Path

import botocore.session
import pytest
from accept import leftovers
from accept.masks import ACCOUNT
from accept.prices import Bill
from accept.scenario import Subject
from accept.trial import Plan, Trial
from accept.twin import local_aws

ACCESS_KEY, SECRET_KEY = "the-owners-own-access-key", "the-owners-own-secret-access-key"

STAND_IN = '''#!{python}
"""Does as tapctl does, with one VPC and, once the settings ask for it, a subnet."""
import json, os, sys, time
from pathlib import Path
import botocore.session

word, env = sys.argv[1], sys.argv[sys.argv.index("--env") + 1]
trouble = json.loads({trouble!r})
ec2 = botocore.session.get_session().create_client("ec2", region_name=os.environ["AWS_REGION"])
tags = [{{"Key": "tapctl:stack", "Value": "data-pipeline"}}, {{"Key": "tapctl:env", "Value": env}}]
filters = [{{"Name": "tag:" + tag["Key"], "Values": [tag["Value"]]}} for tag in tags]
vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=filters)["Vpcs"]]
subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=filters)["Subnets"]]
wants = "endpoints" in Path("tapctl.toml").read_text()

def tagged(kind):
    return [{{"ResourceType": kind, "Tags": tags}}]

with open("heard", "a") as heard:
    heard.write(" ".join(sys.argv[1:]) + "\\n")
if word == "apply":
    if not vpcs:
        vpcs = [ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]]
    if wants and not subnets:
        ec2.create_subnet(VpcId=vpcs[0], CidrBlock="10.0.1.0/24", TagSpecifications=tagged("subnet"))
if word == "destroy" and not trouble.get("stays"):
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    for vpc in vpcs:
        ec2.delete_vpc(VpcId=vpc)
print("[]")
print("[   0.1s] created   vpc (ec2.vpc) in 0.1s", file=sys.stderr)
if word == trouble.get("hangs"):
    Path("hangs").touch()
    time.sleep(600)
missing = not vpcs or (wants and not subnets)
sys.exit(trouble.get("fails", {{}}).get(word, 2 if word == "plan" and missing else 0))
'''


@pytest.fixture(scope="session")
def server():
    with local_aws("instant") as endpoint:
        yield endpoint


@pytest.fixture
def aws(server, monkeypatch):
    """The URL of an empty local AWS; the owner's credentials stand in the environment, as they do for anybody."""
    ask(server, "POST", "/_local/reset")
    ask(server, "DELETE", "/_local/log")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return server


def ask(server, method, path, body=None):
    data = json.dumps(body or {}).encode() if method != "GET" else None
    with urllib.request.urlopen(urllib.request.Request(server + path, data, method=method)) as answer:
        return json.load(answer)


def client(endpoint, service, region="us-east-1"):
    return botocore.session.get_session().create_client(service, region_name=region, endpoint_url=endpoint)


def only_vpcs(endpoint, region):
    """All that the stand-in could leave; asking for the rest takes seconds."""
    found = client(endpoint, "ec2", region).describe_vpcs()["Vpcs"]
    return {"ec2.vpc": [{"id": vpc["VpcId"], "name": vpc["VpcId"], "tags": vpc.get("Tags")} for vpc in found]}


@pytest.fixture
def trial(aws, tmp_path, monkeypatch):
    """Makes a trial of the stand-in. The steps that ask an API are left out: it has none."""
    monkeypatch.setattr(leftovers, "look", only_vpcs)

    def make(trouble=None, hours=1.0, keep=False, steps=("plan", "apply", "plan_again", "status", "kill", "destroy")):
        program = tmp_path / "tapctl"
        program.write_text(STAND_IN.format(python=sys.executable, trouble=json.dumps(trouble or {})))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        subject = Subject("data-pipeline", "acc261128-1530", "us-east-1", ACCOUNT, "2026-11-28T15:30Z")
        session = botocore.session.get_session()
        bill = Bill("data-pipeline", "us-east-1")
        plan = Plan(
            subject, tmp_path / "written", str(program), session, hours, bill, aws, keep, "off", steps, pause=0.05
        )
        made = Trial(plan)
        made.bench.masks.hide_caller(client(aws, "sts").get_caller_identity())
        return made

    return make


def vpcs(endpoint):
    """Of the environment under trial."""
    found = client(endpoint, "ec2").describe_vpcs(Filters=[{"Name": "tag:tapctl:env", "Values": ["acc261128-1530"]}])
    return [vpc["VpcId"] for vpc in found["Vpcs"]]


def written(folder):
    """The text of every file in a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*") if path.is_file()}


def interrupt(number):
    os.kill(os.getpid(), number)
