"""The same steps against a local AWS of its own, at the same time: what AWS's answers are compared with.

python -m accept.twin --folder F --stack S --env E --region R --tapctl T --expires X --speed real
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import botocore.session

from .bench import Bench, keep_nodes, keep_results
from .masks import ACCOUNT
from .scenario import STEPS, Subject


@contextmanager
def local_aws(speed):
    command = [sys.executable, "-m", "local_aws", "--port", "0", "--speed", speed, "--parent", str(os.getpid())]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield "http://127.0.0.1:" + server.stdout.readline().strip().rpartition(":")[2]
    finally:
        server.kill()
        server.wait()


def end_with_parent():
    """Whoever started this compares; without it, this is for nothing."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def stopped(*ignored):
    raise SystemExit(130)


def main():
    parser = argparse.ArgumentParser()
    for name in ("folder", "stack", "env", "region", "tapctl", "expires", "speed", "steps"):
        parser.add_argument(f"--{name}", required=name != "steps", default=",".join(STEPS))
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, stopped)
    end_with_parent()
    session = botocore.session.Session()
    session.set_credentials("twin", "twin")
    subject = Subject(chosen.stack, chosen.env, chosen.region, ACCOUNT, chosen.expires)
    pause = {"real": 5, "fast": 0.5, "instant": 0.2}[chosen.speed]
    with (
        local_aws(chosen.speed) as endpoint,
        Bench(Path(chosen.folder), subject, chosen.tapctl, session, endpoint, pause) as bench,
    ):
        sts = session.create_client("sts", region_name=chosen.region, endpoint_url=endpoint)
        bench.masks.hide_caller(sts.get_caller_identity())
        try:
            bench.scenario.run(chosen.steps.split(","), go_on=True)
        finally:
            keep_nodes(bench)
            keep_results(bench)
            bench.recorder.mask_again()


if __name__ == "__main__":
    main()
