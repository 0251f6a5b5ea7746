"""Security group rules: when two are the same, what their descriptions are, and that a call adds all or none.

moto's rule objects are amended in place, because every call on groups goes through them.
"""

from moto.ec2.models.security_groups import GroupedSecurityRuleView, SecurityGroup, SecurityGroupRule

from ...moto_app import ask
from ...registry import AwsError, after, operation
from .shared import security_groups

original_init = SecurityGroupRule.__init__


def init(self, ec2, protocol, group, low, high, ip_range, source=None, prefix_list_id=None, *rest, **named):
    original_init(self, ec2, protocol, group, low, high, ip_range, source, prefix_list_id, *rest, **named)
    self.prefix_list_description = (prefix_list_id or {}).get("Description")


def identity(rule):
    """AWS ignores descriptions when it compares rules; moto does not, so nothing with one can be revoked."""
    ports = (None, None) if rule.ip_protocol == "-1" else (rule.from_port, rule.to_port)
    source = (rule.ip_range.get("CidrIp"), rule.ip_range.get("CidrIpv6"), rule.source_group.get("GroupId"))
    return (rule.ip_protocol, *ports, *source, rule.prefix_list_id)


def description(rule):
    return (
        rule.ip_range.get("Description")
        or rule.source_group.get("Description")
        or getattr(rule, "prefix_list_description", None)
    )


def grouped(self, rules):
    """Rules that share protocol and ports form one permission, with all their sources in it."""
    views = {}
    for rule in rules:
        key = (rule.from_port, rule.to_port, rule.ip_protocol)
        view = views.setdefault(key, GroupedSecurityRuleView(*key))
        if rule.ip_range:
            view.all_ip_ranges.append(rule.ip_range)
        if rule.source_group:
            view.source_groups.append(rule.source_group)
        if rule.prefix_list_id:
            entry = {"PrefixListId": rule.prefix_list_id, "Description": rule.prefix_list_description}
            view.prefix_list_ids.append({key: value for key, value in entry.items() if value})
    return list(views.values())


SecurityGroupRule.__init__ = init
SecurityGroupRule.__eq__ = lambda self, other: identity(self) == identity(other)
SecurityGroupRule.__hash__ = lambda self: hash(self.id)
SecurityGroupRule.description = property(description)
SecurityGroup._flattened_rules = grouped


@operation("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call):
    """moto adds permission by permission, and leaves the first half when the second is a duplicate."""
    group = security_groups(call).get(call.get("GroupId"))
    before = (list(group.ingress_rules), list(group.egress_rules)) if group else None
    try:
        return ask(call)
    except AwsError:
        if group:
            group.ingress_rules, group.egress_rules = before
        raise


@operation("ec2", "ModifySecurityGroupRules")
def modify_rules(call):
    """Also for sources that are not CIDR blocks, which moto ignores."""
    group = security_groups(call).get(call.params["GroupId"])
    if group is None:
        message = f"The security group '{call.params['GroupId']}' does not exist"
        raise AwsError("InvalidGroup.NotFound", message)
    for wish in call.params["SecurityGroupRules"]:
        rule = group.get_rule(wish["SecurityGroupRuleId"])
        if rule is None:
            message = f"The security group rule ID '{wish['SecurityGroupRuleId']}' does not exist"
            raise AwsError("InvalidSecurityGroupRuleId.NotFound", message)
        change(call, rule, wish.get("SecurityGroupRule", {}))
    return {"Return": True}


def change(call, rule, wish):
    text = {"Description": wish["Description"]} if wish.get("Description") else {}
    rule.ip_protocol = wish.get("IpProtocol", rule.ip_protocol)
    rule.from_port, rule.to_port = wish.get("FromPort", rule.from_port), wish.get("ToPort", rule.to_port)
    if wish.get("CidrIpv4"):
        rule.ip_range = {"CidrIp": wish["CidrIpv4"]} | text
    elif wish.get("CidrIpv6"):
        rule.ip_range = {"CidrIpv6": wish["CidrIpv6"]} | text
    elif wish.get("ReferencedGroupId"):
        rule.source_group = {
            "GroupId": wish["ReferencedGroupId"],
            "UserId": call.account,
            "OwnerId": call.account,
        } | text
    elif wish.get("PrefixListId"):
        rule.prefix_list_id, rule.prefix_list_description = wish["PrefixListId"], wish.get("Description")


@after("ec2", "CreateSecurityGroup")
def show_tags(call, answer):
    tags = security_groups(call)[answer["GroupId"]].get_tags()
    answer["Tags"] = [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]


@after(
    "ec2",
    "DescribeSecurityGroupRules",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
)
def complete_rules(call, answer):
    for entry in answer.get("SecurityGroupRules", []):
        entry.setdefault("GroupOwnerId", call.account)
        entry.setdefault("SecurityGroupRuleArn", call.arn("ec2", f"security-group-rule/{entry['SecurityGroupRuleId']}"))
