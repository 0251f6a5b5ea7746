"""Between bytes and dictionaries: which operation a request is, what it says, and how an answer looks on the wire.

Everything is driven by botocore's service models, so that a correction never sees XML, CBOR or a header.
"""

import io
import json
import threading
from functools import cache
from xml.sax.saxutils import escape

from botocore.parsers import ResponseParserError, ResponseParserFactory, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from .registry import AwsError, Call
from .world import new_id

CBOR = "smithy-rpc-v2-cbor"
# moto keeps a model under the key under which botocore has just put its own: whoever looks in between finds the wrong one.
MODELS_IN_USE = threading.Lock()

# Several services share one signing name; the path, the version or the target tells which one is meant.
MODELS_BY_SIGNING_NAME = {
    "apigateway": ["apigateway", "apigatewayv2"],
    "elasticfilesystem": ["efs"],
    "elasticloadbalancing": ["elbv2", "elb"],
    "monitoring": ["cloudwatch"],
    "tagging": ["resourcegroupstaggingapi"],
    "servicequotas": ["service-quotas"],
    "s3": ["s3", "s3control"],
    "ses": ["sesv2", "ses"],
}


class NoSuchOperation(Exception):
    """The service is known, the operation is not."""

    def __init__(self, service, protocol, name):
        super().__init__(f"{service}:{name}")
        self.service, self.protocol, self.name = service, protocol, name


def credential_scope(request):
    """(access key, region, signing name), or None for an unsigned request."""
    header = request.headers.get("Authorization", "")
    _, found, rest = header.partition("Credential=")
    if not found:
        return None
    parts = rest.split(",")[0].split("/")
    return (parts[0], parts[-3], parts[-2].lower()) if len(parts) >= 5 else None


def decode(request):
    """The Call a request makes; None when the request is not a signed AWS request."""
    scope = credential_scope(request)
    if scope is None:
        return None
    access_key, region, signing_name = scope
    with MODELS_IN_USE:
        model, label_values, protocol = find_operation(request, signing_name)
    params = read_params(request, model, label_values, protocol)
    account = account_of(request, access_key)
    service = model.service_model.service_name
    call = Call(service, model.name, params, account, region, request, model, protocol)
    call.principal = access_key
    return call


def account_of(request, access_key):
    from moto.iam.models import get_account_id_from

    return request.headers.get("x-moto-account-id") or get_account_id_from(access_key)


def services_of(signing_name):
    return MODELS_BY_SIGNING_NAME.get(signing_name, [signing_name])


def find_operation(request, signing_name):
    services = services_of(signing_name)
    for service in services:
        found = match_service(request, service, only=len(services) == 1)
        if found:
            return found
    raise NoSuchOperation(services[0], protocol_of(request, services[0]), wanted_name(request))


def match_service(request, service, only):
    model = service_model(service)
    if model is None:
        return None
    protocol = protocol_of(request, service)
    if protocol == CBOR:
        name = request.path.rpartition("/operation/")[2]
        return (model.operation_model(name), {}, CBOR) if name in model.operation_names else None
    if protocol == "json":
        # Before the last dot SDKs write the name of the service in more than one way.
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        return (model.operation_model(name), {}, protocol) if name in model.operation_names else None
    version = request.values.get("Version") if protocol in ("query", "ec2") else None
    if version and not only and version != model.api_version:
        return None
    try:
        operation, labels = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        return None
    return operation, labels, protocol


@cache
def service_model(service):
    from botocore.exceptions import UnknownServiceError

    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


def protocol_of(request, service):
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    model = service_model(service)
    if model is None:
        return "json"
    if model.protocol.startswith("rest"):
        return model.protocol
    try:
        return determine_request_protocol(model, request.content_type)
    except NotImplementedError:
        return model.protocol


def wanted_name(request):
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return request.values.get("Action") or target or f"{request.method} {request.path}"


def read_params(request, model, labels, protocol):
    if model.input_shape is None:
        return {}
    if protocol == CBOR:
        return read_cbor(request.get_data(), model.input_shape)
    parser = PROTOCOL_PARSERS[protocol](model)
    params = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.get_data(),
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return without_absent_query_lists(params, model.input_shape)


def without_absent_query_lists(params, shape):
    def absent(key, value):
        member = shape.members.get(key)
        in_query = member is not None and member.serialization.get("location") in ("querystring", "uri")
        return in_query and value in (None, [])

    return {key: value for key, value in params.items() if not absent(key, value)}


def read_cbor(body, shape):
    if not body:
        return {}
    parser = RpcV2CBORParser()
    try:
        return parser._parse_shape(shape, parser.parse_data_item(io.BufferedReader(io.BytesIO(body)))) or {}
    except ResponseParserError as error:
        raise ValueError(str(error)) from error


