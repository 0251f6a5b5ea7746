"""The tagging API: what moto leaves out of a search, and what moto does not hold at all."""

from ..common import page
from ..moto_app import ask
from ..registry import operation
from ..world import world
from .backup import recovery_points
from .cognito import pools
from .kinesis import streams


def pairs(tags):
    """Tags in whatever form a service keeps them, as the list the tagging API answers."""
    if isinstance(tags, dict):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"Key": tag.get("Key", tag.get("key")), "Value": tag.get("Value", tag.get("value"))} for tag in tags or []]


def own(call):
    """(ARN, tags) of everything that the corrections keep instead of moto."""
    yield from ecs(call)
    yield from apigateway(call)
    yield from call.shelf("rds.tags").items()
    yield from call.shelf("elasticache.tags").items()
    for stream in streams(call).values():
        yield stream.arn, stream.tags
    for kind in ("file-systems", "access-points"):
        for item in call.shelf(f"efs.{kind}").values():
            yield item.get("FileSystemArn") or item["AccessPointArn"], item["Tags"]
    for target in call.shelf("autoscaling.targets").values():
        yield target["ScalableTargetARN"], target["_tags"]
    for arn, point in recovery_points(call).items():
        yield arn, point["_tags"]
    yield from ec2(call)
    yield from listeners(call)
    for pool in pools(call).values():
        yield pool["Arn"], pool["UserPoolTags"]


def ecs(call):
    for kind, arn in (("clusters", "clusterArn"), ("services", "serviceArn")):
        for item in call.shelf(f"ecs.{kind}").values():
            if item["status"] != "INACTIVE":
                yield item[arn], item.get("tags", [])
    for entry in call.shelf("ecs.task-definitions").values():
        if entry["definition"]["status"] == "ACTIVE":
            yield entry["definition"]["taskDefinitionArn"], entry["tags"]


def apigateway(call):
    base = f"arn:{call.partition}:apigateway:{call.region}::"
    for api_id, api in call.shelf("apigateway.apis").items():
        yield f"{base}/restapis/{api_id}", api["record"]["tags"]
        for name, stage in api["stages"].items():
            yield f"{base}/restapis/{api_id}/stages/{name}", stage["tags"]
    for shelf, path in (("usage-plans", "usageplans"), ("api-keys", "apikeys"), ("vpc-links", "vpclinks")):
        for item in call.shelf(f"apigateway.{shelf}").values():
            yield f"{base}/{path}/{item['id']}", item.get("tags", {})
    for link_id, link in call.shelf("apigatewayv2.vpc-links").items():
        yield f"{base}/vpclinks/{link_id}", link["Tags"]


def ec2(call):
    backend = call.backend("ec2")
    for address in backend.addresses:
        yield call.arn("ec2", f"elastic-ip/{address.allocation_id}"), address.get_tags()
    for endpoint in backend.vpc_end_points.values():
        yield call.arn("ec2", f"vpc-endpoint/{endpoint.id}"), endpoint.get_tags()
    for log in backend.flow_logs.values():
        yield call.arn("ec2", f"vpc-flow-log/{log.id}"), log.get_tags()


def listeners(call):
    backend = call.backend("elbv2")
    for balancer in backend.load_balancers.values():
        for arn, listener in balancer.listeners.items():
            rules = [rule.arn for rule in listener.rules.values() if not rule.is_default]
            for one in [arn, *rules]:
                yield one, backend.tagging_service.list_tags_for_resource(one)["Tags"]


def wanted_kind(call, arn):
    """ResourceTypeFilters are `service` or `service:kind`."""
    kinds = call.get("ResourceTypeFilters", [])
    service, rest = arn.split(":", 5)[2], arn.split(":", 5)[5].lstrip("/")
    return not kinds or any(
        k == service or (k.startswith(service + ":") and rest.startswith(k.partition(":")[2])) for k in kinds
    )


def meets_filters(call, tags):
    for wish in call.get("TagFilters", []):
        if not any(t["Key"] == wish["Key"] and (not wish.get("Values") or t["Value"] in wish["Values"]) for t in tags):
            return False
    return True


def everything(call):
    """Tags by ARN of all that has any, as things are."""
    found = from_moto(call, {"ResourcesPerPage": 100})
    return found | {arn: pairs(tags) for arn, tags in own(call) if tags}


def as_indexed(call, now):
    """What the index shows of it: with `lag` K it learns of whatever comes, changes or goes after K more searches."""
    if call.looks_on:
        return now
    index, late = call.shelf("tagging.index"), call.shelf("tagging.late")
    for arn in sorted(set(now) | set(index)):
        if now.get(arn) == index.get(arn):
            late.pop(arn, None)
            continue
        late[arn] = late.get(arn, 0) + (0 if call.get("PaginationToken") else 1)
        if late[arn] <= world.settings.lag:
            continue
        late.pop(arn)
        if arn in now:
            index[arn] = now[arn]
        else:
            index.pop(arn, None)
    return dict(index)


@operation("resourcegroupstaggingapi", "GetResources")
def get_resources(call):
    shown_now = as_indexed(call, {arn: tags for arn, tags in everything(call).items() if ":iam::" not in arn})
    found = {
        arn: tags
        for arn, tags in shown_now.items()
        if wanted_kind(call, arn) and meets_filters(call, tags) and arn in call.get("ResourceARNList", [arn])
    }
    mappings = [{"ResourceARN": arn, "Tags": tags} for arn, tags in sorted(found.items())]
    shown, more = page(call, mappings, "ResourcesPerPage", "PaginationToken", "PaginationToken")
    return {"ResourceTagMappingList": shown, "PaginationToken": more.get("PaginationToken", "")}


def tags_of(call, arn):
    """The tags of one object, whatever service it is of."""
    if ":iam::" in arn:
        roles = [role for role in call.backend("iam").roles.values() if role.arn == arn]
        tags = roles[0].tags if roles else []
    else:
        tags = dict(own(call)).get(arn) or from_moto(call, {"ResourceARNList": [arn]}).get(arn)
    return {tag["Key"]: tag["Value"] for tag in pairs(tags)}


def from_moto(call, params):
    found, token = {}, ""
    while True:
        paged = params | ({"PaginationToken": token} if token else {})
        answer = ask(call, "resourcegroupstaggingapi", "GetResources", paged)
        found |= {entry["ResourceARN"]: entry["Tags"] for entry in answer["ResourceTagMappingList"]}
        token = answer.get("PaginationToken")
        if not token:
            return found
