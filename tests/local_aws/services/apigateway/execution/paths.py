"""Whether one thing in a VPC gets through to another: by security groups and routes.

Sources: Amazon VPC User Guide, "Security group rules" (both sides have to allow a connection; answers always pass),
"Route tables" (within a VPC everything is routed), "Enable internet access for a VPC using an internet gateway".
"""

import ipaddress


def groups(call, ids):
    known = call.backend("ec2")
    return [group for group in (known.get_security_group_from_id(one) for one in ids or []) if group is not None]


def allowed(call, ids, direction, port, address, peers):
    """Whether any of these security groups lets a connection on a port in, or out, from or to that peer."""
    found = groups(call, ids)
    rules = [rule for group in found for rule in (group.ingress_rules if direction == "in" else group.egress_rules)]
    return any(speaks_of(rule, port) and about(rule, address, peers) for rule in rules)


def speaks_of(rule, port):
    if str(rule.ip_protocol) == "-1":
        return True
    return str(rule.ip_protocol) == "tcp" and int(rule.from_port) <= port <= int(rule.to_port)


def about(rule, address, peers):
    block, group = (rule.ip_range or {}).get("CidrIp"), (rule.source_group or {}).get("GroupId")
    return bool(block and ipaddress.ip_address(address) in ipaddress.ip_network(block)) or bool(
        group and group in peers
    )


def interface_at(call, address, vpc_id):
    interfaces = call.backend("ec2").enis.values()
    return next((i for i in interfaces if i.private_ip_address == address and i.subnet.vpc_id == vpc_id), None)


def own_address(call, balancer):
    from .... import enis

    found = enis.of(call, balancer.arn)
    return found[0].private_ip_address if found else "0.0.0.0"


def may_leave(call, source, balancer, port):
    return allowed(call, source.groups, "out", port, own_address(call, balancer), tuple(balancer.security_groups or ()))


def leads_to_the_internet(call, subnet_id):
    """Whether the route table of a subnet sends what is not its own to an internet gateway."""
    ec2 = call.backend("ec2")
    tables = ec2.route_tables.values()
    own = [table for table in tables if subnet_id in table._associations.values()]
    main = [table for table in tables if table.vpc_id == ec2.get_subnet(subnet_id).vpc_id and table.main_association_id]
    routes = [route for table in (own or main)[:1] for route in table.routes]
    # An internet gateway that is not attached leads nowhere.
    return any(r.destination_cidr_block == "0.0.0.0/0" and getattr(r.gateway, "vpc", None) is not None for r in routes)


def state_of(call, balancer, target):
    """`healthy`, `gone` where nothing answers at the address, or `unreachable` where security groups are in the way."""
    interface = interface_at(call, target["Id"], balancer.vpc_id)
    if interface is None:
        return "gone"
    port, own = int(target["Port"]), tuple(balancer.security_groups or ())
    theirs = tuple(group.id for group in interface.group_set)
    address = own_address(call, balancer)
    inward = allowed(call, theirs, "in", port, address, own)
    return "healthy" if inward and allowed(call, own, "out", port, target["Id"], theirs) else "unreachable"
