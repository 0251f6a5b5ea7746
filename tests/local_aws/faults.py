"""Faults a test asks for: the n-th matching call fails, is lost, hangs, or is answered in part."""

import itertools
import threading
import time

from .registry import AwsError

ACTIONS = ("error", "reset", "hang", "status", "truncate")
LONGEST_HANG = 3600


class Fault:
    _ids = itertools.count(1)

    def __init__(self, wish):
        self.id = next(self._ids)
        self.match = wish.get("match", {})
        self.nth = int(wish.get("nth", 1))
        self.times = int(wish.get("times", 1))
        self.when = wish.get("when", "before")
        self.action = wish.get("action", "error")
        self.code = wish.get("code", "InternalFailure")
        self.status = wish.get("status")
        self.message = wish.get("message", "fault asked for by a test")
        self.seconds = float(wish.get("seconds", LONGEST_HANG))
        self.seen = 0
        self.hit = 0
        self.lifted = threading.Event()
        self.check(wish)

    def check(self, wish):
        known = {"match", "nth", "times", "when", "action", "code", "status", "message", "seconds"}
        if set(wish) - known:
            raise ValueError(f"unknown fields {sorted(set(wish) - known)}; known are {sorted(known)}")
        if set(self.match) - {"service", "operation", "write"}:
            raise ValueError("match takes service, operation and write")
        if self.action not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}")
        if self.when not in ("before", "after"):
            raise ValueError("when is before or after")

    def takes(self, entry):
        if any(entry.get(key) != value for key, value in self.match.items()):
            return False
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.times:
            return False
        self.hit += 1
        return True

    def error(self):
        return AwsError(self.code, self.message, self.status)

    def report(self):
        names = ("id", "match", "nth", "times", "when", "action", "code", "status", "message", "seen", "hit")
        return {name: getattr(self, name) for name in names}


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
