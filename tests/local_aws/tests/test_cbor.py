"""CloudWatch as the SDKs speak to it: smithy-rpc-v2-cbor, in the forms that encoders are free to choose from."""

import struct
import urllib.error
import urllib.request

import pytest
from conftest import refused

END = b"\xff"


def head(major, size):
    if size < 24:
        return bytes([major << 5 | size])
    return bytes([major << 5 | 24, size]) if size < 256 else bytes([major << 5 | 25]) + size.to_bytes(2)


def encoded(value, endless=False):
    """CBOR, with lengths told ahead or, as the Rust SDK does, with an end."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        inner = b"".join(encoded(key) + encoded(item, endless) for key, item in value.items())
        return b"\xbf" + inner + END if endless else head(5, len(value)) + inner
    inner = b"".join(encoded(item, endless) for item in value)
    return b"\x9f" + inner + END if endless else head(4, len(value)) + inner


def decoded(data):
    """The few kinds of value that an answer has."""
    value, rest = item(data)
    assert rest == b""
    return value


def item(data):
    major, small = data[0] >> 5, data[0] & 31
    if data[0] in (0xF4, 0xF5, 0xF6):
        return {0xF4: False, 0xF5: True, 0xF6: None}[data[0]], data[1:]
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(small, 0)
    size, data = int.from_bytes(data[1 : 1 + width]) if width else small, data[1 + width :]
    if major == 7:
        return struct.unpack(">d" if width == 8 else ">f", size.to_bytes(width))[0], data
    if major in (0, 1):
        return (size if major == 0 else -1 - size), data
    if major in (2, 3):
        return (data[:size].decode() if major == 3 else data[:size]), data[size:]
    if major == 6:
        return item(data)
    found, endless = [], small == 31
    while data[:1] != END if endless else len(found) < size * (2 if major == 5 else 1):
        value, data = item(data)
        found.append(value)
    data = data[1:] if endless else data
    return (dict(zip(found[::2], found[1::2], strict=True)) if major == 5 else found), data


def call(local, operation, wish, endless):
    """(status, headers, answer) of a call made by hand."""
    scope = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Authorization": scope}
    url = f"{local.url}/service/GraniteServiceVersion20100801/operation/{operation}"
    request = urllib.request.Request(url, data=encoded(wish, endless), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, decoded(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers, decoded(error.read())


@pytest.mark.parametrize("endless", [False, True])
def test_alarm_goes_there_and_back(local, name, endless):
    wish = {
        "AlarmName": name,
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "ClusterName", "Value": "students"}],
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 2,
        "Threshold": -80.5,
        "ComparisonOperator": "LessThanThreshold",
        "ActionsEnabled": False,
        "Tags": [{"Key": "Name", "Value": "é" * 30}],
    }
    status, headers, answer = call(local, "PutMetricAlarm", wish, endless)
    assert (status, headers["smithy-protocol"], answer) == (200, "rpc-v2-cbor", {})
    entry = local.admin("GET", "/_local/log")["entries"][-1]
    assert (entry["operation"], entry["params"]) == ("PutMetricAlarm", wish)
    found = call(local, "DescribeAlarms", {"AlarmNames": [name]}, endless)[2]["MetricAlarms"][0]
    kept = {key: value for key, value in wish.items() if key != "Tags"}
    assert {key: found[key] for key in kept} == kept
    tags = call(local, "ListTagsForResource", {"ResourceARN": found["AlarmArn"]}, endless)[2]["Tags"]
    assert tags == wish["Tags"]
    call(local, "DeleteAlarms", {"AlarmNames": [name]}, endless)
    assert call(local, "DescribeAlarms", {"AlarmNames": [name]}, endless)[2]["MetricAlarms"] == []


def test_dashboard_goes_there_and_back(local, name):
    body = '{"widgets": []}'
    call(local, "PutDashboard", {"DashboardName": name, "DashboardBody": body}, True)
    found = call(local, "GetDashboard", {"DashboardName": name}, True)[2]
    assert (found["DashboardBody"], found["DashboardName"]) == (body, name)


def test_error_has_its_name_in_the_body_and_its_code_in_a_header(local, name):
    status, headers, answer = call(local, "GetDashboard", {"DashboardName": f"{name}-none"}, True)
    assert (status, headers["x-amzn-query-error"]) == (404, "ResourceNotFound;Sender")
    assert answer["__type"] == "com.amazonaws.cloudwatch#DashboardNotFoundError"
    with refused("ResourceNotFound"):
        local("cloudwatch").get_dashboard(DashboardName=f"{name}-none")


def test_what_a_model_does_not_allow_is_refused(local, name):
    status, headers, _ = call(local, "PutDashboard", {"DashboardName": name}, True)
    assert (status, headers["x-amzn-query-error"]) == (400, "ValidationException;Sender")
    assert call(local, "PutNonsense", {}, True)[1]["x-amzn-query-error"] == "UnknownOperationException;Sender"


def test_garbage_is_no_request(local):
    status, _, answer = call(local, "DescribeAlarms", {}, False)
    assert status == 200 and answer["MetricAlarms"] is not None
    scope = "Credential=a/20260101/us-east-1/monitoring/aws4_request"
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Authorization": scope}
    url = f"{local.url}/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(url, data=b"\xa1\x61", headers=headers, method="POST"))
    assert decoded(error.value.read())["__type"].endswith("#SerializationException")
