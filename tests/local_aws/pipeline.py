"""The path of one request: decode, record, fault, refuse, answer, amend, encode."""

import traceback
from dataclasses import dataclass, field
from functools import cache

from moto.moto_server.werkzeug_app import BackendRequest

from . import admin, consistency, inflight, moto_app, violations, wire
from .answers import answers
from .faults import faults
from .journal import is_write, journal
from .registry import AFTER, GENERAL_RULES, OPERATIONS, RECOVER, REPLAY, RULES, AwsError, Told, Unsupported
from .services.apigateway import execution
from .world import world


@dataclass
class Reply:
    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    manner: str = "whole"


LOST = Reply(0, manner="reset")


def handle(environ, client_left):
    request = BackendRequest(environ)
    # Whoever parses the form first would consume the body that moto has to read again.
    request.get_data()
    served = execution.serve(request)
    if served is not None:
        return Reply(served.status, served.headers, served.body)
    if request.path.startswith("/_local"):
        world.requests += request.method != "GET"
        status, body = admin.answer(request)
        return Reply(status, {"Content-Type": "application/json"}, admin.json.dumps(body, default=str).encode())
    return answer_to(request, None, client_left)


def answer_to(request, acting=None, client_left=lambda: False):
    """The reply to a call of AWS; `acting` is who makes it, where AWS itself calls in the name of a role."""
    try:
        call = wire.decode(request)
    except wire.NoSuchOperation as missing:
        return reply_to_unknown(missing)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return reply_to_garbage(request, error)
    if call is None:
        return unsigned(request)
    call.acting = acting
    return run_recorded(call, client_left)


def unsigned(request):
    with world.lock:
        world.requests += 1
        if request.path == "/moto-api/reset":
            world.reset()
        status, headers, body = moto_app.run(request.environ)
    return Reply(status, dict(headers), body)


def reply_to_unknown(missing):
    entry = journal.begin(missing.service, missing.name, {}, None, {"unsupported": True})
    journal.note_unsupported(f"{missing.service}:{missing.name}")
    error = wire.unknown_operation(missing.service, missing.protocol, missing.name)
    journal.end(entry, 400, error.code)
    return Reply(*wire.encode_error(missing.service, missing.protocol, error))


def reply_to_garbage(request, problem):
    service = wire.services_of(wire.credential_scope(request)[2])[0]
    entry = journal.begin(service, wire.wanted_name(request), {}, None, {"undecodable": str(problem)})
    error = AwsError("SerializationException", f"The request could not be read: {problem}", 400)
    journal.end(entry, 400, error.code)
    return Reply(*wire.encode_error(service, wire.protocol_of(request, service), error))


def run_recorded(call, client_left):
    origin = {"region": call.region, "account": call.account}
    if call.acting is not None:
        origin["acting"] = call.acting.arn
    with world.lock:
        entry = journal.begin(call.service, call.operation, call.params, call.model.input_shape, origin)
        fault = None if call.looks_on else faults.taking(entry)
    if fault and fault.action == "delay":
        return delayed(call, entry, fault)
    if fault and fault.when == "before":
        return strike(call, entry, fault, None, client_left)
    with inflight.counted(call):
        reply, error_code, notes = perform(call)
    if fault:
        return strike(call, entry, fault, reply, client_left)
    journal.end(entry, reply.status, error_code, **notes)
    return reply


def delayed(call, entry, fault):
    """On its way to AWS, or back, for a while. What is on its way arrives, whether who sent it waits or not."""
    if fault.when == "before":
        faults.hang(fault, lambda: False)
    with inflight.counted(call):
        reply, error_code, notes = perform(call)
    journal.end(entry, reply.status, error_code, fault=fault.id, **notes)
    if fault.when == "after":
        faults.hang(fault, lambda: False)
    return reply


def strike(call, entry, fault, reply, client_left):
    notes = {"fault": fault.id}
    if fault.action in ("error", "throttle"):
        error = fault.error(call.service)
        struck = Reply(*wire.encode_error(call.service, call.protocol, error))
        journal.end(entry, struck.status, error.code, **notes)
        return struck
    journal.end(entry, fault.status or 0, f"fault:{fault.action}", **notes)
    if fault.action == "status":
        return Reply(fault.status or 503)
    if fault.action in ("hang", "silence"):
        faults.hang(fault, client_left)
        return LOST
    if fault.action == "truncate" and reply is None:
        reply = perform(call)[0]
    if fault.action == "truncate":
        return Reply(reply.status, reply.headers, reply.body, "truncated")
    return LOST


