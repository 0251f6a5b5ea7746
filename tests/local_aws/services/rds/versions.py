"""Which engine versions and instance classes AWS still offers for new databases."""

from datetime import UTC, datetime, timedelta

from ...common import page
from ...registry import AwsError, operation
from ...world import world


def spread(major, *ranges):
    return [f"{major}.{minor}" for low, high in ranges for minor in range(low, high + 1)]


OFFERED = {
    "aurora-postgresql": [
        "11.9",
        "11.21",
        "12.9",
        "12.22",
        *spread(13, (9, 9), (23, 23)),
        *spread(14, (6, 6), (17, 20), (22, 24)),
        *spread(15, (10, 10), (12, 15), (17, 19)),
        *spread(16, (8, 11), (13, 15)),
        *spread(17, (4, 7), (9, 11)),
        *spread(18, (3, 4), (6, 6)),
    ],
    "postgres": [
        *spread(13, (23, 23)),
        *spread(14, (18, 24)),
        *spread(15, (13, 19)),
        *spread(16, (9, 15)),
        *spread(17, (5, 11)),
        *spread(18, (1, 4), (6, 6)),
    ],
}
DEFAULT_MINOR = {
    "aurora-postgresql": {"13": "13.23", "14": "14.20", "15": "15.15", "16": "16.11", "17": "17.7", "18": "18.3"},
    "postgres": {"13": "13.23", "14": "14.20", "15": "15.15", "16": "16.11", "17": "17.7", "18": "18.1"},
}
DEFAULT_MAJOR = "17"
# Which classes there are: Amazon RDS User Guide, "DB instance classes"; cfn-lint's aws_rds_dbinstance schema has the list.
TIMES = (1, 2, 4, 8, 12, 16)
LARGEST = {
    "m5": (24,),
    "r5": (24,),
    "m6g": (),
    "m7g": (),
    "r6g": (),
    "r7g": (),
    "m6i": (24, 32),
    "r6i": (24, 32),
    "m7i": (24, 48),
    "r7i": (24, 48),
    "m8g": (24, 48),
    "r8g": (24, 48),
}
AURORA_FAMILIES = ("r5", "r6g", "r6i", "r7g", "r7i", "r8g")
POSTGRES_FAMILIES = ("m5", "m6g", "m6i", "m7g", "m7i", "m8g", *AURORA_FAMILIES)


def classes(families):
    for name in families:
        yield f"db.{name}.large"
        yield from (f"db.{name}.{'' if times == 1 else times}xlarge" for times in (*TIMES, *LARGEST[name]))


CLASSES = {
    "aurora-postgresql": [
        "db.serverless",
        *(f"db.{family}.{size}" for family in ("t3", "t4g") for size in ("medium", "large")),
        *classes(AURORA_FAMILIES),
    ],
    "postgres": [
        *(
            f"db.{family}.{size}"
            for family in ("t3", "t4g")
            for size in ("micro", "small", "medium", "large", "xlarge", "2xlarge")
        ),
        *classes(POSTGRES_FAMILIES),
    ],
}

def family(engine, version):
    return f"{engine}{version.split('.')[0]}"


def resolve(engine, version):
    """The full version for what a caller wrote: nothing, a major version, or a full one. None if not offered."""
    if engine not in OFFERED:
        return version
    wanted = version or DEFAULT_MAJOR
    wanted = DEFAULT_MINOR[engine].get(wanted, wanted)
    return wanted if wanted in OFFERED[engine] else None


def require_offered(engine, version):
    full = resolve(engine, version)
    if full is None:
        raise AwsError("InvalidParameterCombination", f"Cannot find version {version} for {engine}")
    return full


