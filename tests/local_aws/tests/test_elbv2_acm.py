from datetime import UTC

import pytest
from conftest import proves, refused


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    """Certificate and key of each algorithm, made once."""
    from datetime import datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    def make(key):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api.internal")])
        start = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start - timedelta(days=1))
        builder = builder.not_valid_after(start + timedelta(days=30))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("api.internal")]), False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "Certificate": builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            "PrivateKey": private,
        }

    return {"rsa": make(rsa.generate_private_key(65537, 2048)), "ec": make(ec.generate_private_key(ec.SECP256R1()))}


@pytest.fixture
def balancer(local, network, name):
    wish = {"Name": name, "Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    return local("elbv2").create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"]


@pytest.fixture
def target_group(local, network, name):
    wish = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    return local("elbv2").create_target_group(**wish)["TargetGroups"][0]["TargetGroupArn"]


def attributes(answer):
    return {entry["Key"]: entry["Value"] for entry in answer["Attributes"]}


def test_same_load_balancer_twice(local, network, balancer, name):
    elb = local("elbv2")
    wish = {"Name": name, "Subnets": network.subnets, "SecurityGroups": [network.group], "Scheme": "internal"}
    assert elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"] == balancer
    other = local("ec2").create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    with refused("DuplicateLoadBalancerName"):
        elb.create_load_balancer(**wish | {"SecurityGroups": [other]})
    assert elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["DNSName"].startswith(f"internal-{name}-")
    with refused("LoadBalancerNotFound"):
        elb.describe_load_balancers(Names=[name, "none"])


def test_load_balancer_is_provisioned_for_a_while(local, network, name, held):
    elb = local("elbv2")
    wish = {"Name": name, "Subnets": network.subnets, "Scheme": "internal"}
    arn = elb.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"]
    assert elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    held()
    assert elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["State"]["Code"] == "active"


def test_attributes_have_defaults(local, balancer, target_group):
    elb = local("elbv2")
    wish = [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=wish)
    found = attributes(elb.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert (found["idle_timeout.timeout_seconds"], found["load_balancing.cross_zone.enabled"]) == ("60", "true")
    wish = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    elb.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=wish)
    found = attributes(elb.describe_target_group_attributes(TargetGroupArn=target_group))
    assert (found["deregistration_delay.timeout_seconds"], found["stickiness.enabled"]) == ("30", "false")


def test_deletion_protection(local, balancer):
    elb = local("elbv2")
    wish = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=wish)
    with refused("OperationNotPermitted"):
        elb.delete_load_balancer(LoadBalancerArn=balancer)
    wish[0]["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=wish)
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_load_balancer(LoadBalancerArn=balancer)


def test_interfaces_outlive_the_load_balancer(local, network, balancer, held):
    ec2, filters = local("ec2"), [{"Name": "vpc-id", "Values": [network.vpc]}]
    local("elbv2").delete_load_balancer(LoadBalancerArn=balancer)
    assert len(ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]) == 2
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=network.group)
    held()
    ec2.delete_security_group(GroupId=network.group)


def test_moving_a_load_balancer(local, network, balancer):
    elb = local("elbv2")
    other = local("ec2").create_security_group(GroupName="two", Description="two", VpcId=network.vpc)["GroupId"]
    elb.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=[other])
    third = local("ec2").create_subnet(VpcId=network.vpc, CidrBlock="10.0.3.0/24", AvailabilityZone="us-east-1c")
    subnets = [network.subnets[0], third["Subnet"]["SubnetId"]]
    elb.set_subnets(LoadBalancerArn=balancer, Subnets=subnets)
    found = elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    assert found["SecurityGroups"] == [other] and {z["SubnetId"] for z in found["AvailabilityZones"]} == set(subnets)


def test_same_target_group_twice(local, network, target_group, name):
    elb = local("elbv2")
    wish = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": network.vpc, "TargetType": "ip"}
    assert elb.create_target_group(**wish)["TargetGroups"][0]["TargetGroupArn"] == target_group
    with refused("DuplicateTargetGroupName"):
        elb.create_target_group(**wish | {"Port": 8081})