def perform(call):
    """(reply, error code, notes for the journal)."""
    notes = {}
    try:
        with world.lock:
            world.requests += is_write(call.operation)
            world.clock.run_due()
            check_rules(call, ABOUT_THE_CALLER)
            return recorded(call) or replayed(call) or succeed(call), None, notes
    except AwsError as error:
        return Reply(*wire.encode_error(call.service, call.protocol, error)), error.code, notes
    except Told as told:
        return Reply(*wire.encode(call, told.answer)), None, notes
    except Unsupported:
        journal.note_unsupported(call.name)
        error = wire.unknown_operation(call.service, call.protocol, call.operation)
        notes["unsupported"] = True
    except Exception:
        # A 5xx would be retried by every SDK and hide where it came from.
        notes["crash"] = traceback.format_exc()
        traceback.print_exc()
        error = AwsError("LocalAwsCrash", notes["crash"].strip().splitlines()[-1], 400)
    return Reply(*wire.encode_error(call.service, call.protocol, error)), error.code, notes


# What AWS looks at first: who is calling, how often, whether the request makes sense; only then the state of things.
# A token is recognised in between: what is not permitted, or one call too many, is refused even if it was made before.
ABOUT_THE_CALLER = ("permissions", "limits")
ABOUT_THE_CALL = ("model", "strict", "consistency", "quota", "order")
# What AWS does without a word, and leaves somebody without: noted where a test asks for that, and never refused.
GAPS = "gaps"
# What AWS takes, and nothing ever comes of: noted, and never refused.
IN_VAIN = "in vain"
# What AWS takes, and leaves a way in that somebody meant to close: noted, and never refused.
OPEN = "open"
ONLY_NOTED = (GAPS, IN_VAIN, OPEN)
PRECEDENCE = ABOUT_THE_CALLER + ABOUT_THE_CALL + ONLY_NOTED
INVALID = ("model", "strict")
AGAINST_THE_CALLER = ("permissions", "limits", "consistency")


@cache
def rules_of(name):
    found = [*GENERAL_RULES, *RULES.get(name, ())]
    return sorted(found, key=lambda rule: PRECEDENCE.index(rule.group))


def check_rules(call, groups):
    for rule in rules_of(call.name):
        if rule.group not in groups or not in_force(rule.group) or (call.looks_on and rule.group in AGAINST_THE_CALLER):
            continue
        try:
            rule.check(call)
        except AwsError as error:
            # What a caller of an API has Kinesis refuse is not the fault of whoever made the API.
            if rule.group in (*INVALID, *ONLY_NOTED) and call.acting is None:
                violations.note(call, rule.name, error)
            if rule.group not in ONLY_NOTED:
                raise


def in_force(group):
    settings = world.settings
    if group in (*INVALID, IN_VAIN, OPEN):
        return settings.strict
    if group == "quota":
        return settings.strict and settings.quotas
    if group == "consistency":
        return settings.lag > 0
    if group == GAPS:
        return settings.gaps
    return settings.limits if group == "limits" else True


def recorded(call):
    answer = answers.taking(call)
    return None if answer is None else Reply(*wire.encode(call, answer))


def replayed(call):
    answer = REPLAY[call.name](call) if call.name in REPLAY else None
    return None if answer is None else Reply(*wire.encode(call, answer))


def succeed(call):
    check_rules(call, ABOUT_THE_CALL)
    check_rules(call, ONLY_NOTED)
    if call.service == "ec2" and call.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    if call.name in OPERATIONS:
        answer = OPERATIONS[call.name](call)
    elif call.name in AFTER or call.name in RECOVER or (world.settings.lag and call.service != "s3"):
        answer = through_moto(call)
    else:
        return raw_from_moto(call)
    for amend in AFTER.get(call.name, ()):
        answer = amend(call, answer) or answer
    if world.settings.lag and not call.looks_on:
        consistency.remember(call, answer)
        consistency.hide(call, answer)
    return Reply(*wire.encode(call, answer))


def through_moto(call):
    try:
        return ask_as_sent(call)
    except AwsError as error:
        for mend in RECOVER.get(call.name, ()):
            mended = mend(call, error)
            if mended is not None:
                return mended
        raise


def ask_as_sent(call):
    status, headers, body = moto_app.forward_raw(call)
    moto_app.refuse_html(call, status, headers, body)
    return wire.read_answer(call, status, dict(headers), body)


def raw_from_moto(call):
    status, headers, body = moto_app.forward_raw(call)
    moto_app.refuse_html(call, status, headers, body)
    if call.protocol == wire.CBOR or (status >= 400 and call.service != "s3"):
        return Reply(*wire.encode(call, wire.read_answer(call, status, dict(headers), body)))
    return Reply(status, dict(headers), body)
