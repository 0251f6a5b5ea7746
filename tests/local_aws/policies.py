"""Policy documents: whom they name, what they allow."""

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


def allows(statement, action):
    """Whether the actions of a statement cover one action; case does not matter to AWS."""
    return any(fnmatch.fnmatch(action.lower(), wanted.lower()) for wanted in as_list(statement.get("Action", [])))


def policies_of(role):
    """Its policies, inline and attached."""
    attached = [v.document for p in role.managed_policies.values() for v in p.versions if v.is_default]
    return list(role.policies.values()) + attached


def role_allows(call, role, action):
    """Whether any policy of a role allows an action, on whatever resource."""
    if role is None:
        return False
    found = [s for policy in policies_of(role) for s in statements(policy)]
    return any(s.get("Effect") == "Allow" and allows(s, action) for s in found)
