"""What passed between tapctl and AWS, one JSON object a line, in the form that the project's recorded answers have:

    {"operation": "ec2:CreateVpc", "answer": {…}, "source": "…", "kind": "recorded", "recorded": "2026-11-28"}
    {"operation": "efs:DeleteFileSystem", "error": {"code": "…", "message": "…", "status": 409}, …}

and beside that `request`, `seconds` that AWS took, `at` which second of the trial, and in which `step`. `calls.jsonl`
has every call in the order of the answers; `recorded/SERVICE.jsonl` and `recorded/errors.jsonl` have each form of an
answer once, to be dropped in beside other recordings.
"""

import json
import threading
import time
from datetime import UTC, datetime

from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, ResponseParserFactory
from local_aws import wire

from .forms import form_of

SOURCE = "accept-on-aws"
CALLS = "calls.jsonl"
# Where the SDK's crate is not called as the service's id.
CRATES = {"resourcegroupstaggingapi": "resourcegroupstagging"}


def service_of(model):
    """The service as the SDK's crate is called."""
    name = model.service_model.service_id.hyphenize().replace("-", "")
    return CRATES.get(name, name)


class Recorder:
    def __init__(self, folder, masks):
        self.folder, self.masks = folder, masks
        self.step = ""
        self.watchers = []
        self.made = set()
        self._began = time.monotonic()
        self._seen = set()
        self._lock = threading.Lock()
        (folder / "recorded").mkdir(parents=True, exist_ok=True)

    def call(self, request, status, headers, body, seconds):
        """Writes down one call and its answer, and says which it was."""
        with wire.MODELS_IN_USE:
            model, labels, protocol = wire.find_operation(request, wire.credential_scope(request)[2])
        params = wire.read_params(request, model, labels, protocol)
        answer, error = read_answer(model, protocol, status, headers, body)
        with self._lock:
            for value, shape in ((params, model.input_shape), (answer, model.output_shape)):
                self.masks.learn(value, shape)
            line = {"operation": f"{service_of(model)}:{model.name}"}
            if error:
                line["error"] = self.masks.written(error)
            else:
                line["answer"] = self.masks.written(answer, model.output_shape)
                line.update(self._unmodelled(model, protocol, body))
                self.made |= set(made_by(model.name, answer))
            line["request"] = self.masks.written(params, model.input_shape)
            self._write(line, seconds)
        return line["operation"], not error

    def invocation(self, request, status, headers, body, seconds):
        """A call to an API that was made: nothing that a model knows of."""
        with self._lock:
            sent = {"method": request.method, "path": request.path, "body": request.get_data()}
            headers_sent = {k: v for k, v in request.headers.items() if k.lower() in ("content-type", "x-api-key")}
            got = {"status": status, "headers": self.masks.headers(headers), "body": self.masks.written(body)}
            line = {"operation": "execute-api:Invoke", "answer": got}
            line["request"] = self.masks.written(sent) | {"headers": self.masks.headers(headers_sent)}
            self._write(line, seconds)
        return "execute-api:Invoke", status < 300

    def lost(self, request, reason):
        """A call of which no answer came."""
        with self._lock:
            line = {"operation": wire.wanted_name(request), "lost": self.masks.text(str(reason))}
            self._append(CALLS, line | self._when(0))

    def unread(self, request, reason):
        """A call that was answered, and that could not be read here."""
        with self._lock:
            line = {"operation": wire.wanted_name(request), "unread": self.masks.text(reason)}
            self._append(CALLS, line | self._when(0))

    def _unmodelled(self, model, protocol, body):
        if protocol not in ("json", "rest-json") or model.output_shape is None or not body:
            return {}
        try:
            found = unmodelled(json.loads(body), model.output_shape)
        except ValueError:
            return {}
        return {"unmodelled": sorted(found)} if found else {}

    def _when(self, seconds):
        return {
            "seconds": round(seconds, 3),
            "at": round(time.monotonic() - self._began, 1),
            "step": self.step,
        }

    def _write(self, line, seconds):
        line |= {"source": SOURCE, "kind": "recorded", "recorded": datetime.now(UTC).date().isoformat()}
        self._append(CALLS, line | self._when(seconds))
        form = (line["operation"], form_of(line.get("error", line.get("answer"))))
        if line["operation"].startswith("execute-api:") or form in self._seen:
            return
        self._seen.add(form)
        name = "errors" if "error" in line else line["operation"].partition(":")[0]
        self._append(f"recorded/{name}.jsonl", line)

    def _append(self, name, line):
        with open(self.folder / name, "a") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def mask_again(self):
        """What was learned to be secret late is taken out of what was written early."""
        for path in [*self.folder.glob("*.jsonl"), *self.folder.glob("recorded/*.jsonl")]:
            self.masks.file(path)


def read_answer(model, protocol, status, headers, body):
    """(answer, None) or (None, error)."""
    given = {"status_code": status, "headers": HeadersDict(headers), "body": body}
    try:
        parsed = ResponseParserFactory().create_parser(protocol).parse(given, model.output_shape)
    except ResponseParserError as problem:
        return None, {"code": "Unreadable", "message": str(problem), "status": status}
    parsed.pop("ResponseMetadata", None)
    if status < 300:
        return parsed, None
    error = parsed.get("Error", {})
    return None, {"code": error.get("Code", ""), "message": error.get("Message", ""), "status": status}


def unmodelled(value, shape, path=""):
    """Members of an answer in JSON that its model does not know."""
    if shape is None:
        return set()
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        names = {member.serialization.get("name", key): member for key, member in shape.members.items()}
        unknown = {f"{path}{key}" for key in value if key not in names}
        inner = (unmodelled(item, names[key], f"{path}{key}.") for key, item in value.items() if key in names)
        return unknown.union(*inner)
    if shape.type_name == "list" and isinstance(value, list):
        return set().union(*(unmodelled(item, shape.member, f"{path.rstrip('.')}[].") for item in value))
    if shape.type_name == "map" and isinstance(value, dict):
        return set().union(*(unmodelled(item, shape.value, f"{path}*.") for item in value.values()))
    return set()


def made_by(operation, answer):
    """The ids of what bears no name of ours, by which what is left of it is found again."""
    if operation == "CreateVpc":
        yield answer["Vpc"]["VpcId"]
    elif operation == "CreateRestApi":
        yield answer["id"]
