"""Databases that get another name: everything that is made of the name goes along, and the rest stays.

"When you rename a DB instance, the endpoint for the DB instance changes, because the URL includes the name you assigned …
the old DNS name that was used by the DB instance is immediately deleted … The renamed DB instance is not available until the
new name becomes effective … DB instance tags remain with the DB instance … DB snapshots are retained" (Amazon RDS User Guide,
"Renaming a DB instance"; of clusters the same, "Renaming a Multi-AZ DB cluster"). The resource id stays.
"""

from ... import logs_left
from ...life import later
from ...registry import behaviour
from .shared import clusters, instances, members_of, say, tags

CLUSTER = ("DBClusterIdentifier", "NewDBClusterIdentifier", "Status", "DBClusterArn")
INSTANCE = ("DBInstanceIdentifier", "NewDBInstanceIdentifier", "DBInstanceStatus", "DBInstanceArn")


def kind_of(item):
    return CLUSTER if "DbClusterResourceId" in item else INSTANCE


def ask(call, item):
    """What the caller wishes is pending, until the maintenance window if it is not to be applied at once."""
    identifier, parameter, _, _ = kind_of(item)
    wanted = (call.get(parameter) or "").lower()
    if wanted and wanted != item[identifier]:
        item["_pending"] = item["_pending"] | {identifier: wanted}


def begin(call, item, then):
    """Renames, if that is asked for, and goes on with `then`."""
    identifier, _, status, _ = kind_of(item)
    wanted = item["_pending"].get(identifier)
    if wanted is None or item[status] != "available":
        return then()
    item[status] = "renaming"

    def finish():
        if item[status] == "renaming":
            rename(call, item, wanted)
            item[status] = "available"
            logs_left.make_all(call)
        if item["_pending"]:
            then()

    later("rds.rename", finish)


@behaviour(
    "rds",
    says="a renamed database keeps its resource id, tags, snapshots and data; its ARN and endpoints have the new name, the old "
    "one leads nowhere, and nobody answers in between",
    source="Amazon RDS User Guide: Renaming a DB instance, Renaming a Multi-AZ DB cluster",
)
def rename(call, item, new):
    identifier, _, _, arn = kind_of(item)
    old, old_arn = item[identifier], item[arn]
    item["_pending"] = {name: value for name, value in item["_pending"].items() if name != identifier}
    if kind_of(item) is CLUSTER:
        rename_cluster(call, item, old, new)
    else:
        rename_instance(call, item, old, new)
    item[arn] = f"{old_arn.rpartition(':')[0]}:{new}"
    for shelf in (tags(call), call.shelf("enis")):
        if old_arn in shelf:
            shelf[item[arn]] = shelf.pop(old_arn)
    source = "db-cluster" if kind_of(item) is CLUSTER else "db-instance"
    say(call, source, new, item[arn], f"Renamed from {old} to {new}")


def rename_cluster(call, item, old, new):
    for member in members_of(call, item):
        member["DBClusterIdentifier"] = new
    for endpoint in ("Endpoint", "ReaderEndpoint"):
        item[endpoint] = f"{new}{item[endpoint].removeprefix(old)}"
    item["DBClusterIdentifier"] = new
    clusters(call)[new] = clusters(call).pop(old)


def rename_instance(call, item, old, new):
    """It is rebooted with that, which brings parameters into force that wait for it."""
    item["_host"] = f"{new}{item['_host'].removeprefix(old)}"
    if "Endpoint" in item:
        item["Endpoint"] = item["Endpoint"] | {"Address": item["_host"]}
    item |= {"DBInstanceIdentifier": new, "_parameters": "in-sync"}
    if item.get("DBClusterIdentifier"):
        item["_cluster_parameters"] = "in-sync"
    instances(call)[new] = instances(call).pop(old)
