"""What a try costs at most: AWS's list prices in USD, on demand, of the region us-east-1, and how much of each is used.

These are constants, written down on the day below and not asked of AWS. Where they are old, or the region is another,
look at AWS's pages before you trust them; `MARGIN` is what other regions are taken to cost more.
"""

from dataclasses import dataclass

AS_OF = "2026-06"
MONTH = 730.0
MARGIN = {"us-east-1": 1.0, "us-east-2": 1.0, "us-west-2": 1.0, "sa-east-1": 2.0}
OTHER_REGIONS = 1.4
# A try reads the account hundreds of times and moves little: requests, log lines and bytes of all services together.
SMALL_CHANGE = 1.0
# GuardDuty bills by what it sees of the whole account, and not by the hour.
GUARDDUTY = 2.0


@dataclass(frozen=True)
class Item:
    """What costs by the hour."""

    what: str
    # USD for one of them an hour.
    price: float
    count: float
    # Why so many.
    counted: str
    page: str


def monthly(dollars):
    return dollars / MONTH


EC2, VPC, ELB = "ec2/pricing/on-demand", "vpc/pricing", "elasticloadbalancing/pricing"
KMS, SECRETS, WATCH, WAF = "kms/pricing", "secrets-manager/pricing", "cloudwatch/pricing", "waf/pricing"
FARGATE, KINESIS = "fargate/pricing", "kinesis/data-streams/pricing"

# The change that a try makes asks for one interface endpoint, in two zones.
ENDPOINT = Item(
    "interface endpoint, in a zone", 0.01, 2, "the one that the change adds, in 2 zones", "privatelink/pricing"
)
NAT = Item("NAT gateway", 0.045, 1, "network.nat = single", VPC)
ADDRESS = Item("public IPv4 address", 0.005, 1, "that of the NAT gateway", VPC)

STUDENT_RECORDS = [
    Item(
        "Aurora capacity unit",
        0.12,
        8,
        "database.instances = 2, each at most database.max_acu = 4",
        "rds/aurora/pricing",
    ),
    Item("cache.t3.micro", 0.017, 2, "cache.nodes = 2; a part of an hour is a whole one", "elasticache/pricing"),
    NAT,
    ADDRESS,
    ENDPOINT,
    Item("application load balancer", 0.0225, 1, "the internal one", ELB),
    Item("load balancer capacity unit", 0.008, 1, "a try sends it health checks and single requests", ELB),
    Item("Fargate vCPU", 0.04048, 10, "service.max_tasks = 10, twice that in a deployment, half a vCPU each", FARGATE),
    Item("Fargate GB", 0.004445, 20, "the same 20 tasks with 1 GB each", FARGATE),
    Item("Kinesis shard", 0.015, 2, "stream.shards = 2", KINESIS),
    Item("KMS key", monthly(1), 7, "6 keys, and one to spare", KMS),
    Item("secret", monthly(0.40), 4, "those of database, cache, third parties and the balancer", SECRETS),
    Item("web ACL", monthly(5), 1, "api.waf = true", WAF),
    Item("rule of a web ACL", monthly(1), 10, "not more than 10", WAF),
    Item("alarm", monthly(0.10), 40, "not more than 40", WATCH),
    Item("dashboard", monthly(3), 1, "monitoring.dashboard = true", WATCH),
]

DATA_PIPELINE = [
    Item("db.t3.micro, PostgreSQL", 0.018, 1, "postgres.instance_class, multi_az = false", "rds/postgresql/pricing"),
    Item("GB of gp3 storage", monthly(0.115), 20, "postgres.storage_gib = 20", "rds/postgresql/pricing"),
    NAT,
    ADDRESS,
    ENDPOINT,
    Item("Fargate vCPU", 0.04048, 2, "service.max_tasks = 4, twice that in a deployment, a quarter each", FARGATE),
    Item("Fargate GB", 0.004445, 4, "the same 8 tasks with half a GB each", FARGATE),
    Item("Kinesis shard", 0.015, 1, "stream.shards = 1", KINESIS),
    Item("KMS key", monthly(1), 2, "1 key, and one to spare", KMS),
    Item("secret", monthly(0.40), 2, "that of the database, and one to spare", SECRETS),
    Item("web ACL", monthly(5), 1, "api.waf = true", WAF),
    Item("rule of a web ACL", monthly(1), 10, "not more than 10", WAF),
    Item("alarm", monthly(0.10), 20, "not more than 20", WATCH),
    Item("dashboard", monthly(3), 1, "at most one", WATCH),
]

STACKS = {"student-records": STUDENT_RECORDS, "data-pipeline": DATA_PIPELINE}


@dataclass(frozen=True)
class Bill:
    """What a stack costs at most in a region."""

    stack: str
    region: str

    @property
    def margin(self):
        return MARGIN.get(self.region, OTHER_REGIONS)

    @property
    def once(self):
        return self.margin * (SMALL_CHANGE + (GUARDDUTY if self.stack == "data-pipeline" else 0))

    @property
    def hourly(self):
        return self.margin * sum(item.price * item.count for item in STACKS[self.stack])

    def of(self, hours):
        return self.once + self.hourly * hours

    def hours_for(self, dollars):
        """How long it may stand for that much."""
        return max(0.0, (dollars - self.once) / self.hourly)

    def table(self):
        lines = [f"List prices in USD of {AS_OF}, us-east-1" + self._with_margin(), ""]
        for item in STACKS[self.stack]:
            each = f"{item.count:g} × {item.price:.4f}"
            lines.append(f"  {item.what:32} {each:>14} = {item.count * item.price:.4f} an hour   {item.counted}")
        once = "requests, logs and bytes" + (", GuardDuty" if self.stack == "data-pipeline" else "")
        lines += ["", f"  at most {self.hourly:.2f} an hour, and {self.once:.2f} once for {once}"]
        return "\n".join(lines)

    def _with_margin(self):
        return "" if self.margin == 1 else f"; in {self.region} everything is taken to cost {self.margin:g} times that"
