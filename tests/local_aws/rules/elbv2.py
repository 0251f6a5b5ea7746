"""Load balancers and certificates."""

import re

from ..registry import AwsError, rule
from ..services.acm import users
from ..services.ec2.shared import security_groups, subnets
from .helpers import invalid

POLICIES = re.compile(
    r"ELBSecurityPolicy-(?:2016-08|TLS-1-[012]-(?:Ext-)?20(?:17-01|18-06)|FS-[\w-]+|TLS13-1-[0123](?:-(?:Res|Ext[0-2]))?-(?:FIPS-)?(?:PQ-)?20\d\d-\d\d"
    r"|TLS13-1-[0123](?:-(?:Res|Ext[0-2]))?(?:-PQ)?(?:-FIPS)?(?:-PQ)?-20\d\d-\d\d)"
)
ATTRIBUTE_VALUES = {
    "deletion_protection.enabled": {"true", "false"},
    "routing.http.drop_invalid_header_fields.enabled": {"true", "false"},
    "routing.http2.enabled": {"true", "false"},
    "routing.http.desync_mitigation_mode": {"monitor", "defensive", "strictest"},
}


def validation(message):
    raise AwsError("ValidationError", message)


def balancers(call):
    return call.backend("elbv2").load_balancers


def target_groups(call):
    return call.backend("elbv2").target_groups


def is_application(call):
    return call.get("Type", "application") == "application"


# strict


