"""Tags by ARN."""

from ...common import with_tags, without_tags
from ...registry import AwsError, operation
from .shared import tags

NOT_FOUND = {
    "replicationgroup": ("ReplicationGroupNotFoundFault", 404),
    "cluster": ("CacheClusterNotFound", 404),
    "subnetgroup": ("CacheSubnetGroupNotFoundFault", 400),
    "parametergroup": ("CacheParameterGroupNotFound", 404),
    "user": ("UserNotFound", 404),
    "usergroup": ("UserGroupNotFound", 404),
}


def known_arn(call):
    arn = call.params["ResourceName"]
    if arn not in tags(call):
        parts = arn.split(":")
        code, status = NOT_FOUND.get(parts[5] if len(parts) > 6 else "", ("InvalidARN", 400))
        raise AwsError(code, f"{arn} not found.", status)
    return arn


@operation("elasticache", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"TagList": tags(call)[known_arn(call)]}


@operation("elasticache", "AddTagsToResource")
def add_tags_to_resource(call):
    arn = known_arn(call)
    tags(call)[arn] = with_tags(tags(call)[arn], call.params["Tags"])
    return {"TagList": tags(call)[arn]}


@operation("elasticache", "RemoveTagsFromResource")
def remove_tags_from_resource(call):
    arn = known_arn(call)
    tags(call)[arn] = without_tags(tags(call)[arn], call.params["TagKeys"])
    return {"TagList": tags(call)[arn]}
