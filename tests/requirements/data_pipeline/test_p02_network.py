"""P2: a VPC over two zones, a public and a private /24 each, one way out, and a record of all traffic."""

from pipeline import one, tag_map


def test_the_vpc_has_its_addresses_and_names(live):
    assert live.vpc["CidrBlock"] == "10.0.0.0/16"
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        found = live.client("ec2").describe_vpc_attribute(VpcId=live.vpc["VpcId"], Attribute=attribute)
        assert found[attribute[0].upper() + attribute[1:]]["Value"] is True


def test_each_of_two_zones_has_a_public_and_a_private_subnet(live):
    zones = {}
    for name, subnet in live.subnets.items():
        assert subnet["CidrBlock"].endswith("/24")
        assert subnet["MapPublicIpOnLaunch"] is False
        zones.setdefault(subnet["AvailabilityZone"], []).append(name.split("-subnet-")[1][:-2])
    assert [sorted(sides) for sides in zones.values()] == [["private", "public"]] * 2


def test_the_zones_are_ones_the_region_offers(live):
    offered = live.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert {subnet["AvailabilityZone"] for subnet in live.subnets.values()} <= {zone["ZoneName"] for zone in offered}


def test_there_is_one_nat_gateway_and_two_where_protected(live, protect):
    nats = live.ec2("describe_nat_gateways", "NatGateways").values()
    assert len(nats) == (2 if protect else 1)
    assert {nat["SubnetId"] for nat in nats} <= live.subnet_ids("public")


def test_public_subnets_reach_the_internet_and_private_ones_only_out(live):
    tables = live.ec2("describe_route_tables", "RouteTables").values()
    ways = {}
    for table in tables:
        default = [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
        way = "nat" if "NatGatewayId" in one(default) else "internet"
        ways |= {association["SubnetId"]: way for association in table["Associations"] if "SubnetId" in association}
    assert ways == {s: "internet" for s in live.subnet_ids("public")} | {s: "nat" for s in live.subnet_ids("private")}


def test_all_traffic_is_recorded(live):
    log = one(live.ec2("describe_flow_logs", "FlowLogs").values())
    assert log["ResourceId"] == live.vpc["VpcId"]
    assert log["TrafficType"] == "ALL"
    assert log["LogGroupName"] in live.log_groups


def test_the_default_group_lets_nothing_through(live):
    group = live.groups["default"]
    assert group["IpPermissions"] == []
    assert group["IpPermissionsEgress"] == []


def test_everything_is_named(live):
    assert tag_map(live.vpc["Tags"])["Name"] == live.name("vpc")
