"""How long things take on AWS, in seconds, and what a test wants to become of them instead."""

import fnmatch

from .world import world

# Middle values of what real accounts see; the clock scales them.
SECONDS = {
    "ec2.nat.create": 110,
    "ec2.nat.delete": 45,
    "ec2.nat.forgotten": 3600,
    "ec2.endpoint.create": 90,
    "ec2.endpoint.delete": 60,
    "ec2.eni.linger": 90,
    "elbv2.load-balancer": 180,
    "elbv2.release": 60,
    "elbv2.rule": 10,
    "efs.file-system": 10,
    "efs.mount-target": 80,
    "efs.mount-target.delete": 40,
    "efs.access-point": 5,
    "efs.backup-policy": 10,
    "backup.job": 300,
    "rds.cluster.create": 120,
    "rds.cluster.restore": 900,
    "rds.cluster.clone": 240,
    "rds.cluster.modify": 60,
    "rds.cluster.delete": 150,
    "rds.instance.create": 420,
    "rds.instance.restore": 900,
    "rds.instance.modify": 60,
    "rds.instance.delete": 240,
    "rds.modify.noticed": 15,
    # After it was changed storage is optimized, for minutes to hours, and rests until six hours are over.
    "rds.storage.optimized": 600,
    "rds.storage.rest": 21600,
    # After the capacity of a cluster was changed its members cannot be restarted for a while.
    "rds.scaled": 60,
    "rds.rename": 120,
    "rds.upgrade": 600,
    "rds.stop": 300,
    "rds.start": 420,
    # Amazon Aurora User Guide, "High availability for Amazon Aurora": typically less than 60 seconds, often less than 30.
    "rds.failover": 30,
    "rds.key.missed": 1800,
    "rds.seven-days": 604800,
    "rds.proxy": 300,
    # Until then it shows AUTH_FAILURE, from when the target is noticed.
    "rds.proxy.log-in": 30,
    # Mostly a new parameter group is there for databases at once; API reference, CreateDBParameterGroup, advises 300.
    "rds.parameter-group": 0,
    "rds.snapshot": 60,
    "rds.secret.rotated": 60,
    "nightly": 300,
    "elasticache.group.create": 600,
    "elasticache.group.modify": 120,
    "elasticache.group.delete": 300,
    "elasticache.snapshot": 120,
    "elasticache.user-group": 20,
    "kinesis.create": 25,
    "kinesis.change": 20,
    "kinesis.delete": 30,
    "ecs.rollout": 150,
    "ecs.scale": 60,
    "ecs.drain": 120,
    "ecs.task-definition.delete": 60,
    "apigateway.vpc-link.create": 150,
    "apigateway.vpc-link.delete": 60,
    "apigateway.api": 5,
    "logs.next-line": 60,
    "secretsmanager.forced-deletion": 10,
    "cloudtrail.delivery": 300,
    "ec2.address.settle": 10,
    "ec2.flow-log.delivery": 600,
    "guardduty.agents": 30,
}


class Durations:
    """What a test wants to take longer or shorter than on AWS, by name or by pattern, as in `ec2.nat.*`."""

    def __init__(self):
        self.chosen = {}

    def __getitem__(self, name):
        return self.chosen.get(name, SECONDS[name])

    def check(self, wishes):
        for pattern, seconds in wishes.items():
            if not fnmatch.filter(SECONDS, pattern):
                raise ValueError(f"nothing that takes time is named {pattern}; there are {', '.join(SECONDS)}")
            if type(seconds) not in (int, float) or not 0 <= seconds < float("inf"):
                raise ValueError(f"the duration of {pattern} is a number of seconds, 0 or more")

    def choose(self, wishes):
        """Adds wishes to those there are; None forgets them all."""
        if wishes is None:
            return self.chosen.clear()
        self.check(wishes)
        for pattern, seconds in wishes.items():
            self.chosen.update(dict.fromkeys(fnmatch.filter(SECONDS, pattern), seconds))

    def report(self):
        return {name: self[name] for name in SECONDS}


durations = Durations()


def later(what, action):
    world.clock.later(durations[what], action)


# What a test can decide about each kind of thing; `stuck` means that nothing ever comes of it.
ENDINGS = {
    "backup.job": ("failed", "stuck"),
    "apigatewayv2.vpc-link": ("failed", "stuck"),
    "ec2.nat-gateway": ("failed", "stuck"),
    "ec2.vpc-endpoint": ("failed", "stuck"),
    "ecs.deployment": ("failed", "stuck"),
    "efs.file-system": ("failed", "stuck"),
    "efs.mount-target": ("failed", "stuck"),
    "elasticache.replication-group": ("failed", "stuck"),
    "elbv2.load-balancer": ("failed", "stuck"),
    "rds.cluster": ("failed", "stuck"),
    "rds.instance": ("failed", "stuck"),
    "rds.snapshot": ("failed",),
    # What is looked at before a major version is left; the name is that of the cluster, or of an instance on its own.
    "rds.upgrade": ("failed",),
}


class Endings:
    """What tests decided about things to come: the first wish that fits a new object is used up by it."""

    def __init__(self):
        self.wishes = []

    def add(self, wish):
        unknown = set(wish) - {"kind", "name", "ending", "times", "message"}
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}; an ending has kind, name, ending, times and message")
        if wish.get("ending") not in ENDINGS.get(wish.get("kind"), ()):
            raise ValueError(f"kind and ending are of {ENDINGS}")
        entry = {"name": "*", "times": 1, "message": ""} | wish
        self.wishes.append(entry)
        return entry

    def clear(self):
        self.wishes.clear()

    def of(self, kind, name):
        for wish in self.wishes:
            if wish["kind"] == kind and wish["times"] > 0 and fnmatch.fnmatch(name, wish["name"]):
                wish["times"] -= 1
                return wish
        return None


endings = Endings()
world.on_reset.append(endings.clear)


def conclude(what, kind, name, good, bad):
    """What comes of a new object in time: `good()`, or what a test wished, `bad(message)`, or nothing at all."""
    wish = endings.of(kind, name)
    if wish is None:
        later(what, good)
    elif wish["ending"] == "failed":
        later(what, lambda: bad(wish["message"]))
