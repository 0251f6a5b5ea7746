"""RDS: which versions and which names a database can get."""

import re

from ..registry import AwsError, rule
from ..services.rds.parameter_groups import CLUSTER, INSTANCE
from ..services.rds.shared import clusters, instances
from ..services.rds.versions import OFFERED, family, resolve
from .helpers import invalid
from .rds import cluster_in, combination

MODIFIES = ("ModifyDBCluster", "ModifyDBInstance")


def item_in(call):
    if call.operation == "ModifyDBCluster":
        return cluster_in(call)
    return instances(call).get((call.get("DBInstanceIdentifier") or "").lower())


def another_version(call):
    """The database, and the version that is asked for and is not its own; (None, None) if it stays with what it has."""
    item = item_in(call)
    if item is None or not call.get("EngineVersion") or item["Engine"] not in OFFERED:
        return None, None
    wanted = resolve(item["Engine"], call.params["EngineVersion"])
    return (item, wanted) if wanted not in (None, item["EngineVersion"]) else (None, None)


def is_major(item, wanted):
    return wanted.split(".")[0] != item["EngineVersion"].split(".")[0]


@rule("order", "rds", *MODIFIES, says="a new major version needs AllowMajorVersionUpgrade")
def upgrade_is_meant(call):
    item, wanted = another_version(call)
    if item and is_major(item, wanted) and not call.get("AllowMajorVersionUpgrade"):
        combination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")


@rule(
    "order",
    "rds",
    *MODIFIES,
    says="from a parameter group of one's own a new major version needs another one, of its family",
    source="Amazon RDS User Guide: How to perform a major version upgrade for RDS for PostgreSQL; Amazon Aurora User Guide: "
    "Performing a major version upgrade",
)
def upgrade_parameter_group(call):
    item, wanted = another_version(call)
    if not item or item.get("DBClusterIdentifier") and call.operation == "ModifyDBInstance" or not is_major(item, wanted):
        return
    kind = CLUSTER if call.operation == "ModifyDBCluster" else INSTANCE
    word = "cluster" if kind is CLUSTER else "instance"
    current = item["DBClusterParameterGroup" if kind is CLUSTER else "_parameter_group"]
    asked = call.get(kind.name_key)
    if asked is None and not current.startswith("default."):
        combination(
            f"The current DB {word} parameter group {current} is custom. You must explicitly specify a new DB {word} "
            "parameter group, either default or custom, for the engine version upgrade."
        )
    group = kind.all(call).get((asked or "").lower())
    if group and group["DBParameterGroupFamily"] != family(item["Engine"], wanted):
        combination(f"The parameter group {asked} can't be used for the version {wanted} of {item['Engine']}.")


@rule("order", "rds", "ModifyDBInstance", says="the version of an Aurora instance is changed by way of its cluster")
def member_keeps_version(call):
    item, wanted = another_version(call)
    if item and item.get("DBClusterIdentifier"):
        combination("The engine version of a DB instance in an Aurora DB cluster is changed with ModifyDBCluster.")


@rule("strict", "rds", *MODIFIES, says="a new name is an identifier like that of a new database")
def new_identifier(call):
    value = call.get("NewDBClusterIdentifier") or call.get("NewDBInstanceIdentifier")
    if value and (not re.fullmatch(r"[a-zA-Z](?:-?[a-zA-Z0-9])*", value) or len(value) > 63):
        invalid("rds", f"The new identifier {value} is not a valid identifier.")


@rule(
    "order",
    "rds",
    *MODIFIES,
    says="a new name is no other database's, nor about to be",
    source="Amazon RDS User Guide: Renaming a DB instance",
)
def new_identifier_is_free(call):
    of_cluster = call.operation == "ModifyDBCluster"
    identifier = "DBClusterIdentifier" if of_cluster else "DBInstanceIdentifier"
    wanted, own = (call.get(f"New{identifier}") or "").lower(), call.params[identifier].lower()
    shelf = clusters(call) if of_cluster else instances(call)
    taken = {name for name in shelf} | {item["_pending"].get(identifier) for name, item in shelf.items() if name != own}
    if wanted and wanted != own and wanted in taken:
        code = "DBClusterAlreadyExistsFault" if of_cluster else "DBInstanceAlreadyExists"
        raise AwsError(code, f"{'DB Cluster' if of_cluster else 'DB instance'} {wanted} already exists")


@rule(
    "order",
    "rds",
    "ModifyDBCluster",
    "DeleteDBCluster",
    "CreateDBInstance",
    says="a cluster whose name or version changes takes no other change, and no member",
)
def another_name_or_version(call):
    cluster = cluster_in(call)
    if cluster and cluster["Status"] in ("renaming", "upgrading"):
        message = f"DB cluster {cluster['DBClusterIdentifier']} is not in a valid state: {cluster['Status']}."
        raise AwsError("InvalidDBClusterStateFault", message)
