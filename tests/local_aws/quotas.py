"""How much of everything the account may have: what AWS gives a fresh one, until a test says otherwise."""

from .world import world

FRESH = {
    "certificates": 2500,
    "detectors": 1,
    "elastic-ips": 5,
    "elasticache-nodes": 300,
    "fargate-vcpus": 6,
    "file-systems": 1000,
    "inline-policy-characters": 10240,
    "interface-endpoints": 50,
    "internet-gateways": 5,
    "load-balancers": 50,
    "log-resource-policies": 10,
    "managed-policies": 10,
    "nat-gateways": 5,
    "on-demand-streams": 50,
    "rds-clusters": 40,
    "rds-instances": 40,
    "rest-apis": 600,
    "roles": 1000,
    "security-group-rules": 60,
    "security-groups-per-interface": 5,
    "shards": 500,
    "target-groups": 3000,
    "trails": 5,
    "trust-policy-characters": 2048,
    "vpc-links": 10,
    "vpcs": 5,
}
# What an account without quotas reports, where it has to report a number.
PLENTY = 1_000_000


class Quotas:
    """Those of a fresh account, but for what the server was started with and what a test chose since."""

    def __init__(self):
        self.chosen, self.started_with = {}, {}

    def __getitem__(self, name):
        enforced = world.settings.strict and world.settings.quotas
        return self.chosen.get(name, FRESH[name]) if enforced else PLENTY

    def choose(self, wishes):
        unknown = set(wishes) - set(FRESH)
        if unknown:
            raise ValueError(f"unknown quotas {sorted(unknown)}; there are {', '.join(FRESH)}")
        wrong = [name for name, value in wishes.items() if type(value) is not int or value < 0]
        if wrong:
            raise ValueError(f"the quotas {wrong} are whole numbers, 0 or more")
        self.chosen.update(wishes)

    def start_with(self, wishes):
        self.choose(wishes)
        self.started_with = dict(wishes)

    def clear(self):
        self.chosen = dict(self.started_with)

    def report(self):
        return {name: self[name] for name in FRESH}


quotas = Quotas()
world.on_reset.append(quotas.clear)
