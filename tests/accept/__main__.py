"""`scripts/accept-on-aws`: reads the arguments, looks at the account, shows what a try costs, asks, and tries."""

import argparse
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from . import others
from .compare import compare_folders
from .prices import STACKS, Bill
from .scenario import Subject
from .trial import Plan, Stopped, Trial

USAGE, CREDENTIALS = 64, 4
DEFAULT_HOURS = 3.0
SPEEDS = ("real", "fast", "instant", "off")
HELP = """
Makes a stack in the AWS account that the credentials of the environment belong to, tries what tapctl does with it, and
takes it down again: plan, apply, plan (nothing to do), status, a call to the API, an event that must come out of the
stream, drift, a change by hand and its repair, kill -9 in the middle of an apply and going on, destroy, and a look at
what is left. It costs money; how much at most, it shows before it asks.

It takes everything down on Ctrl-C, when a step fails, and in time before the hours are over. Every request and answer
is written down, without secrets and with another account id, and beside it what the local AWS, asked the same at the
same time, answered otherwise.
"""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        refuse(message, USAGE)


def arguments(words):
    parser = Parser(
        prog="scripts/accept-on-aws", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--region", metavar="R", help="the AWS region")
    parser.add_argument("--stack", choices=sorted(STACKS), default="student-records")
    parser.add_argument("--keep", action="store_true", help="leave what was made, and say how to remove it")
    parser.add_argument(
        "--max-cost", type=positive, metavar="USD", help="the ceiling of cost; asked for where not given"
    )
    parser.add_argument("--hours", type=positive, metavar="H", help="when it must be gone; asked for where not given")
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="STACK-ENV",
        help="another environment of tapctl in the account, beside which a try may run; may be given more than once",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where all is written; by default accept/ENV")
    parser.add_argument("--yes", action="store_true", help="do not ask; needs --max-cost and --hours")
    parser.add_argument(
        "--local-speed",
        choices=SPEEDS,
        default="real",
        help="how long things take on the local AWS "
        "that AWS is compared with: by default as long as on AWS; off compares with none",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="DIR", help="only compare again what an earlier try wrote there"
    )
    parser.add_argument("--endpoint", metavar="URL", help="another AWS than AWS, to try the try")
    parser.add_argument("--tapctl", default=os.environ.get("TAPCTL"), help=argparse.SUPPRESS)
    parser.add_argument("--steps", default=None, help=argparse.SUPPRESS)
    chosen = parser.parse_args(words)
    if chosen.compare is None and not chosen.region:
        parser.error("--region is missing: the region must be named")
    return chosen


def positive(text):
    number = float(text)
    if not 0 < number < 10000:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def refuse(text, code=1):
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(code)


def env_name(expires):
    """With the minute in UTC in which its hours are over; as long as a name may be."""
    return expires.strftime("acc%y%m%d-%H%M")


def main(words=None):
    chosen = arguments(words)
    if chosen.compare:
        print(f"{len(compare_folders(chosen.compare))} differences in {chosen.compare}/differences.jsonl")
        return 0
    session = botocore.session.get_session()
    identity = who(session, chosen)
    print(f"account {identity['Account']}, {chosen.region}, as {identity['Arn']}", flush=True)
    refuse_beside_others(session, chosen)
    bill = Bill(chosen.stack, chosen.region)
    print(f"\n{bill.table()}\n", flush=True)
    hours, dollars = ceilings(chosen, bill)
    began = time.time()
    expires = datetime.fromtimestamp(began, UTC) + timedelta(hours=hours)
    env = env_name(expires)
    told = f"{chosen.stack} {env}, gone by {expires:%Y-%m-%d %H:%M} UTC, for at most {bill.of(hours):.2f} USD"
    print(told + (" (and then on: --keep leaves it)" if chosen.keep else ""), flush=True)
    if not chosen.yes and ask(f"Type {env} to go ahead: ", "--yes") != env:
        refuse("not confirmed; nothing was done")
    folder = (chosen.folder or Path("accept") / env).resolve()
    if folder.exists() and any(folder.iterdir()):
        refuse(f"{folder} is not empty", USAGE)
    subject = Subject(chosen.stack, env, chosen.region, identity["Account"], f"{expires:%Y-%m-%dT%H:%MZ}")
    steps = {"steps": tuple(chosen.steps.split(","))} if chosen.steps else {}
    pause = {"pause": 0.2} if chosen.endpoint else {}
    plan = Plan(
        subject,
        folder,
        chosen.tapctl,
        session,
        hours,
        bill,
        chosen.endpoint,
        chosen.keep,
        chosen.local_speed,
        began=began,
        **steps,
        **pause,
    )
    trial = Trial(plan)
    trial.bench.masks.hide_caller(identity)
    try:
        return trial.run()
    except Stopped:
        refuse("stopped; nothing was made", 130)
    except (BotoCoreError, ClientError) as problem:
        refuse(f"the account could not be looked at, and nothing was made: {problem}")


def client(session, chosen, service, region):
    return session.create_client(service, region_name=region, endpoint_url=chosen.endpoint)


def who(session, chosen):
    if session.get_credentials() is None:
        refuse("no AWS credentials were found; set AWS_PROFILE, or any other way the AWS SDKs find them", CREDENTIALS)
    try:
        return client(session, chosen, "sts", chosen.region).get_caller_identity()
    except (BotoCoreError, ClientError) as problem:
        refuse(f"AWS does not take the credentials: {problem}", CREDENTIALS)


def refuse_beside_others(session, chosen):
    found, unseen = others.standing(lambda service, region: client(session, chosen, service, region), chosen.region)
    for problem in unseen:
        print(f"note: could not look for other environments in {problem}", file=sys.stderr)
    refusal = others.refusal(found, set(chosen.beside))
    if refusal:
        refuse(refusal)


def ceilings(chosen, bill):
    """(hours, dollars), asked for where they are not given; refused where the one does not pay for the other."""
    if chosen.yes and None in (chosen.hours, chosen.max_cost):
        refuse("--yes needs --max-cost and --hours: nothing is made without a ceiling", USAGE)
    hours = chosen.hours or number(f"How many hours may it stand [{DEFAULT_HOURS:g}]? ", "--hours", DEFAULT_HOURS)
    most = bill.of(hours)
    asked = f"{hours:g} hours cost at most {most:.2f} USD. Ceiling in USD: "
    dollars = chosen.max_cost or number(asked, "--max-cost", None)
    if most > dollars:
        refuse(
            f"{hours:g} hours may cost {most:.2f} USD, and the ceiling is {dollars:.2f}; that pays for "
            f"{bill.hours_for(dollars):.1f} hours",
            USAGE,
        )
    return hours, dollars


def number(question, flag, default):
    text = ask(question, flag)
    try:
        return default if default and not text else positive(text)
    except (ValueError, argparse.ArgumentTypeError):
        refuse(f"{text!r} is not a number above 0", USAGE)


def ask(question, flag):
    if not sys.stdin.isatty():
        refuse(f"there is no terminal to ask at; say {flag}", USAGE)
    try:
        return input(question).strip()
    except (EOFError, KeyboardInterrupt):
        refuse("not confirmed; nothing was done", 130)


if __name__ == "__main__":
    sys.exit(main())
