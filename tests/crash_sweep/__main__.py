"""`scripts/crash-sweep`: which points are tried, by how many at once, and the table at the end."""

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed

from .stacks import DEFAULT, STACKS
from .trial import COMMANDS, WAYS, Bench, Point, Result

HELP = """
Strikes tapctl at the calls it makes to a strict local AWS, runs it again, and compares account and state, property by
property, with those that undisturbed runs leave; where the call was one that can change something, then plans, which
must find nothing to do, destroys, and compares what is left. Exits with 1 if anything differs.

Commands, each from the account it needs:
  apply     of env dev, into an empty account
  change    an apply of other settings that make, update, move, replace and remove
  destroy   of env dev
  snapshot  of its database, of one name

Stacks, with the settings that a change changes them to, are in tests/crash_sweep/stacks.py; every-option is
student-records with all turned on that can be, and what may go turned off by a change.

Ways:
  before    SIGKILL when the call arrives; it takes no effect, and neither does any call after it
  after     SIGKILL when the call took effect; so do those that were sent after it, and nobody hears of them
  lost      the call takes effect, its connection is reset, the run goes on

A point is one call of an undisturbed run and one way. Calls are told by their operation and how many of it came before,
as in ec2:CreateSubnet#3: in which order nodes make them differs from run to run, how many there are does not.

After a kill, account and state are read. Where both are, but for ids and times, what they were after an earlier kill of
the same command that went well, the rest is not run again: such a point counts as `same`. A read that another run needs
fewer of may never be made: such a point counts as `missed`.

A read changes nothing, which saves runs. Those killed at a read work on one node at a time, so that nothing else is
under way: between two writes and two saves of the state all reads find the same account and the same state, and so would
a kill before or after any of them. One kill is for all of those. One run loses the answers of several reads: it ends as
an undisturbed one only if it would after each; otherwise each is lost in a run of its own. And once account and state
are as after an undisturbed run, plan and destroy are not run.
"""

RESULTS_HELP = """add every result to FILE, a JSON object a line, as soon as it is known; points that FILE tells went well
with this very binary are not tried again, so that a sweep that was ended goes on"""


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/crash-sweep", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", choices=STACKS, default=DEFAULT)
    parser.add_argument("--command", choices=[*COMMANDS, "all"], default="all")
    parser.add_argument("--way", choices=[*WAYS, "all"], default="all")
    parser.add_argument("--points", default="all", metavar="N", help="how many, of all operations; or all")
    parser.add_argument("--writes", action="store_true", help="only calls that can change something")
    parser.add_argument("--service", metavar="NAME", help="only calls of this one, as ec2")
    parser.add_argument("--call", metavar="CALL", help="only this one, as ec2:CreateSubnet#3")
    parser.add_argument("--seed", type=int, default=0, help="what --points draws by, and the order of trials")
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="the I-th of N parts")
    parser.add_argument("--jobs", type=int, default=1, metavar="J", help="how many trials at once")
    parser.add_argument("--results", metavar="FILE", help=RESULTS_HELP)
    parser.add_argument("--tapctl", default=os.environ.get("TAPCTL"), help=argparse.SUPPRESS)
    return parser.parse_args()


# Set before the workers are forked, so that each has it.
bench = None


def strike(points):
    began = time.monotonic()
    try:
        results = bench.strike(points)
    except Exception as error:  # A trial that breaks is one failure, not the end of the sweep.
        results = [Result(point, "failed", f"the trial itself broke: {error!r}") for point in points]
    return results, time.monotonic() - began


def all_points(chosen):
    commands = COMMANDS if chosen.command == "all" else [chosen.command]
    ways = WAYS if chosen.way == "all" else [chosen.way]
    found = [point for command in commands for way in ways for point in bench.points(command, way)]
    if chosen.writes:
        found = [point for point in found if point.write]
    if chosen.service:
        found = [point for point in found if point.service == chosen.service]
    if chosen.call:
        found = [point for point in found if point.call == chosen.call]
    return found


def choose(found, chosen):
    """The points of this run. Calls that can change something come first, each operation before another twice, commands
    and ways in turn."""
    draw = random.Random(chosen.seed)
    # In which order calls were made differs from run to run; what a seed draws must not.
    found = sorted(found, key=Point.again)
    groups = {}
    for point in draw.sample(found, len(found)):
        groups.setdefault((point.command, point.way), []).append(point)
    turns = []
    for group in groups.values():
        met = Counter()
        keys = []
        for point in group:
            met[point.service, point.operation] += 1
            keys.append((not point.write, met[point.service, point.operation]))
        in_order = sorted(range(len(group)), key=keys.__getitem__)
        turns += [(turn, group[at]) for turn, at in enumerate(in_order)]
    ordered = [point for _, point in sorted(turns, key=lambda turn: turn[0])]
    if chosen.points != "all":
        ordered = ordered[: int(chosen.points)]
    part, parts = map(int, chosen.shard.split("/"))
    return ordered[part - 1 :: parts]


