"""Parameter groups of clusters and of instances: the same calls under two sets of names."""

from ...common import page, require_unique
from ...life import later
from ...registry import AwsError, behaviour, operation
from .catalogue import parameters
from .shared import clusters, instances, tags
from .versions import OFFERED, family

FAMILIES = sorted({family(engine, version) for engine, versions in OFFERED.items() for version in versions})


class Kind:
    """What differs between the two kinds."""

    def __init__(self, word, arn_word, prefix):
        self.word, self.arn_word, self.prefix = word, arn_word, prefix
        self.name_key, self.arn_key = f"{word}Name", f"{word}Arn"

    def shelf(self, call):
        return call.shelf(f"rds.{self.arn_word}")

    def default(self, call, fam):
        return self.entry(call, f"default.{fam}", fam, f"Default {self.prefix}parameter group for {fam}")

    def entry(self, call, name, fam, description):
        arn = call.arn("rds", f"{self.arn_word}:{name}")
        return {
            self.name_key: name,
            "DBParameterGroupFamily": fam,
            "Description": description,
            self.arn_key: arn,
            "_arn": arn,
            "_set": {},
        }

    def all(self, call):
        families = [f for f in FAMILIES if f.startswith("aurora")] if self is CLUSTER else FAMILIES
        return {f"default.{f}": self.default(call, f) for f in families} | self.shelf(call)

    def find(self, call, name):
        found = self.all(call).get(name.lower())
        if found is None:
            raise AwsError("DBParameterGroupNotFound", f"{self.word} not found: {name}", 404)
        return found

    def status(self, call, name):
        """Whether a database made now starts with the parameters of the group."""
        return "pending-reboot" if self.find(call, name).get("_fresh") else "in-sync"

    def users(self, call, name):
        if self is CLUSTER:
            return [c for c in clusters(call).values() if c["DBClusterParameterGroup"] == name]
        return [i for i in instances(call).values() if i["_parameter_group"] == name]


CLUSTER = Kind("DBClusterParameterGroup", "cluster-pg", "cluster ")
INSTANCE = Kind("DBParameterGroup", "pg", "")


def shown(group):
    return {key: value for key, value in group.items() if not key.startswith("_")}


def parameter(group, name, known):
    """A value that equals the engine's own is not taken for somebody's choice, whoever set it:
    https://github.com/hashicorp/terraform-provider-aws/issues/23335."""
    value, kind, apply_type, allowed = known[name]
    chosen = group["_set"].get(name)
    differs = chosen is not None and chosen["ParameterValue"] != value
    out = {
        "ParameterName": name,
        "Description": name,
        "Source": "user" if differs else ("system" if value else "engine-default"),
        "ApplyType": apply_type,
        "DataType": kind,
        "AllowedValues": allowed,
        "IsModifiable": True,
        "ApplyMethod": chosen["ApplyMethod"] if chosen else "pending-reboot",
        "SupportedEngineModes": ["provisioned"],
    }
    shown_value = chosen["ParameterValue"] if chosen else value
    return out | ({"ParameterValue": shown_value} if shown_value else {})


def named(call, entry):
    """The only filter there is picks parameters by their names."""
    filters = call.get("Filters", [])
    unknown = [one["Name"] for one in filters if one["Name"] != "parameter-name"]
    if unknown:
        raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {unknown[0]}")
    return all(entry["ParameterName"] in one["Values"] for one in filters)


def check(wish, known):
    name = wish.get("ParameterName")
    if name not in known:
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if known[name][2] == "static" and wish.get("ApplyMethod") == "immediate":
        raise AwsError("InvalidParameterCombination", "cannot use immediate apply method for static parameter")
    allowed, kind = known[name][3], known[name][1]
    if allowed and kind in ("boolean", "string") and wish.get("ParameterValue") not in allowed.split(","):
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid parameter value: {wish.get('ParameterValue')} for: {name} allowed values are: {allowed}",
        )


def mark_users(call, kind, group):
    """A static parameter reaches an instance only when it starts."""
    for user in kind.users(call, group[kind.name_key]):
        if kind is CLUSTER:
            members = [
                i for i in instances(call).values() if i.get("DBClusterIdentifier") == user["DBClusterIdentifier"]
            ]
            for member in members:
                member["_cluster_parameters"] = "pending-reboot"
        else:
            user["_parameters"] = "pending-reboot"


# Pages of 8 kB that no class has memory for.
LARGEST_BUFFERS = 2**27


