"""What rules of several services ask: how a refusal is worded, and when something happens."""

from ..registry import AwsError
from .model import code_of

WINDOW_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def invalid(service, message, code=None):
    raise AwsError(code or code_of(service), message)


def minutes(clock):
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def window(text):
    """(start, end) of a daily or weekly window in minutes; None if it is not one."""
    try:
        start, end = text.lower().split("-")
        return moment(start), moment(end)
    except (ValueError, IndexError):
        return None


def moment(text):
    parts = text.split(":")
    if len(parts) == 3:
        return WINDOW_DAYS.index(parts[0]) * 1440 + minutes(":".join(parts[1:]))
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        return minutes(text)
    raise ValueError(text)


def windows_overlap(daily, weekly):
    """Whether a daily window meets a weekly one on any day."""
    one, other = window(daily), window(weekly)
    if one is None or other is None:
        return False
    length = (one[1] - one[0]) % 1440
    start, end = other[0], other[0] + (other[1] - other[0]) % 10080
    days = [day * 1440 + one[0] for day in range(-1, 15)]
    return any(begin < end and start < begin + length for begin in days)
