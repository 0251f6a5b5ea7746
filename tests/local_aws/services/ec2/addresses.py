"""Elastic IP addresses."""

from ...registry import after


@after("ec2", "DescribeAddresses")
def leave_out_what_is_unset(call, answer):
    for address in answer["Addresses"]:
        for name in [name for name, value in address.items() if value == ""]:
            del address[name]
        address.setdefault("PublicIpv4Pool", "amazon")
        address.setdefault("NetworkBorderGroup", call.region)


@after("ec2", "AllocateAddress")
def complete_allocation(call, answer):
    answer |= {"PublicIpv4Pool": "amazon", "NetworkBorderGroup": call.region}
