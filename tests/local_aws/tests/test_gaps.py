"""What leaves something that serves without a way is noted where a test asks for that, and not refused."""

import pytest
from conftest import proves
from test_ecs import described, register


@pytest.fixture
def watched(local):
    """The rules of violations that the calls since then have come to."""
    local.admin("POST", "/_local/settings", {"gaps": True})
    local.admin("DELETE", "/_local/violations")
    yield lambda: [found["rule"] for found in local.admin("GET", "/_local/violations")["violations"]]
    local.admin("POST", "/_local/settings", {"gaps": False})
    local.admin("DELETE", "/_local/violations")


def serve(local, network, name, **more):
    """A service with a task running in the network."""
    ecs = local("ecs")
    ecs.create_cluster(clusterName=name)
    placed = {"subnets": network.subnets, "securityGroups": [network.group]}
    service = {"cluster": name, "serviceName": name, "taskDefinition": register(local, name), "desiredCount": 1}
    service |= {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": placed}}
    ecs.create_service(**service | more)
    assert described(local, service)["runningCount"] == 1
    return service


def way_out(local, network):
    """A table of the first subnet with a default route through a NAT gateway, which stands in the second."""
    ec2 = local("ec2")
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=network.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[1], AllocationId=address)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnets[0])["AssociationId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return internet, nat, table, association


def stop(local, service):
    local("ecs").delete_service(cluster=service["cluster"], service=service["serviceName"], force=True)


@proves("ec2.route_gone", "ec2.gateway_gone", "ec2.table_gone")
def test_a_way_out_that_goes_while_tasks_run(local, network, name, watched):
    ec2 = local("ec2")
    service = serve(local, network, name)
    internet, nat, table, association = way_out(local, network)
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    assert watched() == []
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert watched() == ["ec2.gateway_gone"]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.disassociate_route_table(AssociationId=association)
    assert watched() == ["ec2.gateway_gone", "ec2.route_gone", "ec2.table_gone"]
    stop(local, service)


def test_a_way_out_that_goes_after_the_tasks(local, network, name, watched):
    service = serve(local, network, name)
    internet, nat, table, association = way_out(local, network)
    stop(local, service)
    local("ec2").delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    local("ec2").disassociate_route_table(AssociationId=association)
    local("ec2").delete_nat_gateway(NatGatewayId=nat)
    assert watched() == []


def rule(port):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]


@proves("ec2.rule_revoked_first")
def test_a_rule_that_is_revoked_before_its_successor_is_there(local, network, name, watched):
    ec2 = local("ec2")
    service = serve(local, network, name)
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule(80))
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule(81))
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=rule(80))
    assert watched() == []
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule(82))
    assert watched() == ["ec2.rule_revoked_first"]
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=rule(81))
    local.admin("POST", "/_local/settings", {"gaps": True})
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule(83))
    assert watched() == ["ec2.rule_revoked_first"], "what went in an earlier run is no gap in this one"
    stop(local, service)


def balanced(local, network, name):
    """A service behind a listener, and a further target group, which is empty."""
    elb = local("elbv2")
    wish = {"Name": name, "Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    balancer = elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"]
    wish = {"Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    groups = [
        elb.create_target_group(Name=f"{name}-{which}", **wish)["TargetGroups"][0]["TargetGroupArn"] for which in "ab"
    ]
    forward = [{"Type": "forward", "TargetGroupArn": groups[0]}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    target = {"targetGroupArn": groups[0], "containerName": "api", "containerPort": 8080}
    service = serve(local, network, name, loadBalancers=[target])
    return service, listener["Listeners"][0]["ListenerArn"], groups


@proves("elbv2.listener_gone", "elbv2.forwards_to_nobody")
def test_a_listener_that_goes_or_forwards_to_nobody(local, network, name, watched):
    elb = local("elbv2")
    service, listener, groups = balanced(local, network, name)
    elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}])
    assert watched() == []
    elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[1]}])
    assert watched() == ["elbv2.forwards_to_nobody"]
    elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}])
    elb.delete_listener(ListenerArn=listener)
    assert watched() == ["elbv2.forwards_to_nobody", "elbv2.listener_gone"]
    stop(local, service)


def ruled(elb, listener, priority, path, group):
    """A rule of a listener, which forwards what is under one path."""
    condition = [{"Field": "path-pattern", "Values": [path]}]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    made = elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=condition, Actions=forward)
    return made["Rules"][0]["RuleArn"]


