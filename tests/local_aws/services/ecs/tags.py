"""Tags by ARN, for clusters, services and task definitions alike."""

from ...common import with_tags, without_tags
from ...registry import AwsError, operation
from .shared import clusters, services, task_definitions


def tagged(call, arn):
    """The dictionary that holds the tags of what an ARN names."""
    kind, _, path = arn.split(":", 5)[5].partition("/")
    if kind == "cluster":
        found = clusters(call).get(path)
    elif kind == "service":
        found = services(call).get(tuple(path.split("/", 1)))
    elif kind == "task-definition":
        found = task_definitions(call).get(path)
    else:
        found = None
    if found is None:
        raise AwsError("InvalidParameterException", f"The specified {kind} could not be found.")
    return found


@operation("ecs", "ListTagsForResource")
def list_tags_for_resource(call):
    return {"tags": tagged(call, call.params["resourceArn"]).get("tags", [])}


@operation("ecs", "TagResource")
def tag_resource(call):
    found = tagged(call, call.params["resourceArn"])
    found["tags"] = with_tags(found.get("tags"), call.params["tags"], "key")
    return {}


@operation("ecs", "UntagResource")
def untag_resource(call):
    found = tagged(call, call.params["resourceArn"])
    found["tags"] = without_tags(found.get("tags"), call.params["tagKeys"], "key")
    return {}
