"""Load balancers: provisioning, defaults that AWS fills in, names that are taken, and what cannot be deleted yet."""

from moto.elbv2.exceptions import TooManyTagsError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from .. import enis
from ..common import page
from ..life import conclude, durations
from ..moto_app import ask
from ..quotas import quotas
from ..registry import AwsError, after, behaviour, operation, recover
from ..world import new_id, world

# moto makes a load balancer active because somebody looks at it.
FakeLoadBalancer.activate = lambda self: None

TAGS_PER_RESOURCE = 50


@recover("elbv2", "DeleteTargetGroup")
def in_the_words_of_aws(call, error):
    """cloudposse/terraform-aws-alb-ingress#24 on GitHub."""
    if error.code == "ResourceInUse":
        raise AwsError(error.code, error.message.replace("The target group", "Target group"))


def _add_tags(self, resource_arns, tags):
    """AWS allows 50 tags for each resource; moto stops at 10."""
    for arn in resource_arns:
        keys = {tag["Key"] for tag in tags} | set(self.tagging_service.get_tag_dict_for_resource(arn))
        if len(keys) > TAGS_PER_RESOURCE:
            raise TooManyTagsError()
        self._get_resource_by_arn(arn)
        self.tagging_service.tag_resource(arn, tags)


ELBv2Backend.add_tags = _add_tags

LOAD_BALANCER_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
LIMITS = {
    "certificates-per-application-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "listeners-per-application-load-balancer": 50,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancers": 50,
    "rules-per-application-load-balancer": 100,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-groups-per-application-load-balancer": 100,
    "target-id-registrations-per-application-load-balancer": 1000,
    "targets-per-application-load-balancer": 1000,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "targets-per-network-load-balancer": 3000,
}
TARGET_GROUP_DEFAULTS = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
REDIRECT_DEFAULTS = {
    "Host": "#{host}",
    "Path": "/#{path}",
    "Port": "#{port}",
    "Protocol": "#{protocol}",
    "Query": "#{query}",
}
TARGET_GROUP_IDENTITY = (
    "Protocol",
    "Port",
    "VpcId",
    "TargetType",
    "ProtocolVersion",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)


def balancers(call):
    return call.backend("elbv2").load_balancers


def balancer_of(call):
    arn = call.params["LoadBalancerArn"]
    if arn not in balancers(call):
        raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return balancers(call)[arn]


@operation("elbv2", "CreateLoadBalancer")
def create_load_balancer(call):
    for known in balancers(call).values():
        if known.name == call.params["Name"]:
            return again(call, known)
    made = ask(call)
    balancer = balancers(call)[made["LoadBalancers"][0]["LoadBalancerArn"]]
    prefix = "internal-" if balancer.scheme == "internal" else ""
    balancer.dns_name = f"{prefix}{balancer.name}-{new_id(10, '0123456789')}.{call.region}.elb.amazonaws.com"
    balancer.canonical_hosted_zone_id = "Z35SXDOTRQ7X7K"
    if balancer.type == "application":
        # moto starts with the value of network load balancers.
        balancer.attrs["load_balancing.cross_zone.enabled"] = "true"
    attach_interfaces(call, balancer)
    balancer.state = "provisioning"
    conclude(
        "elbv2.load-balancer",
        "elbv2.load-balancer",
        balancer.name,
        lambda: provisioned(balancer, "active"),
        lambda text: provisioned(balancer, "failed", text),
    )
    made["LoadBalancers"][0] |= {
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": balancer.canonical_hosted_zone_id,
    }
    return made


def provisioned(balancer, state, reason=None):
    if balancer.state == "provisioning":
        balancer.state, balancer.reason = state, reason


def again(call, known):
    """The same wish once more answers the load balancer there is; the name with another wish is refused."""
    wish = (
        call.get("Scheme", "internet-facing"),
        call.get("Type", "application"),
        sorted(call.get("Subnets", [])),
        sorted(call.get("SecurityGroups", known.security_groups or [])),
    )
    have = (known.scheme, known.type, sorted(s.id for s in known.subnets), sorted(known.security_groups or []))
    if wish != have:
        message = f"A load balancer with the same name '{known.name}' exists, but with different settings"
        raise AwsError("DuplicateLoadBalancerName", message)
    return ask(call, operation="DescribeLoadBalancers", params={"LoadBalancerArns": [known.arn]})


def interface_name(balancer):
    return "ELB " + balancer.arn.partition(":loadbalancer/")[2]


def attach_interfaces(call, balancer):
    for subnet in balancer.subnets:
        attach_interface(call, balancer, subnet.id)


def attach_interface(call, balancer, subnet_id):
    groups = balancer.security_groups or []
    eni = enis.attach(call, balancer.arn, subnet_id, groups, interface_name(balancer), "amazon-elb")
    if eni is not None:
        eni.faces_internet = balancer.scheme == "internet-facing"


@after("elbv2", "SetSecurityGroups")
def regroup_interfaces(call, answer):
    enis.regroup(call, call.params["LoadBalancerArn"], call.params["SecurityGroups"])


@operation("elbv2", "SetSubnets")
def set_subnets(call):
    balancer = balancer_of(call)
    before = {subnet.id for subnet in balancer.subnets}
    made = ask(call)
    after_change = {subnet.id for subnet in balancer.subnets}
    for eni in enis.of(call, balancer.arn):
        if eni.subnet.id in before - after_change:
            enis.release_one(call, balancer.arn, eni.id)
    for subnet_id in after_change - before:
        attach_interface(call, balancer, subnet_id)
    return made


