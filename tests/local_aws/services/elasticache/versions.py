"""Engine versions, as asked for and as reported: AWS reports the patch level of what it runs."""

from ...registry import operation

OFFERED = {
    "redis": {"6.2": "6.2.6", "7.0": "7.0.7", "7.1": "7.1.0", "6.0": "6.0.5", "5.0.6": "5.0.6", "4.0.10": "4.0.10"},
    "valkey": {"7.2": "7.2.6", "8.0": "8.0.1", "8.1": "8.1.0", "8.2": "8.2.0"},
    "memcached": {"1.6.22": "1.6.22", "1.6.17": "1.6.17", "1.6.12": "1.6.12", "1.6.6": "1.6.6", "1.5.16": "1.5.16"},
}
NEWEST = {"redis": "7.1", "valkey": "8.1", "memcached": "1.6.22"}


def known(engine, version):
    return version in OFFERED[engine] or version in OFFERED[engine].values() or version + ".x" in ("6.x",)


def reported(engine, version):
    return OFFERED[engine].get(version or NEWEST[engine], version)


def family(engine, version):
    """The parameter group family: by major version, and by minor version before Redis 6."""
    parts = (version or NEWEST[engine]).split(".")
    if engine == "memcached" or int(parts[0]) < 6:
        return f"{engine}{parts[0]}.{parts[1]}"
    return f"{engine}6.x" if (engine, parts[0]) == ("redis", "6") else f"{engine}{parts[0]}"


@operation("elasticache", "DescribeCacheEngineVersions")
def describe_cache_engine_versions(call):
    found = []
    for engine, versions in OFFERED.items():
        for version in sorted(versions):
            entry = {
                "Engine": engine,
                "EngineVersion": version,
                "CacheParameterGroupFamily": family(engine, version),
                "CacheEngineDescription": engine.title(),
                "CacheEngineVersionDescription": f"{engine} version {versions[version]}",
            }
            wanted = {
                key: call.get(key) for key in ("Engine", "EngineVersion", "CacheParameterGroupFamily") if call.get(key)
            }
            if all(entry[key] == value for key, value in wanted.items()):
                found.append(entry)
    return {"CacheEngineVersions": found}
