"""One try from its first call to its report: whatever happens in between, it takes down what it made."""

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from . import leftovers
from .bench import Bench, keep_nodes, keep_results
from .compare import compare_folders
from .desk import OutOfTime
from .report import report
from .scenario import PAUSE, STEPS, words

# How often a teardown is tried before it is given up, and how long between: AWS may be busy with the last one.
TEARDOWNS, BETWEEN = 4, 30
# What is kept of the hours for the teardown: a third, and not more than this.
LONGEST_TEARDOWN = 1.0
# How long the local AWS may take longer.
TWIN_PATIENCE = 1800
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A Ctrl-C, or another signal that ends."""


@dataclass
class Plan:
    """What was asked for and agreed to."""

    subject: object
    folder: Path
    tapctl: str
    session: object
    hours: float
    bill: object
    endpoint: str = None
    keep: bool = False
    local_speed: str = "real"
    steps: tuple = STEPS
    pause: float = PAUSE
    began: float = field(default_factory=time.time)

    @property
    def deadline(self):
        """When the steps must have ended, for the rest of the hours to be enough to take everything down."""
        return self.began + 3600 * (self.hours - min(LONGEST_TEARDOWN, self.hours / 3))


class Trial:
    def __init__(self, plan):
        self.plan, self.subject = plan, plan.subject
        self.bench = Bench(plan.folder / "aws", plan.subject, plan.tapctl, plan.session, plan.endpoint, plan.pause)
        self.scenario, self.desk = self.bench.scenario, self.bench.desk
        self.outcome, self.not_compared, self.found = "all steps went well", None, None
        # Whether a signal is only told, and the next one heard.
        self.patient = False

    def say(self, text):
        self.bench.say(text)

    def run(self):
        """0 where every step went well and nothing is left, 1 where not, 130 where it was stopped.

        Raises what keeps it from looking at the account at the beginning, when nothing was made yet."""
        with self.signals(), self.bench, self.twin() as twin:
            self.before = leftovers.look(self.plan.endpoint, self.subject.region)
            try:
                code = self.steps()
            except Stopped:  # Just as the last step had ended.
                code = 130
            if self.scenario.begun and not self.plan.keep:
                self.tear_down()
            self.patient = False
            try:
                self.look_at_what_is_left()
                self.wait_for(twin, code)
            except Stopped:
                self.not_compared = "the try was stopped"
        self.write()
        if self.found and self.found["ours"] and not self.plan.keep:
            return code or 1
        return code

    def steps(self):
        self.desk.deadline = self.plan.deadline
        code = 1
        try:
            self.scenario.run(self.wanted())
            return 0
        except Stopped as stopped:
            self.outcome, code = f"stopped by {stopped}", 130
        except OutOfTime:
            self.outcome = "the hours were over"
        except Exception as problem:
            self.outcome = f"{self.bench.recorder.step} failed: {problem}"
        self.patient = True
        self.say(self.outcome)
        self.desk.end()
        return code

    def wanted(self):
        return [name for name in self.plan.steps if not (self.plan.keep and name == "destroy")]

    def tear_down(self):
        """Until it is done: nothing but a second Ctrl-C ends it."""
        self.patient = True
        self.desk.deadline = None
        self.bench.forwarder.tripwire = None
        try:
            if self.take_turns():
                return
            self.outcome += "; the teardown failed"
        except Stopped as stopped:
            self.outcome += f"; the teardown was stopped by {stopped}"
        finally:
            self.desk.end()
        self.say(self.how_to_remove())

    def take_turns(self):
        for turn in range(TEARDOWNS):
            if turn:
                time.sleep(BETWEEN * self.plan.pause / PAUSE)
            try:
                self.scenario.step("destroy")
                return True
            except Exception as problem:
                self.say(f"the teardown failed: {problem}")
                self.desk.end()
        return False

    def look_at_what_is_left(self):
        if self.plan.keep and self.scenario.begun:
            self.say(self.how_to_remove())
            return
        mine = {self.subject.env, *self.bench.recorder.made}
        try:
            after = leftovers.look(self.plan.endpoint, self.subject.region)
        except Exception as problem:
            self.outcome += "; what is left could not be looked at"
            self.say(f"what is left could not be looked at: {problem}")
            self.found = {"ours": ["unknown"], "kept": [], "new": []}
            return
        self.found = dict(zip(("ours", "kept", "new"), leftovers.left(self.before, after, mine), strict=True))
        for line in self.found["ours"]:
            self.say(f"left behind: {line}")
        for line in self.found["new"]:
            self.say(f"new in the account, and maybe not of this try: {line}")
        self.say(f"{len(self.found['ours'])} left behind, {len(self.found['kept'])} that AWS keeps for a while")
        if self.found["ours"] and "failed" not in self.outcome:
            self.outcome += "; something is left behind"

    def how_to_remove(self):
        subject = self.subject
        command = f"tapctl destroy --stack {subject.stack} --env {subject.env} --confirm {subject.stack}-{subject.env}"
        where = f" AWS_ENDPOINT_URL={self.plan.endpoint}" if self.plan.endpoint else ""
        return (
            f"{subject.stack} {subject.env} stands in account {subject.account}, {subject.region}, and costs up to "
            f"{self.plan.bill.hourly:.2f} USD an hour. To remove it, with credentials of that account:\n"
            f"  cd {self.desk.directory} && AWS_REGION={subject.region}{where} {command}"
        )

    # The local AWS

    @contextmanager
    def twin(self):
        if self.plan.local_speed == "off":
            self.not_compared = "--local-speed off"
            yield None
            return
        folder = self.plan.folder / "local"
        folder.mkdir(parents=True, exist_ok=True)
        chosen = {"folder": folder, "tapctl": self.plan.tapctl, "speed": self.plan.local_speed}
        chosen |= {name: getattr(self.subject, name) for name in ("stack", "env", "region", "expires")}
        chosen["steps"] = ",".join(self.wanted())
        flags = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
        with open(folder / "said.txt", "wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "accept.twin", *flags],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()

    def wait_for(self, twin, code):
        """A try that was stopped does not wait for what it could have been compared with."""
        if twin is None:
            return
        if code == 130:
            self.not_compared = "the try was stopped"
            return
        if twin.poll() is None:
            self.say("waiting for the local AWS to come as far …")
        try:
            ended = twin.wait(TWIN_PATIENCE)
        except subprocess.TimeoutExpired:
            ended = "no end"
        if ended:
            self.say(f"the steps did not all go well on the local AWS ({ended}); see {self.plan.folder}/local/said.txt")

    # What is written

    def write(self):
        keep_nodes(self.bench)
        keep_results(self.bench)
        compared = self.not_compared is None
        differences = compare_folders(self.plan.folder) if compared else []
        summary = self.summary()
        text = report(summary, differences, compared)
        (self.plan.folder / "REPORT.md").write_text(self.bench.masks.text(text))
        (self.plan.folder / "summary.json").write_text(self.bench.masks.text(json.dumps(summary, indent=2)))
        self.bench.recorder.mask_again()
        # The state names the account, and has served.
        if self.found and not self.found["ours"]:
            shutil.rmtree(self.desk.directory / "state", ignore_errors=True)
            (self.desk.directory / "tapctl.toml").unlink(missing_ok=True)
            shutil.rmtree(self.plan.folder / "local" / "desk" / "state", ignore_errors=True)
        print(f"{self.outcome.splitlines()[0]}; written down in {self.plan.folder}: REPORT.md")

    def summary(self):
        hours = (time.time() - self.plan.began) / 3600
        bill = self.plan.bill
        return {
            "stack": self.subject.stack,
            "env": self.subject.env,
            "region": self.subject.region,
            "expires": self.subject.expires,
            "began": datetime.fromtimestamp(self.plan.began, UTC).isoformat(timespec="seconds"),
            "hours": round(hours, 3),
            "cost": f"It took {words(hours * 3600)} and cost at most {bill.of(hours):.2f} USD.",
            "outcome": self.outcome.splitlines()[0],
            "steps": self.scenario.results,
            "left": self.found,
            "stands": self.how_to_remove() if self.plan.keep else "",
            "not_compared": self.not_compared,
        }

    # Signals

    @contextmanager
    def signals(self):
        before = {number: signal.signal(number, self.heard) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def heard(self, number, frame):
        if self.patient:
            self.patient = False
            self.say("the teardown goes on; once more leaves what still stands where it is, and costs go on")
            return
        # A third one must not end what the second began.
        self.patient = True
        raise Stopped(signal.Signals(number).name)