# How many answers to reads one run loses: far fewer than the SDK has tries for.
LOST_AT_ONCE = 12


def runs_of(points):
    """The points of each run: one, but for reads."""
    writes = [[point] for point in points if point.write]
    killed = {}
    for point in points:
        if point.alone:
            killed.setdefault((point.command, point.place), []).append(point)
    return writes + list(killed.values()) + together([p for p in points if not p.write and p.way == "lost"])


def together(points):
    """Several points a run, of one command, and of one operation only one: its second try counts too."""
    runs, has_room = [], {}
    for point in points:
        candidates = has_room.setdefault(point.command, [])
        run = next((run for run in candidates if all(of.operation != point.operation for of in run)), None)
        if run is None:
            run = []
            runs.append(run)
            candidates.append(run)
        run.append(point)
        if len(run) == LOST_AT_ONCE:
            candidates.remove(run)
    return runs


def progress(done, of, result, took):
    line = f"[{done}/{of}] {result.outcome:6} {result.point.command} {result.point.way} {result.point.call} {took:.1f}s"
    print(line + (" (second run)" if result.second_run else ""), flush=True)
    if result.outcome == "failed" or result.second_run:
        print(f"  {result.detail}\n  again: {result.point.again()}", flush=True)


def known_results(path):
    """What earlier sweeps found of this binary, by point; what failed is tried again."""
    if not path or not os.path.exists(path):
        return {}
    with open(path) as file:
        told = [json.loads(line) for line in file]
    results = [Result.from_dict(one) for one in told if one.get("binary") == bench.binary]
    return {result.point: result for result in results if result.outcome != "failed"}


def keep(path, results):
    if path:
        with open(path, "a") as file:
            file.writelines(json.dumps(result.as_dict() | {"binary": bench.binary}) + "\n" for result in results)


def run_all(points, chosen):
    results = []
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("fork"), bench.take_port) as pool:
        for future in as_completed([pool.submit(strike, run) for run in runs_of(points)]):
            of_run, took = future.result()
            keep(chosen.results, of_run)
            for result in of_run:
                results.append(result)
                progress(len(results), len(points), result, took)
    return results


COLUMNS = [(way, outcome) for way in WAYS for outcome in ("ok", "same", "missed", "failed")]


def table(results, calls):
    """A line for each command and service: calls of the undisturbed run, points tried, what came of each way."""
    counts, tried = Counter(), Counter()
    for result in results:
        row = (result.point.command, result.point.service)
        tried[row] += 1
        counts[(*row, result.point.way, result.outcome)] += 1
    heads = ["command", "service", "calls", "writes", "points"]
    lines = [heads + [f"{way} ok/same/missed/failed" for way in WAYS]]
    for row in sorted(calls, key=lambda row: (COMMANDS.index(row[0]), row[1])):
        cells = ["/".join(str(counts[(*row, way, outcome)]) for w, outcome in COLUMNS if w == way) for way in WAYS]
        lines.append([*row, *map(str, calls[row]), str(tried[row]), *cells])
    met = Counter((result.point.way, result.outcome) for result in results)
    totals = ["/".join(str(met[way, outcome]) for w, outcome in COLUMNS if w == way) for way in WAYS]
    lines.append(["all", "", *(str(sum(of)) for of in zip(*calls.values())), str(len(results)), *totals])
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads) + len(WAYS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def calls_by_service(found):
    """How many calls each undisturbed command makes of each service, and how many of them write."""
    calls = {}
    for point in {(p.command, p.call): p for p in found}.values():
        total, writes = calls.get((point.command, point.service), (0, 0))
        calls[point.command, point.service] = (total + 1, writes + point.write)
    return calls


def main():
    global bench
    chosen = arguments()
    began = time.monotonic()
    bench = Bench(chosen.tapctl, chosen.stack, reads=not chosen.writes)
    try:
        found = all_points(chosen)
        points = choose(found, chosen)
        if not points:
            sys.exit("no undisturbed run makes such a call")
        known = known_results(chosen.results)
        results = [known[point] for point in points if point in known]
        points = [point for point in points if point not in known]
        print(f"{len(found)} points, {len(points)} of them now; seed {chosen.seed}, shard {chosen.shard}", flush=True)
        results += run_all(points, chosen)
    finally:
        bench.end()
    sys.exit(1 if report(results, found, time.monotonic() - began) else 0)


def report(results, found, seconds):
    """Prints the table and every failure, and answers how many there are."""
    failed = [result for result in results if result.outcome == "failed"]
    print(table(results, calls_by_service(found)))
    for result in failed:
        print(f"\nFAILED {result.point.again()}\n  {result.detail}")
    second = sum(result.second_run for result in results)
    print(f"\n{len(results)} points tried in {seconds:.0f} s, {len(failed)} failed; ", end="")
    print(f"{second} lost answers took a second run")
    return len(failed)


if __name__ == "__main__":
    main()
