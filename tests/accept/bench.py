"""All that one run of the scenario needs, put together."""

import json
import time

from .desk import Desk
from .forwarder import Forwarder
from .masks import Masks
from .recorder import Recorder
from .scenario import PAUSE, Scenario, words
from .upstream import Upstream


class Bench:
    """A desk, and a forwarder between it and AWS; what passes ends in `folder`."""

    def __init__(self, folder, subject, tapctl, session, endpoint=None, pause=PAUSE, say=None):
        self.folder, self.subject, self.session = folder, subject, session
        self.masks = Masks()
        self.masks.hide_credentials(session.get_credentials().get_frozen_credentials())
        self.recorder = Recorder(folder, self.masks)
        self.forwarder = Forwarder(Upstream(session, endpoint), self.recorder)
        self.masks.hide(self.forwarder.access_key)
        self.desk = Desk(folder / "desk", tapctl, subject.stack, subject.env, subject.region, self.masks)
        self.desk.at(self.forwarder)
        self._began = time.monotonic()
        self.scenario = Scenario(subject, self.desk, self.forwarder, self.recorder, say or self.say, pause)

    def __enter__(self):
        self.forwarder.__enter__()
        return self

    def __exit__(self, *error):
        self.desk.end()
        self.forwarder.__exit__(*error)

    def say(self, text):
        print(f"[{words(time.monotonic() - self._began):>7}] {self.masks.text(text)}", flush=True)


def keep_nodes(bench):
    with open(bench.folder / "nodes.jsonl", "w") as file:
        file.writelines(json.dumps(node) + "\n" for node in bench.scenario.nodes)


def keep_results(bench):
    with open(bench.folder / "steps.jsonl", "w") as file:
        for result in bench.scenario.results:
            file.write(json.dumps(result | {"note": bench.masks.text(result["note"])}) + "\n")
