import json

from conftest import make_network, proves, refused
from local_aws.world import world


def tagged(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, {"Key": "tapctl:stack", "Value": name}]}]


def by_stack(name):
    return [{"Name": "tag:tapctl:stack", "Values": [name]}]


def gateway(local, network):
    ec2 = local("ec2")
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=network.vpc)
    return igw


def nat(local, network, name="nat", **more):
    ec2 = local("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    tags = tagged("natgateway", name)
    made = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address, TagSpecifications=tags, **more)
    return made["NatGateway"]["NatGatewayId"], address


def nat_state(local, nat_id):
    return local("ec2").describe_nat_gateways(NatGatewayIds=[nat_id])["NatGateways"][0]


def test_tag_filters_work_on_every_listing(local, network, name, role):
    ec2 = local("ec2")
    gateway(local, network)
    nat_id, address = nat(local, network, name)
    table = ec2.create_route_table(VpcId=network.vpc, TagSpecifications=tagged("route-table", name))["RouteTable"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        ServiceName="com.amazonaws.us-east-1.s3",
        RouteTableIds=[table["RouteTableId"]],
        TagSpecifications=tagged("vpc-endpoint", name),
    )["VpcEndpoint"]
    log = ec2.create_flow_logs(
        ResourceIds=[network.vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="flow",
        DeliverLogsPermissionArn=role("vpc-flow-logs.amazonaws.com"),
        TagSpecifications=tagged("vpc-flow-log", name),
    )["FlowLogIds"][0]
    ec2.create_tags(Resources=[network.vpc, *network.subnets, network.group, address], Tags=tagged("", name)[0]["Tags"])
    nat(local, make_network(local), "another")
    found = {
        "nat": [n["NatGatewayId"] for n in ec2.describe_nat_gateways(Filter=by_stack(name))["NatGateways"]],
        "table": [t["RouteTableId"] for t in ec2.describe_route_tables(Filters=by_stack(name))["RouteTables"]],
        "endpoint": [e["VpcEndpointId"] for e in ec2.describe_vpc_endpoints(Filters=by_stack(name))["VpcEndpoints"]],
        "log": [f["FlowLogId"] for f in ec2.describe_flow_logs(Filter=by_stack(name))["FlowLogs"]],
        "vpc": [v["VpcId"] for v in ec2.describe_vpcs(Filters=by_stack(name))["Vpcs"]],
        "subnet": sorted(s["SubnetId"] for s in ec2.describe_subnets(Filters=by_stack(name))["Subnets"]),
        "group": [g["GroupId"] for g in ec2.describe_security_groups(Filters=by_stack(name))["SecurityGroups"]],
        "address": [a["AllocationId"] for a in ec2.describe_addresses(Filters=by_stack(name))["Addresses"]],
    }
    assert found == {
        "nat": [nat_id],
        "table": [table["RouteTableId"]],
        "endpoint": [endpoint["VpcEndpointId"]],
        "log": [log],
        "vpc": [network.vpc],
        "subnet": sorted(network.subnets),
        "group": [network.group],
        "address": [address],
    }


def test_nat_gateway_passes_through_its_states(local, network, held):
    gateway(local, network)
    nat_id, address = nat(local, network)
    assert nat_state(local, nat_id)["State"] == "pending"
    held()
    assert nat_state(local, nat_id)["State"] == "available"
    local("ec2").delete_nat_gateway(NatGatewayId=nat_id)
    assert nat_state(local, nat_id)["State"] == "deleting"
    with refused("AuthFailure"):
        local("ec2").release_address(AllocationId=address)


@proves("ec2.address_settles")
def test_an_address_settles_after_its_nat_gateway(local, network):
    world.settings.speed, ec2 = "real", local("ec2")
    local.admin("POST", "/_local/settings", {"durations": {"ec2.nat.create": 0, "ec2.nat.delete": 0}})
    gateway(local, network)
    nat_id, address = nat(local, network)
    ec2.delete_nat_gateway(NatGatewayId=nat_id)
    assert nat_state(local, nat_id)["State"] == "deleted"
    for _ in range(2):
        with refused("InvalidNetworkInterfaceID.NotFound"):
            ec2.release_address(AllocationId=address)
    local.admin("POST", "/_local/settle")
    ec2.release_address(AllocationId=address)


def test_nat_gateway_deleted_stays_visible_and_lets_its_address_go(local, network):
    gateway(local, network)
    nat_id, address = nat(local, network)
    local("ec2").delete_nat_gateway(NatGatewayId=nat_id)
    assert nat_state(local, nat_id)["State"] == "deleted"
    local("ec2").release_address(AllocationId=address)


def test_nat_gateway_fails_without_an_internet_gateway(local, network):
    nat_id, _ = nat(local, network)
    found = nat_state(local, nat_id)
    assert (found["State"], found["FailureCode"]) == ("failed", "Gateway.NotAttached")


def test_nat_gateway_fails_with_an_address_in_use(local, network):
    gateway(local, network)
    _, address = nat(local, network)
    second = local("ec2").create_nat_gateway(SubnetId=network.subnets[1], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    assert nat_state(local, second)["FailureCode"] == "Resource.AlreadyAssociated"


def test_nat_gateway_client_token(local, network, name):
    ec2 = local("ec2")
    gateway(local, network)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    wish = {"SubnetId": network.subnets[0], "AllocationId": address, "ClientToken": name}
    first, second = ec2.create_nat_gateway(**wish), ec2.create_nat_gateway(**wish)
    assert first["NatGateway"]["NatGatewayId"] == second["NatGateway"]["NatGatewayId"]
    with refused("IdempotentParameterMismatch"):
        ec2.create_nat_gateway(**wish | {"SubnetId": network.subnets[1]})


def test_other_client_tokens(local, network, name, role):
    ec2 = local("ec2")
    tables = [
        ec2.create_route_table(VpcId=network.vpc, ClientToken=name)["RouteTable"]["RouteTableId"] for _ in range(2)
    ]
    wish = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "ClientToken": name}
    endpoints = [ec2.create_vpc_endpoint(**wish)["VpcEndpoint"]["VpcEndpointId"] for _ in range(2)]
    wish = {"ResourceIds": [network.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": name}
    wish |= {"DeliverLogsPermissionArn": role("vpc-flow-logs.amazonaws.com"), "ClientToken": name}
    logs = [ec2.create_flow_logs(**wish)["FlowLogIds"] for _ in range(2)]
    assert tables[0] == tables[1] and endpoints[0] == endpoints[1] and logs[0] == logs[1]


def test_route_to_a_deleted_nat_gateway_is_a_blackhole(local, network):
    ec2 = local("ec2")
    gateway(local, network)
    nat_id, _ = nat(local, network)
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat_id)
    ec2.delete_nat_gateway(NatGatewayId=nat_id)
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [r["State"] for r in routes if r.get("NatGatewayId")] == ["blackhole"]


def test_route_table_associations(local, network):
    ec2 = local("ec2")
    one, two = (ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    first = ec2.associate_route_table(RouteTableId=one, SubnetId=network.subnets[0])["AssociationId"]
    with refused("Resource.AlreadyAssociated"):
        ec2.associate_route_table(RouteTableId=two, SubnetId=network.subnets[0])
    second = ec2.replace_route_table_association(AssociationId=first, RouteTableId=two)["NewAssociationId"]
    assert second != first
    ec2.disassociate_route_table(AssociationId=second)


def test_gateway_endpoint_takes_its_routes_with_it(local, network):
    ec2 = local("ec2")
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    wish = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "RouteTableIds": [table]}
    endpoint = ec2.create_vpc_endpoint(**wish)["VpcEndpoint"]
    assert (endpoint["VpcEndpointType"], endpoint["State"]) == ("Gateway", "available")
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])["Unsuccessful"] == []
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [route.get("GatewayId") for route in routes] == ["local"]


