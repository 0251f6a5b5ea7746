"""Certificates: which ones a list shows, tags that survive a new import, and who uses them."""

from ..moto_app import ask
from ..registry import AwsError, after, operation

SHOWN_BY_DEFAULT = ("RSA_1024", "RSA_2048")


@operation("acm", "ImportCertificate")
def import_certificate(call):
    arn = call.get("CertificateArn")
    if arn and call.get("Tags"):
        raise AwsError("ValidationException", "You cannot apply tags when reimporting a certificate.")
    certificates = call.backend("acm")._certificates
    tags = certificates[arn].tags if arn in certificates else None
    made = ask(call)
    if tags is not None:
        # moto puts a new object in the place of the old, and its tags are gone.
        certificates[arn].tags = tags
    return made


@operation("acm", "ListCertificates")
def list_certificates(call):
    wanted = (call.get("Includes") or {}).get("keyTypes") or SHOWN_BY_DEFAULT
    shown = ask(call, params={key: value for key, value in call.params.items() if key != "Includes"})
    shown["CertificateSummaryList"] = [c for c in shown["CertificateSummaryList"] if c["KeyAlgorithm"] in wanted]
    return shown


def users(call, arn):
    """The load balancers whose listeners present the certificate."""
    found = []
    for balancer in call.backend("elbv2").load_balancers.values():
        names = [str(c) for listener in balancer.listeners.values() for c in (listener.certificates or [])]
        names += [str(listener.certificate) for listener in balancer.listeners.values()]
        if any(arn in name for name in names):
            found.append(balancer.arn)
    return found


@after("acm", "DescribeCertificate")
def show_users(call, answer):
    answer["Certificate"]["InUseBy"] = users(call, call.params["CertificateArn"])
