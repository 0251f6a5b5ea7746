"""Another object in the place of one that is gone: of the same name, with whatever AWS tells two of a name apart by anew.

What it is made of stays, tags included; those are changed by the calls of its service.
"""

from datetime import timedelta

from .registry import backend_of
from .world import new_id, world

ACCOUNT = "123456789012"


def shelf(region, name):
    return world.shelf(ACCOUNT, region, name)


def role(region, name):
    roles = backend_of("iam", ACCOUNT, region).roles
    found = next(role for role in roles.values() if role.name == name)
    del roles[found.id]
    found.id = "AROA" + new_id(17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    roles[found.id] = found


def log_group(region, name):
    found = backend_of("logs", ACCOUNT, region).groups[name]
    found.creation_time = later(found.creation_time)


def stream(region, name):
    found = backend_of("kinesis", ACCOUNT, region).streams[name]
    found.creation_datetime = later(found.creation_datetime)


def alias(region, name):
    keys = backend_of("kms", ACCOUNT, region).keys.values()
    found = next(key.aliases[name] for key in keys if name in key.aliases)
    found.made += 1


def stage(region, id):
    api, name = id.split("|")
    move(shelf(region, "apigateway.apis")[api]["stages"][name], "createdDate")


def target(region, id):
    found = next(t for t in shelf(region, "autoscaling.targets").values() if t["ResourceId"] == id)
    move(found, "CreationTime")


def service(region, arn):
    found = next(s for s in shelf(region, "ecs.services").values() if s["serviceArn"] == arn)
    move(found, "createdAt")


def cache(region, name):
    move(shelf(region, "elasticache.groups")[name], "ReplicationGroupCreateTime")


def cluster(region, name):
    shelf(region, "rds.clusters")[name]["DbClusterResourceId"] = f"cluster-{another()}"


def instance(region, name):
    shelf(region, "rds.instances")[name]["DbiResourceId"] = f"db-{another()}"


def proxy(region, name):
    found, tags = shelf(region, "rds.proxies")[name], shelf(region, "rds.tags")
    old = found["DBProxyArn"]
    found["DBProxyArn"] = f"{old.rpartition('-')[0]}-{new_id()}"
    tags[found["DBProxyArn"]] = tags.pop(old, [])


def another():
    return new_id(26, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def move(thing, date):
    thing[date] = later(thing[date])


def later(date):
    return date + (timedelta(seconds=1) if hasattr(date, "year") else 1)


# By the name that this kind of object has here, and how its id is written.
SWAPS = {
    "apigateway.stage": stage,
    "applicationautoscaling.scalable_target": target,
    "ecs.service": service,
    "elasticache.replication_group": cache,
    "iam.role": role,
    "kinesis.stream": stream,
    "kms.alias": alias,
    "logs.log_group": log_group,
    "rds.db_cluster": cluster,
    "rds.db_instance": instance,
    "rds.db_proxy": proxy,
    "rds.standalone_db_instance": instance,
}


def swap(kind, id, region="us-east-1"):
    if kind not in SWAPS:
        raise ValueError(f"{kind!r} is none of {', '.join(sorted(SWAPS))}")
    try:
        SWAPS[kind](region, id)
    except (KeyError, StopIteration):
        raise ValueError(f"there is no {kind} {id!r} in {region}") from None
