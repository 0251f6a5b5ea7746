"""What already stands in the account, found by the tags that tapctl puts on what it makes, in every region."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

PENDING = ("PendingDeletion", "PendingReplicaDeletion")


def standing(client, region):
    """({(stack, env, region): how many objects}, [regions that could not be looked into, and why]).

    `client` makes one of (service, region). What is deleted, or only waits for that, does not stand."""
    try:
        regions = [item["RegionName"] for item in client("ec2", region).describe_regions()["Regions"]]
    except ClientError as refused:
        return of_region(client, region), [f"other regions: {refused}"]
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(lambda name: attempt(client, name), regions))
    found = sum((found for found, _ in looks), Counter())
    return found, [problem for _, problem in looks if problem]


def attempt(client, region):
    try:
        return of_region(client, region), None
    except (BotoCoreError, ClientError) as refused:
        return Counter(), f"{region}: {refused}"


def of_region(client, region):
    pages = client("resourcegroupstaggingapi", region).get_paginator("get_resources")
    found = Counter()
    for page in pages.paginate(TagFilters=[{"Key": "tapctl:env"}]):
        for item in page["ResourceTagMappingList"]:
            tags = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
            if not is_going(client, region, item["ResourceARN"]):
                found[tags.get("tapctl:stack", "?"), tags["tapctl:env"], region] += 1
    return found


def is_going(client, region, arn):
    """Whether the index of tags still tells of what is deleted, or only waits for that."""
    service, name = arn.split(":")[2], arn.rpartition("/")[2]
    kind = f"{service}:{arn.split(':', 5)[5].partition('/')[0]}"
    ask = GOING.get(service) or GOING.get(kind)
    try:
        return bool(ask and ask(lambda wanted: client(wanted, region), arn, name))
    except ClientError as refused:
        return "NotFound" in refused.response["Error"]["Code"]


def key(client, arn, _):
    return client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] in PENDING


def secret(client, arn, _):
    return "DeletedDate" in client("secretsmanager").describe_secret(SecretId=arn)


def nat_gateway(client, _, name):
    found = client("ec2").describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
    return all(gateway["State"] == "deleted" for gateway in found)


def vpc_endpoint(client, _, name):
    found = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    return all(endpoint["State"].lower() in ("deleting", "deleted") for endpoint in found)


def task_definition(client, arn, _):
    return client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"] != "ACTIVE"


# What is seen for a while after it was deleted: a NAT gateway for an hour, a task definition for as long as AWS likes.
GOING = {
    "kms": key,
    "secretsmanager": secret,
    "ec2:natgateway": nat_gateway,
    "ec2:vpc-endpoint": vpc_endpoint,
    "ecs:task-definition": task_definition,
}


def refusal(found, named):
    """Why there may be no try beside what was found; nothing where all of it was named."""
    unnamed = {place: count for place, count in found.items() if f"{place[0]}-{place[1]}" not in named}
    if not unnamed:
        return None
    lines = [f"  {stack}-{env} in {region}: {count} objects" for (stack, env, region), count in sorted(unnamed.items())]
    flags = " ".join(f"--beside {name}" for name in sorted({f"{stack}-{env}" for stack, env, _ in unnamed}))
    return "\n".join(
        [
            "the account holds other environments of tapctl:",
            *lines,
            f"hint: use an account that holds nothing else; where a try may run beside them, say {flags}",
        ]
    )
