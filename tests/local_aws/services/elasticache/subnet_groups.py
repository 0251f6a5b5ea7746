"""Cache subnet groups."""

from ...common import page, require_unique
from ...registry import AwsError, operation
from .shared import groups, subnet_group_of, subnet_groups, tags


def subnets_of(call, ids):
    known = call.backend("ec2")
    found = []
    for subnet_id in ids:
        match = [known.subnets[zone][subnet_id] for zone in known.subnets if subnet_id in known.subnets[zone]]
        if not match:
            raise AwsError("InvalidSubnet", f"The subnet ID '{subnet_id}' does not exist.")
        found += match
    if len({subnet.vpc_id for subnet in found}) > 1:
        raise AwsError("InvalidSubnet", "The subnets are not in the same VPC.")
    return found


def described(subnets):
    return [
        {
            "SubnetIdentifier": subnet.id,
            "SubnetAvailabilityZone": {"Name": subnet.availability_zone},
            "SupportedNetworkTypes": ["ipv4"],
        }
        for subnet in subnets
    ]


@operation("elasticache", "CreateCacheSubnetGroup")
def create_cache_subnet_group(call):
    name = call.params["CacheSubnetGroupName"].lower()
    message = f"Cache subnet group {name} already exists."
    require_unique(subnet_groups(call), name, "CacheSubnetGroupAlreadyExists", message)
    subnets = subnets_of(call, call.params["SubnetIds"])
    group = {
        "CacheSubnetGroupName": name,
        "CacheSubnetGroupDescription": call.params["CacheSubnetGroupDescription"],
        "VpcId": subnets[0].vpc_id,
        "Subnets": described(subnets),
        "ARN": call.arn("elasticache", f"subnetgroup:{name}"),
        "SupportedNetworkTypes": ["ipv4"],
    }
    subnet_groups(call)[name] = group
    tags(call)[group["ARN"]] = call.get("Tags", [])
    return {"CacheSubnetGroup": group}


@operation("elasticache", "DescribeCacheSubnetGroups")
def describe_cache_subnet_groups(call):
    if call.get("CacheSubnetGroupName"):
        return {"CacheSubnetGroups": [subnet_group_of(call, call.params["CacheSubnetGroupName"])]}
    found, more = page(call, list(subnet_groups(call).values()), "MaxRecords", "Marker", "Marker")
    return {"CacheSubnetGroups": found} | more


@operation("elasticache", "ModifyCacheSubnetGroup")
def modify_cache_subnet_group(call):
    group = subnet_group_of(call, call.params["CacheSubnetGroupName"])
    if call.get("SubnetIds"):
        gone = {s["SubnetIdentifier"] for s in group["Subnets"]} - set(call.params["SubnetIds"])
        require_unused(call, group, gone)
        group["Subnets"] = described(subnets_of(call, call.params["SubnetIds"]))
    group["CacheSubnetGroupDescription"] = call.get("CacheSubnetGroupDescription", group["CacheSubnetGroupDescription"])
    return {"CacheSubnetGroup": group}


def require_unused(call, group, subnet_ids):
    for user in users_of(call, group):
        used = {member["_subnet"] for member in user["_members"]}
        if used & subnet_ids:
            raise AwsError("SubnetInUse", f"The subnet ID {sorted(used & subnet_ids)[0]} is in use.")


def users_of(call, group):
    return [g for g in groups(call).values() if g["_subnet_group"] == group["CacheSubnetGroupName"]]


@operation("elasticache", "DeleteCacheSubnetGroup")
def delete_cache_subnet_group(call):
    group = subnet_group_of(call, call.params["CacheSubnetGroupName"])
    del subnet_groups(call)[group["CacheSubnetGroupName"]]
    tags(call).pop(group["ARN"], None)
    return {}