def test_interface_endpoint_keeps_its_interfaces_until_it_is_gone(local, network, held):
    ec2 = local("ec2")
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        ServiceName="com.amazonaws.us-east-1.logs",
        VpcEndpointType="Interface",
        SubnetIds=network.subnets,
        SecurityGroupIds=[network.group],
    )["VpcEndpoint"]
    assert endpoint["State"] == "pending" and len(endpoint["NetworkInterfaceIds"]) == 2
    held()
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=network.group)
    held()
    ec2.delete_security_group(GroupId=network.group)


def test_deleting_an_endpoint_that_is_not_there(local):
    answer = local("ec2").delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])
    assert answer["Unsuccessful"][0]["Error"]["Code"] == "InvalidVpcEndpointId.NotFound"


def test_flow_log_fields(local, network, name, role):
    ec2, arn = local("ec2"), role("vpc-flow-logs.amazonaws.com")
    made = ec2.create_flow_logs(
        ResourceIds=[network.vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=name,
        MaxAggregationInterval=60,
        LogFormat="${version} ${vpc-id}",
        DeliverLogsPermissionArn=arn,
    )["FlowLogIds"]
    found = ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"][0]
    assert (found["MaxAggregationInterval"], found["LogFormat"]) == (60, "${version} ${vpc-id}")
    assert found["DeliverLogsPermissionArn"] == arn
    assert ec2.delete_flow_logs(FlowLogIds=[*made, "fl-0123456789abcdef0"])["Unsuccessful"][0]["ResourceId"].endswith(
        "def0"
    )


def test_a_flow_log_that_could_not_deliver_stays_so(local, network, name, role):
    """ACTIVE, with a message and no status, as cloud-custodian recorded it in test_vpc_flow_logs_absent; made anew it works."""
    ec2, iam = local("ec2"), local("iam")
    local("logs").create_log_group(logGroupName=name)
    arn = role("vpc-flow-logs.amazonaws.com", inline="logs:PutLogEvents")
    wish = {"ResourceIds": [network.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": name}
    wish["DeliverLogsPermissionArn"] = arn

    def shown(made):
        return ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"][0]

    made = ec2.create_flow_logs(**wish)
    assert made["ClientToken"]
    assert shown(made).get("DeliverLogsErrorMessage") is None
    who = {"RoleName": arn.rpartition("/")[2], "PolicyName": "inline"}
    policy = iam.get_role_policy(**who)["PolicyDocument"]
    world.settings.speed = "real"
    iam.delete_role_policy(**who)
    assert shown(made)["DeliverLogsStatus"] == "SUCCESS", "it is told when the next records are due"
    world.settings.speed = "instant"
    broken = shown(made)
    assert (broken["FlowLogStatus"], broken["DeliverLogsErrorMessage"]) == ("ACTIVE", "Access error")
    assert "DeliverLogsStatus" not in broken
    iam.put_role_policy(**who, PolicyDocument=json.dumps(policy))
    assert shown(made)["DeliverLogsErrorMessage"] == "Access error"
    ec2.delete_flow_logs(FlowLogIds=made["FlowLogIds"])
    assert "DeliverLogsErrorMessage" not in shown(ec2.create_flow_logs(**wish))


def group_rule(group, text=None, port=443):
    pair = {"GroupId": group} | ({"Description": text} if text else {})
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}


def test_rules_that_refer_to_groups_keep_their_descriptions(local, network):
    ec2 = local("ec2")
    other = ec2.create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    made = ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(other, "from two")])
    assert made["SecurityGroupRules"][0]["Description"] == "from two"
    filters = [{"Name": "group-id", "Values": [network.group]}]
    rules = [r for r in ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"] if not r["IsEgress"]]
    assert rules[0]["Description"] == "from two" and rules[0]["ReferencedGroupInfo"]["GroupId"] == other


def test_a_rule_is_the_same_whatever_its_description(local, network):
    ec2 = local("ec2")
    other = ec2.create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(other, "from two")])
    with refused("InvalidPermission.Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(other, "else")])
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(other)])
    assert ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"] == []


