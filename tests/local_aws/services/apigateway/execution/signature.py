"""Whose signature a request carries, and whether it is theirs.

Source: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4 signing for AWS API
requests". The path is normalised and encoded once more, as for every service but S3.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from botocore.auth import normalize_url_path

from ....world import world
from .address import raw_path
from .refusals import refuse

TOLERANCE = timedelta(minutes=5)
WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass
class Signed:
    access_key: str
    date: str
    region: str
    service: str
    headers: list
    signature: str


def read(request):
    """The parts of the Authorization header."""
    header = request.headers.get("Authorization", "")
    if not header:
        refuse("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    fields = dict(re.findall(r"(\w+)=([^,\s]+)", header)) if header.startswith("AWS4-HMAC-SHA256") else {}
    scope = fields.get("Credential", "").rsplit("/", 4)
    missing = [f"'{name}'" for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing or len(scope) != 5:
        needs = f"Authorization header requires {' '.join(missing) or 'a whole Credential'} parameter."
        refuse("MISSING_AUTHENTICATION_TOKEN", needs, "IncompleteSignatureException")
    access_key, date, region, service, _ = scope
    return Signed(access_key, date, region, service, fields["SignedHeaders"].split(";"), fields["Signature"])


def check(request, signed, secret, region):
    """Refuses what was not signed with that secret, for this region and service, about now."""
    if (signed.service, signed.region) != ("execute-api", region):
        invalid(f"Credential should be scoped to a valid region: '{region}' and to correct service: 'execute-api'.")
    moment = request.headers.get("X-Amz-Date", "")
    check_time(moment)
    if "host" not in signed.headers:
        invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if not hmac.compare_digest(signature_of(request, signed, secret, moment), signed.signature):
        invalid(WRONG)


def check_time(moment):
    try:
        signed = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        invalid("Date must be in ISO-8601 'basic format'.")
    now = datetime.fromtimestamp(world.time(), UTC)
    if abs(now - signed) > TOLERANCE:
        side = "Signature expired" if signed < now else "Signature not yet current"
        invalid(f"{side}: {moment} is not within {now:%Y%m%dT%H%M%SZ} ({TOLERANCE.seconds // 60} min.)")


def invalid(message):
    refuse("INVALID_SIGNATURE", message)


def signature_of(request, signed, secret, moment):
    scope = f"{signed.date}/{signed.region}/{signed.service}/aws4_request"
    digest = hashlib.sha256(canonical(request, signed).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (signed.date, signed.region, signed.service, "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def canonical(request, signed):
    path = quote(normalize_url_path(raw_path(request)), safe="/~")
    pairs = [pair.partition("=") for pair in request.environ.get("QUERY_STRING", "").split("&") if pair]
    query = "&".join(f"{name}={value}" for name, _, value in sorted(pairs))
    headers = "".join(f"{name}:{' '.join((request.headers.get(name) or '').split())}\n" for name in signed.headers)
    body = request.headers.get("X-Amz-Content-SHA256") or hashlib.sha256(request.get_data()).hexdigest()
    return "\n".join((request.method, path, query, headers, ";".join(signed.headers), body))
