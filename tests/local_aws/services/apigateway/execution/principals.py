"""Who an access key belongs to, and what that one's policies allow.

A key that IAM knows is a user's, one that STS has given out a role's session. Any other is the account's own: it may do
everything that the policy installed under `/_local/iam` allows, and its secret is the key itself. A name that looks
like AWS's own keys and is none of them is unknown.

Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Principal"; what each kind of caller shows
in `$context.identity`: API Gateway Developer Guide, "Variables for access logging for API Gateway".
"""

import re
from dataclasses import dataclass

from ....conditions import OPERATOR, met
from ....needs import Need
from ....permissions import permissions, speaks_of
from ....policies import statements
from ....registry import ONLOOKERS

EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ALLOWED, DENIED, NOT_ALLOWED = "allowed", "denied", "not allowed"


@dataclass
class Principal:
    arn: str
    caller: str
    secret: str
    policies: list
    boundary: object = None

    def decision(self, action, resource, context=None):
        """What this one's own policies, and the boundary, say of an action on a resource."""
        own = decision(self.policies, action, resource, context)
        if own == ALLOWED and self.boundary is not None:
            return decision([self.boundary], action, resource, context)
        return own


def principal_of(call, access_key):
    """The owner of an access key, or None."""
    iam = call.backend("iam")
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key and key.status == "Active":
                return Principal(
                    user.arn, user.id, key.secret_access_key, policies_of_user(iam, user), boundary(iam, user)
                )
    session = call.backend("sts").get_assumed_role_from_access_key(access_key)
    if session is not None:
        role = next((role for role in iam.roles.values() if role.arn == session.role_arn), None)
        return session_of(call, role, session.session_name, session.secret_access_key) if role else None
    if re.fullmatch(r"A[KS]IA[A-Z0-9]{16}", access_key):
        return None
    installed = None if access_key in ONLOOKERS else permissions.policy
    arn = f"arn:{call.partition}:iam::{call.account}:user/{access_key}"
    return Principal(arn, access_key, access_key, [installed or EVERYTHING])


def session_of(call, role, name, secret=""):
    """A role in somebody's hands."""
    arn = f"arn:{call.partition}:sts::{call.account}:assumed-role/{role.name}/{name}"
    iam = call.backend("iam")
    return Principal(arn, f"{role.id}:{name}", secret, policies_of(role), boundary(iam, role))


def policies_of(holder):
    managed = [v.document for policy in holder.managed_policies.values() for v in policy.versions if v.is_default]
    return [*holder.policies.values(), *managed]


def policies_of_user(iam, user):
    groups = [group for group in iam.groups.values() if user in group.users]
    return [policy for holder in (user, *groups) for policy in policies_of(holder)]


def boundary(iam, holder):
    arn = getattr(holder, "permissions_boundary_arn", None)
    policy = iam.managed_policies.get(arn) if arn else None
    return next((v.document for v in policy.versions if v.is_default), None) if policy else None


def decision(policies, action, resource, context=None):
    """What policies say; `context` answers for condition keys, as a function or as a dictionary of lists."""
    ask = context if callable(context) else lambda key: (context or {}).get(key.lower())
    need = Need(action, resource, ask)
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in statements(policy)
        if speaks_of(statement, need) and conditions_hold(statement, need)
    }
    return DENIED if "Deny" in effects else ALLOWED if "Allow" in effects else NOT_ALLOWED


def conditions_hold(statement, need):
    """Where an operator is not known here, permissions do not hold and prohibitions do."""
    if not all(OPERATOR.fullmatch(operator) for operator in statement.get("Condition") or {}):
        return statement["Effect"] == "Deny"
    return met(statement, need.context)