def test_authorizing_adds_all_rules_or_none(local, network):
    ec2 = local("ec2")
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(network.group)])
    with refused("InvalidPermission.Duplicate"):
        wanted = [group_rule(network.group, port=80), group_rule(network.group)]
        ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=wanted)
    found = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"]
    assert [permission["FromPort"] for permission in found] == [443]


def test_modifying_a_rule_that_refers_to_a_group(local, network):
    ec2 = local("ec2")
    made = ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[group_rule(network.group)])
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    wish = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "ReferencedGroupId": network.group, "Description": "new"}
    ec2.modify_security_group_rules(
        GroupId=network.group, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": wish}]
    )
    found = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    assert (found["FromPort"], found["Description"]) == (80, "new")


def test_default_group_can_be_stripped(local, network):
    ec2 = local("ec2")
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    assert ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]["IpPermissionsEgress"] == []


def test_unused_address_has_no_empty_fields(local):
    ec2 = local("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    found = ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    assert "" not in found.values() and "AssociationId" not in found


@proves("ec2.vpc_in_use", "ec2.subnet_in_use", "ec2.security_group_in_use")
def test_what_is_in_use_cannot_be_deleted(local, network):
    ec2 = local("ec2")
    eni = ec2.create_network_interface(SubnetId=network.subnets[0], Groups=[network.group])["NetworkInterface"]
    for call, wish in (
        (ec2.delete_subnet, {"SubnetId": network.subnets[0]}),
        (ec2.delete_security_group, {"GroupId": network.group}),
        (ec2.delete_vpc, {"VpcId": network.vpc}),
    ):
        with refused("DependencyViolation"):
            call(**wish)
    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    ec2.delete_security_group(GroupId=network.group)
    for subnet in network.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=network.vpc)
    assert ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["NetworkAcls"] == []


