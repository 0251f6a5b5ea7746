"""Runs the stages of APIs: what `address.py` finds to be a request to one goes through here, in AWS's order.

The web ACL sees a request first, then who may call is decided, then how often; the body is validated, made into the
integration's request, sent, and made into the caller's answer. What goes wrong on the way is a `Refusal`, which the API
may have given a form of its own. Every request, refused or not, ends in the stage's logs.
"""

import gzip
import time
import traceback

from ....journal import journal
from ....world import world
from ..deployments import as_deployed
from . import address, authorization, firewall, logs, metering, tokens, validation
from .integrations import SENDERS
from .invocation import Invocation, check_size, route
from .refusals import Answer, Refusal, gateway_response, refuse
from .requests import prepare
from .responses import respond


def serve(request):
    """The answer of a stage, or of a token endpoint, or None for a request to anything else."""
    domain = tokens.domain_of(request)
    if domain is not None:
        with world.lock:
            return tokens.issue(request, domain)
    wanted = address.address_of(request)
    return None if wanted is None else answer_of(request, wanted)


def answer_of(request, wanted):
    with world.lock:
        world.requests += 1
        world.clock.run_due()
        api, call = address.found(wanted.api)
        stage = api["stages"].get(wanted.stage) if api else None
        if stage is None or api["record"].get("disableExecuteApiEndpoint"):
            # Whatever is not there is answered alike.
            return Answer(
                403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, FORBIDDEN
            )
        call.request = request
        invocation = Invocation(call, as_deployed(api, stage), stage, request, wanted.path)
    try:
        answer = carried_out(invocation)
    except Exception as error:
        # Not what AWS would do: a mistake here, that a test shall see as one.
        entry = journal.begin("execute-api", "Invoke", {"api": wanted.api, "path": wanted.path}, None, {})
        journal.end(entry, 500, "LocalAwsCrash", crash=traceback.format_exc())
        refusal = Refusal("API_CONFIGURATION_ERROR", f"{type(error).__name__}: {error}", "LocalAwsCrash")
        answer = gateway_response(refusal, invocation.api, invocation.context)
    with world.lock:
        return finished(invocation, answer)


FORBIDDEN = b'{"message":"Forbidden"}'


def carried_out(invocation):
    try:
        with world.lock:
            prepared = admitted(invocation)
        began = time.monotonic()
        try:
            sent = SENDERS[invocation.integration["type"]](invocation, prepared)
        finally:
            invocation.context["integrationLatency"] = milliseconds(began)
            invocation.context["integration"] = {"latency": milliseconds(began)}
        invocation.context["integrationStatus"] = sent.status
        invocation.context["integration"]["status"] = sent.status
        with world.lock:
            return respond(invocation, prepared, sent)
    except Refusal as refusal:
        return gateway_response(refusal, invocation.api, invocation.context)


def admitted(invocation):
    """Everything that comes before the integration."""
    firewall.pass_through(invocation)
    check_size(invocation)
    route(invocation)
    authorization.authorize(invocation)
    metering.meter(invocation)
    validation.validate(invocation)
    if invocation.integration.get("type") not in SENDERS:
        invocation.note("Execution failed due to configuration error: there is no integration that can be run here")
        refuse("API_CONFIGURATION_ERROR", "Internal server error")
    return prepare(invocation)


def finished(invocation, answer):
    context = invocation.context
    answer.headers |= {"x-amzn-RequestId": context["requestId"], "x-amz-apigw-id": context["extendedRequestId"]}
    compress(invocation, answer)
    context |= {
        "status": answer.status,
        "responseLength": len(answer.body),
        "responseLatency": milliseconds(invocation.began),
    }
    logs.write(invocation, answer)
    seen = invocation.call.shelf("apigateway.requests")
    stage = (invocation.api["record"]["id"], invocation.stage["stageName"])
    seen.setdefault(stage, []).append(
        {"time": world.time(), "status": answer.status, "latency": context["responseLatency"]}
    )
    return answer


def compress(invocation, answer):
    """Source: API Gateway Developer Guide, "Payload compression for REST APIs"."""
    least = invocation.api["record"].get("minimumCompressionSize")
    asked = "gzip" in (invocation.header("Accept-Encoding") or "")
    if asked and least is not None and len(answer.body) >= least and "Content-Encoding" not in answer.headers:
        answer.body = gzip.compress(answer.body)
        answer.headers["Content-Encoding"] = "gzip"


def milliseconds(began):
    return int((time.monotonic() - began) * 1000)
