"""S2: the VPC, its subnets and ways out, and the record of its traffic."""

import pytest

EVERYWHERE = "0.0.0.0/0"
PUBLIC = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
PRIVATE = ["10.0.11.0/24", "10.0.12.0/24", "10.0.13.0/24"]
INTERFACES = {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "kinesis-streams"}


def routes(table):
    """Destination and target of each route that somebody made; endpoints go by their prefix list."""
    made = [route for route in table["Routes"] if route.get("GatewayId") != "local"]
    return {
        r.get("DestinationCidrBlock") or r["DestinationPrefixListId"]: r.get("NatGatewayId") or r.get("GatewayId")
        for r in made
    }


def table_of(live, subnet):
    return next(
        table
        for table in live.route_tables.values()
        if any(a.get("SubnetId") == subnet["SubnetId"] for a in table["Associations"])
    )


def test_the_vpc_has_its_addresses(live):
    assert live.vpc["CidrBlock"] == "10.0.0.0/16"
    assert live.vpc["InstanceTenancy"] == "default"


@pytest.mark.parametrize("attribute", ["enableDnsSupport", "enableDnsHostnames"])
def test_names_resolve_in_the_vpc(live, attribute):
    found = live.ec2.describe_vpc_attribute(VpcId=live.vpc_id, Attribute=attribute)
    assert found[attribute[0].upper() + attribute[1:]]["Value"] is True


def test_subnets_have_their_addresses(live, wanted):
    assert [subnet["CidrBlock"] for subnet in live.side("public")] == PUBLIC[: wanted.zones]
    assert [subnet["CidrBlock"] for subnet in live.side("private")] == PRIVATE[: wanted.zones]
    assert len(live.subnets) == 2 * wanted.zones


def test_each_zone_has_a_public_and_a_private_subnet(live, wanted):
    offered = live.ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    offered = {zone["ZoneName"] for zone in offered["AvailabilityZones"]}
    zones = [[subnet["AvailabilityZone"] for subnet in live.side(side)] for side in ("public", "private")]
    assert zones[0] == zones[1]
    assert len(set(zones[0])) == wanted.zones
    assert set(zones[0]) <= offered


def test_nothing_gets_a_public_address_by_itself(live):
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in live.subnets.values())


def test_one_internet_gateway_is_attached(live):
    (gateway,) = live.of_ec2("describe_internet_gateways", "InternetGateways").values()
    assert [(a["VpcId"], a["State"]) for a in gateway["Attachments"]] == [(live.vpc_id, "available")]


def test_public_subnets_share_one_table_to_the_internet_gateway(live):
    (gateway,) = live.of_ec2("describe_internet_gateways", "InternetGateways").values()
    tables = {table_of(live, subnet)["RouteTableId"]: table_of(live, subnet) for subnet in live.side("public")}
    assert len(tables) == 1
    assert routes(*tables.values()) == {EVERYWHERE: gateway["InternetGatewayId"]}


def test_there_is_a_nat_gateway_for_each_zone_or_one(live, wanted):
    found = live.nat_gateways.values()
    assert len(found) == wanted.nat_gateways
    assert {nat["State"] for nat in found} == {"available"}
    assert {nat["ConnectivityType"] for nat in found} == {"public"}
    assert len({nat["SubnetId"] for nat in found}) == wanted.nat_gateways
    assert {nat["SubnetId"] for nat in found} <= live.subnet_ids("public")


def test_each_nat_gateway_has_an_elastic_ip_of_its_own(live):
    addresses = live.of_ec2("describe_addresses", "Addresses").values()
    used = {nat["NatGatewayAddresses"][0]["AllocationId"] for nat in live.nat_gateways.values()}
    assert {address["AllocationId"] for address in addresses} == used
    assert len(used) == len(live.nat_gateways)


def test_each_private_subnet_goes_out_by_the_nat_gateway_of_its_zone(live, wanted):
    nats = {nat["NatGatewayId"]: nat["SubnetId"] for nat in live.nat_gateways.values()}
    zone_of = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in live.subnets.values()}
    tables = [table_of(live, subnet) for subnet in live.side("private")]
    assert len({table["RouteTableId"] for table in tables}) == wanted.zones
    for subnet, table in zip(live.side("private"), tables):
        way_out = routes(table)[EVERYWHERE]
        assert way_out in nats
        if wanted.nat_gateways > 1:
            assert zone_of[nats[way_out]] == subnet["AvailabilityZone"]


def test_there_is_no_other_route_table(live, wanted):
    assert len(live.route_tables) == 1 + wanted.zones


def test_s3_is_reached_without_the_nat_gateways(live):
    endpoint = live.endpoints["s3"]
    assert (endpoint["VpcEndpointType"], endpoint["State"]) == ("Gateway", "available")
    private = {table_of(live, subnet)["RouteTableId"] for subnet in live.side("private")}
    assert set(endpoint["RouteTableIds"]) == private


def test_interface_endpoints_are_those_asked_for(live, wanted):
    found = {service: e for service, e in live.endpoints.items() if e["VpcEndpointType"] == "Interface"}
    assert set(found) == (INTERFACES if wanted.has("endpoints") else set())
    for service, endpoint in found.items():
        assert endpoint["State"] == "available", service
        assert endpoint["PrivateDnsEnabled"] is True, service
        assert set(endpoint["SubnetIds"]) == live.subnet_ids("private"), service
        assert [group["GroupId"] for group in endpoint["Groups"]] == [live.groups["endpoints"]], service


def test_the_default_security_group_has_no_rules(live):
    filters = [*live.in_vpc, {"Name": "group-name", "Values": ["default"]}]
    (group,) = live.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_all_traffic_is_recorded(live):
    (log,) = live.of_ec2("describe_flow_logs", "FlowLogs").values()
    assert (log["ResourceId"], log["TrafficType"], log["FlowLogStatus"]) == (live.vpc_id, "ALL", "ACTIVE")
    assert log["DeliverLogsStatus"] == "SUCCESS"
    assert (log["LogDestinationType"], log["LogGroupName"]) == ("cloud-watch-logs", live.name("vpc-flow"))
    assert log["DeliverLogsPermissionArn"] == live.roles["flow-logs"]["arn"]


def test_the_record_of_traffic_is_encrypted(live):
    group = live.log_groups[live.name("vpc-flow")]
    assert group["kmsKeyId"] == live.key_arn("logs")
