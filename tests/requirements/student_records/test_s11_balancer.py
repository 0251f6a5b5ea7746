"""S11: the load balancer, and TLS up to it and beyond."""

import datetime
import re
import ssl
import urllib.request

from requirements.calls import asked, open_url
from requirements.live import one

KEY = "X-Origin-Key"

# Names of AWS's policies that begin at TLS 1.2, from its list of them.
TLS_1_2 = {
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
}


def test_it_is_reached_as_asked_for(live, wanted):
    public = wanted.has("public")
    assert live.balancer["Scheme"] == ("internet-facing" if public else "internal")
    subnets = {zone["SubnetId"] for zone in live.balancer["AvailabilityZones"]}
    assert subnets == live.subnet_ids("public" if public else "private")
    assert (live.balancer["Type"], live.balancer["State"]["Code"]) == ("application", "active")


def test_it_answers_https_from_tls_1_2_on(live):
    listener = live.listeners[443]
    assert listener["Protocol"] == "HTTPS"
    assert listener["SslPolicy"] in TLS_1_2


def test_its_policy_offers_nothing_older(live):
    found = live.elbv2.describe_ssl_policies(Names=[live.listeners[443]["SslPolicy"]])
    protocols = set(one(found["SslPolicies"])["SslProtocols"])
    assert protocols and protocols <= {"TLSv1.2", "TLSv1.3"}


def test_its_certificate_is_valid_for_the_name_that_the_api_calls(live):
    arn = one(live.listeners[443]["Certificates"])["CertificateArn"]
    certificate = live.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    now = datetime.datetime.now(datetime.timezone.utc)
    assert certificate["Status"] == "ISSUED"
    assert certificate["NotBefore"] <= now < certificate["NotAfter"]
    # API Gateway checks the name even where it is told to trust a certificate that nobody vouches for.
    host = live.balancer["DNSName"]
    assert (certificate["DomainName"], certificate["SubjectAlternativeNames"]) == (host, [host])
    assert certificate["KeyAlgorithm"] in ("RSA_2048", "EC_prime256v1")


def test_plain_http_is_redirected(live):
    listener = live.listeners[80]
    action = one(listener["DefaultActions"])
    assert (listener["Protocol"], action["Type"]) == ("HTTP", "redirect")
    redirect = action["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")


def test_there_is_no_other_way_in(live):
    assert set(live.listeners) == {80, 443}
    for listener in live.listeners.values():
        rules = live.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        further = [rule for rule in rules if not rule["IsDefault"]]
        # What comes below the stage's name goes to the same tasks without it, or what shows the API's key goes there.
        assert [one(rule["Actions"])["TargetGroupArn"] for rule in further] in ([], [live.targets["TargetGroupArn"]])
        assert not further or listener["Port"] == 443


def test_requests_go_to_the_tasks(live, wanted):
    targets = live.targets
    assert (targets["TargetType"], targets["Port"], targets["VpcId"]) == ("ip", 8080, live.vpc_id)
    assert targets["Protocol"] == ("HTTPS" if wanted.has("tls") else "HTTP")
    if not wanted.has("public"):
        action = one(live.listeners[443]["DefaultActions"])
        assert (action["Type"], action["TargetGroupArn"]) == ("forward", targets["TargetGroupArn"])
    balancer = one(live.service["loadBalancers"])
    assert balancer["targetGroupArn"] == targets["TargetGroupArn"]
    assert (balancer["containerName"], balancer["containerPort"]) == ("student-api", 8080)


def test_health_is_checked(live, wanted):
    targets = live.targets
    assert targets["HealthCheckEnabled"] is True
    assert targets["HealthCheckPath"] == "/health"
    assert targets["HealthCheckProtocol"] == ("HTTPS" if wanted.has("tls") else "HTTP")
    assert (targets["HealthyThresholdCount"], targets["UnhealthyThresholdCount"]) == (2, 2)
    assert (targets["HealthCheckIntervalSeconds"], targets["HealthCheckTimeoutSeconds"]) == (30, 5)
    assert targets["Matcher"]["HttpCode"] == "200"


def test_invalid_headers_are_dropped(live):
    assert live.balancer_attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_what_is_protected_cannot_be_deleted(live, wanted):
    assert live.balancer_attributes["deletion_protection.enabled"] == ("true" if wanted.protect else "false")


def key(live):
    value = live.secretsmanager.get_secret_value(SecretId=live.origin_secret["ARN"])["SecretString"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", value)
    return value


def straight(live, **headers):
    """The status that somebody gets who posts a record to the load balancer itself."""
    url = f"https://{live.balancer['DNSName']}/students"
    if live.endpoint:
        return asked(live.endpoint, "knocks", {"url": url, "method": "POST", "headers": headers, "body": "{}"})["status"]
    trusting = ssl._create_unverified_context()  # It may have a certificate of its own.
    return open_url(urllib.request.Request(url, data=b"{}", method="POST", headers=headers), context=trusting).status


def test_on_the_internet_only_what_shows_the_key_gets_to_the_tasks(live, wanted):
    if not wanted.has("public"):
        return
    listener = live.listeners[443]
    refusal = one(listener["DefaultActions"])
    assert (refusal["Type"], refusal["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "403")
    rules = live.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    condition = one(one([rule for rule in rules if not rule["IsDefault"]])["Conditions"])
    assert condition["HttpHeaderConfig"] == {"HttpHeaderName": KEY, "Values": [key(live)]}
    assert (straight(live), straight(live, **{KEY: "guessed"})) == (403, 403)
    assert straight(live, **{KEY: key(live)}) < 400


def test_the_api_shows_the_key_with_every_request(live, wanted):
    sent = f"integration.request.header.{KEY}"
    proxied = [method["methodIntegration"] for method in live.methods.values()]
    for integration in (one_way for one_way in proxied if one_way["type"] == "HTTP_PROXY"):
        shown = (integration.get("requestParameters") or {}).get(sent)
        assert shown == (f"'{key(live)}'" if wanted.has("public") else None)
