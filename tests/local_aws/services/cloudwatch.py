"""CloudWatch: alarms that know nothing yet, and composite alarms."""

from ..common import picked
from ..moto_app import ask
from ..registry import after, now, operation

COMPOSITE = (
    "AlarmName",
    "AlarmDescription",
    "AlarmRule",
    "ActionsEnabled",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)


def composites(call):
    return call.shelf("cloudwatch.composite-alarms")


@after("cloudwatch", "PutMetricAlarm")
def nothing_known_yet(call, answer):
    alarm = call.backend("cloudwatch").alarms[call.params["AlarmName"]]
    alarm.state_value = "INSUFFICIENT_DATA"


@operation("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call):
    name = call.params["AlarmName"]
    known = composites(call).get(name, {"StateValue": "INSUFFICIENT_DATA", "_tags": call.get("Tags", [])})
    composites(call)[name] = (
        known
        | picked(call.params, *COMPOSITE)
        | {
            "AlarmArn": call.arn("cloudwatch", f"alarm:{name}"),
            "AlarmConfigurationUpdatedTimestamp": now(),
            "ActionsEnabled": call.get("ActionsEnabled", True),
        }
    )
    return {}


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call):
    found = ask(call)
    names, prefix = call.get("AlarmNames"), call.get("AlarmNamePrefix", "")
    shown = [a for name, a in composites(call).items() if name.startswith(prefix) and (not names or name in names)]
    if "CompositeAlarm" in call.get("AlarmTypes", ["CompositeAlarm"]):
        found["CompositeAlarms"] = [{k: v for k, v in alarm.items() if not k.startswith("_")} for alarm in shown]
    return found


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(call):
    simple = [name for name in call.params["AlarmNames"] if composites(call).pop(name, None) is None]
    return ask(call, params={"AlarmNames": simple}) if simple else {}
