"""VPC links of the second kind, which lead to application load balancers. The rest of the service is moto's."""

from .. import enis
from ..common import picked
from ..life import conclude, later
from ..moto_app import ask
from ..registry import AwsError, now, operation
from ..world import new_name, world

READY = "VPC link is ready to route traffic"
PROVISIONING = "VPC link is provisioning ENIs"


def links(call):
    return call.shelf("apigatewayv2.vpc-links")


def link_of(call):
    link_id = call.params["VpcLinkId"]
    if link_id not in links(call):
        raise AwsError("NotFoundException", f"Unable to find VpcLink by ID {link_id}")
    return links(call)[link_id]


@operation("apigatewayv2", "CreateVpcLink")
def create_vpc_link(call):
    link_id = new_name(6)
    link = {
        "VpcLinkId": link_id,
        "VpcLinkStatus": "PENDING",
        "VpcLinkStatusMessage": PROVISIONING,
        "VpcLinkVersion": "V2",
        "CreatedDate": now(),
        "SecurityGroupIds": call.get("SecurityGroupIds", []),
        "Tags": {},
    } | picked(call.params, "Name", "SubnetIds", "Tags")
    links(call)[link_id] = link
    take_places(call, link)
    good, bad = (
        (lambda: finish(link, "AVAILABLE", READY)),
        (lambda text: finish(link, "FAILED", text or "VPC link failed")),
    )
    conclude("apigateway.vpc-link.create", "apigatewayv2.vpc-link", link["Name"], good, bad)
    return link | {"VpcLinkStatus": "PENDING"}


def take_places(call, link):
    what = f"VPC Link Interface {link['VpcLinkId']}"
    for subnet in link["SubnetIds"]:
        enis.attach(call, owner(link), subnet, link["SecurityGroupIds"], what, "api-gateway")


def shown(link):
    return {key: value for key, value in link.items() if not key.startswith("_")}


def owner(link):
    return f"vpc-link/{link['VpcLinkId']}"


def finish(link, status, message):
    if link["VpcLinkStatus"] == "PENDING":
        link |= {"VpcLinkStatus": status, "VpcLinkStatusMessage": message}


def fall_asleep(call):
    """Without a request for 60 days a link loses its interfaces; API Gateway Developer Guide, "Set up VPC links V2"."""
    for link in links(call).values() if world.account("idle_vpc_links") else ():
        if link["VpcLinkStatus"] == "AVAILABLE" and not link.get("_woken"):
            link |= {"VpcLinkStatus": "INACTIVE", "VpcLinkStatusMessage": "VPC link is inactive"}
            enis.release(call, owner(link))


def wake(call, link):
    """The first request fails, and has AWS make the interfaces again."""
    if link["VpcLinkStatus"] == "INACTIVE":
        link |= {"VpcLinkStatus": "PENDING", "VpcLinkStatusMessage": PROVISIONING, "_woken": True}
        take_places(call, link)
        later("apigateway.vpc-link.create", lambda: finish(link, "AVAILABLE", READY))


@operation("apigatewayv2", "GetVpcLink")
def get_vpc_link(call):
    fall_asleep(call)
    return shown(link_of(call))


@operation("apigatewayv2", "GetVpcLinks")
def get_vpc_links(call):
    start, size = int(call.get("NextToken") or 0), int(call.get("MaxResults") or 25)
    fall_asleep(call)
    known = [shown(link) for link in links(call).values()]
    more = {"NextToken": str(start + size)} if start + size < len(known) else {}
    return {"Items": known[start : start + size]} | more


@operation("apigatewayv2", "UpdateVpcLink")
def update_vpc_link(call):
    link = link_of(call)
    link.update(picked(call.params, "Name"))
    return shown(link)


@operation("apigatewayv2", "DeleteVpcLink")
def delete_vpc_link(call):
    link = link_of(call)
    if link["VpcLinkStatus"] != "DELETING":
        link |= {"VpcLinkStatus": "DELETING", "VpcLinkStatusMessage": "VPC link is deleting"}
        later("apigateway.vpc-link.delete", lambda: remove(call, link))
    return {}


def remove(call, link):
    links(call).pop(link["VpcLinkId"], None)
    enis.release(call, owner(link))


def tagged_link(call):
    path = call.params["ResourceArn"].rpartition(":")[2].strip("/").split("/")
    if path[0] != "vpclinks":
        return None
    if path[-1] not in links(call):
        raise AwsError("NotFoundException", "Invalid resource identifier specified")
    return links(call)[path[-1]]


@operation("apigatewayv2", "GetTags")
def get_tags(call):
    link = tagged_link(call)
    return {"Tags": link["Tags"]} if link else ask(call)


@operation("apigatewayv2", "TagResource")
def tag_resource(call):
    link = tagged_link(call)
    if link is None:
        return ask(call)
    link["Tags"] = link["Tags"] | call.params["Tags"]
    return {}


@operation("apigatewayv2", "UntagResource")
def untag_resource(call):
    link = tagged_link(call)
    if link is None:
        return ask(call)
    link["Tags"] = {key: value for key, value in link["Tags"].items() if key not in call.params["TagKeys"]}
    return {}
