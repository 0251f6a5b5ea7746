"""Which database answers at a host name, if any: what a client sees of renames, upgrades and restarts.

"Changing this parameter results in an outage" (API reference, ModifyDBCluster, EngineVersion); a change of class restarts an
instance (Amazon RDS User Guide, "Settings for DB instances"). Of a database that is renamed "the old DNS name … is immediately
deleted", and it "is not available until the new name becomes effective" (there, "Renaming a DB instance").
"""

from .shared import clusters, instances, members_of, proxies

# In these a database is in use: Amazon RDS User Guide, "Viewing Amazon RDS DB instance status"; Aurora's has the same table.
IN_USE = (
    "available",
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "modifying",
    "resetting-master-credentials",
    "storage-optimization",
)


def serves(item, field):
    return item[field] in IN_USE and not item.get("_down")


def is_up(call, item):
    """Whether rows can be written: to an instance on its own, or by way of the writer of a cluster."""
    if "DBInstanceIdentifier" in item:
        return serves(item, "DBInstanceStatus")
    return serves(item, "Status") and any(m["_writer"] and serves(m, "DBInstanceStatus") for m in members_of(call, item))


def reached(call, host):
    """What holds the rows behind a host name; None where the name leads nowhere, or nobody answers."""
    for cluster in clusters(call).values():
        up = [m for m in members_of(call, cluster) if serves(cluster, "Status") and serves(m, "DBInstanceStatus")]
        if host == cluster["Endpoint"]:
            return cluster if is_up(call, cluster) else None
        if host == cluster["ReaderEndpoint"] or host in [m["_host"] for m in members_of(call, cluster)]:
            named = [m for m in up if host in (cluster["ReaderEndpoint"], m["_host"])]
            return cluster if named else None
    for instance in instances(call).values():
        if host == instance["_host"] and not instance.get("DBClusterIdentifier"):
            return instance if is_up(call, instance) else None
    return behind_proxy(call, host)


def behind_proxy(call, host):
    """A proxy leads to the very database that was registered, and not to another that has got its name since. AWS does not
    tell this; of the two it is what a swap of names must not rely on."""
    for proxy in proxies(call).values():
        if host != proxy["Endpoint"] or proxy["Status"] != "available":
            continue
        for item in [*clusters(call).values(), *instances(call).values()]:
            if identity(item) in proxy["_followed"].values() and is_up(call, item):
                return item
    return None


def identity(item):
    return item.get("DbClusterResourceId") or item.get("DbiResourceId")
