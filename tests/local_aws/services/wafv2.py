"""WAF: which web ACL guards what."""

from ..moto_app import ask
from ..registry import AwsError, after, operation, recover

WHOLE = {
    "custom_response_bodies": "CustomResponseBodies",
    "captcha_config": "CaptchaConfig",
    "challenge_config": "ChallengeConfig",
    "token_domains": "TokenDomains",
    "association_config": "AssociationConfig",
}


# What the ARNs of each type have in them.
PROTECTED = {
    "APPLICATION_LOAD_BALANCER": ":loadbalancer/",
    "API_GATEWAY": ":/restapis/",
    "COGNITO_USER_POOL": ":userpool/",
    "APPSYNC": ":apis/",
    "APP_RUNNER_SERVICE": ":service/",
    "VERIFIED_ACCESS_INSTANCE": ":verified-access-instance/",
    "AMPLIFY": ":apps/",
}


def guards(call):
    """ARN of the web ACL by ARN of what it guards."""
    return call.shelf("wafv2.associations")


@recover("wafv2", "CreateWebACL")
def duplicate(call, error):
    if error.code == "WafV2DuplicateItem":
        raise AwsError("WAFDuplicateItemException", error.message)


@after("wafv2", "UpdateWebACL")
def replaced_whole(call, answer):
    """What an update leaves out is gone; moto keeps it."""
    acl = call.backend("wafv2").get_web_acl(None, call.params["Name"], call.params["Id"])
    acl.description = call.get("Description", "")
    if not call.get("Rules"):
        acl.rules = []
    for field, given in WHOLE.items():
        setattr(acl, field, call.get(given))


# Source: WAF Developer Guide, "Web ACL capacity units (WCUs) in AWS WAF", the pages of the statements, and "AWS managed
# rule groups" for those. That the transformation NONE costs nothing, nobody says.
GROUP_UNITS = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
}
STATEMENT_UNITS = {"RateBasedStatement": 2, "RegexMatchStatement": 3, "GeoMatchStatement": 1, "IPSetReferenceStatement": 1}
TRANSFORMATION_UNITS = 10


def nested(wish):
    """The statements that stand in one."""
    return wish.get("Statements") or [wish[name] for name in ("Statement", "ScopeDownStatement") if wish.get(name)]


def units(statement):
    """What a statement takes of the capacity of a web ACL, with all that is inside."""
    kind, wish = next(iter(statement.items()))
    if kind == "ManagedRuleGroupStatement":
        return GROUP_UNITS.get(wish["Name"], 0)
    own = STATEMENT_UNITS.get(kind, 0)
    if kind == "ByteMatchStatement":
        own = 10 if wish["PositionalConstraint"].startswith("CONTAINS") else 2
    return own + TRANSFORMATION_UNITS * len(wish.get("TextTransformations", [])) + sum(map(units, nested(wish)))


def capacity(rules):
    return sum(units(rule["Statement"]) for rule in rules)


def under_attack(call):
    """What the web ACLs do about a flood of requests, by their ids."""
    return call.shelf("wafv2.floods")


@after("wafv2", "CreateWebACL", "UpdateWebACL")
def remember_floods(call, answer):
    """An update that does not say it again goes back to AWS's own choice."""
    acl_id = call.get("Id") or answer["Summary"]["Id"]
    under_attack(call)[acl_id] = call.get("OnSourceDDoSProtectionConfig")


@after("wafv2", "GetWebACL")
def show_whole(call, answer):
    acl = answer["WebACL"]
    acl.setdefault("ManagedByFirewallManager", False)
    acl["Capacity"] = capacity(acl.get("Rules", []))
    balancers = [arn for arn, guard in guards(call).items() if guard == acl["ARN"] and ":loadbalancer/" in arn]
    usual = {"ALBLowReputationMode": "ACTIVE_UNDER_DDOS"} if balancers else None
    found = under_attack(call).get(acl["Id"]) or usual
    if found:
        acl["OnSourceDDoSProtectionConfig"] = found


@operation("wafv2", "AssociateWebACL")
def associate_web_acl(call):
    guards(call)[call.params["ResourceArn"]] = call.params["WebACLArn"]
    return {}


@operation("wafv2", "DisassociateWebACL")
def disassociate_web_acl(call):
    guards(call).pop(call.params["ResourceArn"], None)
    return {}


@operation("wafv2", "GetWebACLForResource")
def get_web_acl_for_resource(call):
    arn = guards(call).get(call.params["ResourceArn"])
    if arn is None:
        return {}
    _, _, name, acl_id = arn.rpartition(":")[2].split("/")
    found = ask(call, operation="GetWebACL", params={"Name": name, "Id": acl_id, "Scope": "REGIONAL"})
    return {"WebACL": found["WebACL"]}


@operation("wafv2", "ListResourcesForWebACL")
def list_resources_for_web_acl(call):
    wanted = PROTECTED[call.get("ResourceType", "APPLICATION_LOAD_BALANCER")]
    mine = [arn for arn, acl in guards(call).items() if acl == call.params["WebACLArn"]]
    return {"ResourceArns": [arn for arn in mine if wanted in arn]}
