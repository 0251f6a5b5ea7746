"""Where AWS and the local AWS differ, told from what was written down of both: one line for each operation and place.

    {"operation": "ec2:CreateVpc", "what": "member", "path": "Vpc.OwnerId", "aws": "always", "local": "never"}

`what` is one of
  calls     only one of the two was asked this, or answered it with success
  member    a member that one of them always or sometimes gives, and the other never
  value     a member whose values have nothing in common, once ids, names and times are taken out
  wording   an error that only one of them gave, or gave with another status or in other words
  duration  how long a call took, or a node of tapctl, where they are far apart
"""

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass, field

from .forms import LIST, class_of, key_class, leaves, name_of, text_class

ORDER = ("calls", "wording", "member", "value", "duration")
# What is told of durations: at least so many times as long, and so many seconds longer. Calls: single requests.
TIMES, CALL_SECONDS, NODE_SECONDS = 3.0, 1.0, 20.0
# An example is a few words, not a policy.
LONGEST = 160
EMPTY = ("<empty list>", "<empty map>")


@dataclass
class Side:
    """All that one AWS said to one operation."""

    answers: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    seconds: list = field(default_factory=list)


def read(folder, name="calls.jsonl"):
    path = folder / name
    if not path.exists():
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def sides(lines):
    found = defaultdict(Side)
    for line in lines:
        if "lost" in line or "unread" in line:
            continue
        side = found[line["operation"]]
        side.seconds.append(line["seconds"])
        if "error" in line:
            side.errors.append(line["error"])
        else:
            side.answers.append(line["answer"])
    return found


def compare(aws_lines, local_lines, aws_nodes=(), local_nodes=()):
    """Every difference, by operation."""
    aws, local = sides(aws_lines), sides(local_lines)
    found = []
    for operation in sorted({*aws, *local}):
        there, here = aws.get(operation, Side()), local.get(operation, Side())
        parts = [*calls(there, here), *wordings(there, here), *members(there, here), *durations(there, here)]
        found += [{"operation": operation} | part for part in parts]
    found += node_durations(aws_nodes, local_nodes)
    return sorted(found, key=lambda one: (ORDER.index(one["what"]), one["operation"], one.get("path", "")))


def calls(aws, local):
    if aws.seconds and not local.seconds or local.seconds and not aws.seconds:
        yield {"what": "calls", "aws": len(aws.seconds), "local": len(local.seconds)}
    elif bool(aws.answers) != bool(local.answers):
        yield {"what": "calls", "path": "answers", "aws": len(aws.answers), "local": len(local.answers)}


def wordings(aws, local):
    """Only where both were asked."""
    if not aws.seconds or not local.seconds:
        return
    said = [{(e["code"], e["status"], text_class(e["message"])): e for e in side.errors} for side in (aws, local)]
    for code in sorted({key[0] for side in said for key in side}):
        there, here = ([key for key in side if key[0] == code] for side in said)
        if set(there) & set(here):
            continue
        words = [[brief(said[at][key]) for key in keys] for at, keys in enumerate((there, here))]
        yield {"what": "wording", "path": code, "aws": words[0] or "never", "local": words[1] or "never"}


def brief(error):
    return f"{error['status']} {error['message']}"[:LONGEST]


def members(aws, local):
    """Of what both answered: members and values."""
    if not aws.answers or not local.answers:
        return
    there, here = table(aws.answers), table(local.answers)
    for path in sorted({*there, *here}):
        if path in there and path in here:
            if differs(there[path], here[path]):
                values = {"aws": example(there[path]), "local": example(here[path])}
                yield {"what": "value", "path": dotted(path)} | values
        # That its whole parent is missing is said there, once.
        elif not path[:-1] or path[:-1] in (here if path in there else there):
            yield difference_of_member(path, there, here, aws, local)


def table(answers):
    """{path: {class: example}}; a path that leads on to others has `None` as a class."""
    found = defaultdict(dict)
    for answer in answers:
        for path, leaf in leaves(answer):
            found[path].setdefault(None if leaf in EMPTY else class_of(leaf, name_of(path)), leaf)
            for end in range(1, len(path)):
                found[path[:end]].setdefault(None, None)
    found.pop((), None)
    return found


def dotted(path):
    return ".".join(path).replace(".[]", "[]")


def difference_of_member(path, there, here, aws, local):
    often = {}
    for side, found, name in ((aws, there, "aws"), (local, here, "local")):
        often[name] = how_often(path, side.answers) if path in found else "never"
    given = [shown(leaf) for leaf in (there.get(path) or here.get(path)).values() if leaf is not None]
    return {"what": "member", "path": dotted(path)} | often | ({"example": given[0]} if given else {})


def how_often(path, answers):
    """Whether a member is in every answer that has a place for it."""
    there = [path[-1] in map(key_class, holder) for answer in answers for holder in holders(answer, path[:-1])]
    return "always" if there and all(there) else "sometimes"


def holders(value, path):
    """The maps in which the path ends."""
    if not path:
        if isinstance(value, dict):
            yield value
    elif path[0] == LIST and isinstance(value, list):
        for item in value:
            yield from holders(item, path[1:])
    elif isinstance(value, dict):
        for key, item in value.items():
            if key_class(key) == path[0]:
                yield from holders(item, path[1:])


def differs(there, here):
    there, here = set(there) - {None}, set(here) - {None}
    return bool(there) and bool(here) and not there & here


def example(classes):
    return [shown(leaf) for kind, leaf in classes.items() if kind is not None][:3]


def shown(leaf):
    return leaf[:LONGEST] if isinstance(leaf, str) else leaf


def durations(aws, local):
    if aws.seconds and local.seconds:
        there, here = statistics.median(aws.seconds), statistics.median(local.seconds)
        if far_apart(there, here, CALL_SECONDS):
            yield {"what": "duration", "aws": round(there, 2), "local": round(here, 2)}


def far_apart(one, other, seconds):
    short, long = sorted((one, other))
    return long - short >= seconds and long >= TIMES * max(short, 0.001)


def node_durations(aws_nodes, local_nodes):
    there, here = by_node(aws_nodes), by_node(local_nodes)
    for key in sorted({*there} & {*here}):
        if far_apart(there[key], here[key], NODE_SECONDS):
            step, verb, node, kind = key
            yield {
                "operation": kind,
                "what": "duration",
                "path": f"{node} {verb} in {step}",
                "aws": there[key],
                "local": here[key],
            }


def by_node(nodes):
    return {(node["step"], node["verb"], node["node"], node["kind"]): node["seconds"] for node in nodes}


def compare_folders(folder):
    """Compares what stands in `aws` and `local` of a folder, and writes it beside them."""
    aws, local = folder / "aws", folder / "local"
    lines = [read(side, name) for name in ("calls.jsonl", "nodes.jsonl") for side in (aws, local)]
    found = compare(*lines)
    with open(folder / "differences.jsonl", "w") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in found)
    return found
