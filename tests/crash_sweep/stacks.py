"""The stacks that are struck, each with settings to be made with and others to be changed to."""

from dataclasses import dataclass
from pathlib import Path

SETTINGS = Path(__file__).parents[1] / "settings"


@dataclass(frozen=True)
class Stack:
    """A system that tapctl makes, by the name that its state file bears."""

    name: str
    settings: str
    change: str
    # Nodes that the change removes, with what cannot be had again.
    losses: tuple[str, ...]
    # The node that a snapshot is taken of.
    store: str = "db-cluster"


# Every kind of change at once: made, updated in place, replaced before and after, removed, handed over.
STUDENT_RECORDS = Stack(
    "student-records",
    "",
    """
[service]
memory = 2048
tls = true
image = "registry.example/student-api:1"
[stream]
shards = 4
[database]
max_acu = 8
[network]
endpoints = ["logs"]
[api]
campus_systems = ["library"]
[logs]
retention_days = 90
[tags]
CostCentre = "42"
""",
    ("api-key-campus",),
)

# From everything that can be turned on to nothing of it, but for the users, who would be lost, and the zones, which cannot
# go: routes are moved, too.
EVERY_OPTION = Stack(
    "student-records",
    (SETTINGS / "every-option.toml").read_text(),
    'api.authorization = "cognito"\nnetwork.azs = 3\nnetwork.nat = "single"',
    ("elastic-ip-nat-b", "elastic-ip-nat-c", "load-balancer"),
)

DATA_PIPELINE = Stack(
    "data-pipeline",
    'stack = "data-pipeline"',
    """
stack = "data-pipeline"
[service]
memory = 1024
max_tasks = 8
[stream]
shards = 2
[network]
nat = "per-az"
endpoints = ["logs"]
[postgres]
backup_days = 14
storage_gib = 30
[api]
waf = false
[pipeline]
iterator_age_seconds = 120
guardduty = false
[logs]
retention_days = 14
[tags]
CostCentre = "42"
""",
    (),
    "db-instance",
)

DEFAULT = "student-records"
STACKS = {DEFAULT: STUDENT_RECORDS, "every-option": EVERY_OPTION, "data-pipeline": DATA_PIPELINE}
