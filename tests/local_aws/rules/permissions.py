"""Only what the installed policy allows."""

from ..permissions import permissions
from ..registry import general_rule


@general_rule(
    "permissions",
    says="a call needs its action, the tagging action, the right to pass a role, and what its service does in its name",
    source="Service Authorization Reference",
)
def allowed(call):
    permissions.check(call)
