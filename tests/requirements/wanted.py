"""What the environment under test was made with."""

from dataclasses import dataclass

OPTIONS = {
    "three-zones": "network.azs = 3",
    "nat-per-az": 'network.nat = "per-az"',
    "endpoints": "all of network.endpoints",
    "proxy": "database.proxy = true",
    "on-demand": 'stream.mode = "on-demand"',
    "image": "service.image in a private registry",
    "tls": "service.tls = true",
    "cognito": 'api.authorization = "cognito"',
    "public": 'ingress.mode = "public"',
    "mails": 'monitoring.alarm_emails = ["registrar@university.edu"]',
    "tags": 'CostCentre = "4711" under [tags]',
}


@dataclass(frozen=True)
class Wanted:
    env: str
    region: str
    protect: bool
    chosen: frozenset

    def has(self, option):
        assert option in OPTIONS, option
        return option in self.chosen

    @property
    def zones(self):
        return 3 if self.has("three-zones") else 2

    @property
    def nat_gateways(self):
        return self.zones if self.protect or self.has("nat-per-az") else 1

    @property
    def log_days(self):
        return 365 if self.protect else 30

    @property
    def letters(self):
        return "abc"[: self.zones]