@proves("ec2.security_group_in_use")
def test_groups_that_refer_to_each_other_need_their_rules_revoked_first(local, network):
    ec2 = local("ec2")
    other = ec2.create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    ec2.authorize_security_group_egress(GroupId=other, IpPermissions=[group_rule(network.group)])
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=network.group)
    ec2.revoke_security_group_egress(GroupId=other, IpPermissions=[group_rule(network.group)])
    ec2.delete_security_group(GroupId=network.group)


@proves("ec2.mapped_addresses", "ec2.address_in_use")
def test_internet_gateway_stays_while_addresses_are_mapped(local, network):
    ec2 = local("ec2")
    igw = gateway(local, network)
    nat_id, address = nat(local, network)
    with refused("DependencyViolation"):
        ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=network.vpc)
    with refused("AuthFailure"):
        ec2.release_address(AllocationId=address)
    interface = ec2.create_network_interface(SubnetId=network.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    mine = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=mine, NetworkInterfaceId=interface)
    with refused("InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=mine)
    ec2.disassociate_address(AssociationId=ec2.describe_addresses(AllocationIds=[mine])["Addresses"][0]["AssociationId"])
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.release_address(AllocationId=mine)
    ec2.delete_nat_gateway(NatGatewayId=nat_id)
    ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=network.vpc)


@proves("ec2.main_route_table", "ec2.default_security_group")
def test_what_belongs_to_a_vpc_cannot_be_deleted(local, network):
    ec2 = local("ec2")
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}]
    main = ec2.describe_route_tables(Filters=[*filters, {"Name": "association.main", "Values": ["true"]}])[
        "RouteTables"
    ][0]
    with refused("DependencyViolation"):
        ec2.delete_route_table(RouteTableId=main["RouteTableId"])
    groups = ec2.describe_security_groups(Filters=[*filters, {"Name": "group-name", "Values": ["default"]}])
    with refused("CannotDelete"):
        ec2.delete_security_group(GroupId=groups["SecurityGroups"][0]["GroupId"])


@proves("ec2.managed_interface")
def test_interfaces_of_services_cannot_be_deleted_by_hand(local, network):
    ec2 = local("ec2")
    gateway(local, network)
    nat_id, _ = nat(local, network)
    eni = nat_state(local, nat_id)["NatGatewayAddresses"][0]["NetworkInterfaceId"]
    with refused("OperationNotPermitted"):
        ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_deleting_a_subnet_ends_its_association(local, network):
    ec2 = local("ec2")
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnets[0])
    ec2.delete_subnet(SubnetId=network.subnets[0])
    ec2.delete_route_table(RouteTableId=table)


def endpoint(network, **more):
    wish = {"VpcId": network.vpc, "ServiceName": "com.amazonaws.us-east-1.logs", "VpcEndpointType": "Interface"}
    return wish | {"SubnetIds": network.subnets[:1]} | more


