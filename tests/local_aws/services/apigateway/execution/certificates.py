"""Whether API Gateway takes the certificate that a listener presents.

It must be for the name in the uri, hold now, and come from an authority that is known; `insecureSkipVerification`
leaves out the last, but the certificate still has to end in a root of some authority.

Source: API Gateway Developer Guide, "x-amazon-apigateway-integration.tlsConfig object": it "skips verification that the
certificate is issued by a supported certificate authority", and "still performs basic certificate validation, which
includes checking the certificate's expiration date, hostname, and presence of a root certificate authority".
"""

import warnings
from datetime import UTC, datetime
from functools import cache

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from ....registry import behaviour
from ....world import world


@behaviour(
    "apigateway",
    says="the certificate is for the name in the uri, holds now, and ends in an authority that is known, if that is asked",
    source="API Gateway Developer Guide: x-amazon-apigateway-integration.tlsConfig object",
)
def problem(call, listener, host, lenient):
    """What is wrong, or None."""
    if listener.protocol not in ("HTTPS", "TLS"):
        return "Unrecognized SSL message, plaintext connection?"
    bundle = call.backend("acm")._certificates.get(str(listener.certificate))
    if bundle is None:
        return "the listener has no certificate"
    certificate = x509.load_pem_x509_certificate(bundle.cert)
    now = datetime.fromtimestamp(world.time(), UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return f"the certificate holds until {certificate.not_valid_after_utc:%Y-%m-%d}"
    if not any(covers(name, host) for name in names_of(certificate)):
        return f"Host name '{host}' does not match the certificate subject provided by the peer"
    if bundle.type == "AMAZON_ISSUED":
        return None
    root = root_of(certificate, bundle)
    if root is None:
        return "the certificate does not end in a root certificate authority"
    return None if lenient or root in public_roots() else "unable to find valid certification path to requested target"


def names_of(certificate):
    """The alternative names, and the common name only where there are none."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def covers(name, host):
    """A star stands for one label, the first."""
    name, host = name.lower(), (host or "").lower()
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])


def root_of(certificate, bundle):
    """The authority at the end of the chain, if it is one and everything below is signed."""
    chain = x509.load_pem_x509_certificates(bundle.chain) if bundle.chain else []
    current = certificate
    for _ in range(len(chain) + 1):
        if current.issuer == current.subject:
            return current if signed_by(current, current) and is_authority(current) else None
        parents = [parent for parent in [*chain, *public_roots()] if signed_by(current, parent)]
        if not parents:
            return None
        current = parents[0]
    return None


def signed_by(certificate, parent):
    try:
        certificate.verify_directly_issued_by(parent)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def is_authority(certificate):
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


@cache
def public_roots():
    with open(certifi.where(), "rb") as file, warnings.catch_warnings():
        # The serial number of one old root is not positive.
        warnings.simplefilter("ignore")
        return tuple(x509.load_pem_x509_certificates(file.read()))