@proves("elbv2.listener_rule_gone")
def test_a_rule_of_a_listener_that_goes(local, network, name, watched):
    elb = local("elbv2")
    service, listener, groups = balanced(local, network, name)
    one = ruled(elb, listener, 1, "/1", groups[0])
    other = ruled(elb, listener, 2, "/2", groups[1])
    behind = ruled(elb, listener, 3, "/1", groups[0])
    elb.delete_rule(RuleArn=other)
    assert watched() == [], "nobody is reached through it"
    elb.delete_rule(RuleArn=behind)
    assert watched() == [], "the first one takes all that it would take"
    elb.delete_rule(RuleArn=one)
    assert watched() == ["elbv2.listener_rule_gone"]
    stop(local, service)


@proves("elbv2.rule_forwards_to_nobody")
def test_a_rule_that_is_led_to_nobody(local, network, name, watched):
    elb = local("elbv2")
    service, listener, groups = balanced(local, network, name)
    arn = ruled(elb, listener, 1, "/1", groups[0])
    elb.modify_rule(RuleArn=arn, Actions=[{"Type": "forward", "TargetGroupArn": groups[0]}])
    assert watched() == []
    elb.modify_rule(RuleArn=arn, Actions=[{"Type": "forward", "TargetGroupArn": groups[1]}])
    assert watched() == ["elbv2.rule_forwards_to_nobody"]
    stop(local, service)


@proves("ecs.service_gone", "ecs.service_stops")
def test_a_service_that_goes_while_a_load_balancer_leads_to_it(local, network, name, watched):
    elb, ecs = local("elbv2"), local("ecs")
    service, listener, groups = balanced(local, network, name)
    there = {"cluster": service["cluster"], "service": service["serviceName"]}
    ecs.update_service(**there, desiredCount=1)
    assert watched() == []
    ecs.update_service(**there, desiredCount=0)
    assert watched() == ["ecs.service_stops"]
    ecs.update_service(**there, desiredCount=1)
    assert described(local, service)["runningCount"] == 1
    stop(local, service)
    assert watched() == ["ecs.service_stops", "ecs.service_gone"]


def test_a_service_that_goes_after_its_listener(local, network, name, watched):
    service, listener, groups = balanced(local, network, name)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    local("elbv2").modify_listener(ListenerArn=listener, DefaultActions=[answer])
    stop(local, service)
    assert watched() == []


@proves("elbv2.last_target_gone")
def test_the_last_target_that_goes(local, network, name, watched):
    elb = local("elbv2")
    service, _, groups = balanced(local, network, name)
    (health,) = elb.describe_target_health(TargetGroupArn=groups[0])["TargetHealthDescriptions"]
    spare = {"Id": "10.0.0.99", "Port": 8080}
    elb.register_targets(TargetGroupArn=groups[0], Targets=[spare])
    elb.deregister_targets(TargetGroupArn=groups[0], Targets=[spare])
    assert watched() == []
    elb.deregister_targets(TargetGroupArn=groups[0], Targets=[health["Target"]])
    assert watched() == ["elbv2.last_target_gone"]
    stop(local, service)


@proves("ecs.service_leaves_its_listener")
def test_a_service_that_leaves_what_a_listener_forwards_to(local, network, name, watched):
    elb, ecs = local("elbv2"), local("ecs")
    service, listener, groups = balanced(local, network, name)
    both = [{"targetGroupArn": arn, "containerName": "api", "containerPort": 8080} for arn in groups]
    forward = [{"Type": "forward", "TargetGroupArn": groups[1]}]
    path = [{"Field": "path-pattern", "Values": ["/next"]}]
    elb.create_rule(ListenerArn=listener, Priority=1, Conditions=path, Actions=forward)
    there = {"cluster": service["cluster"], "service": service["serviceName"]}
    ecs.update_service(**there, loadBalancers=both)
    assert described(local, service)["runningCount"] == 1
    assert watched() == []
    ecs.update_service(**there, loadBalancers=both[1:])
    assert watched() == ["ecs.service_leaves_its_listener"]
    stop(local, service)


@proves("efs.mount_gone")
def test_a_mount_target_that_goes_while_tasks_have_it_mounted(local, network, name, watched):
    efs, ecs = local("efs"), local("ecs")
    files = efs.create_file_system(CreationToken=name)["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=files, SubnetId=network.subnets[0])["MountTargetId"]
    other = efs.create_mount_target(FileSystemId=files, SubnetId=network.subnets[1])["MountTargetId"]
    service = serve(local, network, name)
    efs.delete_mount_target(MountTargetId=other)
    assert watched() == [], "its tasks have mounted another file system"
    known = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    kept = ("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "executionRoleArn")
    volume = {"name": "efs", "efsVolumeConfiguration": {"fileSystemId": files}}
    fresh = {key: known[key] for key in (*kept, "containerDefinitions")} | {"volumes": [volume]}
    arn = ecs.register_task_definition(**fresh)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=service["cluster"], service=service["serviceName"], taskDefinition=arn)
    efs.delete_mount_target(MountTargetId=target)
    assert watched() == ["efs.mount_gone"]
    stop(local, service)
