"""S3: who may speak to whom."""

ANYBODY = "0.0.0.0/0"


def data_ports(wanted):
    """What the service speaks to, as (port, group)."""
    ports = {(5432, "rds"), (6379, "cache"), (2049, "efs")}
    return ports | {(5432, "proxy")} if wanted.has("proxy") else ports


def test_there_are_no_other_groups(live, wanted):
    groups = {"default", "alb", "service", "rds", "cache", "efs"}
    groups |= set() if wanted.has("public") else {"link"}
    groups |= {"proxy"} if wanted.has("proxy") else set()
    groups |= {"endpoints"} if wanted.has("endpoints") else set()
    assert set(live.groups) == groups


def test_the_balancer_is_reached_by_https_and_for_a_redirect(live, wanted):
    caller = ANYBODY if wanted.has("public") else "link"
    assert live.rules_of("alb", "ingress") == {(443, caller), (80, caller)}


def test_the_balancer_speaks_to_the_service_only(live):
    assert live.rules_of("alb", "egress") == {(8080, "service")}


def test_the_vpc_link_speaks_to_the_balancer_only(live, wanted):
    if wanted.has("public"):
        assert "link" not in live.groups
        return
    assert live.rules_of("link", "ingress") == set()
    assert live.rules_of("link", "egress") == {(443, "alb"), (80, "alb")}


def test_the_service_is_reached_by_the_balancer_only(live):
    assert live.rules_of("service", "ingress") == {(8080, "alb")}


def test_the_service_speaks_to_the_data_and_by_https_to_aws(live, wanted):
    assert live.rules_of("service", "egress") == data_ports(wanted) | {(443, ANYBODY)}


def test_data_is_reached_by_the_service_only(live, wanted):
    rds = {(5432, "service"), (5432, "proxy")} if wanted.has("proxy") else {(5432, "service")}
    assert live.rules_of("rds", "ingress") == rds
    assert live.rules_of("cache", "ingress") == {(6379, "service")}
    assert live.rules_of("efs", "ingress") == {(2049, "service")}


def test_data_speaks_to_nobody(live):
    for group in ("rds", "cache", "efs"):
        assert live.rules_of(group, "egress") == set(), group


def test_the_proxy_stands_between_service_and_database(live, wanted):
    if not wanted.has("proxy"):
        assert "proxy" not in live.groups
        return
    assert live.rules_of("proxy", "ingress") == {(5432, "service")}
    assert live.rules_of("proxy", "egress") == {(5432, "rds")}


def test_interface_endpoints_are_reached_by_the_service_only(live, wanted):
    if not wanted.has("endpoints"):
        assert "endpoints" not in live.groups
        return
    assert live.rules_of("endpoints", "ingress") == {(443, "service")}
    assert live.rules_of("endpoints", "egress") == set()


def test_rules_refer_to_groups(live, wanted):
    """Addresses stand only where no group can: at AWS's own services, and before a public balancer."""
    by_address = {rule for rule in live.rules if rule[5] not in live.groups}
    allowed = {("service", "egress", "tcp", 443, 443, ANYBODY)}
    if wanted.has("public"):
        allowed |= {("alb", "ingress", "tcp", port, port, ANYBODY) for port in (80, 443)}
    assert by_address == allowed


def test_each_thing_wears_its_group(live):
    assert [g["VpcSecurityGroupId"] for g in live.database["VpcSecurityGroups"]] == [live.groups["rds"]]
    for node in live.cache_nodes:
        assert [g["SecurityGroupId"] for g in node["SecurityGroups"]] == [live.groups["cache"]]
    for target in live.efs.describe_mount_targets(FileSystemId=live.files["FileSystemId"])["MountTargets"]:
        found = live.efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])
        assert found["SecurityGroups"] == [live.groups["efs"]]
    service = live.service["networkConfiguration"]["awsvpcConfiguration"]
    assert service["securityGroups"] == [live.groups["service"]]
    assert live.balancer["SecurityGroups"] == [live.groups["alb"]]
