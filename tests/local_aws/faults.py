"""Faults a test asks for: the n-th matching call, or some by chance, fails, is lost, hangs, or is answered in part."""

import itertools
import math
import random
import threading
import time

from .registry import AwsError

ACTIONS = ("error", "throttle", "reset", "hang", "delay", "silence", "status", "truncate")
LONGEST_HANG = 3600


class Fault:
    _ids = itertools.count(1)

    def __init__(self, wish):
        self.id = next(self._ids)
        self.match = wish.get("match", {})
        self.nth = int(wish.get("nth", 1))
        self.probability = wish.get("probability")
        self.times = int(wish["times"]) if "times" in wish else 1 if self.probability is None else math.inf
        self.seed = int(wish.get("seed", 0))
        self.when = wish.get("when", "before")
        self.action = wish.get("action", "error")
        self.code = wish.get("code", "InternalFailure")
        self.status = wish.get("status")
        self.message = wish.get("message", "fault asked for by a test")
        self.seconds = float(wish.get("seconds", LONGEST_HANG))
        # Two faults with one seed must not strike the same calls: the second would never be met.
        self.chance = random.Random(f"{self.seed} {self.action} {self.when}")
        self.seen = 0
        self.hit = 0
        self.lifted = threading.Event()
        self.check(wish)

    def check(self, wish):
        known = {"match", "nth", "times", "probability", "seed", "when", "action", "code", "status", "message"}
        known.add("seconds")
        if set(wish) - known:
            raise ValueError(f"unknown fields {sorted(set(wish) - known)}; known are {sorted(known)}")
        if set(self.match) - {"service", "operation", "write", "params"}:
            raise ValueError("match takes service, operation, write and params, which are some of the call's")
        if self.action not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}")
        if self.when not in ("before", "after"):
            raise ValueError("when is before or after")
        if self.probability is not None and not (0 < self.probability <= 1 and "nth" not in wish):
            raise ValueError("probability is above 0 and at most 1, and takes the place of nth")

    def takes(self, entry):
        if self.action == "silence" and self.hit:
            self.hit += 1
            return True
        params = entry.get("params") or {}
        given = entry | {"params": {name: params.get(name) for name in self.match.get("params", {})}}
        if any(given.get(key) != value for key, value in self.match.items()):
            return False
        self.seen += 1
        if not self.is_due():
            return False
        self.hit += 1
        return True

    def is_due(self):
        if self.probability is None:
            return self.nth <= self.seen < self.nth + self.times
        return self.hit < self.times and self.chance.random() < self.probability

    def error(self, service):
        if self.action == "throttle":
            from .rules.limits import refusal

            return refusal(service)
        return AwsError(self.code, self.message, self.status)

    def report(self):
        names = ("id", "match", "nth", "probability", "seed", "when", "action", "code", "status", "message")
        told = {name: getattr(self, name) for name in (*names, "seen", "hit")}
        return told | {"times": self.times if self.times < math.inf else None}


class Faults:
    def __init__(self):
        self._faults = []
        self._lock = threading.Lock()

    def add(self, wish):
        fault = Fault(wish)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self):
        with self._lock:
            for fault in self._faults:
                fault.lifted.set()
            self._faults.clear()

    def report(self):
        return [fault.report() for fault in self._faults]

    def taking(self, entry):
        """The fault this call falls to. Each one counts the call, whichever of them strikes."""
        with self._lock:
            struck = [fault for fault in self._faults if fault.takes(entry)]
        return struck[0] if struck else None

    def hang(self, fault, client_left):
        end = time.monotonic() + fault.seconds
        while time.monotonic() < end and not fault.lifted.wait(0.05):
            if client_left():
                return


faults = Faults()
