"""A request on its way through a VPC link and a balancer to a task, and what a caller is told where the way ends."""

import datetime
import json
from types import SimpleNamespace

import pytest
from conftest import make_network, proves
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from local_aws import enis
from local_aws.registry import Call
from local_aws.world import world
from stages import stage_of

INTERNAL = (500, "InternalServerErrorException", "Internal server error")
NETWORK = (504, "InternalServerErrorException", "Network error communicating with endpoint")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DAY = datetime.timedelta(days=1)


def certificate(local, host, days=100, authority=True):
    """A certificate that a name has given itself, in ACM; `authority` says that it is a root, too."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = KEY.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return local("acm").import_certificate(Certificate=made.public_bytes(pem), PrivateKey=key)["CertificateArn"]


def open_port(local, group, port, source):
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": source}]}
    local("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    return permission


@pytest.fixture
def way(local, name):
    """A stage, and everything on the way from there to two tasks."""
    net, ec2, elb = make_network(local), local("ec2"), local("elbv2")
    groups = {
        part: ec2.create_security_group(GroupName=part, Description=part, VpcId=net.vpc)["GroupId"]
        for part in ("link", "alb", "task")
    }
    inward = open_port(local, groups["alb"], 443, groups["link"])
    onward = open_port(local, groups["task"], 8080, groups["alb"])
    balancer = elb.create_load_balancer(
        Name=name, Scheme="internal", Subnets=net.subnets, SecurityGroups=[groups["alb"]]
    )
    balancer = balancer["LoadBalancers"][0]
    made = elb.create_target_group(Name=name, Protocol="HTTP", Port=8080, VpcId=net.vpc, TargetType="ip")
    targets = made["TargetGroups"][0]["TargetGroupArn"]
    host = balancer["DNSName"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate(local, host)}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
    )["Listeners"][0]["ListenerArn"]
    call = Call("ecs", "RunTask", {}, "123456789012", "us-east-1")
    tasks = [
        enis.attach(call, f"{name}-{n}", subnet, [groups["task"]], "task", "amazon-ecs")
        for n, subnet in enumerate(net.subnets)
    ]
    elb.register_targets(
        TargetGroupArn=targets, Targets=[{"Id": task.private_ip_address, "Port": 8080} for task in tasks]
    )
    link = local("apigatewayv2").create_vpc_link(Name=name, SubnetIds=net.subnets, SecurityGroupIds=[groups["link"]])[
        "VpcLinkId"
    ]
    local.admin("DELETE", "/_local/tasks")
    stage = stage_of(local, name, {"/students/{id}": proxied(balancer["LoadBalancerArn"], link, host)})
    return SimpleNamespace(**locals())


def proxied(balancer, link, host, **more):
    integration = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": f"https://{host}/students/{{id}}",
        "connectionType": "VPC_LINK",
        "connectionId": link,
        "integrationTarget": balancer,
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "passthroughBehavior": "when_no_match",
        "tlsConfig": {"insecureSkipVerification": True},
    } | more
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "x-amazon-apigateway-any-method": {
            "parameters": [parameter],
            "responses": {},
            "x-amazon-apigateway-integration": integration,
        }
    }


def test_a_request_gets_to_a_task_and_its_answer_back(way, local):
    answer = way.stage.call(
        "PUT", "/students/47%2011?full=yes", '{"a": 1}', {"Content-Type": "application/json", "X-Mine": "1"}
    )
    arrived = answer.json()
    assert (answer.status, arrived["method"], arrived["path"], arrived["body"]) == (
        200,
        "PUT",
        "/students/47%2011?full=yes",
        '{"a": 1}',
    )
    assert arrived["task"] in {f"{task.private_ip_address}:8080" for task in way.tasks}
    headers = arrived["headers"]
    assert (headers["Host"], headers["X-Mine"], headers["X-Forwarded-Proto"]) == (way.host, "1", "https")
    assert headers["X-Amzn-Apigateway-Api-Id"] == way.stage.api
    assert answer.headers["x-amzn-RequestId"] and answer.headers["Content-Type"] == "application/json"


@proves("apigateway.decoded")
@pytest.mark.parametrize(
    "sent,arrived",
    [
        ("..%2Fadmin", "/students/../admin"),
        ("1%3Fall=yes", "/students/1?all=yes"),
        ("1%23a", "/students/1"),
        ("..%252Fadmin", "/students/..%252Fadmin"),
        ("a%20b", "/students/a%20b"),
        ("%E5%AD%A6", "/students/%E5%AD%A6"),
        ("%41%27%2B", "/students/A'+"),
    ],
)
def test_what_stands_in_a_path_is_decoded_on_its_way(way, sent, arrived):
    assert way.stage.call("GET", f"/students/{sent}").json()["path"] == arrived


def test_what_a_task_answers_is_what_the_caller_gets(way, local):
    local.admin(
        "POST",
        "/_local/tasks",
        {"status": 404, "body": '{"error": "no such student"}', "headers": {"X-Reason": "none", "Server": "mine"}},
    )
    answer = way.stage.call("GET", "/students/1")
    assert (answer.status, answer.json(), answer.headers["X-Reason"]) == (404, {"error": "no such student"}, "none")
    assert answer.headers["x-amzn-Remapped-Server"] == "mine"
    assert [seen["path"] for seen in local.admin("GET", "/_local/tasks")["requests"]] == ["/students/1"]
    local.admin("POST", "/_local/tasks", {"seconds": 29})
    late = way.stage.call("GET", "/students/1").refusal
    assert late == (504, "InternalServerErrorException", "Endpoint request timed out")


def test_what_a_task_has_compressed_does_not_arrive_whole(way, local):
    asked = {"Accept-Encoding": "gzip"}
    broken = way.stage.call("GET", "/students/1", headers=asked)
    assert broken.headers["Content-Encoding"] == "gzip" and b"\xef\xbf\xbd" in broken.body
    mappings = {
        "integration.request.path.id": "method.request.path.id",
        "integration.request.header.Accept-Encoding": "'identity'",
    }
    route = proxied(way.balancer["LoadBalancerArn"], way.link, way.host, requestParameters=mappings)
    other = stage_of(local, way.name + "z", {"/students/{id}": route})
    assert other.call("GET", "/students/1", headers=asked).json()["path"] == "/students/1"


def test_templates_do_nothing_to_a_proxied_request(way, local):
    template = {"application/json": '{"made": "by a template"}'}
    other = stage_of(
        local,
        way.name + "t",
        {"/students/{id}": proxied(way.balancer["LoadBalancerArn"], way.link, way.host, requestTemplates=template)},
    )
    assert other.call("POST", "/students/1", "{}", {"Content-Type": "application/json"}).json()["body"] == "{}"


def test_the_stage_may_stand_in_the_path(way, local):
    local.admin("POST", "/_local/settings", {"stage_in_private_path": True})
    try:
        assert way.stage.call("GET", "/students/1").json()["path"] == "/dev/students/1"
    finally:
        local.admin("POST", "/_local/settings", {"stage_in_private_path": False})
    assert way.stage.call("GET", "/students/1").json()["path"] == "/students/1"


@proves("apigatewayv2.link_of")
def test_without_its_link_nothing_goes_out(way, local, held):
    assert way.stage.call("GET", "/students/1").status == 200
    call = Call("apigatewayv2", "GetVpcLink", {}, "123456789012", "us-east-1")
    call.shelf("apigatewayv2.vpc-links")[way.link]["VpcLinkStatus"] = "INACTIVE"
    assert way.stage.call("GET", "/students/1").refusal == INTERNAL


def test_a_link_without_requests_for_long_sleeps_until_the_next(way, local):
    link = {"VpcLinkId": way.link}
    try:
        local.admin("POST", "/_local/settings", {"account": {"idle_vpc_links": True}})
        assert local("apigatewayv2").get_vpc_link(**link)["VpcLinkStatus"] == "INACTIVE"
        listed = local("apigatewayv2").get_vpc_links()["Items"]
        assert [one["VpcLinkStatus"] for one in listed if one["VpcLinkId"] == way.link] == ["INACTIVE"]
        assert way.stage.call("GET", "/students/1").refusal == INTERNAL
        assert local("apigatewayv2").get_vpc_link(**link)["VpcLinkStatus"] == "AVAILABLE"
        assert way.stage.call("GET", "/students/1").status == 200
    finally:
        local.admin("POST", "/_local/settings", {"account": {}})


@proves("apigateway.problem")
def test_the_certificate_is_for_the_name_and_holds_and_ends_in_a_root(way, local):
    elb = local("elbv2")

    def present(arn):
        elb.modify_listener(ListenerArn=way.listener, Certificates=[{"CertificateArn": arn}])
        return way.stage.call("GET", "/students/1")

    assert present(certificate(local, "other.example.com")).refusal == INTERNAL
    assert present(certificate(local, way.host, authority=False)).refusal == INTERNAL
    assert present(certificate(local, way.host)).status == 200
    assert present(certificate(local, "*." + way.host.partition(".")[2])).status == 200
    world.settings.ahead = 101 * 24 * 3600
    try:
        assert way.stage.call("GET", "/students/1").refusal == INTERNAL
    finally:
        world.settings.ahead = 0
    paths = {
        "/students/{id}": proxied(
            way.balancer["LoadBalancerArn"], way.link, way.host, tlsConfig={"insecureSkipVerification": False}
        )
    }
    assert stage_of(local, way.name + "s", paths).call("GET", "/students/1").refusal == INTERNAL


@proves("elbv2.reachable")
def test_security_groups_of_both_sides_let_the_link_through(way, local):
    ec2 = local("ec2")
    ec2.revoke_security_group_ingress(GroupId=way.groups["alb"], IpPermissions=[way.inward])
    assert way.stage.call("GET", "/students/1").refusal == NETWORK
    open_port(local, way.groups["alb"], 443, way.groups["link"])
    assert way.stage.call("GET", "/students/1").status == 200
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=way.groups["link"], IpPermissions=everything)
    assert way.stage.call("GET", "/students/1").refusal == NETWORK


def test_from_the_internet_a_public_balancer_needs_a_route(local, name):
    net, ec2, elb = make_network(local), local("ec2"), local("elbv2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=net.vpc)
    world_open = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=net.group, IpPermissions=[world_open])
    made = elb.create_load_balancer(
        Name=name, Scheme="internet-facing", Subnets=net.subnets, SecurityGroups=[net.group]
    )
    balancer = made["LoadBalancers"][0]
    answer = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "here", "ContentType": "text/plain"},
    }
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate(local, balancer["DNSName"])}],
        DefaultActions=[answer],
    )
    integration = {
        "type": "http_proxy",
        "httpMethod": "GET",
        "uri": f"https://{balancer['DNSName']}/",
        "tlsConfig": {"insecureSkipVerification": True},
    }
    stage = stage_of(local, name, {"/a": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}})
    assert stage.call("GET", "/a").refusal == NETWORK
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}])["RouteTables"][0][
        "RouteTableId"
    ]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert stage.call("GET", "/a").text == "here"


@proves("elbv2.rule_for")
def test_the_first_rule_that_fits_is_carried_out(way, local):
    elb = local("elbv2")
    elb.modify_listener(
        ListenerArn=way.listener,
        DefaultActions=[
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "403", "MessageBody": "not you", "ContentType": "text/plain"},
            }
        ],
    )
    assert (way.stage.call("GET", "/students/1").status, way.stage.call("GET", "/students/1").text) == (403, "not you")
    secret = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin-Key", "Values": ["secret"]}}
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/students/*"]}}
    elb.create_rule(
        ListenerArn=way.listener,
        Priority=10,
        Conditions=[secret, path],
        Actions=[{"Type": "forward", "TargetGroupArn": way.targets}],
    )
    assert way.stage.call("GET", "/students/1").status == 403
    assert way.stage.call("GET", "/students/1", headers={"X-Origin-Key": "secret"}).status == 200
    gone = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}
    elb.create_rule(ListenerArn=way.listener, Priority=5, Conditions=[path], Actions=[gone])
    assert way.stage.call("GET", "/students/1", headers={"X-Origin-Key": "secret"}).status == 410
    elb.delete_listener(ListenerArn=way.listener)
    assert way.stage.call("GET", "/students/1").refusal == NETWORK


@proves("elbv2.actions_in_force")
def test_a_changed_rule_leads_where_it_led_for_a_while(way, local):
    elb = local("elbv2")
    refused = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}
    world.settings.speed = "real"
    elb.modify_listener(ListenerArn=way.listener, DefaultActions=[refused])
    assert way.stage.call("GET", "/students/1").status == 200
    world.settings.speed = "instant"
    assert way.stage.call("GET", "/students/1").status == 403
    rule = elb.create_rule(
        ListenerArn=way.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/students/*"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": way.targets}],
    )["Rules"][0]["RuleArn"]
    world.settings.speed = "real"
    elb.modify_rule(RuleArn=rule, Actions=[refused])
    assert way.stage.call("GET", "/students/1").status == 200


@proves("elbv2.forward")
def test_the_balancer_answers_itself_where_no_task_can(way, local):
    elb, ec2 = local("elbv2"), local("ec2")
    ec2.revoke_security_group_ingress(GroupId=way.groups["task"], IpPermissions=[way.onward])
    late = way.stage.call("GET", "/students/1")
    assert (late.status, late.headers["x-amzn-Remapped-Server"]) == (504, "awselb/2.0")
    assert "<h1>504 Gateway Time-out</h1>" in late.text
    open_port(local, way.groups["task"], 8080, way.groups["alb"])
    assert way.stage.call("GET", "/students/1").status == 200
    call = Call("ecs", "StopTask", {}, "123456789012", "us-east-1")
    enis.release(call, f"{way.name}-0")
    left = f"{way.tasks[1].private_ip_address}:8080"
    assert {way.stage.call("GET", "/students/1").json()["task"] for _ in range(4)} == {left}
    enis.release(call, f"{way.name}-1")
    assert way.stage.call("GET", "/students/1").status == 502
    elb.deregister_targets(TargetGroupArn=way.targets, Targets=[{"Id": task.private_ip_address} for task in way.tasks])
    empty = way.stage.call("GET", "/students/1")
    assert empty.status == 503 and "503 Service Temporarily Unavailable" in empty.text


def test_a_fork_has_tasks_of_its_own(way, local):
    assert way.stage.call("GET", "/students/1").status == 200
    fork = local.admin("POST", "/_local/forks", {})
    try:
        other = way.stage.__class__(type(local)(fork["url"]), way.stage.api)
        assert json.loads(other.call("GET", "/students/2").body)["path"] == "/students/2"
        paths = [seen["path"] for seen in local.admin("GET", "/_local/tasks")["requests"]]
        assert paths == ["/students/1"]
    finally:
        local.admin("DELETE", f"/_local/forks?port={fork['port']}")
