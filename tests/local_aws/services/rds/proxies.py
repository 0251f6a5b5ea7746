"""RDS proxies, their target group and targets."""

import copy

from ... import enis, logs_left
from ...common import find, page, picked, require_unique
from ...life import later
from ...policies import roles_by_arn
from ...registry import AwsError, behaviour, now, operation
from ...trusts import trusts
from ...world import new_id
from ..ec2.shared import subnets, zone_id
from .shared import cluster_of, filtered, host_hash, instance_of, members_of, proxies, tags

KEPT = ("EngineFamily", "RoleArn", "DefaultAuthScheme")
# Zones without proxies: AWS re:Post, "RDS Proxy subnet in use1-az3".
WITHOUT = {"use1-az3"}
CHANGED = {
    "Auth": "Auth",
    "RequireTLS": "RequireTLS",
    "IdleClientTimeout": "IdleClientTimeout",
    "DebugLogging": "DebugLogging",
    "RoleArn": "RoleArn",
    "SecurityGroups": "VpcSecurityGroupIds",
    "DefaultAuthScheme": "DefaultAuthScheme",
}


def proxy_of(call):
    name = call.params["DBProxyName"].lower()
    return find(proxies(call), name, "DBProxyNotFoundFault", f"DB proxy {name} not found.")


def shown(proxy):
    return {key: value for key, value in proxy.items() if not key.startswith("_")}


@operation("rds", "CreateDBProxy")
def create_db_proxy(call):
    name = call.params["DBProxyName"].lower()
    require_unique(proxies(call), name, "DBProxyAlreadyExistsFault", f"DB proxy {name} already exists.")
    proxy = {
        "DBProxyName": name,
        "DBProxyArn": call.arn("rds", f"db-proxy:prx-{new_id()}"),
        "Status": "creating",
        "VpcId": vpc_of(call),
        "VpcSubnetIds": carrying(call),
        "VpcSecurityGroupIds": call.get("VpcSecurityGroupIds", []),
        "Auth": call.get("Auth", []),
        "Endpoint": f"{name}.proxy-{host_hash(call)}.{call.region}.rds.amazonaws.com",
        "RequireTLS": call.get("RequireTLS", False),
        "IdleClientTimeout": call.get("IdleClientTimeout", 1800),
        "DebugLogging": call.get("DebugLogging", False),
        "CreatedDate": now(),
        "UpdatedDate": now(),
        "_targets": [],
        "_followed": {},
        "_pool": {
            "MaxConnectionsPercent": 100,
            "MaxIdleConnectionsPercent": 50,
            "ConnectionBorrowTimeout": 120,
            "SessionPinningFilters": [],
        },
        "_group": call.arn("rds", f"target-group:prx-tg-{new_id()}"),
    } | picked(call.params, *KEPT)
    proxies(call)[name] = proxy
    tags(call)[proxy["DBProxyArn"]] = call.get("Tags", [])
    for subnet in proxy["VpcSubnetIds"]:
        enis.attach(
            call,
            proxy["DBProxyArn"],
            subnet,
            proxy["VpcSecurityGroupIds"],
            "Network interface for DBProxy",
            "amazon-rds",
        )
    answer = shown(proxy)
    later("rds.proxy", lambda: proxy_logs(call, proxy))
    return {"DBProxy": answer}


@behaviour(
    "rds",
    says="a proxy writes to a log group of its name, and makes it without key and retention where there is none",
    source="aws/aws-cdk issue 23720; Amazon RDS user guide: RDS Proxy, viewing logs",
)
def proxy_logs(call, proxy):
    proxy["Status"] = "available"
    logs_left.make_all(call)


def vpc_of(call):
    by_id = subnets(call)
    found = [by_id[subnet] for subnet in call.params["VpcSubnetIds"] if subnet in by_id]
    if len(found) < len(call.params["VpcSubnetIds"]):
        raise AwsError("InvalidSubnet", "A requested subnet does not exist.")
    return found[0].vpc_id


@behaviour(
    "rds",
    says="of a proxy's subnets those in a zone without proxies are left out without a word, where two others are given",
    source="AWS re:Post: RDS Proxy subnet in use1-az3",
)
def carrying(call):
    """The ids of the subnets that a new proxy stands in."""
    known, ids = subnets(call), call.params["VpcSubnetIds"]
    left = [one for one in ids if zone_id(call, known[one].availability_zone) not in WITHOUT]
    if len({known[one].availability_zone for one in left}) < 2:
        message = "DB Proxy requires at least two subnets in different Availability Zones in which it is supported."
        raise AwsError("InvalidSubnet", message)
    return left


@operation("rds", "DescribeDBProxies")
def describe_db_proxies(call):
    found = [proxy_of(call)] if call.get("DBProxyName") else list(proxies(call).values())
    found, more = page(call, filtered(call, found, {}), "MaxRecords", "Marker", "Marker")
    return {"DBProxies": [shown(proxy) for proxy in found]} | more


@operation("rds", "ModifyDBProxy")
def modify_db_proxy(call):
    proxy = proxy_of(call)
    for given, kept in CHANGED.items():
        if call.get(given) is not None:
            proxy[kept] = call.params[given]
    if call.get("SecurityGroups"):
        enis.regroup(call, proxy["DBProxyArn"], call.params["SecurityGroups"])
    proxy |= {"Status": "modifying", "UpdatedDate": now()}
    answer = shown(proxy)
    later("rds.cluster.modify", lambda: proxy.update(Status="available"))
    return {"DBProxy": answer}