@proves("elbv2.duplicate_listener", "acm.certificate_in_use")
def test_listeners(local, balancer, target_group, pem):
    elb, acm = local("elbv2"), local("acm")
    certificate = acm.import_certificate(**pem["rsa"])["CertificateArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target_group}]
    wish = {"LoadBalancerArn": balancer, "Protocol": "HTTPS", "Port": 443, "DefaultActions": forward}
    wish |= {"Certificates": [{"CertificateArn": certificate}], "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}
    made = elb.create_listener(**wish, Tags=[{"Key": "k", "Value": "v"}])["Listeners"][0]
    assert made["DefaultActions"][0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": target_group, "Weight": 1}]
    with refused("DuplicateListener"):
        elb.create_listener(**wish)
    redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
    plain = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=redirect)[
        "Listeners"
    ][0]
    assert "SslPolicy" not in plain and plain["DefaultActions"][0]["RedirectConfig"]["Path"] == "/#{path}"
    tags = elb.describe_tags(ResourceArns=[made["ListenerArn"]])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]
    assert acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"] == [balancer]
    with refused("ResourceInUseException"):
        acm.delete_certificate(CertificateArn=certificate)
    with refused("ResourceInUse"):
        elb.delete_target_group(TargetGroupArn=target_group)
    elb.delete_listener(ListenerArn=made["ListenerArn"])
    elb.delete_target_group(TargetGroupArn=target_group)
    acm.delete_certificate(CertificateArn=certificate)


def test_certificates_are_listed_by_key_type(local, pem):
    acm = local("acm")
    arns = {kind: acm.import_certificate(**pem[kind])["CertificateArn"] for kind in pem}
    listed = {c["CertificateArn"] for c in acm.list_certificates()["CertificateSummaryList"]}
    assert arns["rsa"] in listed and arns["ec"] not in listed
    listed = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert arns["ec"] in {c["CertificateArn"] for c in listed}


def test_importing_again_keeps_arn_and_tags(local, pem):
    acm, tags = local("acm"), [{"Key": "k", "Value": "v"}]
    arn = acm.import_certificate(**pem["rsa"], Tags=tags)["CertificateArn"]
    with refused("ValidationException"):
        acm.import_certificate(**pem["rsa"], CertificateArn=arn, Tags=tags)
    assert acm.import_certificate(**pem["rsa"], CertificateArn=arn)["CertificateArn"] == arn
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == tags


def test_services_register_their_tasks_as_targets(local, network, balancer, target_group, name):
    local("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    ecs = local("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=name,
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "api", "image": "x", "portMappings": [{"containerPort": 8080}]}],
    )
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=name,
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": network.subnets}},
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "api", "containerPort": 8080}],
        healthCheckGracePeriodSeconds=60,
    )
    assert ecs.describe_services(cluster=name, services=[name])["services"][0]["healthCheckGracePeriodSeconds"] == 60
    health = local("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    assert [entry["TargetHealth"]["State"] for entry in health] == ["healthy", "healthy"]


@proves("elbv2.transforms")
def test_a_rule_changes_paths_until_it_is_told_not_to(local, network, balancer, name):
    elb = local("elbv2")
    wish = {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    group = elb.create_target_group(Name=name, **wish)["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    listener = listener["Listeners"][0]["ListenerArn"]
    path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/dev/*"]}}]

    def rewrite(regex):
        return [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": regex, "Replace": "/$1"}]}}]

    tags = [{"Key": "k", "Value": "v"}]
    wish = {"ListenerArn": listener, "Priority": 1, "Conditions": path, "Actions": forward, "Tags": tags}
    rule = elb.create_rule(**wish, Transforms=rewrite("^/dev/(.*)$"))["Rules"][0]["RuleArn"]

    def found():
        return elb.describe_rules(RuleArns=[rule])["Rules"][0]

    assert found()["Transforms"] == rewrite("^/dev/(.*)$")
    assert elb.describe_tags(ResourceArns=[rule])["TagDescriptions"][0]["Tags"] == tags
    elb.modify_rule(RuleArn=rule, Conditions=path, Actions=forward)
    assert found()["Transforms"] == rewrite("^/dev/(.*)$")
    elb.modify_rule(RuleArn=rule, Conditions=path, ResetTransforms=True)
    assert found()["Transforms"] == []
    with refused("ValidationError"):
        elb.modify_rule(RuleArn=rule, Conditions=path, Transforms=rewrite("^(?=/dev)(.*)$"))
    elb.delete_rule(RuleArn=rule)
    with refused("RuleNotFound"):
        found()
