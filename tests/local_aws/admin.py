"""The endpoints under /_local, by which tests look into the local AWS and change its ways."""

import json

from . import nightly, rows, stores, violations
from .answers import answers
from .faults import faults
from .journal import journal
from .life import ENDINGS, durations, endings
from .loads import loads
from .meter import meter
from .nights import pass_nights
from .permissions import permissions
from .quotas import quotas
from .registry import ALL_RULES
from .services.apigateway.execution.front_door import knock
from .services.apigateway.execution.tasks import tasks
from .strangers import SWAPS, swap
from .world import world

ROUTES = {}


def route(method, path):
    def enter(function):
        ROUTES[(method, path)] = function
        return function

    return enter


def answer(request):
    """(status, dictionary) for a request under /_local."""
    handler = ROUTES.get((request.method, request.path.rstrip("/")))
    if handler is None:
        return 404, {"error": "no such endpoint", "endpoints": sorted(f"{m} {p}" for m, p in ROUTES)}
    try:
        body = json.loads(request.get_data() or b"{}")
        return 200, handler(body, request.args)
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": str(error)}


@route("GET", "/_local/health")
def health(body, query):
    return {"ok": True, "speed": world.settings.speed, "strict": world.settings.strict}


@route("GET", "/_local/log")
def log(body, query):
    return {"entries": journal.since(int(query.get("since", 0)))}


@route("DELETE", "/_local/log")
def clear_log(body, query):
    journal.clear()
    return {}


@route("POST", "/_local/watch")
def watch(body, query):
    journal.watched = body["file"]
    return {"file": journal.watched}


@route("DELETE", "/_local/watch")
def watch_nothing(body, query):
    journal.watched = None
    return {}


@route("GET", "/_local/unsupported")
def unsupported(body, query):
    return journal.unsupported


@route("GET", "/_local/faults")
def list_faults(body, query):
    return {"faults": faults.report()}


@route("POST", "/_local/faults")
def add_fault(body, query):
    wishes = body if isinstance(body, list) else [body]
    return {"faults": [faults.add(wish).report() for wish in wishes]}


@route("DELETE", "/_local/faults")
def clear_faults(body, query):
    faults.clear()
    return {}


@route("GET", "/_local/answers")
def list_answers(body, query):
    return {"served": answers.report()}


@route("POST", "/_local/answers")
def serve_answers(body, query):
    answers.add(body if isinstance(body, list) else [body])
    return {"served": answers.report()}


@route("DELETE", "/_local/answers")
def serve_own_answers(body, query):
    answers.clear()
    return {}


@route("POST", "/_local/reset")
def reset(body, query):
    from moto.core.base_backend import BackendDict

    with world.lock:
        world.reset()
        BackendDict.reset()
        faults.clear()
        answers.clear()
    return {}


@route("POST", "/_local/forks")
def start_fork(body, query):
    from .server import forks

    return forks.start(int(body.get("port", 0)))


@route("DELETE", "/_local/forks")
def end_fork(body, query):
    from .server import forks

    forks.end(int(query["port"]))
    return {}


@route("POST", "/_local/settle")
def settle(body, query):
    with world.lock:
        world.clock.run_all()
    return {}


@route("GET", "/_local/tasks")
def requests_to_tasks(body, query):
    return {"requests": tasks.seen, "answer": tasks.wish}


@route("POST", "/_local/tasks")
def choose_answer_of_tasks(body, query):
    tasks.choose(body)
    return {"answer": tasks.wish}


@route("DELETE", "/_local/tasks")
def forget_tasks(body, query):
    tasks.forget()
    return {}


@route("POST", "/_local/strangers")
def put_strangers(body, query):
    wishes = body if isinstance(body, list) else [body]
    with world.lock:
        world.clock.run_due()
        for wish in wishes:
            swap(**wish)
    return {"known": sorted(SWAPS)}


@route("POST", "/_local/knocks")
def knock_at_balancer(body, query):
    return knock(body)


@route("POST", "/_local/nightly")
def work_at_night(body, query):
    with world.lock:
        world.clock.run_due()
        return {"busy": nightly.begin(**body), "known": {kind: entry[3] for kind, entry in nightly.KINDS.items()}}


