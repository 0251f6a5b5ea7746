"""P10: what everything is called and labelled, and what other tools get to know."""

from pipeline import tag_map


def tagged(live):
    """The tags of one object of every kind that has any."""
    kms, logs, rds = live.client("kms"), live.client("logs"), live.client("rds")
    yield "key", kms.list_resource_tags(KeyId=live.key_arn)["Tags"]
    yield "vpc", live.vpc["Tags"]
    for name, subnet in live.subnets.items():
        yield name, subnet["Tags"]
    for name, group in live.groups.items():
        if name != "default":
            yield name, group["Tags"]
    yield "stream", live.client("kinesis").list_tags_for_stream(StreamName=live.stream["StreamName"])["Tags"]
    yield "secret", live.secret["Tags"]
    yield "database", rds.list_tags_for_resource(ResourceName=live.database["DBInstanceArn"])["TagList"]
    yield "cluster", live.cluster["tags"]
    yield "task", live.client("ecs").list_tags_for_resource(resourceArn=live.task["taskDefinitionArn"])["tags"]
    yield "api", live.api["tags"]
    yield "stage", live.stage["tags"]
    for name, group in live.log_groups.items():
        yield name, logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
    for thing in ("execution", "task", "api-ingest", "flow-logs"):
        yield thing, live.client("iam").list_role_tags(RoleName=live.name(thing))["Tags"]


def test_everything_says_whose_it_is_and_what_it_must_comply_with(live):
    kinds = 0
    for what, tags in tagged(live):
        tags = tag_map(tags)
        assert tags["Environment"] == live.env, what
        assert tags["Compliance"] == "FedRAMP-Moderate", what
        assert tags["Project"] == live.project, what
        assert tags["ManagedBy"] == "tapctl", what
        assert tags["Name"], what
        assert live.owns(tags), what
        kinds += 1
    assert kinds > 20


def test_the_outputs_name_live_objects(live, outputs):
    arns = f":{live.account}:"
    assert outputs["VpcId"] == live.vpc["VpcId"]
    assert set(outputs["PublicSubnetIds"].split(",")) == live.subnet_ids("public")
    assert set(outputs["PrivateSubnetIds"].split(",")) == live.subnet_ids("private")
    assert outputs["KinesisStreamName"] == live.stream["StreamName"]
    assert outputs["KinesisStreamArn"] == live.stream["StreamARN"]
    assert outputs["RdsEndpoint"] == live.database["Endpoint"]["Address"]
    assert outputs["DbSecretArn"] == live.secret["ARN"]
    assert outputs["EcsClusterArn"] == live.cluster["clusterArn"]
    assert outputs["TaskDefinitionArn"] == live.service["taskDefinition"]
    assert outputs["ApiGatewayId"] == live.api["id"]
    url = f"https://{live.api['id']}.execute-api.{live.region}.amazonaws.com/{live.stage['stageName']}"
    assert outputs["ApiGatewayUrl"] == url
    assert outputs["ApiGatewayEndpoint"] == f"{url}/ingest"
    assert all(arns in value for name, value in outputs.items() if name.endswith("Arn"))
    assert len(outputs) == 12
