"""Filters and pages of EC2 listings, over what a caller sees; moto knows few filters, and ignores the others."""

import fnmatch
import pickle

from ...moto_app import ask
from ...registry import AwsError, after, operation
from ...world import world

# Listing: (where its items are, filters whose name does not say where their value is).
LISTINGS = {
    "DescribeVpcs": (
        "Vpcs",
        {"cidr": "CidrBlock", "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock"},
    ),
    "DescribeSubnets": ("Subnets", {"cidr": "CidrBlock"}),
    "DescribeInternetGateways": (
        "InternetGateways",
        {"attachment.vpc-id": "Attachments.VpcId", "attachment.state": "Attachments.State"},
    ),
    "DescribeAddresses": ("Addresses", {}),
    "DescribeNatGateways": ("NatGateways", {}),
    "DescribeRouteTables": (
        "RouteTables",
        {
            "association.main": "Associations.Main",
            "association.subnet-id": "Associations.SubnetId",
            "association.gateway-id": "Associations.GatewayId",
            "association.route-table-id": "Associations.RouteTableId",
            "association.route-table-association-id": "Associations.RouteTableAssociationId",
            "route.destination-cidr-block": "Routes.DestinationCidrBlock",
            "route.destination-prefix-list-id": "Routes.DestinationPrefixListId",
            "route.gateway-id": "Routes.GatewayId",
            "route.nat-gateway-id": "Routes.NatGatewayId",
            "route.state": "Routes.State",
        },
    ),
    "DescribeSecurityGroups": (
        "SecurityGroups",
        {
            "ip-permission.group-id": "IpPermissions.UserIdGroupPairs.GroupId",
            "ip-permission.cidr": "IpPermissions.IpRanges.CidrIp",
            "ip-permission.from-port": "IpPermissions.FromPort",
            "ip-permission.to-port": "IpPermissions.ToPort",
            "ip-permission.protocol": "IpPermissions.IpProtocol",
            "ip-permission.prefix-list-id": "IpPermissions.PrefixListIds.PrefixListId",
            "egress.ip-permission.group-id": "IpPermissionsEgress.UserIdGroupPairs.GroupId",
            "egress.ip-permission.cidr": "IpPermissionsEgress.IpRanges.CidrIp",
            "egress.ip-permission.prefix-list-id": "IpPermissionsEgress.PrefixListIds.PrefixListId",
        },
    ),
    "DescribeSecurityGroupRules": ("SecurityGroupRules", {}),
    "DescribeVpcEndpoints": ("VpcEndpoints", {"vpc-endpoint-state": "State"}),
    "DescribeFlowLogs": ("FlowLogs", {"deliver-log-status": "DeliverLogsStatus"}),
    "DescribeNetworkInterfaces": (
        "NetworkInterfaces",
        {
            "group-id": "Groups.GroupId",
            "group-name": "Groups.GroupName",
            "association.allocation-id": "Association.AllocationId",
            "association.public-ip": "Association.PublicIp",
            "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
            "attachment.attachment-id": "Attachment.AttachmentId",
            "attachment.instance-id": "Attachment.InstanceId",
        },
    ),
    "DescribeNetworkAcls": (
        "NetworkAcls",
        {"association.subnet-id": "Associations.SubnetId", "default": "IsDefault"},
    ),
}
OURS = ("Filters", "Filter", "MaxResults", "NextToken")


def filters_of(call):
    """Some calls name them Filters, others Filter."""
    return call.get("Filters") or call.get("Filter") or []


def values_at(item, path):
    """All values at a dotted path, through lists."""
    found = [item]
    for part in path.split("."):
        found = [value for entry in found for value in as_list(entry.get(part)) if isinstance(entry, dict)]
    return [written(value) for value in found]


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def written(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def pascal(name):
    return "".join(word[:1].upper() + word[1:] for word in name.split("-"))


def values_for(item, name, special):
    tags = item.get("Tags", item.get("TagSet", []))
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if tag["Key"] == name[4:]]
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    return values_at(item, special.get(name) or pascal(name))


def meets(item, wish, special):
    found = values_for(item, wish["Name"], special)
    return any(fnmatch.fnmatchcase(value, wanted) for value in found for wanted in wish.get("Values", []))


class Listed:
    """What moto listed, by what was asked: listing takes it long, and while the world does not age nothing changes."""

    def __init__(self):
        self.age, self.answers = None, {}

    def of(self, call, params):
        if self.age != world.age:
            self.age, self.answers = world.age, {}
        wish = (call.account, call.region, call.operation, repr(params))
        if wish not in self.answers:
            self.answers[wish] = pickle.dumps(ask(call, params=params))
        # Those who amend an answer change what they are given.
        return pickle.loads(self.answers[wish])


listed = Listed()


@operation("ec2", *LISTINGS)
def list_everything(call):
    return listed.of(call, {name: value for name, value in call.params.items() if name not in OURS})


@after("ec2", *LISTINGS)
def keep_what_was_asked_for(call, answer):
    key, special = LISTINGS[call.operation]
    items = answer.get(key, [])
    for wish in filters_of(call):
        if "." in wish["Name"] and wish["Name"] not in special and not wish["Name"].startswith("tag:"):
            raise AwsError("InvalidParameterValue", f"The filter '{wish['Name']}' is invalid")
        items = [item for item in items if meets(item, wish, special)]
    start, size = int(call.get("NextToken") or 0), call.get("MaxResults") or len(items) or 1
    answer[key] = items[start : start + size]
    answer.pop("NextToken", None)
    if start + size < len(items):
        answer["NextToken"] = str(start + size)
