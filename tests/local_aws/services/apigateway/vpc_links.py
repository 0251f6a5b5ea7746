"""VPC links of the first kind, which lead to network load balancers only."""

from ...common import picked
from ...life import later
from ...registry import operation
from .patches import apply_patches
from .shared import found, fresh_id, listed, present, vpc_links


@operation("apigateway", "CreateVpcLink")
def create_vpc_link(call):
    link_id = fresh_id(vpc_links(call), 6)
    link = {"id": link_id, "status": "PENDING"} | picked(call.params, "name", "description", "targetArns", "tags")
    vpc_links(call)[link_id] = link
    # The target is only looked at later, so a load balancer of the wrong kind is accepted at first.
    wrong = [arn for arn in link["targetArns"] if ":loadbalancer/net/" not in arn]
    ending = {"status": "FAILED", "statusMessage": "NLB ARN is malformed."} if wrong else {"status": "AVAILABLE"}
    answer = present(link)
    later("apigateway.vpc-link.create", lambda: link.update(ending))
    return answer


@operation("apigateway", "GetVpcLink")
def get_vpc_link(call):
    return present(found(vpc_links(call), call.params["vpcLinkId"], "VpcLink"))


@operation("apigateway", "GetVpcLinks")
def get_vpc_links(call):
    return listed(call, [present(link) for link in vpc_links(call).values()])


@operation("apigateway", "UpdateVpcLink")
def update_vpc_link(call):
    link = found(vpc_links(call), call.params["vpcLinkId"], "VpcLink")
    apply_patches(call, link, {"/name": ("name", str), "/description": ("description", str)})
    return present(link)


@operation("apigateway", "DeleteVpcLink")
def delete_vpc_link(call):
    link = found(vpc_links(call), call.params["vpcLinkId"], "VpcLink")
    link["status"] = "DELETING"
    later("apigateway.vpc-link.delete", lambda: vpc_links(call).pop(link["id"], None))
    return {}
