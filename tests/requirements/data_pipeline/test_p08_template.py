"""P8: the request template of /ingest, by itself: whatever comes in, what goes out is one PutRecord or nothing."""

import base64
import json
from pathlib import Path

import pytest
from gateway import Refused, evaluate
from records import BAD, GOOD_TEXTS, NOT_JSON, TRAILING

FILE = Path(__file__).parents[3] / "src/stacks/data_pipeline/ingest.vtl"


@pytest.fixture(scope="module")
def template():
    return FILE.read_text()


@pytest.mark.parametrize("body", GOOD_TEXTS.values(), ids=GOOD_TEXTS.keys())
def test_a_record_goes_under_its_key_as_it_came(template, body):
    request = json.loads(evaluate(template, body))
    assert set(request) == {"StreamName", "Data", "PartitionKey"}
    assert request["StreamName"] == "STREAM_NAME"
    assert request["PartitionKey"] == json.loads(body)["partitionKey"]
    assert base64.b64decode(request["Data"]).decode() == body


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_record_without_a_usable_key_gets_one_that_kinesis_refuses(template, body):
    request = json.loads(evaluate(template, body))
    assert set(request) == {"StreamName", "Data", "PartitionKey"}
    assert request["StreamName"] == "STREAM_NAME"
    assert request["PartitionKey"] == "" or len(request["PartitionKey"]) > 256


@pytest.mark.parametrize("body", TRAILING.values(), ids=TRAILING.keys())
def test_what_follows_a_record_stays_data_even_where_the_parser_passes_over_it(template, body):
    request = json.loads(evaluate(template, body, lenient=True))
    assert (request["StreamName"], request["PartitionKey"]) == ("STREAM_NAME", "x")
    assert base64.b64decode(request["Data"]).decode() == body


@pytest.mark.parametrize("body", (NOT_JSON | TRAILING).values(), ids=(NOT_JSON | TRAILING).keys())
def test_what_is_no_json_reaches_nobody(template, body):
    with pytest.raises(Refused):
        evaluate(template, body)
