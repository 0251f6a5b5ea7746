"""VPC endpoints: states, interfaces, and a deletion that removes what belongs to them."""

from ...life import conclude, later
from ...moto_app import ask
from ...registry import AwsError, after, operation
from .shared import security_groups, subnets


def endpoints(call):
    return call.backend("ec2").vpc_end_points


@operation("ec2", "CreateVpcEndpoint")
def create_vpc_endpoint(call):
    kind = call.get("VpcEndpointType", "Gateway")
    given = {"VpcEndpointType": kind, "PrivateDnsEnabled": kind == "Interface"} | call.params
    if kind == "Gateway":
        given["PrivateDnsEnabled"] = False
    made = ask(call, params=given)["VpcEndpoint"]
    endpoint = endpoints(call)[made["VpcEndpointId"]]
    if kind == "Interface":
        begin_interface(call, endpoint)
    return {"VpcEndpoint": shown(call, made | {"State": endpoint.state})}


def begin_interface(call, endpoint):
    if not endpoint.security_group_ids:
        endpoint.security_group_ids = [call.backend("ec2").get_default_security_group(endpoint.vpc_id).id]
    adopt_interfaces(call, endpoint)
    endpoint.state = "pending"
    conclude(
        "ec2.endpoint.create",
        "ec2.vpc-endpoint",
        endpoint.service_name,
        lambda: settle(endpoint, "available"),
        lambda text: settle(endpoint, "failed", text),
    )


def settle(endpoint, state, reason=None):
    if endpoint.state == "pending":
        endpoint.state, endpoint.reason = state, reason


def adopt_interfaces(call, endpoint):
    known, groups = call.backend("ec2").enis, security_groups(call)
    for eni in (known[eni_id] for eni_id in endpoint.network_interface_ids if eni_id in known):
        eni.requester_managed, eni.requester_id, eni.status = True, "amazon-vpce", "in-use"
        eni.interface_type, eni.description = "vpc_endpoint", f"VPC Endpoint Interface {endpoint.id}"
        eni._group_set = [groups[group] for group in endpoint.security_group_ids]
        if eni.private_ip_address.split(".")[:2] != str(eni.subnet.cidr.network_address).split(".")[:2]:
            eni.private_ip_address = eni.subnet.get_available_subnet_ip(eni)


def names_of(call, endpoint):
    """One name for the region, one for each zone, and the service's own if it is private in the VPC."""
    stem, zone = f"{endpoint.id}-{endpoint.id[-8:]}", f"Z{endpoint.id[-12:].upper()}"
    service = endpoint.service_name.rpartition(".")[2]
    within = f"{service}.{call.region}.vpce.amazonaws.com"
    zones = [subnets(call)[subnet].availability_zone for subnet in endpoint.subnet_ids or [] if subnet in subnets(call)]
    names = [f"{stem}.{within}", *(f"{stem}-{name}.{within}" for name in zones)]
    names += [f"{service}.{call.region}.amazonaws.com"] if endpoint.private_dns_enabled else []
    return [{"DnsName": name, "HostedZoneId": zone} for name in names]


def shown(call, out):
    endpoint = endpoints(call)[out["VpcEndpointId"]]
    out["NetworkInterfaceIds"] = list(endpoint.network_interface_ids)
    if endpoint.vpc_endpoint_type == "Interface":
        out["DnsEntries"] = names_of(call, endpoint)
    if endpoint.state == "failed":
        out["LastError"] = {"Code": "InternalError", "Message": endpoint.reason or "An internal error has occurred"}
    out.setdefault("IpAddressType", "ipv4")
    out.setdefault("RequesterManaged", False)
    return out


@after("ec2", "DescribeVpcEndpoints")
def show_endpoints(call, answer):
    answer["VpcEndpoints"] = [shown(call, entry) for entry in answer["VpcEndpoints"]]


@operation("ec2", "ModifyVpcEndpoint")
def modify_vpc_endpoint(call):
    endpoint = endpoints(call).get(call.params["VpcEndpointId"])
    if endpoint is None:
        raise missing(call.params["VpcEndpointId"])
    before = set(endpoint.subnet_ids or [])
    tables_before = set(endpoint.route_table_ids)
    ask(call)
    if call.get("ResetPolicy"):
        endpoint.policy_document = None
    if call.get("PrivateDnsEnabled") is not None:
        endpoint.private_dns_enabled = call.params["PrivateDnsEnabled"]
    if endpoint.vpc_endpoint_type == "Interface":
        change_interfaces(call, endpoint, before)
    else:
        change_routes(call, endpoint, tables_before)
    return {"Return": True}


def missing(endpoint_id):
    return AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist")


def change_interfaces(call, endpoint, before):
    ec2 = call.backend("ec2")
    for subnet_id in before - set(endpoint.subnet_ids):
        for eni_id in [e for e in endpoint.network_interface_ids if ec2.enis[e].subnet.id == subnet_id]:
            endpoint.network_interface_ids.remove(eni_id)
            later("ec2.eni.linger", lambda eni_id=eni_id: ec2.enis.pop(eni_id, None))

    for subnet_id in set(endpoint.subnet_ids) - before:
        endpoint.network_interface_ids.append(ec2.create_network_interface(subnets(call)[subnet_id], "").id)
    adopt_interfaces(call, endpoint)


def change_routes(call, endpoint, before):
    """moto changes the list of tables, but not the routes in them."""
    ec2, prefixes = call.backend("ec2"), endpoint.destination_prefix_list_id
    for table in before - set(endpoint.route_table_ids):
        ec2.delete_route(table, None, None, prefixes)
    for table in set(endpoint.route_table_ids) - before:
        ec2.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefixes)


@operation("ec2", "DeleteVpcEndpoints")
def delete_vpc_endpoints(call):
    """Never fails as a whole: what could not be deleted is listed in the answer."""
    refused = []
    for endpoint_id in call.params["VpcEndpointIds"]:
        endpoint = endpoints(call).get(endpoint_id)
        if endpoint is None:
            error = missing(endpoint_id)
            refused.append({"ResourceId": endpoint_id, "Error": {"Code": error.code, "Message": error.message}})
        elif endpoint.state != "deleting":
            begin_deletion(call, endpoint)
    return {"Unsuccessful": refused}


def begin_deletion(call, endpoint):
    ec2 = call.backend("ec2")
    endpoint.state = "deleting"
    if endpoint.vpc_endpoint_type == "Interface":
        later("ec2.endpoint.delete", lambda: gone(call, endpoint))
        return
    for table in endpoint.route_table_ids:
        if table in ec2.route_tables:
            ec2.delete_route(table, None, None, endpoint.destination_prefix_list_id)
    gone(call, endpoint)


def gone(call, endpoint):
    from ...agents import come_again

    ec2 = call.backend("ec2")
    endpoints(call).pop(endpoint.id, None)
    for eni_id in endpoint.network_interface_ids:
        later("ec2.eni.linger", lambda eni_id=eni_id: ec2.enis.pop(eni_id, None))
    come_again(call, endpoint)
