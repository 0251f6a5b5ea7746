"""What each thing in the world gives CloudWatch to measure in a minute: (namespace, metric, dimensions, values).

A value is taken from the thing itself, or from what a test said of how busy it is (`loads.py`); never from an alarm.
"""

from .loads import loads

# Virtual cores of a cache node: one size of the other families has two, and all of the burstable ones.
TWO_CORES = (".micro", ".small", ".medium", ".large")
CORES = {".xlarge": 4, ".2xlarge": 8, ".4xlarge": 16}
DAY = 1440


def name_of(arn):
    return arn.rpartition("/")[2]


def tasks(view, minute, requests):
    clusters = view.shelf("ecs.clusters")
    everything = view.shelf("ecs.tasks").values()
    for service in view.shelf("ecs.services").values():
        if service["status"] != "ACTIVE":
            continue
        cluster, group = name_of(service["clusterArn"]), f"service:{service['serviceName']}"
        mine = [t for t in everything if t["clusterArn"] == service["clusterArn"] and t["group"] == group]
        running = sum(task["lastStatus"] == "RUNNING" for task in mine)
        dimensions = {"ClusterName": cluster, "ServiceName": service["serviceName"]}
        settings = {one["name"]: one["value"] for one in clusters.get(cluster, {}).get("settings", [])}
        if not running:
            continue
        load = loads.of("ecs.service", service["serviceName"])
        yield "AWS/ECS", "CPUUtilization", dimensions, [load["cpu"]]
        yield "AWS/ECS", "MemoryUtilization", dimensions, [load["memory"]]
        if settings.get("containerInsights") in ("enabled", "enhanced"):
            yield "ECS/ContainerInsights", "RunningTaskCount", dimensions, [running]
            yield "ECS/ContainerInsights", "DesiredTaskCount", dimensions, [service["desiredCount"]]


def targets(view, minute, requests):
    """Where no target is registered, there is nothing to count."""
    for group in view.backend("elbv2").target_groups.values():
        registered = len(group.targets)
        unhealthy = min(registered, loads.of("elbv2.target-group", group.name)["unhealthy"])
        for balancer in group.load_balancer_arns if registered else ():
            dimensions = {
                "LoadBalancer": balancer.partition(":loadbalancer/")[2],
                "TargetGroup": group.arn.rpartition(":")[2],
            }
            yield "AWS/ApplicationELB", "HealthyHostCount", dimensions, [registered - unhealthy]
            yield "AWS/ApplicationELB", "UnHealthyHostCount", dimensions, [unhealthy]


def cores_of(node_type):
    if node_type.endswith(TWO_CORES):
        return 2
    return next((cores for size, cores in CORES.items() if node_type.endswith(size)), 32)


def cache_nodes(view, minute, requests):
    """The engine has one core; the others are idle, nearly."""
    for group in view.shelf("elasticache.groups").values():
        for member in group.get("_members", []):
            node = {"CacheClusterId": member["CacheClusterId"]}
            load = loads.of("elasticache.node", member["CacheClusterId"])
            values = {
                "EngineCPUUtilization": load["core"],
                "CPUUtilization": load["core"] / cores_of(group["CacheNodeType"]),
                "DatabaseMemoryUsagePercentage": load["memory"],
                "Evictions": load["evictions"],
            }
            if group["CacheNodeType"].startswith("cache.t"):
                values["CPUCreditBalance"] = load["credits"]
            for metric, value in values.items():
                yield "AWS/ElastiCache", metric, node, [value]


def databases(view, minute, requests):
    """What a cluster has of its instances is the values of them all."""
    for name in view.shelf("rds.clusters"):
        load = loads.of("rds.cluster", name)
        yield "AWS/RDS", "DatabaseConnections", {"DBClusterIdentifier": name}, [load["connections"]]
    capacities = {}
    for name, instance in view.shelf("rds.instances").items():
        load = loads.of("rds.instance", name)
        yield "AWS/RDS", "CPUUtilization", {"DBInstanceIdentifier": name}, [load["cpu"]]
        if instance["DBInstanceClass"] == "db.serverless":
            yield "AWS/RDS", "ACUUtilization", {"DBInstanceIdentifier": name}, [load["capacity"]]
            capacities.setdefault(instance["DBClusterIdentifier"], []).append(load["capacity"])
        else:
            yield "AWS/RDS", "FreeStorageSpace", {"DBInstanceIdentifier": name}, [load["free_storage"]]
    for name, values in capacities.items():
        yield "AWS/RDS", "ACUUtilization", {"DBClusterIdentifier": name}, values


def streams(view, minute, requests):
    """Nothing comes of a stream that nobody writes to and nobody reads: what is measured are calls."""
    puts = {}
    for entry in requests:
        if (entry["service"], entry["operation"]) == ("kinesis", "PutRecord"):
            name = entry["params"].get("StreamName") or entry["params"].get("StreamARN", "").rpartition("/")[2]
            puts.setdefault(name, []).append(entry["error_code"])
    for name, codes in puts.items():
        stream = {"StreamName": name}
        taken = [float(code is None) for code in codes]
        full = codes.count("ProvisionedThroughputExceededException")
        yield "AWS/Kinesis", "PutRecord.Success", stream, taken
        yield "AWS/Kinesis", "IncomingRecords", stream, [1.0] * int(sum(taken))
        yield "AWS/Kinesis", "WriteProvisionedThroughputExceeded", stream, [float(full)]
    for name, ages in view.shelf("kinesis.reads").items():
        yield "AWS/Kinesis", "GetRecords.Success", {"StreamName": name}, [1.0] * len(ages)
        yield "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": name}, list(ages)
    view.shelf("kinesis.reads").clear()


def stages(view, minute, requests):
    for api in view.shelf("apigateway.apis").values():
        for name in api.get("stages", {}):
            load = loads.of("apigateway.stage", f"{api['record']['name']}/{name}")
            if load["latency_ms"] is None and not load["4xx"] and not load["5xx"]:
                continue
            stage = {"ApiName": api["record"]["name"], "Stage": name}
            yield "AWS/ApiGateway", "5XXError", stage, [1.0] * load["5xx"]
            yield "AWS/ApiGateway", "4XXError", stage, [1.0] * load["4xx"]
            if load["latency_ms"] is not None:
                yield "AWS/ApiGateway", "Latency", stage, [load["latency_ms"]]


def certificates(view, minute, requests):
    """Once a day, and no longer once it has ended."""
    if minute % DAY:
        return
    for certificate in view.backend("acm")._certificates.values():
        days = (certificate._not_valid_after(certificate._cert) - view.at(minute)).total_seconds() / 86_400
        if days > 0:
            yield "AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": certificate.arn}, [float(int(days))]


MEASURES = (tasks, targets, cache_nodes, databases, streams, stages, certificates)
