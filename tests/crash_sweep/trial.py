"""One strike and what must come of it."""

import hashlib
import multiprocessing
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .local import TICK, Aws, Desk, Eyes, Failure, difference, fingerprint, kill, picture
from .stacks import DEFAULT, STACKS

WAYS = ("before", "after", "lost")
COMMANDS = ("apply", "change", "destroy", "snapshot")
# Lines that a run which had to be run again is quoted with.
LAST_WORDS = 5


@dataclass(frozen=True)
class Point:
    """A call of a command, told by how many of its operation came before it, and what befalls it."""

    command: str
    way: str
    service: str
    operation: str
    nth: int
    write: bool
    # For reads: the same for those at which a run of one node at a time finds the same account and the same state.
    place: str = field(default="", compare=False)
    stack: str = DEFAULT

    @property
    def call(self):
        return f"{self.service}:{self.operation}#{self.nth}"

    @property
    def alone(self):
        """Whether the struck run works on one node at a time.

        Killed at a read it then leaves one of the few accounts that lie between two writes, and the same before the
        read as after it. What else may be under way at a kill is tried at the writes."""
        return not self.write and self.way != "lost"

    def again(self):
        stack = "" if self.stack == DEFAULT else f" --stack {self.stack}"
        return f"scripts/crash-sweep{stack} --command {self.command} --way {self.way} --call {self.call}"


@dataclass
class Result:
    point: Point
    # ok; same: as an earlier strike that went well; missed: the run never made that call; failed.
    outcome: str
    detail: str = ""
    # Whether a run whose answer was lost needed a second one.
    second_run: bool = False

    def as_dict(self):
        return asdict(self) | {"again": self.point.again()}

    @classmethod
    def from_dict(cls, told):
        return cls(Point(**told["point"]), told["outcome"], told["detail"], told["second_run"])


class Bench:
    """An empty account, one with everything in it, and what undisturbed runs make of them."""

    def __init__(self, tapctl, stack, reads):
        """Without `reads` there are no points for kills at them, and half the preparation is saved."""
        self.tapctl, self.stack = tapctl, stack
        self.binary = hashlib.sha256(Path(tapctl).read_bytes()).hexdigest()
        self.calls, self.expected = {}, {}
        # Shared by all who make trials.
        self.shown_well = multiprocessing.Manager().dict()
        self.empty = Aws.start()
        self.warm_up()
        self.full, self.full_desk = self.empty.fork(), self.desk()
        self.undisturbed("apply", self.full, self.full_desk, Eyes(self.full.url))
        self.full.ask("DELETE", "log")
        self.take_port()
        for command in ("change", "destroy", "snapshot"):
            with self.ready(command) as (aws, desk):
                self.undisturbed(command, aws, desk, self.eyes)
                if command != "destroy":
                    desk.run(aws, "destroy", "--yes")
                    self.expected[command, "destroyed"] = picture(self.eyes.look(), desk.state())
        self.expected["apply", "destroyed"] = self.expected["destroy"]
        for command in COMMANDS if reads else ():
            with self.ready(command) as (aws, desk):
                self.undisturbed_alone(command, aws, desk)

    def warm_up(self):
        """What the server loads with the first calls it loads once, and not in each fork."""
        desk = self.desk()
        desk.run(self.empty, "apply", "--yes")
        desk.clear()
        self.empty.ask("POST", "reset")
        Eyes(self.empty.url).look()
        self.empty.ask("DELETE", "log")

    def desk(self, like=None):
        return Desk(self.tapctl, STACKS[self.stack], like)

    def take_port(self):
        """Every process that makes trials has a port, and with it clients, of its own."""
        fork = self.full.fork()
        self.port, self.eyes = fork.port, Eyes(fork.url)
        fork.end()

    def undisturbed(self, command, aws, desk, eyes):
        """Records the calls of a command that nothing happens to, and what it ends with."""
        desk.run(aws, *spoken(command, self.stack))
        self.calls[command, False] = aws.log()
        self.expected[command] = picture(eyes.look(), desk.state())
        if command != "destroy":
            desk.run(aws, "plan")

    def undisturbed_alone(self, command, aws, desk):
        aws.ask("POST", "watch", {"file": str(desk.state_path)})
        desk.run(aws, *spoken(command, self.stack, alone=True))
        self.calls[command, True] = aws.log()
        lines = difference("", self.expected[command], picture(self.eyes.look(), desk.state()))
        if lines:
            raise Failure("one node at a time ends elsewhere than many at a time:\n  " + "\n  ".join(lines[:20]))

    @contextmanager
    def ready(self, command):
        """The account and the desk as the command finds them."""
        if command == "apply":
            aws, desk = self.empty.fork(self.port), self.desk()
        else:
            aws, desk = self.full.fork(self.port), self.desk(like=self.full_desk)
        if command == "change":
            desk.settings(STACKS[self.stack].change)
        try:
            yield aws, desk
        finally:
            aws.end()
            desk.clear()

    def points(self, command, way):
        """A point for each call of the undisturbed run."""
        for alone in (False, True):
            seen, writes = Counter(), 0
            for entry in self.calls.get((command, alone), ()):
                name = (entry["service"], entry["operation"])
                seen[name] += 1
                writes += entry["write"]
                place = f"{writes} {entry.get('file')}"
                point = Point(command, way, *name, seen[name], entry["write"], place, self.stack)
                if point.alone == alone:
                    yield point

    def strike(self, points):
        """What comes of striking one run at all these points: where it fails, each is tried in a run of its own."""
        try:
            with self.ready(points[0].command) as (aws, desk):
                return Trial(self, points, aws, desk).results()
        except Failure as failure:
            if len(points) == 1:
                return [Result(points[0], "failed", str(failure))]
        return [result for point in points for result in self.strike([point])]

    def end(self):
        self.full_desk.clear()
        self.empty.end()


