"""ElastiCache without moto: there a deleted group stays for ever, and subnet, parameter and user groups are missing."""

from . import events, groups, members, parameter_groups, snapshots, subnet_groups, tags, users, versions  # noqa: F401
