"""One strike and what must come of it."""

import time
from dataclasses import asdict, dataclass

from .local import TICK, Aws, Desk, Eyes, Failure, difference, fingerprint, kill, picture

WAYS = ("before", "after", "lost")
COMMANDS = ("apply", "change", "destroy")
# Every kind of change at once: made, updated in place, moved, replaced before and after, removed.
CHANGE = """
[service]
memory = 2048
[stream]
shards = 4
[database]
max_acu = 8
[network]
nat = "single"
endpoints = ["logs"]
[api]
campus_systems = ["library"]
[logs]
retention_days = 90
[tags]
CostCentre = "42"
"""


@dataclass(frozen=True)
class Point:
    """A call of a command, told by how many of its operation came before it, and what befalls it."""

    command: str
    way: str
    service: str
    operation: str
    nth: int
    write: bool

    @property
    def call(self):
        return f"{self.service}:{self.operation}#{self.nth}"

    def again(self):
        return f"scripts/crash-sweep --command {self.command} --way {self.way} --call {self.call}"


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


class Bench:
    """An empty account, one with everything in it, and what undisturbed runs make of them."""

    def __init__(self, tapctl):
        self.tapctl = tapctl
        self.calls, self.expected, self.shown_well = {}, {}, {}
        self.empty = Aws.start()
        self.full, self.full_desk = self.empty.fork(), Desk(tapctl)
        self.undisturbed("apply", self.full, self.full_desk, Eyes(self.full.url))
        self.take_port()
        for command in ("change", "destroy"):
            aws, desk = self.begin(command)
            self.undisturbed(command, aws, desk, self.eyes)
            if command == "change":
                desk.run(aws, "destroy", "--yes")
                self.expected["change", "destroyed"] = picture(self.eyes.look(), desk.state())
            aws.end()
            desk.clear()
        self.expected["apply", "destroyed"] = self.expected["destroy"]

    def take_port(self):
        """Every process that makes trials has a port, and with it clients, of its own."""
        fork = self.full.fork()
        self.port, self.eyes = fork.port, Eyes(fork.url)
        fork.end()

    def undisturbed(self, command, aws, desk, eyes):
        """Records the calls of a command that nothing happens to, and what it ends with."""
        mark = aws.mark()
        desk.run(aws, verb(command), "--yes")
        self.calls[command] = aws.log(mark)
        self.expected[command] = picture(eyes.look(), desk.state())
        if command != "destroy":
            desk.run(aws, "plan")

    def begin(self, command):
        """The account and the desk as the command finds them."""
        if command == "apply":
            return self.empty.fork(self.port), Desk(self.tapctl)
        settings = CHANGE if command == "change" else ""
        return self.full.fork(self.port), Desk(self.tapctl, settings, self.full_desk)

    def points(self, command, way):
        """A point for each call of the undisturbed run."""
        seen = {}
        for entry in self.calls[command]:
            name = (entry["service"], entry["operation"])
            seen[name] = seen.get(name, 0) + 1
            yield Point(command, way, *name, seen[name], entry["write"])

    def strike(self, point):
        aws, desk = self.begin(point.command)
        try:
            return Trial(self, point, aws, desk).result()
        except Failure as failure:
            return Result(point, "failed", str(failure))
        finally:
            aws.end()
            desk.clear()

    def end(self):
        self.full_desk.clear()
        self.empty.end()


def verb(command):
    return "destroy" if command == "destroy" else "apply"


class Trial:
    def __init__(self, bench, point, aws, desk):
        self.bench, self.point, self.aws, self.desk = bench, point, aws, desk

    def result(self):
        struck, ended = self.disturb()
        if struck is None and ended != 0:
            raise Failure(f"the run ended with {ended} before it was struck:\n{self.desk.said()}")
        if struck is None:
            return Result(self.point, "missed", "the run ended without this call")
        second_run = ended not in (None, 0)
        struck_at = None
        if ended is None:
            struck_at = fingerprint(self.picture())
            earlier = self.bench.shown_well.get((self.point.command, struck_at))
            if earlier:
                return Result(self.point, "same", earlier.again())
        if ended != 0:
            self.desk.run(self.aws, verb(self.point.command), "--yes")
        self.compare(self.point.command)
        # A read changes nothing: from here on all is as in the undisturbed run, of which plan and destroy are known.
        if self.point.command != "destroy" and self.point.write:
            self.desk.run(self.aws, "plan")
            self.desk.run(self.aws, "destroy", "--yes")
            self.compare((self.point.command, "destroyed"))
        self.aws.check_lawful()
        if struck_at:
            self.bench.shown_well[self.point.command, struck_at] = self.point
        return Result(self.point, "ok", second_run=second_run)

    def disturb(self):
        """Runs the command into its strike: the call that was struck, and the exit code unless it was killed."""
        fault = self.aws.ask("POST", "faults", self.fault())["faults"][0]["id"]
        process = self.desk.start(self.aws, verb(self.point.command), "--yes")
        what = f"tapctl {verb(self.point.command)}, struck at {self.point.call}"
        if self.point.way == "lost":
            code = self.desk.finish(process, what)
        else:
            code = self.until_struck(process)
        self.aws.let_calls_end()
        struck = self.aws.struck(fault)
        self.aws.ask("DELETE", "faults")
        return struck, code

    def fault(self):
        lost = self.point.way == "lost"
        return {
            "match": {"service": self.point.service, "operation": self.point.operation},
            "nth": self.point.nth,
            "when": "before" if self.point.way == "before" else "after",
            "action": "reset" if lost else "silence",
        }

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
