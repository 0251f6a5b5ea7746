"""Engine versions that change, and those that cannot be left.

An upgrade is an outage (API reference, ModifyDBCluster, EngineVersion), of a cluster together with all of its instances.
Before a major version is left AWS looks whether it can be; if not, the database goes on with the old one, an event says so,
and a log file of the writer says why (Amazon Aurora User Guide and Amazon RDS User Guide, "Performing a major version upgrade":
`pg_upgrade_precheck.log`).
"""

from ...common import page
from ...life import endings, later
from ...registry import AwsError, behaviour, now, operation
from ...world import world
from .shared import instance_of, members_of, say
from .versions import family

PRECHECK = "pg_upgrade_precheck.log"


def is_cluster(item):
    return "DbClusterResourceId" in item


def name_of(item):
    return item["DBClusterIdentifier"] if is_cluster(item) else item["DBInstanceIdentifier"]


def tell(call, item, message):
    kind, arn = ("db-cluster", "DBClusterArn") if is_cluster(item) else ("db-instance", "DBInstanceArn")
    say(call, kind, name_of(item), item[arn], message)


def major(version):
    return version.split(".")[0]


def affected(call, item):
    """Pairs of an object and the name of its status: a cluster is upgraded with all of its instances."""
    if not is_cluster(item):
        return [(item, "DBInstanceStatus")]
    return [(item, "Status"), *((member, "DBInstanceStatus") for member in members_of(call, item))]


def begin(call, item, then):
    """Upgrades, if that is asked for, and goes on with `then` where something is left to change."""
    wanted, status = item["_pending"].get("EngineVersion"), affected(call, item)[0][1]
    if wanted is None or item[status] != "available":
        return then()
    leaves = major(wanted) != major(item["EngineVersion"])
    wish = endings.of("rds.upgrade", name_of(item)) if leaves else None
    under_way = [(one, field) for one, field in affected(call, item) if one[field] == "available"]
    for one, field in under_way:
        one[field] = "upgrading"
    word = "cluster" if is_cluster(item) else "instance"
    tell(call, item, f"Database {word} upgrade is in progress.")

    def finish():
        if wish is None:
            upgrade(call, item, wanted)
        else:
            stays_as_it_was(call, item, wanted, wish["message"] or "the cluster has replication slots")
        item["_pending"] = {name: value for name, value in item["_pending"].items() if name != "EngineVersion"}
        for one, field in under_way:
            one[field] = "available" if one[field] == "upgrading" else one[field]
        if item["_pending"]:
            then()

    later("rds.upgrade", finish)


@behaviour(
    "rds",
    says="an upgrade takes a database out of use, restarts it, and moves a default parameter group with the version",
    source="Amazon RDS API Reference: ModifyDBCluster and ModifyDBInstance, EngineVersion; Amazon Aurora User Guide: Performing "
    "a major version upgrade",
)
def upgrade(call, item, version):
    old = item["EngineVersion"]
    for one, _ in affected(call, item):
        one["EngineVersion"] = version
        for name in ("DBClusterParameterGroup", "_parameter_group"):
            if one.get(name) == f"default.{family(one['Engine'], old)}":
                one[name] = f"default.{family(one['Engine'], version)}"
        one["_parameters"] = "in-sync"
        if "_cluster_parameters" in one:
            one["_cluster_parameters"] = "in-sync"
    word = "cluster" if is_cluster(item) else "instance"
    kind = "major" if major(old) != major(version) else "minor"
    tell(call, item, f"Database {word} engine {kind} version has been upgraded.")


@behaviour(
    "rds",
    says="what cannot leave its major version goes on with the old one; an event says so, and a log file of the writer why",
    source="Amazon Aurora User Guide: Performing a major version upgrade, the precheck; Amazon RDS User Guide: How to perform a "
    "major version upgrade for RDS for PostgreSQL",
)
def stays_as_it_was(call, item, version, reason):
    word = "cluster" if is_cluster(item) else "instance"
    tell(call, item, f"Database {word} is in a state that cannot be upgraded: {reason}")
    writer = next((m for m in members_of(call, item) if m["_writer"]), None) if is_cluster(item) else item
    if writer:
        moment = now().strftime("%Y-%m-%d %H:%M:%S UTC")
        lines = [f"Upgrade precheck from {item['EngineVersion']} to {version} on {moment}", f"ERROR: {reason}"]
        writer.setdefault("_logs", {})[PRECHECK] = {"text": "\n".join(lines) + "\n", "written": int(world.time() * 1000)}


def logs_of(instance):
    """What every instance writes, and what an upgrade has left."""
    hour = now().strftime("%Y-%m-%d-%H%M")[:-2] + "00"
    line = f"{now():%Y-%m-%d %H:%M:%S} UTC::@:[1]:LOG:  database system is ready to accept connections\n"
    usual = {f"error/postgresql.log.{hour}": {"text": line, "written": int(world.time() * 1000)}}
    return usual | instance.get("_logs", {})


@operation("rds", "DescribeDBLogFiles")
def describe_db_log_files(call):
    files = logs_of(instance_of(call))
    found = [
        {"LogFileName": name, "LastWritten": file["written"], "Size": len(file["text"])}
        for name, file in sorted(files.items())
        if call.get("FilenameContains", "") in name and file["written"] >= call.get("FileLastWritten", 0)
    ]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"DescribeDBLogFiles": found} | more


@operation("rds", "DownloadDBLogFilePortion")
def download_db_log_file_portion(call):
    name = call.params["LogFileName"]
    files = logs_of(instance_of(call))
    if name not in files:
        raise AwsError("DBLogFileNotFoundFault", f"DBLogFile {name} is not found.")
    lines = files[name]["text"].splitlines(keepends=True)
    start = int(call.get("Marker") or 0)
    until = min(len(lines), start + (call.get("NumberOfLines") or len(lines)))
    return {
        "LogFileData": "".join(lines[start:until]),
        "Marker": str(until),
        "AdditionalDataPending": until < len(lines),
    }
