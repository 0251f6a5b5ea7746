"""Cache parameter groups, the AWS ones and those of the customer."""

from ...common import page, require_unique
from ...registry import AwsError, operation
from .shared import parameter_groups, tags

FAMILIES = ("memcached1.6", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8")
PARAMETERS = {
    "maxmemory-policy": (
        "volatile-lru",
        "string",
        "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction",
        "immediate",
    ),
    "timeout": ("0", "integer", "0,20-", "immediate"),
    "tcp-keepalive": ("300", "integer", "0-", "immediate"),
    "notify-keyspace-events": ("", "string", "", "immediate"),
    "slowlog-log-slower-than": ("10000", "integer", "-", "immediate"),
    "slowlog-max-len": ("128", "integer", "0-", "immediate"),
    "reserved-memory-percent": ("25", "integer", "0-100", "immediate"),
    "activedefrag": ("no", "string", "yes,no", "immediate"),
    "lazyfree-lazy-eviction": ("no", "string", "yes,no", "immediate"),
    "cluster-enabled": ("no", "string", "yes,no", "requires-reboot"),
    "close-on-replica-write": ("yes", "string", "yes,no", "requires-reboot"),
}


def default_name(family, clustered=False):
    return f"default.{family}" + (".cluster.on" if clustered else "")


def default_group(call, family, clustered=False):
    name = default_name(family, clustered)
    return {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": family,
        "Description": f"Default parameter group for {family}",
        "IsGlobal": False,
        "ARN": call.arn("elasticache", f"parametergroup:{name}"),
        "_set": {"cluster-enabled": "yes"} if clustered else {},
    }


def defaults(call):
    made = [default_group(call, family) for family in FAMILIES]
    return made + [default_group(call, f, True) for f in FAMILIES if not f.startswith("memcached")]


def all_groups(call):
    return {g["CacheParameterGroupName"]: g for g in defaults(call)} | parameter_groups(call)


def parameter_group_of(call, name):
    found = all_groups(call).get(name.lower())
    if found is None:
        raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
    return found


def shown(group):
    return {key: value for key, value in group.items() if not key.startswith("_")}


@operation("elasticache", "CreateCacheParameterGroup")
def create_cache_parameter_group(call):
    name = call.params["CacheParameterGroupName"].lower()
    message = f"Cache parameter group {name} already exists."
    require_unique(all_groups(call), name, "CacheParameterGroupAlreadyExists", message)
    family = call.params["CacheParameterGroupFamily"]
    if family not in FAMILIES:
        raise AwsError("InvalidParameterValue", f"The CacheParameterGroupFamily {family} is not a valid family.")
    group = default_group(call, family) | {
        "CacheParameterGroupName": name,
        "Description": call.params["Description"],
        "ARN": call.arn("elasticache", f"parametergroup:{name}"),
        "_set": {},
    }
    parameter_groups(call)[name] = group
    tags(call)[group["ARN"]] = call.get("Tags", [])
    return {"CacheParameterGroup": shown(group)}


@operation("elasticache", "DescribeCacheParameterGroups")
def describe_cache_parameter_groups(call):
    if call.get("CacheParameterGroupName"):
        return {"CacheParameterGroups": [shown(parameter_group_of(call, call.params["CacheParameterGroupName"]))]}
    found, more = page(call, [shown(g) for g in all_groups(call).values()], "MaxRecords", "Marker", "Marker")
    return {"CacheParameterGroups": found} | more


def own_group(call):
    group = parameter_group_of(call, call.params["CacheParameterGroupName"])
    if group["CacheParameterGroupName"].startswith("default."):
        raise AwsError("InvalidCacheParameterGroupState", "The default parameter groups cannot be changed.")
    return group


@operation("elasticache", "ModifyCacheParameterGroup")
def modify_cache_parameter_group(call):
    group = own_group(call)
    for wanted in call.params["ParameterNameValues"]:
        if wanted["ParameterName"] not in PARAMETERS:
            raise AwsError("InvalidParameterValue", f"The parameter {wanted['ParameterName']} cannot be modified.")
        group["_set"][wanted["ParameterName"]] = wanted["ParameterValue"]
    return {"CacheParameterGroupName": group["CacheParameterGroupName"]}


@operation("elasticache", "ResetCacheParameterGroup")
def reset_cache_parameter_group(call):
    group = own_group(call)
    if call.get("ResetAllParameters"):
        group["_set"].clear()
    for wanted in call.get("ParameterNameValues", []):
        group["_set"].pop(wanted["ParameterName"], None)
    return {"CacheParameterGroupName": group["CacheParameterGroupName"]}


@operation("elasticache", "DescribeCacheParameters")
def describe_cache_parameters(call):
    group = parameter_group_of(call, call.params["CacheParameterGroupName"])
    found = [parameter(group, name) for name in PARAMETERS]
    wanted = call.get("Source")
    found = [p for p in found if wanted in (None, p["Source"])]
    return {"Parameters": found, "CacheNodeTypeSpecificParameters": []}


def parameter(group, name):
    value, kind, allowed, change = PARAMETERS[name]
    return {
        "ParameterName": name,
        "ParameterValue": group["_set"].get(name, value),
        "Description": name,
        "Source": "user" if name in group["_set"] else "system",
        "DataType": kind,
        "AllowedValues": allowed,
        "IsModifiable": True,
        "MinimumEngineVersion": "5.0.0",
        "ChangeType": change,
    }


@operation("elasticache", "DeleteCacheParameterGroup")
def delete_cache_parameter_group(call):
    group = own_group(call)
    name = group["CacheParameterGroupName"]
    del parameter_groups(call)[name]
    tags(call).pop(group["ARN"], None)
    return {}
