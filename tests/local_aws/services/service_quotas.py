"""Service Quotas: what the account may have, under the codes AWS gave these numbers."""

from ..quotas import FRESH, quotas
from ..registry import AwsError, operation

NAMED = {
    ("acm", "L-D2CB7DE9"): ("Imported certificates", "certificates"),
    ("apigateway", "L-AA0FF27B"): ("Regional APIs per account per Region", "rest-apis"),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", "elastic-ips"),
    ("elasticache", "L-DFE45DF3"): ("Nodes per Region", "elasticache-nodes"),
    ("elasticfilesystem", "L-848C634D"): ("File systems per account", "file-systems"),
    ("elasticloadbalancing", "L-53DA6B97"): ("Application Load Balancers per Region", "load-balancers"),
    ("elasticloadbalancing", "L-B22855CB"): ("Target Groups per Region", "target-groups"),
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", "fargate-vcpus"),
    ("iam", "L-0DA4ABF3"): ("Managed policies per role", "managed-policies"),
    ("iam", "L-C07B4B0D"): ("Role trust policy length", "trust-policy-characters"),
    ("iam", "L-FE177D64"): ("Roles per account", "roles"),
    ("kinesis", "L-A7A2D7F4"): ("Shards per Region", "shards"),
    ("rds", "L-7B6409FD"): ("DB instances", "rds-instances"),
    ("rds", "L-952B80B8"): ("DB clusters", "rds-clusters"),
    ("vpc", "L-0EA8095F"): ("Inbound or outbound rules per security group", "security-group-rules"),
    ("vpc", "L-29B6F2EB"): ("Interface VPC endpoints per VPC", "interface-endpoints"),
    ("vpc", "L-2AFB9258"): ("Security groups per network interface", "security-groups-per-interface"),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", "internet-gateways"),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", "vpcs"),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", "nat-gateways"),
}


def described(call, key):
    service, code = key
    name, quota = NAMED[key]
    return {
        "ServiceCode": service,
        "ServiceName": service,
        "QuotaArn": call.arn("servicequotas", f"{service}/{code}"),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(FRESH[quota] if "Default" in call.operation else quotas[quota]),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": service == "iam",
    }


@operation("service-quotas", "ListServiceQuotas", "ListAWSDefaultServiceQuotas")
def list_service_quotas(call):
    return {"Quotas": [described(call, key) for key in NAMED if key[0] == call.params["ServiceCode"]]}


@operation("service-quotas", "GetServiceQuota", "GetAWSDefaultServiceQuota")
def get_service_quota(call):
    key = (call.params["ServiceCode"], call.params["QuotaCode"])
    if key not in NAMED:
        message = f"The request failed because the specified quota {key[1]} does not exist."
        raise AwsError("NoSuchResourceException", message)
    return {"Quota": described(call, key)}
