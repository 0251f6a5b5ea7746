"""What a caller is told once a part of the way to the service, or into the stream, is gone: nothing on it is superfluous.

Only for the local AWS, of which every test takes a copy to break.
"""

import json
import urllib.request

import pytest
from requirements.campus import Campus
from requirements.live import Live, one

INTERNAL, NETWORK = "Internal server error", "Network error communicating with endpoint"


def ask(endpoint, method, path):
    with urllib.request.urlopen(urllib.request.Request(endpoint + path, data=b"{}", method=method)) as answer:
        return json.load(answer)


@pytest.fixture
def broken(pytestconfig, wanted):
    """A copy of the account, to break something in."""
    endpoint = pytestconfig.getoption("endpoint")
    fork = ask(endpoint, "POST", "/_local/forks")
    yield Live(fork["url"], wanted.region, wanted.env)
    ask(endpoint, "DELETE", f"/_local/forks?port={fork['port']}")


@pytest.fixture
def campus(broken, wanted):
    return Campus(broken, wanted.has("cognito"))


def read(campus):
    answer = campus.call("GET", "/students/4711")
    return answer.status, answer.body.decode()


def told(campus, status, message):
    found, said = read(campus)
    assert (found, json.loads(said)) == (status, {"message": message})


def shut(live, group, port):
    """Takes away what lets anybody in at a port of a group."""
    found = live.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [live.groups[group]]}])
    inward = [rule for rule in found["SecurityGroupRules"] if not rule["IsEgress"] and rule["FromPort"] == port]
    assert inward, f"{group} lets nobody in at {port}"
    ids = [rule["SecurityGroupRuleId"] for rule in inward]
    live.ec2.revoke_security_group_ingress(GroupId=live.groups[group], SecurityGroupRuleIds=ids)


def test_with_everything_in_its_place_the_service_answers(campus):
    status, said = read(campus)
    assert (status, json.loads(said)["path"]) == (200, "/students/4711")


def test_the_balancer_lets_the_link_in(broken, campus):
    shut(broken, "alb", 443)
    told(campus, 504, NETWORK)


def test_the_tasks_let_the_balancer_in(broken, campus):
    shut(broken, "service", broken.targets["Port"])
    status, said = read(campus)
    assert status == 504 and "504 Gateway Time-out" in said


def test_the_balancer_listens(broken, campus):
    broken.elbv2.delete_listener(ListenerArn=broken.listeners[443]["ListenerArn"])
    told(campus, 504, NETWORK)


def test_the_certificate_holds(broken, campus):
    """Tokens and signatures of today would not hold then either, so the listener gets another certificate instead."""
    arn = one(broken.listeners[443]["Certificates"])["CertificateArn"]
    certificate = broken.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    name = broken.methods["GET /health"]["methodIntegration"]["uri"].split("/")[2]
    assert name in certificate["SubjectAlternativeNames"]
    fresh = broken.acm.request_certificate(DomainName="other.example.com")["CertificateArn"]
    broken.elbv2.modify_listener(
        ListenerArn=broken.listeners[443]["ListenerArn"], Certificates=[{"CertificateArn": fresh}]
    )
    told(campus, 500, INTERNAL)


def test_tasks_run(broken, campus):
    broken.ecs.update_service(cluster=broken.name("cluster"), service=broken.name("api"), desiredCount=0)
    ask(broken.endpoint, "POST", "/_local/settle")
    status, said = read(campus)
    assert status == 503 and "503 Service Temporarily Unavailable" in said


def test_the_key_is_of_a_plan_with_the_stage(broken, campus):
    plan = one(broken.plans)["id"]
    stage = f"{broken.api['id']}:{broken.stage['stageName']}"
    gone = {"op": "remove", "path": "/apiStages", "value": stage}
    broken.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[gone])
    told(campus, 403, "Forbidden")


def test_the_stage_lets_calls_through(broken, campus):
    change = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": "0"} for name in ("rateLimit", "burstLimit")
    ]
    broken.apigateway.update_stage(
        restApiId=broken.api["id"], stageName=broken.stage["stageName"], patchOperations=change
    )
    told(campus, 429, "Too Many Requests")


@pytest.mark.parametrize("what", ["role", "stream"])
def test_events_need_their_role_and_their_stream(broken, campus, what):
    event = ("POST", "/students/4711/events", '{"grade": "A"}')
    assert campus.call(*event).status == 202
    if what == "role":
        role = broken.name("api-events")
        (policy,) = broken.iam.list_role_policies(RoleName=role)["PolicyNames"]
        broken.iam.delete_role_policy(RoleName=role, PolicyName=policy)
    else:
        broken.kinesis.delete_stream(StreamName=broken.name("events"))
        ask(broken.endpoint, "POST", "/_local/settle")
    answer = campus.call(*event)
    assert answer.status >= 400 and "message" in answer.json()
