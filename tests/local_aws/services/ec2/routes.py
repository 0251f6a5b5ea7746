"""Route tables: what an association may be, and routes that lead nowhere."""

from ...moto_app import ask
from ...registry import AwsError, after, operation
from ...world import new_id


def tables(call):
    return call.backend("ec2").route_tables


@operation("ec2", "AssociateRouteTable")
def associate_route_table(call):
    """A second association of a subnet is refused, unless it is the one it has already."""
    for table in tables(call).values():
        for association, target in table._associations.items():
            if target == call.get("SubnetId", call.get("GatewayId")):
                if table.id == call.params["RouteTableId"]:
                    return {"AssociationId": association, "AssociationState": {"State": "associated"}}
                message = (
                    f"the specified association for route table {call.params['RouteTableId']} "
                    "conflicts with an existing association"
                )
                raise AwsError("Resource.AlreadyAssociated", message)
    return ask(call)


@operation("ec2", "ReplaceRouteTableAssociation")
def replace_route_table_association(call):
    """The new association has a new id; moto keeps the old one, and so hides that it has to be recorded."""
    made = ask(call)
    for table in tables(call).values():
        if made["NewAssociationId"] in table._associations:
            target = table._associations.pop(made["NewAssociationId"])
            fresh = f"rtbassoc-{new_id()}"
            table._associations[fresh] = target
            return made | {"NewAssociationId": fresh}
    return made


@after("ec2", "DescribeRouteTables")
def show_blackholes(call, answer):
    for table in answer["RouteTables"]:
        table.setdefault("PropagatingVgws", [])
        for route in table["Routes"]:
            if leads_nowhere(call, route):
                route["State"] = "blackhole"


def leads_nowhere(call, route):
    ec2 = call.backend("ec2")
    if route.get("NatGatewayId"):
        gateway = ec2.nat_gateways.get(route["NatGatewayId"])
        return gateway is None or gateway.state in ("deleting", "deleted", "failed")
    if route.get("GatewayId", "").startswith("igw-"):
        gateway = ec2.internet_gateways.get(route["GatewayId"])
        return gateway is None or gateway.vpc is None
    return False
