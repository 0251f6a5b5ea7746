"""RDS without moto, where clusters forget how they were configured and everything in use can be deleted."""

from . import (  # noqa: F401
    account,
    backups,
    clusters,
    events,
    instances,
    parameter_groups,
    power,
    proxies,
    renames,
    restores,
    retained,
    snapshots,
    subnet_groups,
    tags,
    upgrades,
    versions,
)
