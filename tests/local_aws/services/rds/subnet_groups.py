"""DB subnet groups."""

from ...common import page, require_unique
from ...registry import AwsError, operation
from .shared import clusters, instances, subnet_group_of, subnet_groups, tags


def subnets_of(call, ids):
    by_id = {s.id: s for zone in call.backend("ec2").subnets.values() for s in zone.values()}
    missing = [subnet_id for subnet_id in ids if subnet_id not in by_id]
    if missing:
        raise AwsError("InvalidSubnet", f"Some input subnets in :[{', '.join(missing)}] are invalid.")
    found = [by_id[subnet_id] for subnet_id in ids]
    if len({subnet.vpc_id for subnet in found}) > 1:
        raise AwsError("InvalidSubnet", "The specified subnets are not in the same VPC.")
    if len({subnet.availability_zone for subnet in found}) < 2:
        message = "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
        message += (
            "Current AZ coverage: "
            + ", ".join(sorted({s.availability_zone for s in found}))
            + ". Add subnets to cover at least 2 AZs."
        )
        raise AwsError("DBSubnetGroupDoesNotCoverEnoughAZs", message)
    return found


def described(subnets):
    return [
        {
            "SubnetIdentifier": subnet.id,
            "SubnetAvailabilityZone": {"Name": subnet.availability_zone},
            "SubnetOutpost": {},
            "SubnetStatus": "Active",
        }
        for subnet in subnets
    ]


@operation("rds", "CreateDBSubnetGroup")
def create_db_subnet_group(call):
    name = call.params["DBSubnetGroupName"].lower()
    require_unique(
        subnet_groups(call), name, "DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists."
    )
    subnets = subnets_of(call, call.params["SubnetIds"])
    group = {
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": call.params["DBSubnetGroupDescription"],
        "VpcId": subnets[0].vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": described(subnets),
        "DBSubnetGroupArn": call.arn("rds", f"subgrp:{name}"),
        "SupportedNetworkTypes": ["IPV4"],
    }
    subnet_groups(call)[name] = group
    tags(call)[group["DBSubnetGroupArn"]] = call.get("Tags", [])
    return {"DBSubnetGroup": group}


@operation("rds", "DescribeDBSubnetGroups")
def describe_db_subnet_groups(call):
    if call.get("DBSubnetGroupName"):
        return {"DBSubnetGroups": [subnet_group_of(call, call.params["DBSubnetGroupName"])]}
    found, more = page(call, list(subnet_groups(call).values()), "MaxRecords", "Marker", "Marker")
    return {"DBSubnetGroups": found} | more


@operation("rds", "ModifyDBSubnetGroup")
def modify_db_subnet_group(call):
    group = subnet_group_of(call, call.params["DBSubnetGroupName"])
    gone = {s["SubnetIdentifier"] for s in group["Subnets"]} - set(call.params["SubnetIds"])
    here = [i for i in instances(call).values() if i["_subnet_group"] == group["DBSubnetGroupName"]]
    used = {i["_subnet"] for i in here} | {i.get("_standby_subnet") for i in here}
    if gone & used:
        raise AwsError("SubnetAlreadyInUse", f"Subnets {', '.join(sorted(gone & used))} are in use by DB instances.")
    group["Subnets"] = described(subnets_of(call, call.params["SubnetIds"]))
    group["DBSubnetGroupDescription"] = call.get("DBSubnetGroupDescription", group["DBSubnetGroupDescription"])
    return {"DBSubnetGroup": group}


def users_of(call, name):
    used = [c["DBClusterIdentifier"] for c in clusters(call).values() if c["DBSubnetGroup"] == name]
    return used + [i["DBInstanceIdentifier"] for i in instances(call).values() if i["_subnet_group"] == name]


@operation("rds", "DeleteDBSubnetGroup")
def delete_db_subnet_group(call):
    group = subnet_group_of(call, call.params["DBSubnetGroupName"])
    name = group["DBSubnetGroupName"]
    del subnet_groups(call)[name]
    tags(call).pop(group["DBSubnetGroupArn"], None)
    return {}
