"""Rows of databases and caches, as tests write and read them."""


def write(local, rows, minutes_ago=0, **whose):
    return local.admin("POST", "/_local/rows", {"rows": rows, "minutes_ago": minutes_ago} | whose)


def read(local, **whose):
    (kind, name), *_ = whose.items()
    return local.admin("GET", f"/_local/rows?{kind}={name}")


def values(local, **whose):
    return {key: row["value"] for key, row in read(local, **whose)["rows"].items()}


def answers(local, host):
    return read(local, host=host)["answers"]


def pass_minutes(local, minutes=0, days=0):
    local.admin("POST", "/_local/minutes", {"minutes": minutes, "days": days})
