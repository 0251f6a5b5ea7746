"""Where a call goes to, and as whom: AWS with the credentials of whoever runs this, or another AWS."""

import re
import threading
from functools import cache

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver
from botocore.utils import get_environ_proxies

# What belongs to one connection, or to the signature that is replaced.
NOT_SENT_ON = {
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
}
CONNECT_SECONDS, ANSWER_SECONDS = 10, 90
API_HOST = re.compile(r"[a-z0-9]{10}\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


class Upstream:
    """AWS, by the endpoints botocore has; all calls go to `endpoint` where one is given."""

    def __init__(self, session, endpoint=None):
        self.session, self.endpoint = session, endpoint
        self._resolver = EndpointResolver(create_loader().load_data("endpoints"))
        self._local = threading.local()
        self.place = cache(self._place)

    def _place(self, signing_name, region):
        """(URL, region to sign for): IAM, for one, is signed for one region only, wherever one is."""
        if self.endpoint:
            return self.endpoint, region
        found = self._resolver.construct_endpoint(signing_name, region)
        if not found:
            raise ValueError(f"no endpoint is known of {signing_name} in {region}")
        return f"https://{found['hostname']}", found.get("credentialScope", {}).get("region", region)

    def send(self, request, scope):
        """(status, headers, body) of a request, signed anew; `scope` is (region, signing name), or None: unsigned."""
        host = request.headers.get("Host", "")
        to_an_api = bool(API_HOST.fullmatch(host))
        region, signing_name = scope or (None, "execute-api")
        if signing_name == "execute-api":
            if not to_an_api:
                raise ValueError(f"{host} is no API")
            url = self.endpoint or f"https://{host}"
        else:
            url, region = self.place(signing_name, region)
        headers = {key: value for key, value in request.headers.items() if key.lower() not in NOT_SENT_ON}
        if to_an_api:
            headers["Host"] = host
        sent = AWSRequest(request.method, url + target(request), headers, request.get_data())
        if scope:
            signer = S3SigV4Auth if signing_name == "s3" else SigV4Auth
            signer(self.session.get_credentials().get_frozen_credentials(), signing_name, region).add_auth(sent)
        answer = self._http(url).send(sent.prepare())
        return answer.status_code, dict(answer.headers.items()), answer.content

    def _http(self, url):
        """One a thread. It never sends a request twice: that is for whoever made it to decide."""
        if not hasattr(self._local, "http"):
            timeout = (CONNECT_SECONDS, ANSWER_SECONDS)
            self._local.http = URLLib3Session(proxies=get_environ_proxies(url), timeout=timeout)
        return self._local.http


def target(request):
    """Path and query as they were sent."""
    return request.environ["RAW_URI"]
