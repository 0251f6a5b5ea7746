"""EC2 networking."""

import ipaddress
import re

from ..policies import roles_by_arn
from ..registry import AwsError, rule
from ..services.ec2.nat_gateways import settling
from ..services.ec2.shared import security_groups, subnets
from ..trusts import trusts
from .helpers import invalid

DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
DESCRIPTION_TEXT = "strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


def depends(message):
    raise AwsError("DependencyViolation", message)


def network_of(text, code):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise AwsError(code, f"The CIDR '{text}' is invalid.") from None


# order


def vpc_holds(call, vpc_id):
    """The first thing that keeps a VPC from being deleted."""
    ec2 = call.backend("ec2")
    held = [s.id for s in subnets(call).values() if s.vpc_id == vpc_id]
    held += [g.id for g in ec2.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id]
    held += [g.id for g in ec2.groups.get(vpc_id, {}).values() if g.name != "default"]
    held += [t.id for t in ec2.route_tables.values() if t.vpc_id == vpc_id and not t.main_association_id]
    held += [e.id for e in ec2.vpc_end_points.values() if e.vpc_id == vpc_id]
    held += [e.id for e in ec2.enis.values() if e.subnet.vpc_id == vpc_id]
    return held[0] if held else None


@rule("order", "ec2", "DeleteVpc", says="a VPC with anything in it cannot be deleted")
def vpc_in_use(call):
    if vpc_holds(call, call.params["VpcId"]):
        depends(f"The vpc '{call.params['VpcId']}' has dependencies and cannot be deleted.")


