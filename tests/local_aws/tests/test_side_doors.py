"""Ways around an API: what calls a load balancer over the internet shows a secret, and all else is refused there."""

from types import SimpleNamespace

import pytest
from conftest import make_network, proves
from local_aws import enis
from local_aws.registry import Call
from stages import stage_of
from test_apigateway_private import certificate

KEY, HEADER = "Xk9wQ-7_transcripts", "X-Origin-Key"
REFUSED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}]


@pytest.fixture
def front(local, name):
    """A load balancer that faces the internet and forwards to a task."""
    net, ec2, elb = make_network(local), local("ec2"), local("elbv2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=net.vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    everybody = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]} for port in (443, 8080)]
    ec2.authorize_security_group_ingress(GroupId=net.group, IpPermissions=everybody)
    balancer = elb.create_load_balancer(
        Name=name, Scheme="internet-facing", Subnets=net.subnets, SecurityGroups=[net.group]
    )["LoadBalancers"][0]
    made = elb.create_target_group(Name=name, Protocol="HTTP", Port=8080, VpcId=net.vpc, TargetType="ip")
    targets = made["TargetGroups"][0]["TargetGroupArn"]
    host = balancer["DNSName"]
    forward = [{"Type": "forward", "TargetGroupArn": targets}]
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate(local, host)}],
        DefaultActions=forward,
    )["Listeners"][0]["ListenerArn"]
    call = Call("ecs", "RunTask", {}, "123456789012", "us-east-1")
    task = enis.attach(call, name, net.subnets[0], [net.group], "task", "amazon-ecs")
    elb.register_targets(TargetGroupArn=targets, Targets=[{"Id": task.private_ip_address, "Port": 8080}])
    local.admin("DELETE", "/_local/tasks")
    return SimpleNamespace(**locals())


def calling(host, shown=None):
    """An API that calls a host, and shows it something."""
    integration = {
        "type": "http_proxy",
        "httpMethod": "GET",
        "uri": f"https://{host}/students",
        "passthroughBehavior": "when_no_match",
        "tlsConfig": {"insecureSkipVerification": True},
        "requestParameters": {f"integration.request.header.{HEADER}": shown} if shown else {},
    }
    return {"/students": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}}


def knock(local, host, **headers):
    return local.admin("POST", "/_local/knocks", {"url": f"https://{host}/students", "headers": headers})


def taking(front, *values):
    """A rule that forwards what shows one of these values."""
    header = {"HttpHeaderName": HEADER, "Values": list(values)}
    return front.elb.create_rule(
        ListenerArn=front.listener,
        Priority=1,
        Conditions=[{"Field": "http-header", "HttpHeaderConfig": header}],
        Actions=front.forward,
    )["Rules"][0]


@proves("apigateway.calls_what_is_open_to_all")
def test_an_api_shows_a_secret_to_what_is_open_to_all(local, name, front, noted):
    stage_of(local, name, calling(front.host, f"'{KEY}'"))
    assert noted() == []
    stage_of(local, f"{name}-bare", calling(front.host))
    assert noted() == ["apigateway.calls_what_is_open_to_all"]
    front.elb.modify_listener(ListenerArn=front.listener, DefaultActions=REFUSED)
    stage_of(local, f"{name}-refused", calling(front.host))
    assert noted() == ["apigateway.calls_what_is_open_to_all"]


@proves("elbv2.opened_to_all")
def test_what_an_api_calls_is_not_opened_to_all(local, name, front, noted):
    front.elb.modify_listener(ListenerArn=front.listener, DefaultActions=front.forward)
    stage_of(local, name, calling(front.host, f"'{KEY}'"))
    front.elb.modify_listener(ListenerArn=front.listener, DefaultActions=REFUSED)
    assert noted() == []
    front.elb.modify_listener(ListenerArn=front.listener, DefaultActions=front.forward)
    assert noted() == ["elbv2.opened_to_all"]


@proves("elbv2.rule_open_to_all")
def test_a_rule_of_what_an_api_calls_forwards_only_what_shows_a_secret(local, name, front, noted):
    rule = taking(front, KEY)["RuleArn"]
    stage_of(local, name, calling(front.host, f"'{KEY}'"))
    front.elb.modify_rule(RuleArn=rule, Actions=front.forward)
    assert noted() == []
    everything = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    front.elb.modify_rule(RuleArn=rule, Conditions=everything)
    front.elb.create_rule(ListenerArn=front.listener, Priority=2, Conditions=everything, Actions=front.forward)
    assert noted() == ["elbv2.rule_open_to_all"] * 2


def test_only_what_shows_one_of_the_values_gets_through(local, name, front):
    """Source: Elastic Load Balancing API Reference, HttpHeaderConditionConfig: one of the values, small or capital."""
    assert knock(local, front.host)["status"] == 200
    rule = taking(front, KEY, "another")
    front.elb.modify_listener(ListenerArn=front.listener, DefaultActions=REFUSED)
    shown = front.elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]["Conditions"][0]["HttpHeaderConfig"]
    assert (shown["HttpHeaderName"], sorted(shown["Values"])) == (HEADER, sorted([KEY, "another"]))
    assert knock(local, front.host)["status"] == 403
    assert knock(local, front.host, **{HEADER: "made up"})["status"] == 403
    for value in (KEY, KEY.upper(), "another"):
        assert knock(local, front.host, **{HEADER.lower(): value})["status"] == 200
    assert stage_of(local, name, calling(front.host, f"'{KEY}'")).call("GET", "/students").status == 200
    assert stage_of(local, f"{name}-bare", calling(front.host)).call("GET", "/students").status == 403


def test_a_caller_cannot_say_what_the_api_says_itself(local, name, front):
    """Source: API Gateway Developer Guide, parameter mapping: a mapping is put in the place of what a proxy passes on."""
    stage = stage_of(local, name, calling(front.host, f"'{KEY}'"))
    seen = stage.call("GET", "/students", headers={HEADER: "made up", HEADER.lower(): "too"}).json()["headers"]
    assert [value for name, value in seen.items() if name.lower() == HEADER.lower()] == [KEY]


def test_nobody_knocks_at_what_is_not_on_the_internet(local, front):
    assert "no name on the internet" in knock(local, "made-up.us-east-1.elb.amazonaws.com")["error"]
    refused = local.admin("POST", "/_local/knocks", {"url": f"http://{front.host}/students"})
    assert "nobody answers" in refused["error"]
