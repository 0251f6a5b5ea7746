"""Every policy document there is, looked at by an IAM linter that knows AWS's actions, resources and conditions.

It finds nothing but what stands in `KNOWN`, each with the reason why it is right all the same.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import parliament
import pytest
from requirements.live import as_list, document

parliament.override_config(Path(parliament.__file__).parent / "community_auditors" / "config_override.yaml")


class Known(NamedTuple):
    documents: str
    issue: str
    about: str
    reason: str
    option: str = ""


KNOWN = [
    Known("key .*", "RESOURCE_STAR", "", "in the policy of a key, * is that key"),
    Known("key logs", "UNKNOWN_CONDITION_FOR_ACTION", "aws:logs:arn", "AWS's own example has it on Describe*"),
    Known("key logs", "MISMATCHED_TYPE", "ArnLike", "an encryption context is text, and this one an ARN"),
    Known("trust .*", "CREDENTIALS_EXPOSURE", "'sts:assumerole'", "that is what a trust policy is for"),
    Known("role task", "CREDENTIALS_EXPOSURE", "'rds-db:connect'", "IAM authentication of the database, as one user"),
    Known("role task", "PERMISSIONS_MANAGEMENT_ACTIONS", "'rds-db:connect'", "it logs in, and manages nothing"),
    Known("role execution", "CREDENTIALS_EXPOSURE", "'ecr:getauthorizationtoken'", "images come from ECR", "image"),
    Known("(role task|files)", "MISMATCHED_TYPE_BUT_USABLE", "StringEquals", "one access point exactly, no pattern"),
]


def documents(live):
    """Every policy document there is, by what it belongs to."""
    found = {"files": live.efs.describe_file_system_policy(FileSystemId=live.files["FileSystemId"])["Policy"]}
    for name, role in live.roles.items():
        found[f"trust {name}"] = assumed(role)
        found |= {f"role {name}": policy for policy in role["inline"].values()}
    for thing, key in live.keys.items():
        found[f"key {thing}"] = without_the_account_itself(live, key["Policy"])
    found["bucket"] = live.s3.get_bucket_policy(Bucket=live.audit_bucket)["Policy"]
    found["topic"] = live.topic["Policy"]
    return {name: document(policy) for name, policy in found.items()}


def assumed(role):
    """A trust policy says nothing of its resource, which is the role."""
    return role["trust"] | {"Statement": [s | {"Resource": role["arn"]} for s in role["trust"]["Statement"]]}


def without_the_account_itself(live, policy):
    """AWS wants every key to be left to the account, so that it cannot become unmanageable; S1 judges that."""
    root = {"AWS": f"arn:aws:iam::{live.account}:root"}
    return policy | {"Statement": [s for s in policy["Statement"] if s["Principal"] != root]}


def findings(policy):
    found = parliament.analyze_policy_string(json.dumps(policy), include_community_auditors=True).findings
    return [parliament.enhance_finding(finding) for finding in found]


def known(name, finding):
    """What of `KNOWN` a finding is."""
    for entry in KNOWN:
        # A list of actions must be of the known one alone.
        told = f"{finding.detail} {finding.location.get('actions', '')}"
        alone = not entry.about.startswith("'") or finding.location.get("actions") == [entry.about.strip("'")]
        if re.fullmatch(entry.documents, name) and finding.issue == entry.issue and entry.about in told and alone:
            return entry
    return None


@pytest.fixture(scope="module")
def found(live):
    return [(name, finding) for name, policy in documents(live).items() for finding in findings(policy)]


def test_the_linter_finds_nothing(found):
    new = [f"{n}: {f.severity} {f.issue} {f.detail} {f.location}" for n, f in found if not known(n, f)]
    assert new == []


def test_nothing_is_known_that_is_not_so(found, wanted):
    met = {known(name, finding) for name, finding in found}
    expected = {entry for entry in KNOWN if not entry.option or wanted.has(entry.option)}
    assert expected - met == set()


def test_the_linter_would_find_something():
    """That it is at work: too much, a wrong action, a wrong condition, a resource that cannot be."""
    bad = {
        "RESOURCE_STAR": ("s3:GetObject", "*", {}),
        "UNKNOWN_ACTION": ("s3:ReadEverything", "*", {}),
        "UNKNOWN_OPERATOR": ("s3:GetObject", "arn:aws:s3:::b/*", {"StringAlike": {"aws:SourceAccount": "1"}}),
        "RESOURCE_MISMATCH": ("kinesis:PutRecord", "arn:aws:s3:::b/*", {}),
    }
    for issue, (action, resource, condition) in bad.items():
        statement = {"Effect": "Allow", "Action": [action], "Resource": [resource], "Condition": condition}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        assert issue in {finding.issue for finding in findings(policy)}, issue


def test_no_policy_lets_anybody_in(live):
    """In a refusal anybody is right."""
    for name, policy in documents(live).items():
        for statement in policy["Statement"]:
            anybody = statement.get("Principal") in ("*", {"AWS": "*"}) and statement["Effect"] == "Allow"
            assert not anybody, name
            assert "NotPrincipal" not in statement and "NotAction" not in statement, name
            assert as_list(statement.get("Resource", []))
