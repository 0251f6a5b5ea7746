"""What came of a try, for a person: REPORT.md."""

from collections import Counter

from .compare import ORDER
from .scenario import words

TITLES = {
    "calls": "Calls that only one of them got, or answered",
    "wording": "Errors that differ",
    "member": "Members that only one of them gives",
    "value": "Values that differ",
    "duration": "Durations that are far apart, in seconds",
}
ABOUT = """Of each operation what AWS and the local AWS answered to the same steps, with ids, names and times taken out.
`differences.jsonl` has the same, one JSON object a line; `aws/calls.jsonl` every call, `aws/recorded/` each form of an
answer once."""


def report(summary, differences, compared):
    lines = [f"# tapctl on AWS: {summary['stack']} in {summary['region']}, {summary['began'][:10]}", ""]
    lines += [f"Environment {summary['env']}, {summary['outcome']}. {summary['cost']}", ""]
    lines += ["| step | | took | |", "|---|---|---|---|"]
    for result in summary["steps"]:
        note = cell(result["note"].splitlines()[0] if result["note"] else "")
        lines.append(
            f"| {result['step']} | {'ok' if result['ok'] else '**failed**'} | {words(result['seconds'])} | {note} |"
        )
    lines += ["", *leftovers(summary), "", "## Beside the local AWS", ""]
    if not compared:
        return "\n".join([*lines, "Not compared: " + summary.get("not_compared", "nothing was recorded"), ""])
    counts = Counter(one["what"] for one in differences)
    lines += [ABOUT, "", ", ".join(f"{counts[what]} of {what}" for what in ORDER) + "."]
    for what in ORDER:
        chosen = [one for one in differences if one["what"] == what]
        if chosen:
            lines += ["", f"### {TITLES[what]}", "", "| operation | | AWS | local AWS |", "|---|---|---|---|"]
            lines += [row(one) for one in chosen]
    return "\n".join([*lines, ""])


def row(one):
    path = one.get("path", "") + (f" ({one['example']})" if "example" in one else "")
    return f"| {one['operation']} | {cell(path)} | {cell(one['aws'])} | {cell(one['local'])} |"


def cell(value):
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    return str(value).replace("|", "\\|").replace("\n", " ")


def leftovers(summary):
    found = summary.get("left")
    if found is None:
        return [summary.get("stands", "Whether anything is left was not looked at.")]
    heads = {
        "ours": "**Left behind**",
        "kept": "AWS keeps for a while, and charges nothing",
        "new": "New in the account, and maybe not of this try",
    }
    lines = [f"{heads[which]}: {', '.join(found[which])}." for which in heads if found[which]]
    return lines if found["ours"] else ["Nothing is left behind.", *lines]
