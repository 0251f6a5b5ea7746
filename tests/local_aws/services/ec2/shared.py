"""Lookups over moto's EC2 objects."""


def subnets(call):
    return {s.id: s for zone in call.backend("ec2").subnets.values() for s in zone.values()}


def security_groups(call):
    return {g.id: g for vpc in call.backend("ec2").groups.values() for g in vpc.values()}