@rule(
    "strict",
    "elbv2",
    "CreateLoadBalancer",
    "CreateTargetGroup",
    says="a name has up to 32 letters, digits and hyphens, no hyphen at either end, and does not begin with internal-",
)
def name(call):
    wanted = call.params["Name"]
    if not re.fullmatch(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?", wanted):
        what = "load balancer" if "LoadBalancer" in call.operation else "target group"
        validation(
            f"The {what} name '{wanted}' cannot be longer than '32' characters, "
            "and has letters, digits and inner hyphens only"
        )
    if "LoadBalancer" in call.operation and wanted.startswith("internal-"):
        validation(f"The load balancer name '{wanted}' cannot begin with 'internal-'")


@rule(
    "strict",
    "elbv2",
    "CreateLoadBalancer",
    "SetSubnets",
    says="an application load balancer has subnets in two zones or more, one a zone",
    source="User Guide for Application Load Balancers: subnets",
)
def zones(call):
    wanted = call.get("Subnets") or [m["SubnetId"] for m in call.get("SubnetMappings", [])]
    known = subnets(call)
    for subnet in wanted:
        if subnet not in known:
            raise AwsError("SubnetNotFound", f"The subnet ID '{subnet}' is not valid")
    found = [known[subnet].availability_zone for subnet in wanted]
    if is_application(call) and len(set(found)) < 2:
        validation("At least two subnets in two different Availability Zones must be specified")
    if len(set(found)) < len(found):
        message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise AwsError("InvalidConfigurationRequest", message)


@rule(
    "strict",
    "elbv2",
    "CreateTargetGroup",
    "ModifyTargetGroup",
    says="a health check times out before the next one begins",
)
def health_check_times(call):
    group = target_groups(call).get(call.get("TargetGroupArn"))
    interval = int(call.get("HealthCheckIntervalSeconds") or getattr(group, "healthcheck_interval_seconds", None) or 30)
    timeout = int(call.get("HealthCheckTimeoutSeconds") or getattr(group, "healthcheck_timeout_seconds", None) or 5)
    if timeout >= interval:
        validation(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")


@rule(
    "strict",
    "elbv2",
    "CreateListener",
    "ModifyListener",
    says="an HTTPS listener has exactly one certificate, without IsDefault, and an HTTP listener none",
)
def certificates(call):
    wanted = call.get("Certificates", [])
    protocol = call.get("Protocol")
    if any("IsDefault" in certificate for certificate in wanted):
        validation("You cannot specify the IsDefault parameter when creating or modifying a listener")
    if protocol == "HTTPS" and call.operation == "CreateListener" and not wanted:
        validation("A certificate must be specified for HTTPS listeners")
    if len(wanted) > 1:
        raise AwsError("TooManyCertificates", "You can specify only one certificate for a listener")
    if protocol == "HTTP" and (wanted or call.get("SslPolicy")):
        validation("Certificates and security policies are only for HTTPS listeners")


@rule(
    "strict",
    "elbv2",
    "CreateListener",
    "ModifyListener",
    says="a security policy is one that exists",
    source="User Guide for Application Load Balancers: security policies",
)
def ssl_policy(call):
    wanted = call.get("SslPolicy")
    if wanted and not POLICIES.fullmatch(wanted):
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{wanted}' not found")


@rule("strict", "elbv2", "CreateListener", says="a listener has a protocol, and a port from 1 to 65535")
def protocol_and_port(call):
    if call.get("Protocol") not in ("HTTP", "HTTPS") and ":loadbalancer/app/" in call.params["LoadBalancerArn"]:
        validation("Listener protocol must be one of HTTP, HTTPS for an application load balancer")
    if not 1 <= call.get("Port", 0) <= 65535:
        validation("A listener port is 1 to 65535")


@rule("strict", "elbv2", "ModifyLoadBalancerAttributes", says="attributes have values that AWS knows, 20 a call")
def attributes(call):
    if len(call.params["Attributes"]) > 20:
        validation("At most 20 attributes can be modified in one call")
    for wish in call.params["Attributes"]:
        allowed = ATTRIBUTE_VALUES.get(wish["Key"])
        if allowed and wish.get("Value") not in allowed:
            raise AwsError(
                "InvalidConfigurationRequest", f"The value of '{wish['Key']}' must be one of {sorted(allowed)}"
            )


@rule("strict", "elbv2", "DescribeTags", "DescribeLoadBalancers", "DescribeTargetGroups", says="20 ARNs a call")
def arns_a_call(call):
    for key in ("ResourceArns", "LoadBalancerArns", "TargetGroupArns"):
        if len(call.get(key, [])) > 20:
            validation(f"{key} can have at most 20 elements")


@rule(
    "strict",
    "acm",
    "ImportCertificate",
    says="a private key is unencrypted and belongs to its certificate",
    source="AWS Certificate Manager User Guide: importing certificates",
)
def key_of_certificate(call):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(call.params["Certificate"])
        key = load_pem_private_key(call.params["PrivateKey"], None)
    except (ValueError, TypeError) as error:
        invalid("acm", f"The certificate or the private key is not valid: {error}")
    if key.public_key() != certificate.public_key():
        invalid("acm", "The private key does not match the certificate.")


@rule(
    "strict",
    "acm",
    "ImportCertificate",
    says="a certificate names who has issued it",
    source='AWS Certificate Manager User Guide, "Prerequisites for importing certificates"; RFC 5280, 4.1.2.4',
)
def issuer_of_certificate(call):
    from cryptography import x509

    if not x509.load_pem_x509_certificate(call.params["Certificate"]).issuer.rdns:
        invalid("acm", "The certificate does not contain information about its issuer.")


# order


@rule(
    "order",
    "elbv2",
    "CreateLoadBalancer",
    "SetSecurityGroups",
    says="security groups exist, in the VPC of the load balancer",
)
def groups_of_the_network(call):
    balancer = balancers(call).get(call.get("LoadBalancerArn"))
    first = (call.get("Subnets") or [None])[0]
    vpc = balancer.vpc_id if balancer else subnets(call)[first].vpc_id if first in subnets(call) else None
    for group in call.get("SecurityGroups", []):
        found = security_groups(call).get(group)
        if found is None or (vpc and found.vpc_id != vpc):
            raise AwsError("InvalidConfigurationRequest", f"One or more security groups are invalid: {group}")


@rule(
    "order",
    "elbv2",
    "CreateLoadBalancer",
    says="an internet-facing load balancer needs an internet gateway in its VPC",
    source="User Guide for Application Load Balancers: scheme",
)
def internet_gateway(call):
    first = subnets(call).get((call.get("Subnets") or [None])[0])
    if first is None or call.get("Scheme", "internet-facing") != "internet-facing":
        return
    attached = {g.vpc.id for g in call.backend("ec2").internet_gateways.values() if g.vpc}
    default = call.backend("ec2").vpcs[first.vpc_id].is_default
    if first.vpc_id not in attached and str(default).lower() != "true":
        raise AwsError("InvalidSubnet", f"VPC {first.vpc_id} has no internet gateway")


@rule("order", "elbv2", "CreateListener", says="a load balancer has one listener a port")
def duplicate_listener(call):
    balancer = balancers(call).get(call.params["LoadBalancerArn"])
    for listener in balancer.listeners.values() if balancer else ():
        if int(listener.port) == int(call.get("Port", 0)):
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")


@rule("order", "elbv2", "CreateListener", "ModifyListener", says="a certificate exists before a listener presents it")
def certificate_exists(call):
    for certificate in call.get("Certificates", []):
        arn = certificate.get("CertificateArn", "")
        if ":acm:" in arn and arn not in call.backend("acm")._certificates:
            raise AwsError("CertificateNotFound", f"Certificate ARN '{arn}' is not valid")


def wanted_groups(call):
    for action in call.get("DefaultActions", []):
        yield from filter(None, [action.get("TargetGroupArn")])
        for entry in action.get("ForwardConfig", {}).get("TargetGroups", []):
            yield entry["TargetGroupArn"]


@rule(
    "order",
    "elbv2",
    "CreateListener",
    "ModifyListener",
    says="a target group exists, in the VPC of the load balancer, and belongs to no other",
)
def target_group_of_listener(call):
    backend = call.backend("elbv2")
    owner = call.get("LoadBalancerArn") or owner_of(backend, call.get("ListenerArn"))
    for arn in wanted_groups(call):
        if arn not in backend.target_groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        balancer = backend.load_balancers.get(owner)
        if balancer and backend.target_groups[arn].vpc_id != balancer.vpc_id:
            raise AwsError("InvalidConfigurationRequest", "The target group is not in the VPC of the load balancer")
        for other in backend.load_balancers.values():
            if other.arn != owner and arn in str(
                [vars(a) for li in other.listeners.values() for a in li.default_actions]
            ):
                message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
                raise AwsError("TargetGroupAssociationLimit", message)


def owner_of(backend, listener_arn):
    for balancer in backend.load_balancers.values():
        if listener_arn in balancer.listeners:
            return balancer.arn
    return None


@rule(
    "strict",
    "elbv2",
    "CreateRule",
    "ModifyRule",
    says="a rule changes a path by one regular expression, which looks neither ahead nor behind",
    source="User Guide for Application Load Balancers: Transforms for listener rules",
)
def transforms(call):
    kinds = [one.get("Type") for one in call.get("Transforms", [])]
    if len(set(kinds)) < len(kinds) or not set(kinds) <= {"url-rewrite", "host-header-rewrite"}:
        validation("A rule has at most one transform of each type, url-rewrite and host-header-rewrite")
    for one in call.get("Transforms", []):
        for rewrite in (one.get("UrlRewriteConfig") or one.get("HostHeaderRewriteConfig") or {}).get("Rewrites", []):
            if re.search(r"\(\?(?:[=!]|<[=!])", rewrite["Regex"]) or len(rewrite["Regex"]) > 1024:
                validation(f"The regular expression '{rewrite['Regex']}' is not supported")


@rule("order", "elbv2", "DeleteLoadBalancer", says="a protected load balancer cannot be deleted")
def deletion_protection(call):
    balancer = balancers(call).get(call.params["LoadBalancerArn"])
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled"
        raise AwsError("OperationNotPermitted", message)


@rule("order", "acm", "DeleteCertificate", says="a certificate that a listener presents cannot be deleted")
def certificate_in_use(call):
    if users(call, call.params["CertificateArn"]):
        raise AwsError(
            "ResourceInUseException",
            f"Certificate {call.params['CertificateArn']} in account {call.account} is in use.",
        )
