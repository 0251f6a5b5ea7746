"""S15: what other tools are told. The file of outputs is tapctl's; every value in it is compared with AWS's own."""

import json
from pathlib import Path

import pytest
from requirements.live import one


@pytest.fixture(scope="module")
def outputs(pytestconfig):
    """What `tapctl outputs --json` printed."""
    path = pytestconfig.getoption("outputs")
    assert path, "--outputs names the file that holds what `tapctl outputs --json` printed"
    return json.loads(Path(path).read_text())


def test_outputs_are_flat_text(outputs):
    assert {type(value) for value in outputs.values()} == {str}


def test_outputs_are_what_aws_says(live, outputs):
    assert outputs == {
        "vpc_id": live.vpc_id,
        "ecs_cluster_name": live.cluster["clusterName"],
        "aurora_cluster_endpoint": live.database["Endpoint"],
        "aurora_reader_endpoint": live.database["ReaderEndpoint"],
        "redis_endpoint": one(live.cache["NodeGroups"])["PrimaryEndpoint"]["Address"],
        "kinesis_stream_name": live.stream["StreamName"],
        "efs_file_system_id": live.files["FileSystemId"],
        "api_gateway_url": f"https://{live.api['id']}.execute-api.{live.region}.amazonaws.com/{live.env}",
        "alb_dns_name": live.balancer["DNSName"],
    }
