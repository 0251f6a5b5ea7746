"""Asks the local AWS once more what it has been asked, and says which members AWS always tells that its answers lack.

Every member of an answer counts by its path, as `Vpcs[].VpcId`, where what it stands in is there at all. Examples of AWS's
documentation prove nothing, as they leave out what they like.
"""

import argparse
import json
import sys
import urllib.request
from collections import defaultdict
from pathlib import Path

import boto3

HERE = Path(__file__).parent
SERVICES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
    "resourcegroupstagging": "resourcegroupstaggingapi",
}
# How often one operation is asked again, with other parameters each time.
ASKED = 12
# Fewer recordings than these prove nothing of "always".
ENOUGH = 2


def excused():
    """`operation member: reason` for each member that the local AWS need not have."""
    lines = (HERE / "excused.txt").read_text().splitlines()
    rows = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    return {tuple(where.split(" ", 1)): reason for where, reason in rows}


def members(value, path, told):
    """How often each structure was met, and how often each of its members was in it."""
    if isinstance(value, dict):
        told[path][""] += 1
        for name, item in value.items():
            told[path][name] += 1
            members(item, f"{path}.{name}" if path else name, told)
    elif isinstance(value, list):
        for item in value:
            members(item, f"{path}[]", told)


def counts():
    return defaultdict(lambda: defaultdict(int))


def recorded():
    """What AWS told, by operation, and by how many recordings."""
    found, lines = defaultdict(counts), defaultdict(int)
    for file in sorted(HERE.glob("*.jsonl")):
        for line in map(json.loads, file.read_text().splitlines()):
            if "answer" in line and line["kind"] in ("recorded", "snapshot"):
                service, operation = line["operation"].split(":")
                name = f"{SERVICES.get(service, service)}:{operation}"
                lines[name] += 1
                members(line["answer"], "", found[name])
    return {name: told for name, told in found.items() if lines[name] >= ENOUGH}


def asked(endpoint):
    """The questions of the log, each with its parameters once."""
    with urllib.request.urlopen(f"{endpoint}/_local/log") as answer:
        entries = json.load(answer)["entries"]
    questions = defaultdict(dict)
    for entry in entries:
        if entry["status"] == 200 and not entry["write"]:
            known = questions[f"{entry['service']}:{entry['operation']}"]
            if len(known) < ASKED:
                known.setdefault(json.dumps(entry["params"], sort_keys=True), entry["params"])
    return questions


def answered(endpoint, name, params):
    service, operation = name.split(":")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)
    answer = client._make_api_call(operation, params)
    answer.pop("ResponseMetadata", None)
    return answer


def lacking(name, real, own):
    """Members that are in every structure that AWS told, and in none that the local AWS tells."""
    for path, told in real.items():
        met = own.get(path, {})
        for member, times in told.items():
            if member and times == told[""] and met.get("") and not met.get(member):
                yield f"{path}.{member}" if path else member


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint
    questions, missing, compared, reasons = asked(endpoint), defaultdict(list), 0, excused()
    for name, real in recorded().items():
        own = counts()
        for params in questions.get(name, {}).values():
            members(answered(endpoint, name, params), "", own)
        compared += bool(own)
        for member in lacking(name, real, own):
            if (name, member) not in reasons:
                missing[name].append(member)
    json.dump({"missing": missing, "compared": compared}, sys.stdout)


if __name__ == "__main__":
    main()
