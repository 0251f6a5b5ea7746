"""One server for the whole run, in this process; every test uses names of its own."""

import itertools
import json
import sys
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).parents[2]))

from local_aws import registry  # noqa: E402
from local_aws.registry import ALL_RULES  # noqa: E402
from local_aws.server import BackgroundServer  # noqa: E402
from local_aws.world import world  # noqa: E402

numbers = itertools.count(1)
proven = {}
collected = set()


def proves(*rules):
    """Marks a test as the proof of some rules, for the table at the end of a run."""

    def mark(test):
        for rule in rules:
            assert rule in ALL_RULES, f"no rule is named {rule}"
            proven.setdefault(rule, []).append(test.__name__)
        return test

    return mark


def in_account(account):
    """The access key does not choose the account here; this header does."""

    def set_header(request, **_):
        request.headers["x-moto-account-id"] = account

    return set_header


class Local:
    """Clients for the server under test, and its admin endpoints."""

    def __init__(self, url):
        self.url = url
        self._client = cache(self._make)

    def __call__(self, service, region="us-east-1", account=None):
        return self._client(service, region, account)

    def _make(self, service, region, account):
        config = Config(retries={"max_attempts": 0}, read_timeout=20)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.client(service, region_name=region, endpoint_url=self.url, config=config, **keys)
        if account:
            client.meta.events.register("before-sign", in_account(account))
        return client

    def admin(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)


@pytest.fixture(scope="session")
def server():
    with BackgroundServer() as running:
        yield running


@pytest.fixture(scope="session")
def local(server):
    return Local(server.url)


@pytest.fixture(autouse=True)
def calm(request):
    """Every test starts with things happening at once, and no faults, wishes, limits or policies left over."""
    from local_aws.faults import faults
    from local_aws.life import durations, endings
    from local_aws.permissions import permissions
    from local_aws.quotas import quotas

    vars(world.settings).update(speed="instant", strict=True, quotas=False, lag=0, limits=False, gaps=False, guardduty=False)
    world.settings.account = {}
    faults.clear()
    endings.clear()
    durations.choose(None)
    permissions.clear()
    quotas.clear()
    yield
    with world.lock:
        world.settings.speed = "instant"
        world.clock.run_all()


@pytest.fixture
def held():
    """Nothing under way finishes until the test lets it: `held()` runs what is due."""
    world.settings.speed = "real"

    def finish():
        with world.lock:
            world.clock.run_all()

    return finish


@pytest.fixture
def at_most(local):
    """The account has no room for more than that, as in `at_most({"vpcs": 3})`; the other quotas are those of AWS."""

    def choose(wishes):
        world.settings.quotas = True
        local.admin("POST", "/_local/quotas", wishes)

    return choose


@pytest.fixture
def name():
    return f"t{next(numbers)}"


@pytest.fixture
def network(local):
    """A VPC with two subnets in two zones and a security group."""
    return make_network(local)


def make_network(local):
    ec2 = local("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in ((1, "a"), (2, "b"))
    ]
    group = ec2.create_security_group(GroupName="one", Description="one", VpcId=vpc)["GroupId"]
    return Network(vpc, subnets, group)


class Network:
    def __init__(self, vpc, subnets, group):
        self.vpc, self.subnets, self.group = vpc, subnets, group


@pytest.fixture
def role(local, name):
    """Makes a role that a service may assume, and answers its ARN."""
    return lambda service, **more: make_role(local, f"{name}-{service.split('.')[0]}", service, **more)


def make_role(local, name, service, managed=(), inline=None):
    iam = local("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for policy in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    if inline:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": inline, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    return arn


@pytest.fixture
def key(local):
    """A key of the customer's, by its ARN."""
    return local("kms").create_key()["KeyMetadata"]["Arn"]


class Refused:
    """`with refused("Code", "part of its message"):` expects exactly that error."""

    def __init__(self, code, words=""):
        self.code, self.words = code, words

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert error is not None, f"expected {self.code}, but the call succeeded"
        if not isinstance(error, ClientError):
            return False
        assert error.response["Error"]["Code"] == self.code, error
        self.message = error.response["Error"]["Message"]
        assert self.words in self.message
        return True


refused = Refused


@pytest.fixture
def noted(local):
    """The rules of violations that the calls since then have come to."""
    local.admin("DELETE", "/_local/violations")
    yield lambda: [found["rule"] for found in local.admin("GET", "/_local/violations")["violations"]]
    local.admin("DELETE", "/_local/violations")


def pytest_addoption(parser):
    text = "run the tests of what moto gets wrong against moto as it is, where every one of them has to fail"
    parser.addoption("--without-corrections", action="store_true", help=text)


def pytest_configure(config):
    if config.getoption("--without-corrections"):
        for table in (registry.OPERATIONS, registry.REPLAY, registry.AFTER, registry.RECOVER, registry.RULES):
            table.clear()
        registry.GENERAL_RULES.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    collected.update(name_of(item) for item in items)
    if config.getoption("--without-corrections"):
        from test_moto_gaps import PROOFS

        items[:] = [item for item in items if name_of(item) in PROOFS or name_of(item).partition("[")[0] in PROOFS]
        for item in items:
            item.add_marker(pytest.mark.xfail(strict=True, reason="moto as it is"))


def name_of(item):
    return f"{item.module.__name__}.{item.name}"


def pytest_terminal_summary(terminalreporter):
    groups = {}
    for rule in ALL_RULES.values():
        counts = groups.setdefault(rule.group, [0, 0, set()])
        counts[0] += 1
        counts[1] += rule.name in proven
        counts[2] |= set(proven.get(rule.name, ()))
    if not groups:
        return
    terminalreporter.section("rules by group")
    terminalreporter.line(f"{'group':<16}{'rules':>7}{'proven':>8}{'tests':>7}")
    for group, (total, covered, tests) in sorted(groups.items()):
        terminalreporter.line(f"{group:<16}{total:>7}{covered:>8}{len(tests):>7}")
    for name in sorted(set(ALL_RULES) - set(proven)):
        terminalreporter.line(f"  without a test: {name}")
