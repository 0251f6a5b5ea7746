"""The network interfaces that AWS services keep in a customer's subnets.

They are what makes the order of a teardown matter: nobody but their service can remove them, and it takes its time.
"""

from .life import later

LINGER = "ec2.eni.linger"


def owners(call):
    """Interface ids by the ARN or id of what they belong to."""
    return call.shelf("enis")


def attach(call, owner, subnet_id, groups, description, requester, kind="interface"):
    """Puts an interface of a service into a subnet; the service itself has already checked that the subnet fits."""
    ec2 = call.backend("ec2")
    try:
        eni = ec2.create_network_interface(subnet_id, "", group_ids=list(groups), description=description)
    except Exception:
        return None
    eni.requester_managed = True
    eni.requester_id = requester
    eni.status = "in-use"
    eni.interface_type = kind
    owners(call).setdefault(owner, []).append(eni.id)
    return eni


def regroup(call, owner, groups):
    """Other security groups for the interfaces of an owner."""
    ec2 = call.backend("ec2")
    for eni in (ec2.enis.get(eni_id) for eni_id in owners(call).get(owner, [])):
        if eni is not None:
            eni._group_set = [ec2.get_security_group_from_id(group) for group in groups]


def release(call, owner, linger=LINGER):
    """Lets the interfaces of an owner go; AWS takes a while after the owner itself has gone."""
    ids = owners(call).pop(owner, [])
    later(linger, lambda: remove(call, ids))


def remove(call, ids):
    for eni_id in ids:
        call.backend("ec2").enis.pop(eni_id, None)


def release_one(call, owner, eni_id, linger=LINGER):
    owners(call).get(owner, []).remove(eni_id)
    later(linger, lambda: remove(call, [eni_id]))


def of(call, owner):
    known = call.backend("ec2").enis
    return [known[eni_id] for eni_id in owners(call).get(owner, []) if eni_id in known]
