"""Policy documents: what a role trusts, what a policy allows."""

import fnmatch
import json
from urllib.parse import unquote


def roles_by_arn(call):
    return {role.arn: role for role in call.backend("iam").roles.values()}


def as_list(value):
    return value if isinstance(value, list) else [value]


def document(text):
    """A policy document, or None if it is none."""
    if isinstance(text, dict):
        return text
    for candidate in (text, unquote(text or "")):
        try:
            found = json.loads(candidate)
        except (ValueError, TypeError):
            continue
        return found if isinstance(found, dict) else None
    return None


def statements(policy):
    found = document(policy) or {}
    return [s for s in as_list(found.get("Statement", [])) if isinstance(s, dict)]


def principals(statement, kind):
    wanted = statement.get("Principal", {})
    if wanted == "*":
        return ["*"]
    return as_list(wanted.get(kind, [])) if isinstance(wanted, dict) else []


def trusts(role, service):
    """Whether a service may assume a role."""
    if role is None:
        return False
    policy = role.assume_role_policy_document
    return any(
        s.get("Effect") == "Allow" and any(fnmatch.fnmatch(service, p) for p in principals(s, "Service"))
        for s in statements(policy)
    )


def allows(statement, action):
    """Whether the actions of a statement cover one action; case does not matter to AWS."""
    return any(fnmatch.fnmatch(action.lower(), wanted.lower()) for wanted in as_list(statement.get("Action", [])))


def role_allows(call, role, action):
    """Whether any policy of a role allows an action, on whatever resource."""
    if role is None:
        return False
    policies = list(role.policies.values())
    policies += [
        version.document for p in role.managed_policies.values() for version in p.versions if version.is_default
    ]
    return any(s.get("Effect") == "Allow" and allows(s, action) for policy in policies for s in statements(policy))