@route("POST", "/_local/login")
def login(body, query):
    """What AWS itself tells nobody: whether a master user's password opens a database on its own, or whether anybody answers
    at the writer's endpoint of a cluster, or whether a token opens a cache."""
    with world.lock:
        world.clock.run_due()
        if "cache" in body:
            shelves = [shelf for (_, _, name), shelf in world.shelves.items() if name == "elasticache.groups"]
            groups = [shelf[body["cache"]] for shelf in shelves if body["cache"] in shelf]
            return {"opens": any(body["token"] in group["_tokens"] for group in groups)}
        shelves = [shelf for (_, _, name), shelf in world.shelves.items() if name == "rds.instances"]
        found = [instance for shelf in shelves for instance in shelf.values()]
        if "cluster" in body:
            return {"opens": any(i["_writer"] for i in found if i.get("DBClusterIdentifier") == body["cluster"])}
        wanted = (body["instance"], body["user"], body["password"])
        known = [(i["DBInstanceIdentifier"], i.get("MasterUsername"), i.get("_password")) for i in found]
    return {"opens": wanted in known}


@route("GET", "/_local/rows")
def read_rows(body, query):
    with world.lock:
        world.clock.run_due()
        return stores.read(query)


@route("POST", "/_local/rows")
def write_rows(body, query):
    """Rows of a database or a cache, by their keys; those that are null are deleted."""
    with world.lock:
        world.clock.run_due()
        return stores.write(body)


@route("GET", "/_local/settings")
def settings(body, query):
    return vars(world.settings) | {"durations": durations.report()}


@route("POST", "/_local/settings")
def change_settings(body, query):
    wishes = {name: value for name, value in body.items() if name != "durations"}
    with world.lock:
        durations.check(body.get("durations") or {})
        world.settings.choose(wishes)
        if "gaps" in wishes:
            world.forget("gaps.revoked")
        durations.choose(body.get("durations", {}))
    return settings({}, query)


@route("GET", "/_local/rules")
def rules(body, query):
    names = ("group", "name", "operations", "says", "source")
    return {"rules": [{name: getattr(rule, name) for name in names} for rule in ALL_RULES.values()]}


@route("GET", "/_local/endings")
def list_endings(body, query):
    return {"endings": endings.wishes, "known": ENDINGS}


@route("POST", "/_local/endings")
def add_ending(body, query):
    wishes = body if isinstance(body, list) else [body]
    return {"endings": [endings.add(wish) for wish in wishes]}


@route("DELETE", "/_local/endings")
def clear_endings(body, query):
    endings.clear()
    return {}


@route("GET", "/_local/quotas")
def list_quotas(body, query):
    return {"quotas": quotas.report()}


@route("POST", "/_local/quotas")
def choose_quotas(body, query):
    quotas.choose(body)
    return {"quotas": quotas.report()}


@route("DELETE", "/_local/quotas")
def fresh_quotas(body, query):
    quotas.clear()
    return {}


@route("POST", "/_local/loads")
def say_loads(body, query):
    wishes = body if isinstance(body, list) else [body]
    return {"loads": [loads.say(wish) for wish in wishes]}


@route("DELETE", "/_local/loads")
def forget_loads(body, query):
    loads.clear()
    return {}


@route("POST", "/_local/minutes")
def pass_minutes(body, query):
    """Lets minutes or days pass for CloudWatch, and for what databases hold, and answers which minute it is."""
    with world.lock:
        days, minutes = int(body.get("days", 0)), int(body.get("minutes", 0))
        meter.pass_days(days)
        meter.pass_minutes(minutes)
        rows.grow_older(days * 1440 + minutes)
    return {"minute": meter.minute}


@route("POST", "/_local/nights")
def let_nights_pass(body, query):
    """Lets nights pass for what is backed up, and for its backups."""
    with world.lock:
        world.clock.run_due()
        pass_nights(int(body.get("nights", 1)))
    return {}


@route("GET", "/_local/violations")
def list_violations(body, query):
    return {"violations": violations.found}


@route("DELETE", "/_local/violations")
def clear_violations(body, query):
    violations.found.clear()
    return {}


@route("GET", "/_local/iam")
def show_permissions(body, query):
    return permissions.report()


@route("POST", "/_local/iam")
def install_policy(body, query):
    permissions.install(body)
    return permissions.report()


@route("DELETE", "/_local/iam")
def allow_everything(body, query):
    permissions.clear()
    return {}
