"""Tags by ARN."""

from ...common import with_tags, without_tags
from ...registry import AwsError, operation
from .shared import tags

NOT_FOUND = {
    "cluster": "DBClusterNotFoundFault",
    "db": "DBInstanceNotFound",
    "subgrp": "DBSubnetGroupNotFoundFault",
    "cluster-pg": "DBParameterGroupNotFound",
    "pg": "DBParameterGroupNotFound",
    "cluster-snapshot": "DBClusterSnapshotNotFoundFault",
    "snapshot": "DBSnapshotNotFound",
    "db-proxy": "DBProxyNotFoundFault",
}


def known_arn(call):
    arn = call.params["ResourceName"]
    if arn not in tags(call):
        parts = arn.split(":")
        code = NOT_FOUND.get(parts[5] if len(parts) > 6 else "", "InvalidParameterValue")
        raise AwsError(code, f"The specified resource name does not match an RDS resource in this region: {arn}")
    return arn


@operation("rds", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"TagList": tags(call)[known_arn(call)]}


@operation("rds", "AddTagsToResource")
def add_tags_to_resource(call):
    arn = known_arn(call)
    tags(call)[arn] = with_tags(tags(call)[arn], call.params["Tags"])
    return {}


@operation("rds", "RemoveTagsFromResource")
def remove_tags_from_resource(call):
    arn = known_arn(call)
    tags(call)[arn] = without_tags(tags(call)[arn], call.params["TagKeys"])
    return {}
