"""Everything the local AWS knows beside moto's backends: shelves of objects, a clock, and settings.

One lock guards the whole world. moto is not written for concurrent writers, and one call at a time is what makes
"the n-th call" of a fault and "exactly one object" of a test mean something.
"""

import heapq
import itertools
import random
import threading
import time
from dataclasses import dataclass, field

SPEEDS = {"instant": None, "fast": 200.0, "real": 1.0}


SWITCHES = ("strict", "quotas", "limits", "gaps", "guardduty", "trailing_json", "stage_in_private_path")
# What may hold for an account, and what does where nobody says so.
ACCOUNT = {
    # Public access to VPCs that the account blocks: "off", "block-ingress" or "block-bidirectional".
    "block_public_access": "off",
    # Zones without a class of database, by class, and without an endpoint service, by the last part of its name.
    "zones_without_class": {},
    "zones_without_endpoint": {},
    # Who runs GuardDuty, where the account is a member of an organisation's.
    "guardduty_administrator": "",
    # Features of GuardDuty that the region does not have, and whether CreateDetector refuses to be asked for them.
    "guardduty_lacks": [],
    "guardduty_refuses": False,
    # The policy by which a service control policy demands every new role to be bounded.
    "required_boundary": "",
    # Whether a restored database still shows the secret of its source, which is not kept in step with it any more.
    "old_secret_after_restore": False,
    # Whether a restored database needs a reboot before its parameters are in force.
    "reboot_after_restore": False,
    # Whether no VPC link has had a request for 60 days.
    "idle_vpc_links": False,
}


def check_account(wishes):
    if type(wishes) is not dict or set(wishes) - set(ACCOUNT):
        raise ValueError(f"account is an object of {', '.join(ACCOUNT)}")
    for name, value in wishes.items():
        if type(value) is not type(ACCOUNT[name]):
            raise ValueError(f"account.{name} is like {ACCOUNT[name]!r}")


@dataclass
class Settings:
    speed: str = "instant"
    strict: bool = True
    quotas: bool = True
    lag: int = 0
    limits: bool = False
    # Seconds by which the clock of AWS is ahead of the one of this machine.
    ahead: int = 0
    # Whether it is noted where something that serves is, even for a moment, without both its old way and its new one.
    gaps: bool = False
    # Whether API Gateway's parser minds nothing that follows a JSON document in a body; AWS does not say.
    trailing_json: bool = True
    # Whether a private integration's path begins with the stage; AWS's guide and its samples differ.
    stage_in_private_path: bool = False
    # Whether GuardDuty watches over what runs in the account, and puts its agents' endpoint into every network of tasks.
    guardduty: bool = False
    # Regions that the account has not enabled.
    disabled_regions: tuple = ()
    # What else is special about the account: see ACCOUNT.
    account: dict = field(default_factory=dict)

    def choose(self, wishes):
        """Takes all of the wishes or, with what is wrong said, none."""
        unknown = set(wishes) - set(vars(self))
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}; there are {', '.join(vars(self))}")
        for name, value in wishes.items():
            if name == "speed" and value not in SPEEDS:
                raise ValueError(f"speed is one of {', '.join(SPEEDS)}")
            if name == "lag" and (type(value) is not int or value < 0):
                raise ValueError("lag is a number of calls, 0 or more")
            if name == "ahead" and type(value) is not int:
                raise ValueError("ahead is a number of seconds")
            if name == "disabled_regions" and not (type(value) in (list, tuple) and all(type(one) is str for one in value)):
                raise ValueError("disabled_regions is a list of names")
            if name == "account":
                check_account(value)
            if name in SWITCHES and type(value) is not bool:
                raise ValueError(f"{name} is true or false")
        vars(self).update(wishes)


class Clock:
    """Runs what is due later, at the next call that could observe it. Nothing happens behind a caller's back."""

    def __init__(self, settings):
        self.settings = settings
        self.clear()

    def clear(self):
        self.done = 0
        self._due = []
        self._ahead = 0.0
        self._order = itertools.count()

    def now(self):
        return time.monotonic() + self._ahead

    def seconds_since(self, moment):
        """How long ago that was on AWS. Where everything happens at once, everything is long ago."""
        factor = SPEEDS[self.settings.speed]
        return float("inf") if factor is None else (self.now() - moment) * factor

    def later(self, real_seconds, action):
        """Does `action` after that long on AWS, scaled to the chosen speed."""
        factor = SPEEDS[self.settings.speed]
        if factor is None or real_seconds <= 0:
            action()
            return
        heapq.heappush(self._due, (self.now() + real_seconds / factor, next(self._order), action))

    def later_if_timed(self, real_seconds, action):
        """Like `later`, but never at once: for what only the passing of time brings about."""
        if SPEEDS[self.settings.speed] is not None:
            self.later(real_seconds, action)

    def run_due(self):
        while self._due and self._due[0][0] <= self.now():
            self.done += 1
            heapq.heappop(self._due)[2]()

    def run_all(self):
        """Puts the clock forward past everything under way, and what that brings about in turn."""
        while self._due:
            due, _, action = heapq.heappop(self._due)
            self._ahead += max(0.0, due - self.now())
            self.done += 1
            action()

    def pending(self):
        return len(self._due)


@dataclass
class World:
    settings: Settings = field(default_factory=Settings)
    lock: threading.RLock = field(default_factory=threading.RLock)
    shelves: dict = field(default_factory=dict)

    def __post_init__(self):
        self.clock = Clock(self.settings)
        self.on_reset = []
        self.requests = 0

    def shelf(self, account, region, name):
        return self.shelves.setdefault((account, region, name), {})

    def forget(self, name):
        """Empties the shelves of this name, whoever they belong to."""
        for (_, _, known), shelf in self.shelves.items():
            if known == name:
                shelf.clear()

    @property
    def age(self):
        """What was read at the same age is still so: since then no request came that may change anything, nor has time
        brought anything about."""
        return self.requests, self.clock.done

    def account(self, name):
        """What holds for the account."""
        return self.settings.account.get(name, ACCOUNT[name])

    def time(self):
        """The time AWS's clock shows, in seconds since 1970."""
        return time.time() + self.settings.ahead

    def reset(self):
        self.shelves.clear()
        self.clock.clear()
        for action in self.on_reset:
            action()


world = World()


def new_id(length=17, alphabet="0123456789abcdef"):
    return "".join(random.choices(alphabet, k=length))


def new_name(length=10):
    return new_id(length, "abcdefghijklmnopqrstuvwxyz0123456789")
