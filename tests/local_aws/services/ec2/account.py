"""What EC2 says about the account itself."""

from ...quotas import quotas
from ...registry import after, operation
from ...world import world


@after("ec2", "DescribeAvailabilityZones")
def complete_zones(call, answer):
    for zone in answer["AvailabilityZones"]:
        zone.setdefault("GroupName", f"{zone['RegionName']}-zg-1")
        zone.setdefault("NetworkBorderGroup", zone["RegionName"])
        zone.setdefault("OptInStatus", "opt-in-not-required")


@operation("ec2", "DescribeAccountAttributes")
def describe_account_attributes(call):
    default = next((vpc.id for vpc in call.backend("ec2").vpcs.values() if vpc.is_default), "none")
    attributes = {
        "supported-platforms": ["VPC"],
        "default-vpc": [default],
        "max-instances": ["20"],
        "max-elastic-ips": [str(quotas["elastic-ips"])],
        "vpc-max-elastic-ips": [str(quotas["elastic-ips"])],
        "vpc-max-security-groups-per-interface": [str(quotas["security-groups-per-interface"])],
    }
    wanted = call.get("AttributeNames") or attributes
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value} for value in values]}
            for name, values in attributes.items()
            if name in wanted
        ]
    }


@operation("ec2", "DescribeVpcBlockPublicAccessOptions")
def describe_block(call):
    """A setting of the account in the region, or of the whole organisation."""
    mode = world.account("block_public_access")
    options = {
        "AwsAccountId": call.account,
        "AwsRegion": call.region,
        "State": "default-state" if mode == "off" else "update-complete",
        "InternetGatewayBlockMode": mode,
        "ManagedBy": "account",
        "ExclusionsAllowed": "allowed",
    }
    return {"VpcBlockPublicAccessOptions": options}


@operation("ec2", "DescribeVpcBlockPublicAccessExclusions")
def describe_exclusions(call):
    return {"VpcBlockPublicAccessExclusions": []}


@after("ec2", "DescribeVpcEndpointServices")
def zones_of_services(call, answer):
    """A service is not in every zone."""
    lacking = world.account("zones_without_endpoint")
    for detail in answer.get("ServiceDetails", []):
        without = lacking.get(detail["ServiceName"].split(".", 3)[-1], ())
        detail["AvailabilityZones"] = [zone for zone in detail["AvailabilityZones"] if zone not in without]