@behaviour(
    "rds",
    says="an instance that cannot start with its parameters is incompatible-parameters until it is restarted with others",
    source="Amazon RDS User Guide: Viewing Amazon RDS DB instance status; Troubleshooting for Amazon RDS",
)
def can_start(call, instance):
    groups = [INSTANCE.find(call, instance["_parameter_group"])]
    cluster = clusters(call).get(instance.get("DBClusterIdentifier"))
    if cluster:
        groups.append(CLUSTER.find(call, cluster["DBClusterParameterGroup"]))
    chosen = [group["_set"].get("shared_buffers", {}).get("ParameterValue", "") for group in groups]
    return not any(value.isdigit() and int(value) > LARGEST_BUFFERS for value in chosen)


def enter(kind, operations):
    create, describe, modify, reset, delete, list_parameters = operations

    @operation("rds", create)
    def create_group(call):
        name = call.params[kind.name_key].lower()
        message = f"Parameter group {name} already exists"
        require_unique(kind.all(call), name, "DBParameterGroupAlreadyExists", message)
        wanted = call.params["DBParameterGroupFamily"]
        if wanted not in FAMILIES:
            raise AwsError(
                "InvalidParameterValue", f"ParameterGroupFamily {wanted} is not a valid parameter group family"
            )
        group = kind.entry(call, name, wanted, call.params["Description"])
        kind.shelf(call)[name] = group
        group["_fresh"] = True
        later("rds.parameter-group", lambda: group.update(_fresh=False))
        tags(call)[group["_arn"]] = call.get("Tags", [])
        return {kind.word: shown(group)}

    @operation("rds", describe)
    def describe_groups(call):
        if call.get(kind.name_key):
            return {f"{kind.word}s": [shown(kind.find(call, call.params[kind.name_key]))]}
        found, more = page(call, [shown(g) for g in kind.all(call).values()], "MaxRecords", "Marker", "Marker")
        return {f"{kind.word}s": found} | more

    def own(call):
        group = kind.find(call, call.params[kind.name_key])
        if group[kind.name_key].startswith("default."):
            raise AwsError("InvalidParameterValue", "The parameter group default.* cannot be modified or deleted")
        return group

    @operation("rds", modify)
    def modify_group(call):
        group = own(call)
        known = parameters(group["DBParameterGroupFamily"])
        for wish in call.params["Parameters"]:
            check(wish, known)
        if any(known[wish["ParameterName"]][2] == "static" for wish in call.params["Parameters"]):
            mark_users(call, kind, group)
        for wish in call.params["Parameters"]:
            group["_set"][wish["ParameterName"]] = {
                "ParameterValue": wish.get("ParameterValue", ""),
                "ApplyMethod": wish.get("ApplyMethod", "pending-reboot"),
            }
        return {kind.name_key: group[kind.name_key]}

    @operation("rds", reset)
    def reset_group(call):
        group = own(call)
        known = parameters(group["DBParameterGroupFamily"])
        names = group["_set"] if call.get("ResetAllParameters") else [w["ParameterName"] for w in call.get("Parameters", [])]
        if any(known[name][2] == "static" for name in names if name in group["_set"]):
            mark_users(call, kind, group)
        if call.get("ResetAllParameters"):
            group["_set"].clear()
        for wish in call.get("Parameters", []):
            group["_set"].pop(wish["ParameterName"], None)
        return {kind.name_key: group[kind.name_key]}

    @operation("rds", delete)
    def delete_group(call):
        group = own(call)
        name = group[kind.name_key]
        del kind.shelf(call)[name]
        tags(call).pop(group["_arn"], None)
        return {}

    @operation("rds", list_parameters)
    def describe_parameters(call):
        group = kind.find(call, call.params[kind.name_key])
        known = parameters(group["DBParameterGroupFamily"])
        found = [parameter(group, name, known) for name in sorted(known)]
        found = [p for p in found if call.get("Source") in (None, p["Source"]) and named(call, p)]
        found, more = page(call, found, "MaxRecords", "Marker", "Marker")
        return {"Parameters": found} | more


enter(
    CLUSTER,
    (
        "CreateDBClusterParameterGroup",
        "DescribeDBClusterParameterGroups",
        "ModifyDBClusterParameterGroup",
        "ResetDBClusterParameterGroup",
        "DeleteDBClusterParameterGroup",
        "DescribeDBClusterParameters",
    ),
)
enter(
    INSTANCE,
    (
        "CreateDBParameterGroup",
        "DescribeDBParameterGroups",
        "ModifyDBParameterGroup",
        "ResetDBParameterGroup",
        "DeleteDBParameterGroup",
        "DescribeDBParameters",
    ),
)
