"""The way to moto: the request as it came, or a call made anew from a dictionary."""

import io
from functools import cache
from urllib.parse import quote, urlencode

from botocore.serialize import create_serializer
from moto.core import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import wire
from .registry import Call, Unsupported

# moto looks through all methods of a service's class at every call.
responses.method_names_from_class = cache(responses.method_names_from_class)
application = DomainDispatcherApplication(create_backend_app)


def run(environ):
    """(status, headers, body) of moto's own answer to a WSGI request."""
    started = {}

    def start_response(status, headers, exc_info=None):
        started["status"], started["headers"] = int(status.split()[0]), headers

    try:
        chunks = application(environ, start_response)
        body = b"".join(chunks)
    except NotImplementedError as error:
        raise Unsupported(str(error)) from error
    if hasattr(chunks, "close"):
        chunks.close()
    return started["status"], started["headers"], body


def forward_raw(call):
    environ = dict(call.request.environ)
    environ["wsgi.input"] = io.BytesIO(call.request.get_data())
    if call.protocol == wire.CBOR:
        environ = environ_of(call)
    return run({k: v for k, v in environ.items() if not k.startswith("werkzeug.")})


def ask(call, service=None, operation=None, params=None):
    """moto's answer, as a dictionary, to the same call or to another one made in the same account and region."""
    service = service or call.service
    with wire.MODELS_IN_USE:
        model = wire.service_model(service).operation_model(operation or call.operation)
    protocol = call.protocol if service == call.service else model.service_model.protocol
    inner = Call(service, model.name, call.params if params is None else params, call.account, call.region)
    inner.request, inner.model, inner.protocol, inner.principal = call.request, model, protocol, call.principal
    answer = run(environ_of(inner))
    refuse_html(inner, *answer)
    return wire.read_answer(inner, *answer)


def refuse_html(call, status, headers, body):
    """A route or an operation that moto lacks shows as one of Flask's pages."""
    if status in (404, 500) and (b"<!doctype html" in body[:100].lower() or (status == 404 and not body)):
        if call.service != "s3":
            raise Unsupported(call.name)


def environ_of(call):
    protocol = wire.forwarded_protocol(call)
    serializer = create_serializer(protocol, include_validation=False)
    made = serializer.serialize_to_request(call.params, call.model)
    body, headers = made["body"], dict(made["headers"])
    if isinstance(body, dict):
        body = urlencode(body)
    body = body.encode() if isinstance(body, str) else bytes(body or b"")
    query = urlencode(made["query_string"] or {}, doseq=True)
    path, _, fixed = made["url_path"].partition("?")
    query = "&".join(part for part in (fixed, query) if part)
    environ = {
        "REQUEST_METHOD": made["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": quote(path, safe="/%:") + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers |= {"Host": "localhost", "Authorization": authorization(call), "x-moto-account-id": call.account}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


def authorization(call):
    service = call.model.service_model
    scope = f"{call.principal or 'AKIAEXAMPLE'}/20260101/{call.region}/{service.signing_name}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
