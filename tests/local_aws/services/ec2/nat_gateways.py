"""NAT gateways: pending, then available or failed; deleting, then deleted, and still to be seen for an hour."""

from ...life import conclude, durations, later
from ...moto_app import ask
from ...registry import AwsError, after, now, operation
from ...world import world
from .shared import subnets


def gateways(call):
    return call.backend("ec2").nat_gateways


def details(call):
    """Failure and deletion, which moto's gateways have no room for."""
    return call.shelf("ec2.nat-details")


@operation("ec2", "CreateNatGateway")
def create_nat_gateway(call):
    subnet = subnets(call).get(call.params["SubnetId"])
    if subnet is None:
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{call.params['SubnetId']}' does not exist")
    private = call.get("ConnectivityType") == "private"
    if not private and not call.get("AllocationId"):
        raise AwsError("MissingParameter", "The request must contain the parameter allocationId")
    failure = None if private else cannot_work(call, subnet)
    made = ask(call, params=without_address(call) if failure else call.params)["NatGateway"]
    gateway = gateways(call)[made["NatGatewayId"]]
    adopt_interface(gateway, subnet)
    gateway.state = "pending"
    if failure:
        later("ec2.nat.create", lambda: fail(call, gateway, *failure))
    else:
        conclude(
            "ec2.nat.create",
            "ec2.nat-gateway",
            name_of(gateway),
            lambda: finish(gateway),
            lambda text: fail(call, gateway, "InternalError", text or "NAT gateway creation failed"),
        )
    return {"NatGateway": shown(call, made | {"State": "pending"})}


def cannot_work(call, subnet):
    """AWS accepts the call, and the gateway fails afterwards."""
    found = [a for a in call.backend("ec2").addresses if a.allocation_id == call.params["AllocationId"]]
    if not found:
        message = f"The allocation ID '{call.params['AllocationId']}' does not exist"
        raise AwsError("InvalidAllocationID.NotFound", message)
    if found[0].association_id:
        return "Resource.AlreadyAssociated", f"Elastic IP address [{found[0].allocation_id}] is already associated"
    attached = [g for g in call.backend("ec2").internet_gateways.values() if g.vpc and g.vpc.id == subnet.vpc_id]
    if not attached:
        return "Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached"
    return None


def without_address(call):
    return {key: value for key, value in call.params.items() if key != "AllocationId"}


def name_of(gateway):
    return next((tag["value"] for tag in gateway.get_tags() if tag["key"] == "Name"), "")


def adopt_interface(gateway, subnet):
    eni = gateway._eni
    eni.requester_managed, eni.requester_id, eni.status = True, "amazon-vpc-nat", "in-use"
    eni.interface_type, eni.description = "nat_gateway", f"Interface for NAT Gateway {gateway.id}"
    eni.private_ip_address = subnet.get_available_subnet_ip(eni)
    # A NAT gateway belongs to no security group, not even the default one.
    eni._group_set = []
    gateway.address_set[0]["privateIp"] = eni.private_ip_address


def finish(gateway):
    if gateway.state == "pending":
        gateway.state = "available"


def fail(call, gateway, code, message):
    if gateway.state == "pending":
        gateway.state = "failed"
        details(call)[gateway.id] = {"FailureCode": code, "FailureMessage": message}
        let_go(call, gateway)


def let_go(call, gateway):
    call.backend("ec2").enis.pop(gateway._eni.id, None)
    for address in call.backend("ec2").addresses:
        if address.eni is gateway._eni:
            address.eni = address.association_id = None
            settle(call, address.allocation_id, gateway._eni.id)


def settle(call, allocation, interface):
    """For a moment the address refers to an interface that is gone (hashicorp/terraform-provider-aws#49299 on GitHub)."""
    settling(call)[allocation] = interface
    later("ec2.address.settle", lambda: settling(call).pop(allocation, None))


def settling(call):
    """The interface that an address still refers to, by its allocation."""
    return call.shelf("ec2.addresses-settling")


def shown(call, out):
    gateway = gateways(call)[out["NatGatewayId"]]
    out |= {"ConnectivityType": gateway.connectivity_type or "public"} | details(call).get(gateway.id, {})
    for address in out.get("NatGatewayAddresses", []):
        status = "associating" if out["State"] == "pending" else "succeeded"
        address |= {"IsPrimary": True, "Status": status, "PrivateIp": gateway._eni.private_ip_address}
    return out


@after("ec2", "DescribeNatGateways")
def show_states(call, answer):
    answer["NatGateways"] = [shown(call, entry) for entry in answer["NatGateways"]]
    wanted = call.get("NatGatewayIds", [])
    missing = set(wanted) - set(gateways(call))
    if missing:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {sorted(missing)[0]} was not found")


@operation("ec2", "DeleteNatGateway")
def delete_nat_gateway(call):
    gateway = gateways(call).get(call.params["NatGatewayId"])
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {call.params['NatGatewayId']} was not found")
    if gateway.state not in ("deleting", "deleted"):
        gateway.state = "deleting"
        later("ec2.nat.delete", lambda: gone(call, gateway))
    return {"NatGatewayId": gateway.id}


def gone(call, gateway):
    gateway.state = "deleted"
    details(call).setdefault(gateway.id, {})["DeleteTime"] = now()
    let_go(call, gateway)
    world.clock.later_if_timed(durations["ec2.nat.forgotten"], lambda: gateways(call).pop(gateway.id, None))
