"""Which zones have what."""

import re

from ..registry import AwsError, rule
from ..services.ec2.shared import subnets, zone_id
from ..world import world

# By the first part of the zones' ids: the numbers of those with VPC links. Regions that are not here have none.
LINKS = {
    "use1": (1, 2, 4, 5, 6),
    "use2": (1, 2, 3),
    "usw1": (1, 3),
    "usw2": (1, 2, 3, 4),
    "usgw1": (1, 2, 3),
    "ape1": (2, 3),
    "aps1": (1, 2, 3),
    "apne1": (1, 2, 4),
    "apne2": (1, 2, 3),
    "apse1": (1, 2, 3),
    "apse2": (1, 2, 3),
    "cac1": (1, 2),
    "euc1": (1, 2, 3),
    "euw1": (1, 2, 3),
    "euw2": (1, 2, 3),
    "euw3": (1, 3),
    "eus2": (1, 2, 3),
    "eun1": (1, 2, 3),
    "mes1": (1, 2, 3),
    "sae1": (1, 2, 3),
}


def has_links(zone):
    found = re.fullmatch(r"(\w+)-az(\d+)", zone)
    return found is not None and int(found[2]) in LINKS.get(found[1], ())


@rule(
    "order",
    "apigatewayv2",
    "CreateVpcLink",
    says="a VPC link has subnets in zones in which there are VPC links",
    source="API Gateway Developer Guide: set up VPC links V2, availability by Region",
)
def link_zone(call):
    for subnet in call.get("SubnetIds", []):
        known = subnets(call).get(subnet)
        zone = known and zone_id(call, known.availability_zone)
        if zone and not has_links(zone):
            message = f"Subnet '{subnet}' is in Availability Zone '{zone}' where service is not available"
            raise AwsError("BadRequestException", message)


def without(service):
    """The zones that an endpoint service is not in."""
    return world.account("zones_without_endpoint").get(service.split(".", 3)[-1], ())


@rule(
    "order",
    "ec2",
    "CreateVpcEndpoint",
    "ModifyVpcEndpoint",
    says="an interface endpoint has subnets in zones that its service is in",
    source="https://github.com/terraform-aws-modules/terraform-aws-vpc/issues/785",
)
def endpoint_zone(call):
    known = call.backend("ec2").vpc_end_points.get(call.get("VpcEndpointId"))
    service = call.get("ServiceName") or (known and known.service_name) or ""
    for subnet in call.get("SubnetIds", []) + call.get("AddSubnetIds", []):
        found = subnets(call).get(subnet)
        if found is not None and found.availability_zone in without(service):
            message = f"The VPC endpoint service {service} does not support the availability zone of the subnet: {subnet}."
            raise AwsError("InvalidParameter", message)
