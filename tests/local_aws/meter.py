"""What CloudWatch has measured, minute by minute, and what its alarms make of it.

No minute passes by itself: `POST /_local/minutes` lets some pass, each of which measures everything there is as it then
is, and looks at every alarm. CloudTrail tells a log group of a call five minutes later, under the time of the call.

Sources: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data"; CloudTrail
user guide, "How CloudTrail works": an event is delivered within about five minutes of a call.
"""

import datetime
import json
import time
from collections import defaultdict

from .journal import journal
from .log_patterns import matches
from .measures import DAY, MEASURES
from .registry import backend_of
from .world import world

TRAIL_MINUTES = 5
LATEST_DAYS = 8
# What of its samples an alarm can still ask for.
KEPT_MINUTES = 8 * DAY
BEYOND = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
STATISTICS = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}
MISSING = {"breaching": True, "notBreaching": False}


# What else time that passes brings about: called with the minute that it is then.
PASSING = []


def passing(function):
    PASSING.append(function)
    return function


class View:
    """One region of one account, looked at as by a call."""

    def __init__(self, account, region, began):
        self.account, self.region, self.began = account, region, began

    def shelf(self, name):
        return world.shelf(self.account, self.region, name)

    def backend(self, service):
        return backend_of(service, self.account, self.region)

    def at(self, minute):
        seconds = self.began + minute * 60
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)


class Meter:
    def __init__(self):
        self.clear()

    def clear(self):
        self.minute, self.began, self.seen = 0, time.time(), 0
        self.samples = defaultdict(lambda: defaultdict(list))
        self.on_their_way = []

    def pass_minutes(self, count):
        for _ in range(count):
            self.measure(1)

    def pass_days(self, count):
        """What is measured once a day is; of many days only the last ones, as no alarm looks back further."""
        self.minute += max(0, count - LATEST_DAYS) * DAY
        for _ in range(min(count, LATEST_DAYS)):
            self.measure(DAY - self.minute % DAY)

    def measure(self, minutes):
        self.minute += minutes
        world.clock.run_due()
        requests = [entry for entry in journal.entries if entry["seq"] > self.seen]
        self.seen = max((entry["seq"] for entry in requests), default=self.seen)
        for view in views(self.began):
            here = [entry for entry in requests if (entry.get("account"), entry.get("region")) == (view.account, view.region)]
            self.trail(view, here)
            for measure in MEASURES:
                for namespace, metric, dimensions, values in measure(view, self.minute, here):
                    self.record(view, namespace, metric, dimensions, self.minute, values)
            self.tell(view)
        for view in views(self.began):
            self.judge(view)
        for brought in PASSING:
            brought(self.minute)

    def record(self, view, namespace, metric, dimensions, minute, values):
        if values:
            series = self.samples[(view.account, view.region, namespace, metric, frozenset(dimensions.items()))]
            series[minute].extend(values)
            for old in [known for known in series if known < self.minute - KEPT_MINUTES]:
                del series[old]

    def trail(self, view, requests):
        """Every call that changes something is on its way to the log groups of the trails that record."""
        for entry in requests:
            if entry["write"] and entry["error_code"] is None:
                event = {"eventSource": f"{entry['service']}.amazonaws.com", "eventName": entry["operation"]}
                self.on_their_way.append((self.minute + TRAIL_MINUTES, self.minute, view, event))

    def tell(self, view):
        due = [one for one in self.on_their_way if one[0] <= self.minute and one[2].region == view.region]
        self.on_their_way = [one for one in self.on_their_way if one not in due]
        groups = {
            trail.cw_log_group_arn.split(":log-group:")[1].removesuffix(":*")
            for trail in view.backend("cloudtrail").trails.values()
            if trail.cw_log_group_arn and trail.status.is_logging
        }
        for _, minute, _, event in due:
            for group in groups:
                self.log(view, group, minute, event)

    def log(self, view, group, minute, event):
        """A line in a log group: what its filters count of it has the time of the event."""
        for entry in view.backend("logs").filters.metric_filters:
            if entry["logGroupName"] == group and matches(entry["filterPattern"], event):
                for made in entry["metricTransformations"]:
                    value = [float(made["metricValue"])]
                    self.record(view, made["metricNamespace"], made["metricName"], {}, minute, value)

    def judge(self, view):
        for alarm in view.backend("cloudwatch").alarms.values():
            if not alarm.rule and alarm.metric_name:
                state = self.state_of(view, alarm)
                if state != alarm.state_value:
                    alarm.update_state(json.dumps({"minute": self.minute}), "{}", state)

    def state_of(self, view, alarm):
        wanted = alarm.datapoints_to_alarm or alarm.evaluation_periods
        beyond = [self.is_beyond(view, alarm, back) for back in range(int(alarm.evaluation_periods))]
        known = [MISSING.get(alarm.treat_missing_data) if one is None else one for one in beyond]
        if known.count(True) >= int(wanted):
            return "ALARM"
        if all(one is None for one in known):
            return alarm.state_value if alarm.treat_missing_data == "ignore" else "INSUFFICIENT_DATA"
        return "OK"

    def is_beyond(self, view, alarm, back):
        """Whether the value of that many periods ago is beyond the threshold; None where there is none."""
        length = max(1, int(alarm.period) // 60)
        last = self.minute - back * length
        dimensions = frozenset((one.name, one.value) for one in alarm.dimensions)
        series = self.samples.get((view.account, view.region, alarm.namespace, alarm.metric_name, dimensions), {})
        values = [value for minute, all_of in series.items() if last - length < minute <= last for value in all_of]
        if not values:
            return None
        return BEYOND[alarm.comparison_operator](statistic(alarm, values), float(alarm.threshold))


def statistic(alarm, values):
    if alarm.extended_statistic:
        share = float(alarm.extended_statistic.removeprefix("p")) / 100
        return sorted(values)[min(len(values) - 1, int(share * len(values)))]
    return STATISTICS[alarm.statistic](values)


def views(began):
    from moto.backends import get_backend

    backends = get_backend("cloudwatch")
    return [View(account, region, began) for account in list(backends) for region in list(backends[account])]


meter = Meter()
world.on_reset.append(meter.clear)
