"""A port that is closed while tasks still listen on it is noted where a test asks for that, and not refused."""

from conftest import proves
from test_gaps import serve, stop, watched  # noqa: F401, the last is a fixture


@proves("ec2.closed_on_targets")
def test_a_port_that_is_closed_while_tasks_listen_on_it(local, network, name, watched):  # noqa: F811
    ec2, elb = local("ec2"), local("elbv2")
    wish = {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    group = elb.create_target_group(Name=name, **wish)["TargetGroups"][0]["TargetGroupArn"]
    within = {"Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    balancer = elb.create_load_balancer(Name=name, **within)
    balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    target = {"targetGroupArn": group, "containerName": "api", "containerPort": 8080}
    service = serve(local, network, name, loadBalancers=[target])

    def rule(port):
        ranges = [{"CidrIp": "10.0.0.0/16"}]
        return {"GroupId": network.group, "IpPermissions": [tcp(port) | {"IpRanges": ranges}]}

    for port in (8080, 9090):
        ec2.authorize_security_group_ingress(**rule(port))
    ec2.revoke_security_group_ingress(**rule(9090))
    assert "ec2.closed_on_targets" not in watched()
    ec2.revoke_security_group_ingress(**rule(8080))
    assert "ec2.closed_on_targets" in watched()
    stop(local, service)


def tcp(port):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


def test_targets_are_registered_on_the_ports_of_their_containers(local, network, name):
    elb = local("elbv2")
    wish = {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    group = elb.create_target_group(Name=name, **wish)["TargetGroups"][0]["TargetGroupArn"]
    within = {"Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    balancer = elb.create_load_balancer(Name=name, **within)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    where = {"LoadBalancerArn": balancer["LoadBalancers"][0]["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80}
    elb.create_listener(**where, DefaultActions=forward)
    target = {"targetGroupArn": group, "containerName": "api", "containerPort": 8080}
    service = serve(local, network, name, loadBalancers=[target])
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [one["Target"]["Port"] for one in found] == [8080]
    stop(local, service)
