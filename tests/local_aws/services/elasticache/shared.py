"""Where ElastiCache keeps its objects. Every identifier is stored in lower case, whatever the caller wrote."""

from ...common import find


def groups(call):
    return call.shelf("elasticache.groups")


def subnet_groups(call):
    return call.shelf("elasticache.subnet-groups")


def parameter_groups(call):
    return call.shelf("elasticache.parameter-groups")


def snapshots(call):
    return call.shelf("elasticache.snapshots")


def users(call):
    return call.shelf("elasticache.users")


def user_groups(call):
    return call.shelf("elasticache.user-groups")


def tags(call):
    return call.shelf("elasticache.tags")


def group_of(call, name=None):
    key = (name or call.params["ReplicationGroupId"]).lower()
    return find(groups(call), key, "ReplicationGroupNotFoundFault", f"ReplicationGroup {key} not found.")


def subnet_group_of(call, name):
    key = name.lower()
    return find(subnet_groups(call), key, "CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {key} does not exist.")


def shown(item):
    """Without what is only remembered here."""
    return {key: value for key, value in item.items() if not key.startswith("_")}