def described(call, engine, version):
    aurora = engine.startswith("aurora")
    return {
        "Engine": engine,
        "MajorEngineVersion": version.split(".")[0],
        "EngineVersion": version,
        "DBParameterGroupFamily": family(engine, version),
        "DBEngineDescription": "Aurora (PostgreSQL)" if aurora else "PostgreSQL",
        "DBEngineVersionDescription": f"{'Aurora PostgreSQL' if aurora else 'PostgreSQL'} {version}",
        "DBEngineVersionArn": call.arn("rds", f"dbengineversion:{engine}/{version}"),
        "ValidUpgradeTarget": upgrades(engine, version),
        "ExportableLogTypes": ["postgresql", "upgrade", "iam-db-auth-error"]
        if not aurora
        else ["postgresql", "instance"],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": not aurora,
        "SupportedEngineModes": ["provisioned"] if aurora else [],
        "SupportedFeatureNames": [],
        "Status": "available",
        "SupportsGlobalDatabases": aurora,
        "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"],
    } | ({"ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 256.0}} if aurora else {})


def number(version):
    return tuple(int(part) for part in version.split("."))


# Minor versions come out together; which one of each major did so with 17.0's. PostgreSQL's release notes.
TOGETHER = {11: 22, 12: 21, 13: 16, 14: 13, 15: 8, 16: 4, 17: 0, 18: -6}


def released(version):
    """When, as a number: two with the same one came out together."""
    major, minor = number(version)
    return minor - TOGETHER[major]


def upgrades(engine, version):
    """A later minor, or a later major that came out no earlier: an older one lacks mends that the data may rely on. A
    major of Aurora is not skipped. Aurora User Guide, "Performing a major version upgrade"; "Cannot upgrade
    aurora-postgresql from 12.11 to 13.6": terraform-aws-modules/terraform-aws-rds-aurora#308."""
    most = number(version)[0] + 1 if engine.startswith("aurora") else 99
    newer = [v for v in OFFERED[engine] if number(v) > number(version) and number(v)[0] <= most]
    newer = [v for v in newer if released(v) >= released(version)]
    return [
        {
            "Engine": engine,
            "EngineVersion": v,
            "Description": v,
            "AutoUpgrade": False,
            "IsMajorVersionUpgrade": v.split(".")[0] != version.split(".")[0],
        }
        for v in newer
    ]


@operation("rds", "DescribeDBEngineVersions")
def describe_db_engine_versions(call):
    engines = [call.get("Engine")] if call.get("Engine") else list(OFFERED)
    found = [described(call, engine, version) for engine in engines for version in wanted_versions(call, engine)]
    wanted = call.get("DBParameterGroupFamily")
    found = [entry for entry in found if wanted in (None, entry["DBParameterGroupFamily"])]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"DBEngineVersions": found} | more


def wanted_versions(call, engine):
    versions, wanted = OFFERED.get(engine, []), call.get("EngineVersion")
    if call.get("DefaultOnly"):
        default = DEFAULT_MINOR.get(engine, {}).get(wanted or DEFAULT_MAJOR)
        return [default] if default else []
    return [v for v in versions if wanted in (None, v, v.split(".")[0])]


# The last day of standard support: Amazon RDS and Aurora User Guides, "Release calendars". Three years of Extended Support
# follow.
SUPPORTED_UNTIL = {11: 2024, 12: 2025, 13: 2026, 14: 2027, 15: 2028, 16: 2029, 17: 2030, 18: 2031}


def support_ends(major):
    return datetime(SUPPORTED_UNTIL[int(major)], 3, 1, tzinfo=UTC) - timedelta(seconds=1)


@operation("rds", "DescribeDBMajorEngineVersions")
def describe_db_major_engine_versions(call):
    engines = [call.get("Engine")] if call.get("Engine") else list(OFFERED)
    majors = [(engine, major) for engine in engines for major in DEFAULT_MINOR.get(engine, {})]
    found = [lives(*one) for one in majors if call.get("MajorEngineVersion") in (None, one[1])]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"DBMajorEngineVersions": found} | more


def lives(engine, major):
    end = support_ends(major)
    name = "open-source-rds-{}-support"
    return {
        "Engine": engine,
        "MajorEngineVersion": major,
        "SupportedEngineLifecycles": [
            {
                "LifecycleSupportName": name.format("standard"),
                "LifecycleSupportStartDate": end - timedelta(days=5 * 365),
                "LifecycleSupportEndDate": end,
            },
            {
                "LifecycleSupportName": name.format("extended"),
                "LifecycleSupportStartDate": end + timedelta(seconds=1),
                "LifecycleSupportEndDate": end + timedelta(days=3 * 365),
            },
        ],
    }


@operation("rds", "DescribeOrderableDBInstanceOptions")
def describe_orderable_db_instance_options(call):
    engine = call.params["Engine"]
    zones = [zone.name for zone in call.backend("ec2").describe_availability_zones()]
    without = world.account("zones_without_class")
    found = [
        orderable(engine, version, name, [zone for zone in zones if zone not in without.get(name, ())])
        for version in OFFERED.get(engine, [])
        for name in CLASSES.get(engine, [])
        if call.get("EngineVersion") in (None, version) and call.get("DBInstanceClass") in (None, name)
    ]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"OrderableDBInstanceOptions": found} | more


def orderable(engine, version, name, zones):
    return {
        "Engine": engine,
        "EngineVersion": version,
        "DBInstanceClass": name,
        "LicenseModel": "postgresql-license",
        "AvailabilityZones": [{"Name": zone} for zone in zones],
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": "aurora" if engine.startswith("aurora") else "gp3",
        "SupportsIops": not engine.startswith("aurora"),
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": True,
        "SupportedEngineModes": ["provisioned"],
        "SupportedNetworkTypes": ["IPV4", "DUAL"],
    }