@proves("ec2.private_dns_needs_vpc_dns", "ec2.conflicting_private_dns", "ec2.endpoint_service", "ec2.endpoint_subnets")
def test_endpoints_that_cannot_be(local, network):
    ec2 = local("ec2")
    with refused("InvalidParameter"):
        ec2.create_vpc_endpoint(**endpoint(network))
    ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    ec2.create_vpc_endpoint(**endpoint(network))
    with refused("InvalidParameter"):
        ec2.create_vpc_endpoint(**endpoint(network))
    with refused("InvalidServiceName"):
        ec2.create_vpc_endpoint(**endpoint(network, ServiceName="com.amazonaws.eu-west-1.logs"))
    twin = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1a")["Subnet"][
        "SubnetId"
    ]
    with refused("DuplicateSubnetsInSameZone"):
        ec2.create_vpc_endpoint(**endpoint(network, SubnetIds=[network.subnets[0], twin], PrivateDnsEnabled=False))


@proves("ec2.gateway_of_another_network")
def test_route_to_a_gateway_that_is_not_attached(local, network):
    ec2 = local("ec2")
    loose = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    with refused("InvalidParameterValue"):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=loose)


@proves("ec2.flow_log_role", "ec2.flow_log_settings")
def test_flow_logs_that_cannot_be(local, network, role):
    wish = {"ResourceIds": [network.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "x"}
    for more in (
        {},
        {"DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/none"},
        {"DeliverLogsPermissionArn": role("ecs-tasks.amazonaws.com")},
        {"DeliverLogsPermissionArn": role("vpc-flow-logs.amazonaws.com"), "MaxAggregationInterval": 120},
    ):
        with refused("InvalidParameter"):
            local("ec2").create_flow_logs(**wish | more)


@proves("ec2.vpc_block", "ec2.subnet_block", "ec2.subnets_overlap", "ec2.zone_of_region")
def test_blocks_that_cannot_be(local, network):
    ec2 = local("ec2")
    for block in ("10.0.0.0/8", "10.0.0.0/29"):
        with refused("InvalidVpc.Range"):
            ec2.create_vpc(CidrBlock=block)
    for block, code in (
        ("10.1.0.0/24", "InvalidSubnet.Range"),
        ("10.0.5.0/29", "InvalidSubnet.Range"),
        ("10.0.1.128/25", "InvalidSubnet.Conflict"),
    ):
        with refused(code):
            ec2.create_subnet(VpcId=network.vpc, CidrBlock=block)
    with refused("InvalidParameterValue"):
        ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.7.0/24", AvailabilityZone="us-east-1q")


@proves("ec2.security_group_name", "ec2.security_group_is_there", "ec2.security_group_description")
def test_groups_that_cannot_be(local, network):
    ec2 = local("ec2")
    with refused("InvalidParameterValue"):
        ec2.create_security_group(GroupName="sg-mine", Description="d", VpcId=network.vpc)
    with refused("InvalidParameterValue"):
        ec2.create_security_group(GroupName="mine", Description="the database's", VpcId=network.vpc)
    with refused("InvalidGroup.Duplicate"):
        ec2.create_security_group(GroupName="ONE", Description="d", VpcId=network.vpc)


@proves("ec2.rule_description", "ec2.rule_ports", "ec2.rule_block", "ec2.rule_source")
def test_rules_that_cannot_be(local, network):
    tcp = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    for permission, code in (
        (tcp | {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "the office's"}]}, "InvalidParameterValue"),
        (tcp | {"FromPort": 444, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, "InvalidParameterValue"),
        (tcp | {"IpRanges": [{"CidrIp": "10.0.0.0/33"}]}, "InvalidParameterValue"),
        (tcp, "MissingParameter"),
    ):
        with refused(code):
            local("ec2").authorize_security_group_ingress(GroupId=network.group, IpPermissions=[permission])


@proves("ec2.one_attribute")
def test_attributes_are_modified_one_at_a_time(local, network):
    with refused("InvalidParameterCombination"):
        local("ec2").modify_vpc_attribute(
            VpcId=network.vpc, EnableDnsHostnames={"Value": True}, EnableDnsSupport={"Value": True}
        )


@proves("ec2.nat_address")
def test_private_nat_gateway_takes_no_address(local, network):
    address = local("ec2").allocate_address(Domain="vpc")["AllocationId"]
    with refused("InvalidParameterCombination"):
        local("ec2").create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address, ConnectivityType="private")


def test_dry_run_changes_nothing(local):
    ec2 = local("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    with refused("DryRunOperation"):
        ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
    with refused("InvalidVpc.Range"):
        ec2.create_vpc(CidrBlock="10.0.0.0/30", DryRun=True)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
