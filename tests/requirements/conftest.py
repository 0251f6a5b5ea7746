"""Judges one live environment: whatever these tests say, they read it from AWS, never from tapctl.

    scripts/local-aws python -m pytest tests/requirements/student_records --endpoint http://127.0.0.1:5555 --env dev

The settings under test come by options, since what AWS holds cannot tell what was wished for. The account should hold
nothing but what tapctl made: S0 judges every object in it, and the policies judge every document.
"""

import pytest
from requirements.live import Live
from requirements.wanted import OPTIONS, Wanted


def pytest_addoption(parser):
    parser.addoption("--endpoint", help="where AWS is; without it, the real one")
    parser.addoption("--env", default="dev", help="the environment under test")
    parser.addoption("--region", default="us-east-1")
    parser.addoption("--outputs", help="a file with what `tapctl outputs --json` printed, for S15")
    parser.addoption("--protect", action="store_true", help="the environment was made with protect = true")
    parser.addoption("--expect", default="", help=f"settings that were turned on, with commas: {', '.join(OPTIONS)}")


@pytest.fixture(scope="session")
def wanted(pytestconfig):
    chosen = frozenset(filter(None, pytestconfig.getoption("expect").split(",")))
    unknown = chosen - set(OPTIONS)
    if unknown:
        raise pytest.UsageError(f"--expect: {', '.join(sorted(unknown))}; there are {', '.join(OPTIONS)}")
    get = pytestconfig.getoption
    return Wanted(env=get("env"), region=get("region"), protect=get("protect"), chosen=chosen)


@pytest.fixture(scope="session")
def live(pytestconfig, wanted):
    return Live(pytestconfig.getoption("endpoint"), wanted.region, wanted.env)
