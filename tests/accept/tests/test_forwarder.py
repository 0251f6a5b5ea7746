"""Between tapctl and AWS: signed anew for the right place, only for who belongs to the run, and nothing invented."""

import hashlib
import hmac
import http.server
import re
import threading
from contextlib import suppress
from types import SimpleNamespace
from urllib.parse import quote

import botocore.session
import pytest
from accept.forwarder import Forwarder
from accept.masks import Masks
from accept.recorder import Recorder
from accept.upstream import Upstream
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from .conftest import ACCESS_KEY, SECRET_KEY


@pytest.mark.parametrize(
    ("name", "region", "host", "signed_for"),
    [
        ("iam", "eu-west-3", "iam.amazonaws.com", "us-east-1"),
        ("iam", "us-gov-west-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
        ("ec2", "ca-central-1", "ec2.ca-central-1.amazonaws.com", "ca-central-1"),
        ("s3", "us-east-1", "s3.us-east-1.amazonaws.com", "us-east-1"),
        ("monitoring", "eu-west-3", "monitoring.eu-west-3.amazonaws.com", "eu-west-3"),
        ("elasticfilesystem", "us-gov-west-1", "elasticfilesystem.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("elasticloadbalancing", "eu-west-3", "elasticloadbalancing.eu-west-3.amazonaws.com", "eu-west-3"),
        ("tagging", "us-west-2", "tagging.us-west-2.amazonaws.com", "us-west-2"),
        ("cognito-idp", "us-east-1", "cognito-idp.us-east-1.amazonaws.com", "us-east-1"),
        ("application-autoscaling", "eu-west-3", "application-autoscaling.eu-west-3.amazonaws.com", "eu-west-3"),
        ("wafv2", "eu-west-3", "wafv2.eu-west-3.amazonaws.com", "eu-west-3"),
        ("logs", "eu-west-3", "logs.eu-west-3.amazonaws.com", "eu-west-3"),
    ],
)
def test_where_a_call_goes(name, region, host, signed_for):
    upstream = Upstream(botocore.session.get_session())
    assert upstream.place(name, region) == (f"https://{host}", signed_for)


class Kept(http.server.BaseHTTPRequestHandler):
    """An AWS that keeps what it hears."""

    heard = []
    manner = "answer"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.heard.append(SimpleNamespace(verb=self.command, headers=self.headers, body=body, path=self.path))
        if self.manner == "leave":
            self.connection.close()
            return
        answer = b'{"UserPools": []}'
        self.send_response(200)
        self.send_header("x-amzn-RequestId", "r-1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_DELETE = do_POST

    def log_message(self, *ignored):
        pass


@pytest.fixture
def kept():
    class Handler(Kept):
        heard = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", handler=Handler)
    server.shutdown()
    server.server_close()


@pytest.fixture
def forwarder(aws, tmp_path):
    def make(endpoint):
        return Forwarder(Upstream(botocore.session.get_session(), endpoint), Recorder(tmp_path, Masks()))

    return make


def asks(forwarder, key=None, service="cognito-idp"):
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    access = {"aws_access_key_id": key or forwarder.access_key, "aws_secret_access_key": "x"}
    session = botocore.session.get_session()
    return session.create_client(service, region_name="eu-west-3", endpoint_url=forwarder.url, config=config, **access)


def test_a_call_is_signed_anew_by_the_owner_and_passed_on_as_it_is(forwarder, kept):
    with forwarder(kept.url) as made:
        answer = asks(made).list_user_pools(MaxResults=7)
    assert answer["UserPools"] == [] and answer["ResponseMetadata"]["RequestId"] == "r-1"
    [heard] = kept.handler.heard
    assert f"Credential={ACCESS_KEY}/" in heard.headers["Authorization"]
    assert "/eu-west-3/cognito-idp/aws4_request" in heard.headers["Authorization"]
    assert made.access_key not in str(heard.headers)
    assert heard.body == b'{"MaxResults": 7}'
    assert heard.headers["X-Amz-Target"] == "AWSCognitoIdentityProviderService.ListUserPools"


def test_nobody_else_acts_with_the_owners_rights(forwarder, kept):
    with forwarder(kept.url) as made, pytest.raises(Exception, match="403|not for you"):
        asks(made, key="AKIASOMEBODYELSE0000").list_user_pools(MaxResults=7)
    assert kept.handler.heard == []


def test_an_answer_that_never_came_is_not_made_up(forwarder, kept):
    kept.handler.manner = "leave"
    with forwarder(kept.url) as made, pytest.raises(HTTPClientError):
        asks(made).list_user_pools(MaxResults=7)
    assert len(kept.handler.heard) == 1, "sent once: whether to send again is not the forwarder's to say"
    assert '"lost"' in (made.recorder.folder / "calls.jsonl").read_text()


def test_what_a_tripwire_waits_for_is_written_down_and_never_heard(forwarder, aws):
    class Wire:
        struck = None

        def meets(self, operation):
            return operation == "kinesis:CreateStream"

        def strike(self, operation):
            self.struck = operation

    with forwarder(aws) as made:
        kinesis = asks(made, service="kinesis")
        made.tripwire = wire = Wire()
        assert kinesis.list_streams()["StreamNames"] == []
        with pytest.raises(HTTPClientError):
            kinesis.create_stream(StreamName="s", ShardCount=1)
        assert wire.struck == "kinesis:CreateStream"
        assert kinesis.list_streams()["StreamNames"] == ["s"], "it took effect"
    assert "kinesis:CreateStream" in (made.recorder.folder / "calls.jsonl").read_text()


@pytest.mark.parametrize("service", ["s3", "iam", "cloudwatch", "apigateway", "ec2", "elbv2", "efs", "sns"])
def test_every_protocol_is_read(forwarder, aws, service):
    """Those of REST, of queries, of JSON and of CBOR."""
    reads = {
        "s3": lambda c: c.list_buckets(),
        "iam": lambda c: c.get_role(RoleName="missing"),
        "cloudwatch": lambda c: c.describe_alarms(),
        "apigateway": lambda c: c.get_rest_apis(),
        "ec2": lambda c: c.describe_vpcs(),
        "elbv2": lambda c: c.describe_load_balancers(Names=["missing"]),
        "efs": lambda c: c.describe_file_systems(FileSystemId="fs-0123456789abcdef0"),
        "sns": lambda c: c.list_topics(),
    }
    with forwarder(aws) as made:
        asked = asks(made, service=service)
        with suppress(asked.exceptions.ClientError):
            reads[service](asked)
    text = (made.recorder.folder / "calls.jsonl").read_text()
    assert '"unread"' not in text and '"lost"' not in text
    assert ('"error": {"code": ' in text) == (service in ("iam", "elbv2", "efs"))


def test_paths_and_queries_with_encoded_parts_are_signed_as_they_are_sent(forwarder, kept):
    arn = "arn:aws:apigateway:eu-west-3::/restapis/abc/stages/dev"
    with forwarder(kept.url) as made:
        asks(made, service="apigateway").get_tags(resourceArn=arn, limit=500)
        asks(made, service="apigateway").untag_resource(resourceArn=arn, tagKeys=["tapctl:env", "a b"])
    for heard in kept.handler.heard:
        assert "%3A" in heard.path and "?" in heard.path
        assert signature_of(heard, SECRET_KEY) in heard.headers["Authorization"]


def signature_of(heard, secret):
    """Signature Version 4 as the IAM User Guide has it, computed from what arrived."""
    fields = dict(re.findall(r"(\w+)=([^,\s]+)", heard.headers["Authorization"]))
    scope = fields["Credential"].split("/")[1:]
    path, _, query = heard.path.partition("?")
    headers = "".join(f"{name}:{heard.headers[name]}\n" for name in fields["SignedHeaders"].split(";"))
    body = hashlib.sha256(heard.body).hexdigest()
    parts = [
        heard.verb,
        quote(path, safe="/~"),
        "&".join(sorted(query.split("&"))),
        headers,
        fields["SignedHeaders"],
        body,
    ]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for text in (*scope, "\n".join(["AWS4-HMAC-SHA256", heard.headers["X-Amz-Date"], "/".join(scope), digest])):
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key.hex()


def test_a_call_to_an_api_goes_to_its_own_host_or_nowhere(forwarder, kept):
    with forwarder(kept.url) as made:
        for host, heard in (("abcdefghij.execute-api.eu-west-3.amazonaws.com", 1), ("example.com", 1)):
            request = AWSRequest("POST", f"{made.url}/prod/ingest", {"Host": host, "x-api-key": "k"}, b"{}")
            SigV4Auth(Credentials(made.access_key, "x"), "execute-api", "eu-west-3").add_auth(request)
            with suppress(HTTPClientError):
                URLLib3Session().send(request.prepare())
            assert len(kept.handler.heard) == heard
    assert kept.handler.heard[0].headers["Host"] == "abcdefghij.execute-api.eu-west-3.amazonaws.com"
    assert "/eu-west-3/execute-api/aws4_request" in kept.handler.heard[0].headers["Authorization"]
    assert '"X-Api-Key": "***"' in (made.recorder.folder / "calls.jsonl").read_text()
