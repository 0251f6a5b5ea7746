"""Databases that are stopped and started, and those whose key RDS cannot use.

A stopped one is started by AWS after seven days (Amazon Aurora User Guide, "Stopping and starting an Amazon Aurora DB
cluster"; API reference, StopDBInstance). One whose key cannot be used is `inaccessible-encryption-credentials-recoverable`
for seven days, and can be started once the key can be used again; then it is `inaccessible-encryption-credentials`, and
nothing but a backup brings it back (Amazon RDS User Guide, "Encrypting Amazon RDS resources").
"""

from datetime import timedelta

from ...life import durations, later
from ...registry import AwsError, after, now, operation
from ...world import world
from ..kms import key_of
from .clusters import restarted
from .clusters import shown as shown_cluster
from .instances import shown as shown_instance
from .shared import cluster_of, clusters, instance_of, instances, members_of, say

RECOVERABLE = "inaccessible-encryption-credentials-recoverable"
GONE = "inaccessible-encryption-credentials"
SEVEN_DAYS = timedelta(days=7)


def turn(items, while_under_way, afterwards, what):
    """`items` are pairs of an object and the name of its status."""
    for item, field in items:
        item[field] = while_under_way

    def arrive():
        for item, field in items:
            if item[field] == while_under_way:
                item[field] = afterwards

    later(what, arrive)


def with_members(call, cluster):
    return [(cluster, "Status"), *((member, "DBInstanceStatus") for member in members_of(call, cluster))]


def after_seven_days(items, then):
    """Time alone brings it about. Nothing comes of it where the status is another by then."""
    was = [item[field] for item, field in items]

    def due():
        if [item[field] for item, field in items] == was:
            then()

    world.clock.later_if_timed(durations["rds.seven-days"], due)


def stop(items):
    turn(items, "stopping", "stopped", "rds.stop")
    for item, _ in items:
        item["AutomaticRestartTime"] = now() + SEVEN_DAYS
    world.clock.later_if_timed(durations["rds.stop"], lambda: after_seven_days(items, lambda: start(items)))


def start(items):
    turn(items, "starting", "available", "rds.start")
    restarted([item for item, _ in items if "DBInstanceIdentifier" in item])
    for item, _ in items:
        item.pop("AutomaticRestartTime", None)


def ask_to_start(call, items, key):
    if key and not usable(call, key):
        raise AwsError("KMSKeyNotAccessibleFault", "An error occurred accessing an AWS KMS key.")
    start(items)


@operation("rds", "StopDBCluster")
def stop_db_cluster(call):
    cluster = cluster_of(call)
    stop(with_members(call, cluster))
    return {"DBCluster": shown_cluster(call, cluster)}


@operation("rds", "StartDBCluster")
def start_db_cluster(call):
    cluster = cluster_of(call)
    ask_to_start(call, with_members(call, cluster), cluster.get("KmsKeyId"))
    return {"DBCluster": shown_cluster(call, cluster)}


@operation("rds", "StopDBInstance")
def stop_db_instance(call):
    instance = instance_of(call)
    stop([(instance, "DBInstanceStatus")])
    return {"DBInstance": shown_instance(call, instance)}


@operation("rds", "StartDBInstance")
def start_db_instance(call):
    instance = instance_of(call)
    ask_to_start(call, [(instance, "DBInstanceStatus")], instance.get("KmsKeyId"))
    return {"DBInstance": shown_instance(call, instance)}


def usable(call, reference):
    key = key_of(call, reference)
    return "key/aws-rds" in reference or (key is not None and key.key_state == "Enabled")


@after("kms", "DisableKey", "ScheduleKeyDeletion")
def miss_the_key(call, answer):
    """RDS notices after a while that it cannot use a key any more."""
    key = key_of(call)
    world.clock.later_if_timed(durations["rds.key.missed"], lambda: shut_out(call, key))


def shut_out(call, key):
    if key.key_state == "Enabled":
        return
    under = lambda item: key_of(call, item.get("KmsKeyId") or "-") is key  # noqa: E731
    for cluster in [cluster for cluster in clusters(call).values() if under(cluster)]:
        shut(call, "db-cluster", cluster["DBClusterArn"], with_members(call, cluster))
    for instance in [i for i in instances(call).values() if under(i) and not i.get("DBClusterIdentifier")]:
        shut(call, "db-instance", instance["DBInstanceArn"], [(instance, "DBInstanceStatus")])


def shut(call, kind, arn, items):
    if items[0][0][items[0][1]] != "available":
        return
    for item, field in items:
        item[field] = RECOVERABLE
    say(call, kind, arn.rpartition(":")[2], arn, "Unable to access the KMS encryption key. The database is being stopped.")

    def give_up():
        for item, field in items:
            item[field] = GONE

    after_seven_days(items, give_up)
