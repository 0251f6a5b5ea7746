"""Whether a policy that a test has installed allows what a call needs.

Without a policy everything is allowed; the actions used are kept in any case, so that a test can compare them with the
policy a tool says it needs.
"""

from .conditions import check, like, met
from .needs import needs
from .policies import as_list, statements
from .registry import AwsError
from .world import world

DENIALS = {
    "apigateway": ("AccessDeniedException", 403),
    "apigatewayv2": ("AccessDeniedException", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "efs": ("AccessDeniedException", 403),
}
QUERY_PROTOCOLS = ("query", "rest-xml")
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}


class Permissions:
    def __init__(self):
        self.policy = None
        self.clear()

    def clear(self):
        self.policy, self.used, self.denied = None, {}, []

    def install(self, policy):
        if not statements(policy):
            raise ValueError("a policy document has at least one statement")
        for statement in statements(policy):
            check(statement)
        self.clear()
        self.policy = policy

    def report(self):
        return {"policy": self.policy, "used": dict(sorted(self.used.items())), "denied": self.denied}

    def check(self, call):
        if call.acting is not None:
            return check_acting(call)
        for need in needs(call):
            self.used[need.action] = self.used.get(need.action, 0) + 1
            if self.policy is not None and need.action not in ALWAYS_ALLOWED and not self.allowed(need):
                self.denied.append({"action": need.action, "resource": need.resource or "*", "call": call.name})
                raise denial(call, need)

    def allowed(self, need):
        effects = {s["Effect"] for s in statements(self.policy) if speaks_of(s, need) and met(s, need.context)}
        return effects == {"Allow"}


def check_acting(call):
    """A service in the name of a role may do what the policies of the role allow, whatever the caller may."""
    for need in needs(call):
        if call.acting.decision(need.action, need.resource, need.context) != "allowed":
            where = f" on resource: {need.resource}" if need.resource else ""
            message = f"User: {call.acting.arn} is not authorized to perform: {need.action}{where}"
            about_key = call.service == "kinesis" and need.action.startswith("kms:")
            raise AwsError("KMSAccessDeniedException" if about_key else "AccessDeniedException", message, 400)


def speaks_of(statement, need):
    return covers_action(statement, need.action) and covers_resource(statement, need.resource, statement["Effect"])


def covers_action(statement, action):
    """Whether the actions of a statement take one in; case does not matter to AWS."""
    excluded = "NotAction" in statement
    patterns = as_list(statement.get("NotAction" if excluded else "Action", []))
    return any(like(action.lower(), pattern.lower()) for pattern in patterns) != excluded


def covers_resource(statement, resource, effect):
    """Of a resource that cannot be told, every permission speaks, and only a prohibition of everything."""
    excluded = "NotResource" in statement
    patterns = as_list(statement.get("NotResource" if excluded else "Resource", "*"))
    if resource is None:
        return effect == "Allow" or (patterns == ["*"] and not excluded)
    return any(like(resource, pattern) for pattern in patterns) != excluded


def denial(call, need):
    code, status = DENIALS.get(call.service, ("AccessDeniedException", 400))
    if call.service not in DENIALS and call.protocol in QUERY_PROTOCOLS:
        code, status = "AccessDenied", 403
    where = f" on resource: {need.resource}" if need.resource else ""
    user = f"arn:{call.partition}:iam::{call.account}:user/{call.principal}"
    return AwsError(code, f"User: {user} is not authorized to perform: {need.action}{where}", status)


permissions = Permissions()
world.on_reset.append(permissions.clear)
