"""P3: tasks answer the VPC and go anywhere; the database answers the tasks and goes nowhere."""

from pipeline import one


def test_tasks_are_reached_from_the_vpc_only(live):
    rule = one(live.groups[live.name("ecs-tasks-sg")]["IpPermissions"])
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 8080, 8080)
    assert [block["CidrIp"] for block in rule["IpRanges"]] == [live.vpc["CidrBlock"]]
    assert rule["UserIdGroupPairs"] == rule.get("Ipv6Ranges", []) == []


def test_tasks_go_anywhere(live):
    rule = one(live.groups[live.name("ecs-tasks-sg")]["IpPermissionsEgress"])
    assert rule["IpProtocol"] == "-1"
    assert [block["CidrIp"] for block in rule["IpRanges"]] == ["0.0.0.0/0"]


def test_the_database_is_reached_from_the_tasks_only(live):
    rule = one(live.groups[live.name("db-sg")]["IpPermissions"])
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 5432, 5432)
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [live.groups[live.name("ecs-tasks-sg")]["GroupId"]]
    assert rule["IpRanges"] == rule.get("Ipv6Ranges", []) == []


def test_the_database_goes_nowhere(live):
    assert live.groups[live.name("db-sg")]["IpPermissionsEgress"] == []


def test_there_is_no_other_group(live):
    assert set(live.groups) == {"default", live.name("ecs-tasks-sg"), live.name("db-sg")}
