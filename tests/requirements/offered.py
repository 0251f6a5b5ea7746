#!/usr/bin/env python3
"""Prints as JSON what AWS offers, as cfn-lint's copy of AWS's own schemas has it: versions, node types, sizes, days."""

import json
import re
import sys
from pathlib import Path

import cfnlint

REGION = "us-east-1"
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"


def load(*path):
    return json.loads(SCHEMAS.joinpath(*path).read_text())


def extension(kind, name):
    return load("extensions", kind, f"{name}.json")


def resource(kind):
    return load("resources", f"{load('providers', f'{REGION}.json')[kind]}.json")


def rules(schema, **conditions):
    """The parts of a schema that hold under exactly these conditions."""
    for part in schema["allOf"]:
        tests = part["if"]["properties"].items()
        found = {name: test.get("const") for name, test in tests if isinstance(test, dict)}
        if found.items() >= conditions.items():
            yield part


def aurora():
    engine = {"Engine": "aurora-postgresql"}
    (all_of_them,) = rules(extension("aws_rds_dbcluster", "engine_version"), **engine)
    (gone,) = rules(extension("aws_rds_dbcluster", "engine_version_deprecated"), **engine)
    offered = set(all_of_them["then"]["properties"]["EngineVersion"]["enum"])
    offered -= set(gone["if"]["properties"]["EngineVersion"]["enum"])
    # Neither a major version alone nor Aurora Limitless.
    return sorted(version for version in offered if re.fullmatch(r"\d+\.\d+", version))


def instance_classes():
    found = rules(extension("aws_rds_dbinstance", "dbinstanceclass_enum")[REGION], Engine="aurora-postgresql")
    return sorted({name for part in found for name in part["then"]["properties"]["DBInstanceClass"]["enum"]})


def cache(engine):
    (found,) = rules(extension("aws_elasticache_cachecluster", "engine_version"), Engine=engine)
    return found["then"]["properties"]["EngineVersion"]["enum"]


def fargate():
    """Megabytes by CPU units."""
    sizes = {}
    for part in extension("aws_ecs_taskdefinition", "fargate_cpu_memory")["then"]["anyOf"]:
        (cpu,) = part["properties"]["Cpu"]["then"]["enum"]
        memory = part["properties"]["Memory"]["then"]
        steps = range(memory.get("minimum", 0), memory.get("maximum", 0) + 1, memory.get("multipleOf", 1))
        sizes[int(cpu)] = memory.get("enum") or list(steps)
    return sizes


def lifecycle_days():
    policy = resource("AWS::EFS::FileSystem")["definitions"]["LifecyclePolicy"]["properties"]["TransitionToIA"]
    return sorted(int(word.split("_")[1]) for word in policy["enum"])


def property_of(kind, name):
    return resource(kind)["properties"][name]


json.dump(
    {
        "aurora": aurora(),
        "instance_classes": instance_classes(),
        "redis": cache("redis"),
        "valkey": cache("valkey"),
        "cache_nodes": extension("aws_elasticache_cachecluster", "cachenodetype_enum")[REGION]["enum"],
        "cache_most_nodes": property_of("AWS::ElastiCache::ReplicationGroup", "NumCacheClusters")["maximum"],
        "fargate": fargate(),
        "log_days": property_of("AWS::Logs::LogGroup", "RetentionInDays")["enum"],
        "files_days": lifecycle_days(),
        "files_throughput": property_of("AWS::EFS::FileSystem", "ThroughputMode")["enum"],
        "stream_hours": property_of("AWS::Kinesis::Stream", "RetentionPeriodHours")["maximum"],
        "stream_modes": resource("AWS::Kinesis::Stream")["definitions"]["StreamModeDetails"]["properties"][
            "StreamMode"
        ]["enum"],
        "backup_days": property_of("AWS::RDS::DBCluster", "BackupRetentionPeriod")["maximum"],
        "key_window": [property_of("AWS::KMS::Key", "PendingWindowInDays")[end] for end in ("minimum", "maximum")],
    },
    sys.stdout,
)