def verb(command):
    return "apply" if command == "change" else command


def spoken(command, stack, alone=False):
    change = ["--yes", "--allow-outage", "--allow-restart"]
    meant = {"change": change, "snapshot": [STACKS[stack].store, "--name", "swept"]}
    return [verb(command), *meant.get(command, ["--yes"]), *(["--parallelism", "1"] if alone else [])]


class Trial:
    def __init__(self, bench, points, aws, desk):
        self.bench, self.points, self.aws, self.desk = bench, points, aws, desk
        self.point, self.command = points[0], points[0].command

    def results(self):
        struck, ended = self.disturb()
        if not struck and ended != 0:
            raise Failure(f"the run ended with {ended} before it was struck:\n{self.desk.said()}")
        missed = [Result(point, "missed", "the run ended without this call") for point in self.points if point not in struck]
        return missed + (self.bring_about(struck, ended) if struck else [])

    def bring_about(self, struck, ended):
        """Runs the command again, unless what is left was met before, and compares what that ends with."""
        left = None
        if ended is None:
            left = (self.command, fingerprint(self.picture()))
            earlier = self.bench.shown_well.get(left)
            if earlier:
                return [Result(point, "same", earlier) for point in struck]
        said = "\n  ".join(self.desk.said().splitlines()[-LAST_WORDS:]) if ended else ""
        if ended != 0:
            self.desk.run(self.aws, *spoken(self.command, self.bench.stack))
        self.compare(self.command)
        # A read changes nothing: from here on all is as in the undisturbed run, of which plan and destroy are known.
        if self.command != "destroy" and self.point.write:
            self.desk.run(self.aws, "plan")
            self.desk.run(self.aws, "destroy", "--yes")
            self.compare((self.command, "destroyed"))
        self.aws.check_lawful()
        if left:
            self.bench.shown_well[left] = self.point.again()
        return [Result(point, "ok", said, second_run=bool(ended)) for point in struck]

    def disturb(self):
        """Runs the command into its strikes: the points that were struck, and the exit code unless it was killed.

        Those of one kill lie where nothing differs, and the first stands for all."""
        lost = self.point.way == "lost"
        self.aws.ask("POST", "faults", [fault(point) for point in (self.points if lost else self.points[:1])])
        process = self.desk.start(self.aws, *spoken(self.command, self.bench.stack, self.point.alone))
        what = f"tapctl {verb(self.command)}, struck at {', '.join(point.call for point in self.points)}"
        if lost:
            code = self.desk.finish(process, what)
        else:
            code = self.until_struck(process)
        self.aws.let_calls_end()
        hit = [told["hit"] for told in self.aws.ask("GET", "faults")["faults"]]
        self.aws.ask("DELETE", "faults")
        if not lost:
            return self.points if hit[0] else [], code
        return [point for point, times in zip(self.points, hit) if times], code

    def until_struck(self, process):
        """Kills the run when it is struck; its exit code where it ends before that."""
        while process.poll() is None:
            if self.aws.ask("GET", "faults")["faults"][0]["hit"]:
                kill(process)
                return None
            time.sleep(TICK)
        return process.returncode

    def picture(self):
        return picture(self.bench.eyes.look(), self.desk.state())

    def compare(self, key):
        lines = difference("", self.bench.expected[key], self.picture())
        if lines:
            text = "\n  ".join(lines[:20])
            raise Failure(f"after the next run this differs from what undisturbed runs leave:\n  {text}")


def fault(point):
    return {
        "match": {"service": point.service, "operation": point.operation},
        "nth": point.nth,
        "when": "before" if point.way == "before" else "after",
        "action": "reset" if point.way == "lost" else "silence",
    }
