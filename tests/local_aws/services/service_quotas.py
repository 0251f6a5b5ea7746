"""Service Quotas: the limits of a fresh account that decide whether a stack fits."""

from ..registry import AwsError, operation

QUOTAS = {
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5.0),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", 5.0),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", 5.0),
    ("vpc", "L-0EA8095F"): ("Inbound or outbound rules per security group", 60.0),
    ("vpc", "L-2AFB9258"): ("Security groups per network interface", 5.0),
    ("vpc", "L-29B6F2EB"): ("Interface VPC endpoints per VPC", 50.0),
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6.0),
    ("rds", "L-7B6409FD"): ("DB instances", 40.0),
    ("rds", "L-952B80B8"): ("DB clusters", 40.0),
    ("elasticloadbalancing", "L-53DA6B97"): ("Application Load Balancers per Region", 50.0),
    ("kinesis", "L-A7A2D7F4"): ("Shards per Region", 500.0),
    ("elasticfilesystem", "L-848C634D"): ("File systems per account", 1000.0),
    ("iam", "L-FE177D64"): ("Roles per account", 1000.0),
    ("kms", "L-C2F1777E"): ("Customer Master Keys (CMKs)", 100000.0),
    ("apigateway", "L-AA0FF27B"): ("Regional APIs per account per Region", 600.0),
    ("acm", "L-D2CB7DE9"): ("Imported certificates", 2500.0),
    ("elasticache", "L-DFE45DF3"): ("Nodes per Region", 300.0),
}


def described(call, key):
    service, code = key
    name, value = QUOTAS[key]
    return {
        "ServiceCode": service,
        "ServiceName": service,
        "QuotaArn": call.arn("servicequotas", f"{service}/{code}"),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


@operation("service-quotas", "ListServiceQuotas", "ListAWSDefaultServiceQuotas")
def list_service_quotas(call):
    return {"Quotas": [described(call, key) for key in QUOTAS if key[0] == call.params["ServiceCode"]]}


@operation("service-quotas", "GetServiceQuota", "GetAWSDefaultServiceQuota")
def get_service_quota(call):
    key = (call.params["ServiceCode"], call.params["QuotaCode"])
    if key not in QUOTAS:
        raise AwsError(
            "NoSuchResourceException", f"The request failed because the specified quota {key[1]} does not exist."
        )
    return {"Quota": described(call, key)}
