"""What EC2 says about the account itself."""

from ...quotas import quotas
from ...registry import operation


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
