"""What is made is not visible at once, if the server was told so."""

from ..consistency import miss
from ..registry import general_rule


@general_rule(
    "consistency",
    says="a new object is not found by the first calls that refer to it",
    source="Amazon EC2 Developer Guide: eventual consistency; IAM User Guide: changes are not always visible at once",
)
def not_visible_yet(call):
    miss(call)
