"""Calls the API of an environment again and again until its standard input ends, and says what became of the calls.

    scripts/local-aws python tests/callers.py --endpoint URL student-records --env dev <&- ; {"calls": …, "failed": […]}

Nothing an apply does may let a call fail: what is answered 4xx or 5xx is told with the moment it came at.
"""

import argparse
import json
import sys
import threading
import time

from requirements.calls import Door
from requirements.campus import Campus
from requirements.live import Live, one

# So often that nobody is told to wait: a plan lets 100 calls a second through.
PAUSE = 0.05


def doors(endpoint, region, stack, env):
    """The calls to make in turn, each a function that answers."""
    if stack == "student-records":
        live = Live(endpoint, region, env)
        kinds = {method["authorizationType"] for method in live.methods.values()}
        campus = Campus(live, "COGNITO_USER_POOLS" in kinds)
        return [
            lambda: campus.call("GET", "/students/4711"),
            lambda: campus.call("POST", "/students/4711/events", '{"grade": "A"}'),
            lambda: campus.call("GET", "/health", key=False),
        ]
    gateway = Live(endpoint, region, env).apigateway
    wanted = {"tapctl:stack": stack, "tapctl:env": env}
    apis = [a for a in gateway.get_rest_apis(limit=500)["items"] if wanted.items() <= a.get("tags", {}).items()]
    api = one(apis)["id"]
    door = Door(endpoint, region, api, one(gateway.get_stages(restApiId=api)["item"])["stageName"])
    return [lambda: door.call("POST", "/ingest", '{"partitionKey": "caller"}')]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", help="where AWS is; without it, the real one")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--env", default="dev")
    parser.add_argument("stack", help="student-records or data-pipeline")
    wanted = parser.parse_args()
    calls = doors(wanted.endpoint, wanted.region, wanted.stack, wanted.env)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    made, failed = 0, []
    # Every way is tried at least once, however early the end comes.
    while made < len(calls) or not over.is_set():
        answer = calls[made % len(calls)]()
        made += 1
        if answer.status >= 400:
            said = answer.body.decode("utf-8", "replace")[:200]
            failed.append({"time": time.time(), "call": (made - 1) % len(calls), "status": answer.status, "body": said})
        if made == len(calls):
            print("calling", file=sys.stderr, flush=True)
        time.sleep(PAUSE)
    print(json.dumps({"calls": made, "failed": failed}))


if __name__ == "__main__":
    main()
