"""Lookups over moto's EC2 objects."""


def subnets(call):
    return {s.id: s for zone in call.backend("ec2").subnets.values() for s in zone.values()}


def zone_id(call, name):
    """What a zone is called in every account."""
    found = {zone.name: zone.zone_id for zone in call.backend("ec2").describe_availability_zones()}
    return found.get(name, name)


def short_region(call):
    """The region as host names and the ids of zones have it, as in use1."""
    return call.backend("ec2").describe_availability_zones()[0].zone_id.partition("-")[0]


def security_groups(call):
    return {g.id: g for vpc in call.backend("ec2").groups.values() for g in vpc.values()}