@rule("order", "ec2", "DeleteSubnet", says="a subnet with a network interface in it cannot be deleted")
def subnet_in_use(call):
    subnet_id = call.params["SubnetId"]
    if any(eni.subnet.id == subnet_id for eni in call.backend("ec2").enis.values()):
        depends(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")


@rule(
    "order",
    "ec2",
    "DetachInternetGateway",
    says="an internet gateway stays while public addresses are mapped in its VPC",
)
def mapped_addresses(call):
    vpc_id = call.params["VpcId"]
    mapped = [a for a in call.backend("ec2").addresses if a.eni and a.eni.subnet.vpc_id == vpc_id]
    public = [
        e
        for e in call.backend("ec2").enis.values()
        if e.subnet.vpc_id == vpc_id and getattr(e, "faces_internet", False)
    ]
    if mapped or public:
        message = f"Network {vpc_id} has some mapped public address(es). "
        depends(message + "Please unmap those public address(es) before detaching the gateway.")


@rule(
    "order", "ec2", "DeleteSecurityGroup", says="a security group in use, or referred to by another, cannot be deleted"
)
def security_group_in_use(call):
    group_id, groups = call.get("GroupId"), security_groups(call)
    if group_id not in groups:
        return
    used = any(group_id in {g.id for g in eni.group_set} for eni in call.backend("ec2").enis.values())
    if used or any(refers(other, group_id) for other in groups.values() if other.id != group_id):
        depends(f"resource {group_id} has a dependent object")


def refers(group, group_id):
    rules = [*group.ingress_rules, *group.egress_rules]
    return any(entry.source_group.get("GroupId") == group_id for entry in rules)


@rule("order", "ec2", "DeleteSecurityGroup", says="the default security group of a VPC cannot be deleted")
def default_security_group(call):
    group = security_groups(call).get(call.get("GroupId"))
    if group is not None and group.name == "default":
        raise AwsError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')


@rule("order", "ec2", "DeleteRouteTable", says="the main route table of a VPC cannot be deleted")
def main_route_table(call):
    table = call.backend("ec2").route_tables.get(call.params["RouteTableId"])
    if table is not None and table.main_association_id:
        depends(f"The routeTable '{table.id}' has dependencies and cannot be deleted.")


@rule("order", "ec2", "ReleaseAddress", says="an elastic IP address in use cannot be released")
def address_in_use(call):
    for address in call.backend("ec2").addresses:
        if address.allocation_id == call.get("AllocationId") and address.association_id:
            if address.eni is not None and address.eni.requester_managed:
                # In use by a service, it is not its customer's to release: eformat/sno-for-100#5 on GitHub.
                raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
            raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


@rule(
    "order",
    "ec2",
    "ReleaseAddress",
    says="for a moment after its NAT gateway an address is refused for the interface that it was on",
    source="hashicorp/terraform-provider-aws#49299 and scylladb/scylla-cluster-tests#15732 on GitHub",
)
def address_settles(call):
    interface = settling(call).get(call.get("AllocationId"))
    if interface:
        raise AwsError("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface}' does not exist")


@rule(
    "order",
    "ec2",
    "DeleteNetworkInterface",
    says="an interface that a service attached is not its customer's to delete",
    source="Amazon EC2 User Guide: requester-managed network interfaces",
)
def managed_interface(call):
    eni = call.backend("ec2").enis.get(call.params["NetworkInterfaceId"])
    if eni is not None and eni.requester_managed:
        raise AwsError(
            "OperationNotPermitted", f"You do not have permission to access the specified resource: {eni.id}"
        )


@rule(
    "order",
    "ec2",
    "CreateRoute",
    "ReplaceRoute",
    says="a route to an internet gateway needs it attached to the VPC of the table",
)
def gateway_of_another_network(call):
    ec2 = call.backend("ec2")
    gateway = ec2.internet_gateways.get(call.get("GatewayId", ""))
    table = ec2.route_tables.get(call.params["RouteTableId"])
    if gateway and table and (gateway.vpc is None or gateway.vpc.id != table.vpc_id):
        message = f"route table {table.id} and network gateway {gateway.id} belong to different networks"
        invalid("ec2", message)


@rule(
    "order",
    "ec2",
    "CreateFlowLogs",
    says="flow logs to CloudWatch need a role that vpc-flow-logs may assume",
    source="Amazon VPC User Guide: IAM role for flow logs",
)
def flow_log_role(call):
    arn = call.get("DeliverLogsPermissionArn")
    if arn and not trusts(call, roles_by_arn(call).get(arn), "vpc-flow-logs.amazonaws.com"):
        raise AwsError("InvalidParameter", f"Unable to assume given IAM role {arn}")


@rule(
    "order",
    "ec2",
    "CreateVpcEndpoint",
    says="private DNS of an endpoint needs both DNS attributes of the VPC",
    source="AWS PrivateLink Guide: interface VPC endpoints",
)
def private_dns_needs_vpc_dns(call):
    vpc = call.backend("ec2").vpcs.get(call.params.get("VpcId"))
    wanted = call.get("VpcEndpointType") == "Interface" and call.get("PrivateDnsEnabled", True)
    if wanted and vpc and not (is_true(vpc.enable_dns_support) and is_true(vpc.enable_dns_hostnames)):
        message = (
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true"
        )
        raise AwsError("InvalidParameter", f"{message} for {vpc.id}")


def is_true(value):
    return str(value).lower() == "true"


@rule(
    "order",
    "ec2",
    "CreateVpcEndpoint",
    says="only one endpoint of a service in a VPC has its private DNS name",
    source="AWS PrivateLink Guide: interface VPC endpoints",
)
def conflicting_private_dns(call):
    if call.get("VpcEndpointType") != "Interface" or not call.get("PrivateDnsEnabled", True):
        return
    for known in call.backend("ec2").vpc_end_points.values():
        same = (known.vpc_id, known.service_name) == (call.params["VpcId"], call.get("ServiceName"))
        if same and known.private_dns_enabled and known.state != "deleting":
            message = (
                "private-dns-enabled cannot be set because there is already a "
                f"conflicting DNS domain for {known.service_name}"
            )
            raise AwsError("InvalidParameter", f"{message} in the VPC {known.vpc_id}")


@rule(
    "order",
    "ec2",
    "CreateSubnet",
    says="a subnet overlaps no other of its VPC",
    source="Amazon VPC User Guide: subnet CIDR blocks",
)
def subnets_overlap(call):
    if not call.get("CidrBlock"):
        return
    block = network_of(call.params["CidrBlock"], "InvalidParameterValue")
    for known in subnets(call).values():
        if known.vpc_id == call.params["VpcId"] and block.overlaps(ipaddress.ip_network(known.cidr_block)):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet")


@rule("order", "ec2", "CreateSecurityGroup", says="a group name is unique in its VPC, whatever the case")
def security_group_is_there(call):
    name = call.params["GroupName"]
    for known in call.backend("ec2").groups.get(call.get("VpcId"), {}).values():
        if known.name.lower() == name.lower():
            message = f"The security group '{name}' already exists for VPC '{call.get('VpcId')}'"
            raise AwsError("InvalidGroup.Duplicate", message)


# strict


@rule(
    "strict",
    "ec2",
    "CreateVpc",
    says="the block of a VPC is between /16 and /28",
    source="Amazon VPC User Guide: VPC CIDR blocks",
)
def vpc_block(call):
    block = network_of(call.get("CidrBlock", "10.0.0.0/16"), "InvalidParameterValue")
    if not 16 <= block.prefixlen <= 28:
        raise AwsError("InvalidVpc.Range", f"The CIDR '{block}' is invalid.")


@rule(
    "strict",
    "ec2",
    "CreateSubnet",
    says="a subnet lies within its VPC, and is between /16 and /28",
    source="Amazon VPC User Guide: subnet CIDR blocks",
)
def subnet_block(call):
    vpc = call.backend("ec2").vpcs.get(call.params["VpcId"])
    if vpc is None or not call.get("CidrBlock"):
        return
    block = network_of(call.params["CidrBlock"], "InvalidParameterValue")
    if not 16 <= block.prefixlen <= 28 or not block.subnet_of(ipaddress.ip_network(vpc.cidr_block)):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.")


@rule("strict", "ec2", "CreateSubnet", says="a subnet is in a zone of the region")
def zone_of_region(call):
    wanted = call.get("AvailabilityZone")
    zones = [zone.name for zone in call.backend("ec2").describe_availability_zones()]
    if wanted and wanted not in zones:
        listed = ", ".join(zones)
        invalid(
            "ec2", f"Value ({wanted}) for parameter availabilityZone is invalid. Subnets can be created in: {listed}."
        )


@rule(
    "strict",
    "ec2",
    "CreateSecurityGroup",
    says="a group name does not begin with sg-",
)
def security_group_name(call):
    name = call.params["GroupName"]
    if name.lower().startswith("sg-") or not DESCRIPTION.fullmatch(name):
        invalid("ec2", f"Value ({name}) for parameter GroupName is invalid.")


@rule(
    "strict", "ec2", "CreateSecurityGroup", says="the description of a group has no apostrophe and nothing beyond ASCII"
)
def security_group_description(call):
    if not DESCRIPTION.fullmatch(call.params["Description"]):
        text = call.params["Description"]
        invalid(
            "ec2",
            f"Value ({text}) for parameter GroupDescription is invalid. Valid descriptions are {DESCRIPTION_TEXT}",
        )


RULE_CALLS = ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")


def permissions(call):
    for permission in call.get("IpPermissions", []):
        for key in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
            for source in permission.get(key, []):
                yield permission, source


@rule("strict", "ec2", *RULE_CALLS, says="the description of a rule has no apostrophe and nothing beyond ASCII")
def rule_description(call):
    for _, source in permissions(call):
        if not DESCRIPTION.fullmatch(source.get("Description", "")):
            message = f"Invalid rule description. Valid descriptions are {DESCRIPTION_TEXT}"
            invalid("ec2", message)


@rule(
    "strict",
    "ec2",
    *RULE_CALLS,
    says="a TCP or UDP rule has ports from 0 to 65535, the lower one first",
    source="Amazon EC2 API Reference: IpPermission",
)
def rule_ports(call):
    for permission in call.get("IpPermissions", []):
        if permission.get("IpProtocol") in ("tcp", "udp", "6", "17"):
            low, high = permission.get("FromPort"), permission.get("ToPort")
            if low is None or high is None or not 0 <= low <= high <= 65535:
                invalid(
                    "ec2",
                    f"Invalid value for portRange. Must specify both from and to ports with TCP/UDP: {low}-{high}",
                )


@rule("strict", "ec2", *RULE_CALLS, says="the source of a rule is a network address, not an address within one")
def rule_block(call):
    for _, source in permissions(call):
        text = source.get("CidrIp") or source.get("CidrIpv6")
        if text:
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError:
                invalid("ec2", f"CIDR block {text} is malformed")


@rule("strict", "ec2", *RULE_CALLS, says="a permission names at least one source")
def rule_source(call):
    for permission in call.get("IpPermissions", []):
        if not any(permission.get(key) for key in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")):
            raise AwsError("MissingParameter", "The request must contain at least one source for the rule")


@rule("strict", "ec2", "ModifyVpcAttribute", "ModifySubnetAttribute", says="one attribute a call")
def one_attribute(call):
    given = [name for name in call.params if name not in ("VpcId", "SubnetId")]
    if len(given) != 1:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")


@rule("strict", "ec2", "CreateVpcEndpoint", says="an endpoint leads to a service that exists")
def endpoint_service(call):
    name = call.get("ServiceName", "")
    if not re.fullmatch(rf"com\.amazonaws\.({call.region}|vpce\.{call.region})\.[\w.-]+", name):
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")


@rule(
    "strict",
    "ec2",
    "CreateVpcEndpoint",
    says="an interface endpoint has one subnet a zone, and only interfaces have subnets",
    source="AWS PrivateLink Guide: interface VPC endpoints",
)
def endpoint_subnets(call):
    wanted = call.get("SubnetIds", [])
    if call.get("VpcEndpointType", "Gateway") == "Gateway" and (wanted or call.get("SecurityGroupIds")):
        raise AwsError("InvalidParameter", "Subnets and security groups are only for interface endpoints")
    zones = [subnets(call)[s].availability_zone for s in wanted if s in subnets(call)]
    if len(set(zones)) < len(zones):
        raise AwsError("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone")


@rule("strict", "ec2", "CreateFlowLogs", says="flow logs are gathered for 60 or 600 seconds, and go somewhere")
def flow_log_settings(call):
    if call.get("MaxAggregationInterval", 600) not in (60, 600):
        raise AwsError("InvalidParameter", "Invalid Flow Log Max Aggregation Interval")
    to_logs = call.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"
    if to_logs and not call.get("DeliverLogsPermissionArn"):
        message = "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
        raise AwsError("InvalidParameter", message)


@rule("strict", "ec2", "CreateNatGateway", says="a public NAT gateway has an address, a private one has none")
def nat_address(call):
    private = call.get("ConnectivityType") == "private"
    if private and call.get("AllocationId"):
        raise AwsError("InvalidParameterCombination", "A private NAT gateway takes no allocation id")
