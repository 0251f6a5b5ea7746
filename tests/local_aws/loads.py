"""How busy things are: what nothing else in the local AWS tells, said by tests in words of the things and not of metrics."""

from .world import world

# What can be said of each kind of thing, and what holds where nobody said anything.
QUIET = {
    "apigateway.stage": {"4xx": 0, "5xx": 0, "latency_ms": None},
    "ecs.service": {"cpu": 5.0, "memory": 20.0},
    "elasticache.node": {"core": 3.0, "memory": 10.0, "evictions": 0, "credits": 100.0},
    "elbv2.target-group": {"unhealthy": 0},
    "rds.cluster": {"connections": 10},
    "rds.instance": {"capacity": 20.0, "cpu": 5.0, "free_storage": 20_000_000_000},
}


class Loads:
    def __init__(self):
        self.said = {}

    def say(self, wish):
        wish = dict(wish)
        kind, name = wish.pop("kind", None), wish.pop("name", None)
        if kind not in QUIET or not name:
            raise ValueError(f"a load has the name of a thing, and a kind out of {', '.join(QUIET)}")
        unknown = set(wish) - set(QUIET[kind])
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}; of {kind} there are {', '.join(QUIET[kind])}")
        self.said[(kind, name)] = self.of(kind, name) | wish
        return self.said[(kind, name)]

    def of(self, kind, name):
        return self.said.get((kind, name), QUIET[kind])

    def clear(self):
        self.said.clear()


loads = Loads()
world.on_reset.append(loads.clear)
