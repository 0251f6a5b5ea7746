"""Tags by ARN: arn:aws:apigateway:REGION::/restapis/ID, …/stages/NAME, /usageplans/ID, /apikeys/ID, /vpclinks/ID."""

from ...registry import AwsError, operation
from .shared import api_keys, apis, usage_plans, vpc_links


def holder(call):
    parts = call.params["resourceArn"].split(":", 5)[-1].strip("/").split("/")
    shelves = {"usageplans": usage_plans, "apikeys": api_keys, "vpclinks": vpc_links}
    found = None
    if len(parts) == 4 and parts[0] == "restapis" and parts[2] == "stages":
        found = apis(call).get(parts[1], {}).get("stages", {}).get(parts[3])
    elif len(parts) == 2 and parts[0] == "restapis":
        found = apis(call).get(parts[1], {}).get("record")
    elif len(parts) == 2 and parts[0] in shelves:
        found = shelves[parts[0]](call).get(parts[1])
    if found is None:
        raise AwsError("NotFoundException", "Invalid resource identifier specified")
    return found


@operation("apigateway", "TagResource")
def tag_resource(call):
    item = holder(call)
    item["tags"] = item.get("tags", {}) | call.params["tags"]
    return {}


@operation("apigateway", "UntagResource")
def untag_resource(call):
    item = holder(call)
    item["tags"] = {k: v for k, v in item.get("tags", {}).items() if k not in call.params["tagKeys"]}
    return {}


@operation("apigateway", "GetTags")
def get_tags(call):
    return {"tags": holder(call).get("tags", {})}