@operation("rds", "DeleteDBProxy")
def delete_db_proxy(call):
    proxy = proxy_of(call)
    if proxy["Status"] != "deleting":
        proxy["Status"] = "deleting"
        later("rds.proxy", lambda: remove(call, proxy))
    return {"DBProxy": shown(proxy) | {"Status": "deleting"}}


def remove(call, proxy):
    proxies(call).pop(proxy["DBProxyName"], None)
    tags(call).pop(proxy["DBProxyArn"], None)
    enis.release(call, proxy["DBProxyArn"])


def target_group(proxy):
    return {
        "DBProxyName": proxy["DBProxyName"],
        "TargetGroupName": "default",
        "TargetGroupArn": proxy["_group"],
        "IsDefault": True,
        "Status": "available",
        "ConnectionPoolConfig": proxy["_pool"],
        "CreatedDate": proxy["CreatedDate"],
        "UpdatedDate": proxy["UpdatedDate"],
    }


@behaviour(
    "rds",
    says="a proxy that is being changed tells nothing of its targets",
    source="API reference: DescribeDBProxyTargets, DescribeDBProxyTargetGroups, InvalidDBProxyStateFault",
)
def proxy_in_sight(call):
    proxy = proxy_of(call)
    if proxy["Status"] != "available":
        raise AwsError("InvalidDBProxyStateFault", f"DB proxy {proxy['DBProxyName']} is {proxy['Status']}.")
    return proxy


@operation("rds", "DescribeDBProxyTargetGroups")
def describe_db_proxy_target_groups(call):
    return {"TargetGroups": [target_group(proxy_in_sight(call))]}


@operation("rds", "ModifyDBProxyTargetGroup")
def modify_db_proxy_target_group(call):
    proxy = proxy_of(call)
    proxy["_pool"] = proxy["_pool"] | call.get("ConnectionPoolConfig", {})
    return {"DBProxyTargetGroup": target_group(proxy)}


@operation("rds", "RegisterDBProxyTargets")
def register_db_proxy_targets(call):
    proxy, made = proxy_of(call), []
    for name in call.get("DBClusterIdentifiers", []):
        cluster = cluster_of(call, name)
        made.append(new_target(proxy, "TRACKED_CLUSTER", cluster["DBClusterIdentifier"], cluster["Endpoint"]))
        proxy["_followed"][cluster["DBClusterIdentifier"]] = cluster["DbClusterResourceId"]
        for member in members_of(call, cluster):
            target = new_target(proxy, "RDS_INSTANCE", member["DBInstanceIdentifier"], member["_host"])
            made.append(target | {"TrackedClusterId": cluster["DBClusterIdentifier"]})
    for name in call.get("DBInstanceIdentifiers", []):
        instance = instance_of(call, name)
        made.append(new_target(proxy, "RDS_INSTANCE", instance["DBInstanceIdentifier"], instance["_host"]))
        proxy["_followed"][instance["DBInstanceIdentifier"]] = instance["DbiResourceId"]
    proxy["_targets"] += made
    answer = copy.deepcopy(made)
    for target in made:
        if "TargetHealth" in target:
            later("rds.modify.noticed", lambda target=target: fall_ill(target))
            later("rds.proxy.log-in", lambda target=target: log_in(call, proxy, target))
    return {"DBProxyTargets": answer}


UNKNOWN_SECRET = "Proxy does not have any registered credentials"


def fall_ill(target):
    """While role and secret are fresh the proxy cannot log in, and says so."""
    target["TargetHealth"] = {"State": "UNAVAILABLE", "Reason": "AUTH_FAILURE", "Description": UNKNOWN_SECRET}


def log_in(call, proxy, target):
    """With the secret that the role reads, if RDS may take it on at all."""
    if trusts(call, roles_by_arn(call).get(proxy["RoleArn"]), "rds.amazonaws.com"):
        target["TargetHealth"] = {"State": "AVAILABLE"}
    else:
        fall_ill(target)


def new_target(proxy, kind, name, endpoint):
    if any(target["RdsResourceId"] == name for target in proxy["_targets"]):
        raise AwsError("DBProxyTargetAlreadyRegisteredFault", f"{name} is already registered.")
    target = {"Endpoint": endpoint, "RdsResourceId": name, "Port": 5432, "Type": kind, "Role": "READ_WRITE"}
    # A cluster has no health of its own; its instances have.
    return target if kind == "TRACKED_CLUSTER" else target | {"TargetHealth": {"State": "REGISTERING"}}


@operation("rds", "DescribeDBProxyTargets")
def describe_db_proxy_targets(call):
    return {"Targets": proxy_in_sight(call)["_targets"]}


@operation("rds", "DeregisterDBProxyTargets")
def deregister_db_proxy_targets(call):
    proxy = proxy_of(call)
    gone = call.get("DBClusterIdentifiers", []) + call.get("DBInstanceIdentifiers", [])
    missing = set(gone) - {target["RdsResourceId"] for target in proxy["_targets"]}
    if missing:
        raise AwsError("DBProxyTargetNotFoundFault", f"{', '.join(sorted(missing))} is not registered.", 404)
    names = ("RdsResourceId", "TrackedClusterId")
    proxy["_targets"] = [t for t in proxy["_targets"] if not any(t.get(name) in gone for name in names)]
    proxy["_followed"] = {name: resource for name, resource in proxy["_followed"].items() if name not in gone}
    return {}
