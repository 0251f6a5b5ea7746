"""S0: every name is `student-<thing>-<env>`, and every taggable object carries what it is, whose, and how sensitive.

Judges every object in the account, so that what lost its tags cannot hide.
"""

import re

import pytest
import sweep

# AWS makes and tags these itself, or has no tags for them.
UNTAGGABLE = {
    "apigateway.account",
    "apigateway.deployment",
    "application-autoscaling.policy",
    "cloudwatch.dashboard",
    "cognito.resource-server",
    "cognito.user-pool-client",
    "cognito.user-pool-domain",
    "ec2.network-interface",
    "efs.mount-target",
    "elasticache.cluster",
    "kms.alias",
    "logs.metric-filter",
    "rds.proxy-target",
    "s3.object-version",
    "sns.subscription",
}
# AWS gives these no name, or one of its own.
UNNAMED = {
    "apigateway.account",
    "apigateway.deployment",
    "ec2.network-interface",
    "s3.object-version",
    "sns.subscription",
}
# Of the account and region, not of an environment: API Gateway has one role for the logs of all stages.
SHARED = {"tapctl-api-gateway-logs"}
# AWS dictates these names, or gives them; nothing else may differ from the form.
DICTATED = [
    r"/aws/rds/cluster/{name}/postgresql",
    r"/aws/rds/proxy/{name}",
    r"/aws/ecs/containerinsights/{name}/performance",
    r"API-Gateway-Execution-Logs_[a-z0-9]+/{env}",
    r"{name}/{env}",  # a stage, after its API
    r"{name}/{name}",  # a client, after its user pool
    r"rds!cluster-[0-9a-f-]+",  # the secret that RDS keeps
    r"{name}:\d+(:\d+)?",  # a revision of a task definition, the port of a listener, and the priority of its rule
    r"internal-{name}\S*|{name}-\d+\S*\.elb\.amazonaws\.com",
    r"{name}/credentials",  # a secret: a name must not end like the suffix that AWS gives it
    r"{name}-\d{{12}}(-[a-z0-9-]+)?",  # shared with everybody: a bucket, a user pool's domain
    r"alias/{name}",
    r"{name}-00\d",  # a node of the cache
]
CLASSES = {"Restricted", "Internal"}


@pytest.fixture(scope="module")
def objects(live):
    """Everything in the account but for what another environment owns, as (kind, object)."""
    found = sweep.collect(sweep.Account(live.endpoint, live.region, False))
    everything = [(kind, item) for kind, items in found.items() for item in items]
    elsewhere = [item["tags"].get("tapctl:env", live.env) != live.env for _, item in everything]
    return [pair for pair, other in zip(everything, elsewhere) if not other and pair[1]["name"] not in SHARED]


@pytest.fixture(scope="module")
def tags(live, objects):
    """Kind, name and tags of everything that can carry tags."""
    taggable = [(kind, item) for kind, item in objects if kind not in UNTAGGABLE]
    taggable = [(kind, item) for kind, item in taggable if not item["name"].startswith("rds!cluster-")]
    return [(kind, item["name"], item["tags"] or tags_elsewhere(live, kind, item)) for kind, item in taggable]


def tags_elsewhere(live, kind, item):
    """Tags of what no listing shows them for."""
    match kind:
        case "cloudtrail.trail":
            arn = live.trail["TrailARN"]
            found = live.cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
            return sweep.tag_map(found[0]["TagsList"])
        case "cloudwatch.alarm":
            arn = live.arn("cloudwatch", f"alarm:{item['name']}")
            return sweep.tag_map(live.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"])
        case "sns.topic":
            return sweep.tag_map(live.sns.list_tags_for_resource(ResourceArn=item["id"])["Tags"])
        case "wafv2.web-acl":
            found = live.wafv2.list_tags_for_resource(ResourceARN=item["id"])["TagInfoForResource"]
            return sweep.tag_map(found["TagList"])
        case "cognito.user-pool":
            return live.user_pool.get("UserPoolTags", {})
    return {}


def test_every_name_has_the_form(live, objects):
    name = rf"student-[a-z0-9-]+-{live.env}"
    forms = [name, *(form.format(name=name, env=live.env) for form in DICTATED)]
    pattern = re.compile("|".join(f"(?:{form})" for form in forms))
    wrong = [f"{k} {i['name']}" for k, i in objects if k not in UNNAMED and not by_name(i, pattern)]
    assert wrong == []


def by_name(item, pattern):
    """A mount target goes by its file system and zone, a scalable target by its tag."""
    name = item["tags"].get("Name") if item["name"].startswith("service/") else item["name"]
    return pattern.fullmatch(name.partition(" ")[0])


def test_everything_tells_what_it_is(live, tags):
    fixed = {
        "Environment": live.env,
        "Project": "StudentRecords",
        "Compliance": "FERPA",
        "ManagedBy": "tapctl",
        "tapctl:stack": "student-records",
        "tapctl:env": live.env,
    }
    assert len(tags) > 60
    wrong = [
        f"{kind} {name}: {key}={found.get(key)}"
        for kind, name, found in tags
        for key in fixed
        if found.get(key) != fixed[key]
    ]
    assert wrong == []


def test_everything_has_a_name_a_service_and_a_class(tags):
    wrong = [
        f"{kind} {name}: {key}"
        for kind, name, found in tags
        for key in ("Name", "Service", "tapctl:node")
        if not found.get(key)
    ]
    wrong += [
        f"{kind} {name}: {found.get('DataClassification')}"
        for kind, name, found in tags
        if found.get("DataClassification") not in CLASSES
    ]
    assert wrong == []


def test_what_holds_student_records_is_restricted(tags):
    holders = {
        "rds.cluster",
        "rds.instance",
        "elasticache.replication-group",
        "kinesis.stream",
        "efs.file-system",
        "ecs.task-definition",
        "secretsmanager.secret",
        "kms.key",
        "s3.bucket",
    }
    seen = {kind for kind, _, _ in tags}
    assert holders - seen == set()
    wrong = [
        f"{kind} {name}"
        for kind, name, found in tags
        if kind in holders and found["DataClassification"] != "Restricted"
    ]
    assert wrong == []


def test_the_tags_of_the_university_are_on_everything(tags, wanted):
    share = {found.get("CostCentre") for _, _, found in tags}
    assert share == ({"4711"} if wanted.has("tags") else {None})


def test_tasks_and_their_interfaces_take_over_the_tags(live):
    assert live.service["propagateTags"] == "SERVICE"