def write_cbor(value, shape):
    if shape is None:
        return b"\xa0"
    out = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(out, known_members(value, shape), shape)
    return bytes(out)


def known_members(value, shape):
    if shape.type_name == "structure":
        return {k: known_members(v, shape.members[k]) for k, v in value.items() if k in shape.members and v is not None}
    if shape.type_name == "list":
        return [known_members(item, shape.member) for item in value]
    return value


def encode(call, answer):
    """(status, headers, body) of a successful answer."""
    request_id = new_request_id()
    if call.protocol == CBOR:
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return 200, headers | {"x-amzn-RequestId": request_id}, write_cbor(answer or {}, call.model.output_shape)
    serializer = get_serializer_class(call.service, call.protocol)(call.model, SerializationContext(request_id))
    done = serializer.serialize(answer or {})
    body = done["body"].encode() if isinstance(done["body"], str) else done["body"]
    headers = dict(done["headers"]) | {"x-amzn-RequestId": request_id}
    return done["status_code"], headers, b"" if done["status_code"] == 204 else body


def new_request_id():
    return "-".join(new_id(n) for n in (8, 4, 4, 4, 12))


def encode_error(service, protocol, error):
    status = error.status or modelled_status(service, error.code) or 400
    return ERROR_WRITERS[protocol](service, status, error, new_request_id())


@cache
def modelled_status(service, code):
    model = service_model(service)
    for shape in model.error_shapes if model else []:
        if code in (shape.name, shape.error_code):
            return shape.metadata.get("error", {}).get("httpStatusCode")
    return None


def xml_members(members):
    return "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in members.items())


def query_error(service, status, error, request_id):
    kind = "Sender" if status < 500 else "Receiver"
    inner = xml_members({"Type": kind, "Code": error.code, "Message": error.message} | error.members)
    body = f"<ErrorResponse><Error>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode()


def ec2_error(service, status, error, request_id):
    inner = xml_members({"Code": error.code, "Message": error.message})
    body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    return status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode()


def s3_error(service, status, error, request_id):
    inner = xml_members({"Code": error.code, "Message": error.message, "RequestId": request_id} | error.members)
    return status, {"Content-Type": "application/xml"}, f"<Error>{inner}</Error>".encode()


def json_error(service, status, error, request_id):
    body = {"__type": error.code, "message": error.message, "Message": error.message} | error.members
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id}
    return status, headers, json.dumps(body).encode()


def rest_json_error(service, status, error, request_id):
    body = {"message": error.message, "Message": error.message} | error.members
    if service == "efs":
        body["ErrorCode"] = error.code
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id}
    return status, headers, json.dumps(body).encode()


def cbor_error(service, status, error, request_id):
    """The body names the shape of the error; the code it has always had stands in a header."""
    out = bytearray()
    shapes = service_model(service).error_shapes
    name = next((shape.name for shape in shapes if error.code in (shape.error_code, shape.name)), error.code)
    namespace = f"com.amazonaws.{service_model(service).service_name}"
    body = {"__type": f"{namespace}#{name}", "message": error.message}
    RpcV2CBORSerializer()._serialize_data_item(out, body, error_shape())
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}
    kind = "Sender" if status < 500 else "Receiver"
    return status, headers | {"x-amzn-query-error": f"{error.code};{kind}"}, bytes(out)


@cache
def error_shape():
    from botocore.model import ShapeResolver

    text = {"shape": "Text"}
    shapes = {
        "Error": {"type": "structure", "members": {"__type": text, "message": text}},
        "Text": {"type": "string"},
    }
    return ShapeResolver(shapes).get_shape_by_name("Error")


ERROR_WRITERS = {
    "query": query_error,
    "ec2": ec2_error,
    "rest-xml": s3_error,
    "json": json_error,
    "rest-json": rest_json_error,
    CBOR: cbor_error,
}


def unknown_operation(service, protocol, name):
    """What AWS says to an operation it does not have, in each family of services."""
    if protocol in ("query", "ec2"):
        return AwsError("InvalidAction", f"The action {name} is not valid for this web service.", 400)
    return AwsError("UnknownOperationException", f"Unknown operation {name}.", 400)


def read_answer(call, status, headers, body):
    """moto's answer as a dictionary, or raises the AwsError it carries."""
    protocol = forwarded_protocol(call)
    parser = ResponseParserFactory().create_parser(protocol)
    shape = call.model.output_shape
    parsed = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    parsed.pop("ResponseMetadata", None)
    if status < 300:
        return parsed
    error = parsed.get("Error", {})
    raise AwsError(error.get("Code") or "InternalFailure", error.get("Message", ""), status)


def forwarded_protocol(call):
    """moto does not speak CBOR, so such calls reach it in the service's older protocol."""
    if call.protocol != CBOR:
        return call.protocol
    return "query" if "query" in call.model.service_model.metadata["protocols"] else "json"