@operation("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(call):
    """One that is gone already is a success."""
    balancer = balancers(call).get(call.params["LoadBalancerArn"])
    if balancer is None:
        return {}
    ask(call)
    enis.release(call, balancer.arn)
    return {}


@operation("elbv2", "DescribeLoadBalancers")
def describe_load_balancers(call):
    """moto takes a name that does not exist for the one before it."""
    for name in call.get("Names", []):
        if not any(balancer.name == name for balancer in balancers(call).values()):
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
    for arn in call.get("LoadBalancerArns", []):
        if arn not in balancers(call):
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{arn}]' not found")
    answer = ask(call)
    for shown in answer["LoadBalancers"]:
        known = balancers(call)[shown["LoadBalancerArn"]]
        if known.state == "failed":
            shown["State"] = {"Code": "failed", "Reason": known.reason or "Internal error"}
    return answer


@after("elbv2", "DescribeLoadBalancerAttributes")
def all_balancer_attributes(call, answer):
    answer["Attributes"] = with_defaults(answer["Attributes"], LOAD_BALANCER_DEFAULTS)


@after("elbv2", "DescribeTargetGroupAttributes")
def all_target_group_attributes(call, answer):
    answer["Attributes"] = with_defaults(answer["Attributes"], TARGET_GROUP_DEFAULTS)


def with_defaults(shown, defaults):
    given = {entry["Key"]: entry["Value"] for entry in shown}
    return [{"Key": key, "Value": value} for key, value in sorted((defaults | given).items())]


@operation("elbv2", "CreateTargetGroup")
def create_target_group(call):
    for known in call.backend("elbv2").target_groups.values():
        if known.name == call.params["Name"]:
            shown = ask(call, operation="DescribeTargetGroups", params={"TargetGroupArns": [known.arn]})
            have = shown["TargetGroups"][0]
            if all(call.get(name) in (None, have.get(name)) for name in TARGET_GROUP_IDENTITY):
                return shown
            message = f"A target group with the same name '{known.name}' exists, but with different settings"
            raise AwsError("DuplicateTargetGroupName", message)
    made = ask(call)
    made["TargetGroups"][0].setdefault("LoadBalancerArns", [])
    return made


@operation("elbv2", "DescribeAccountLimits")
def describe_account_limits(call):
    limits = LIMITS | {
        "application-load-balancers": quotas["load-balancers"],
        "target-groups": quotas["target-groups"],
    }
    names, more = page(call, sorted(limits), "PageSize", "Marker", "NextMarker", 400)
    return {"Limits": [{"Name": name, "Max": str(limits[name])} for name in names]} | more


@after("elbv2", "CreateListener", "ModifyListener", "DescribeListeners")
def complete_listeners(call, answer):
    for listener in answer["Listeners"]:
        if listener["Protocol"] not in ("HTTPS", "TLS"):
            listener.pop("SslPolicy", None)
            listener.pop("Certificates", None)
        else:
            listener["MutualAuthentication"] = {"Mode": "off"}
        if not listener.get("AlpnPolicy"):
            listener.pop("AlpnPolicy", None)
        for order, action in enumerate(listener["DefaultActions"], 1):
            complete_action(action, order)


def complete_action(action, order):
    action.setdefault("Order", order)
    if action["Type"] == "redirect":
        action["RedirectConfig"] = REDIRECT_DEFAULTS | action["RedirectConfig"]
    if action["Type"] == "forward":
        complete_forward(action)


def complete_forward(action):
    config = action.setdefault("ForwardConfig", {})
    if not config.get("TargetGroups"):
        config["TargetGroups"] = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    if not config.get("TargetGroupStickinessConfig"):
        config["TargetGroupStickinessConfig"] = {"Enabled": False}
    if len(config["TargetGroups"]) == 1:
        action["TargetGroupArn"] = config["TargetGroups"][0]["TargetGroupArn"]


def rule_of(call, arn):
    for balancer in balancers(call).values():
        for listener in balancer.listeners.values():
            if arn in listener.rules:
                return listener.rules[arn]
    return None


@operation("elbv2", "ModifyRule")
def modify_rule(call):
    return moved(call, rule_of(call, call.params["RuleArn"]))


@operation("elbv2", "ModifyListener")
def modify_listener(call):
    found = [one for balancer in balancers(call).values() for one in balancer.listeners.values()]
    listener = next((one for one in found if one.arn == call.params["ListenerArn"]), None)
    return moved(call, listener._default_rule[0] if listener else None)


def moved(call, known):
    """Keeps what a rule did until now: what stands in front of the targets goes on with it for a while."""
    before = list(known.actions) if known else []
    answer = ask(call)
    if known:
        known.before, known.since = before, world.clock.now()
    return answer


@behaviour(
    "elbv2",
    says="a rule that was changed leads where it led before for some seconds more",
    source="no page tells a moment from which a changed rule holds; aws/containers-roadmap#470 measured 75 s of a network "
    "load balancer, and Argo Rollouts asks DescribeRules and waits before it takes the old targets away "
    "(kubernetes-sigs/aws-load-balancer-controller#3588)",
)
def actions_in_force(known):
    """What is done with a request that meets this rule now."""
    before = getattr(known, "before", None)
    if before and world.clock.seconds_since(known.since) < durations["elbv2.rule"]:
        return before
    return known.actions


@after("elbv2", "CreateRule", "ModifyRule")
def keep_transforms(call, answer):
    for shown in answer["Rules"]:
        known = rule_of(call, shown["RuleArn"])
        if call.get("Transforms") or call.get("ResetTransforms"):
            known.transforms = call.get("Transforms", [])
    show_transforms(call, answer)


@after("elbv2", "DescribeRules")
def show_transforms(call, answer):
    for shown in answer["Rules"]:
        shown["Transforms"] = getattr(rule_of(call, shown["RuleArn"]), "transforms", [])
