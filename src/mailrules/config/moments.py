"""Dates, time zones, days and hours as an admin writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.config.nearest import nearest

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")
_AT_RANDOM = re.compile(r"(?<![a-z])r(?![a-z])", re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {form: number for number, day in enumerate(_DAYS) for form in (day, day[:3])}


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo | None:
    """The time zone of an IANA name; None when there is none."""
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def read_zone(node: Node, name: str, findings: Findings) -> str:
    """*name* if there is such a time zone, else UTC and a diagnostic."""
    if zone(name) is not None:
        return name
    from zoneinfo import available_timezones

    cities = {known.rpartition("/")[2]: known for known in available_timezones()}
    close = nearest(cities.get(name, name), available_timezones())
    if name.isupper() and "/" not in name and len(name) < 6:
        close = ""  # an abbreviation that no zone is called by: CEST is not nearly EST
    help_ = f"did you mean '{close}'?" if close else "write an IANA name such as Europe/Berlin"
    findings.add(node.place, "bad-timezone", f"there is no time zone '{name}'", help_)
    return "UTC"


def read_date(node: Node, text: object, timezone: str, findings: Findings) -> datetime | None:
    """The moment that *text* names, aware: a date alone is its first moment, without an offset in *timezone*."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    except ValueError as error:
        findings.add(node.place, "bad-date", f"'{text}' is no date: {error}", "write 2026-12-31, or 2026-12-31T18:00")
        return None
    if moment is None:
        findings.add(node.place, "bad-date", f"{node.place.text} is no date", "write 2026-12-31, or 2026-12-31T18:00")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone(timezone))


def weekdays(text: object) -> tuple[int, ...] | None:
    """The days that a name or a range names, Monday is 0: `sat`, `Sunday`, `mon-fri`, `fri-mon`."""
    first, dash, last = str(text).strip().lower().partition("-")
    if first.strip() not in _WEEKDAYS or (dash and last.strip() not in _WEEKDAYS):
        return None
    begin = _WEEKDAYS[first.strip()]
    length = (_WEEKDAYS[last.strip()] - begin) % 7 if dash else 0
    return tuple((begin + step) % 7 for step in range(length + 1))


def window(text: object) -> tuple[int, int] | None:
    """First minute of the day and last, exclusive, of `18:00-08:00`; None when it is no such thing."""
    found = _WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        return None
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if int(found[2]) > 59 or int(found[4]) > 59 or begin >= 1440 or end > 1440 or begin == end:
        return None
    return begin, end


_CRON = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))


def _beyond(expression: str) -> str:
    """The first number that its field does not have; steps, after a slash, may be any."""
    for (name, least, most), field in zip(_CRON, expression.split(), strict=True):
        for number in re.findall(r"(?<![\d/a-zA-Z#])\d+", re.sub(r"[/#]\d+", "", field)):
            if not least <= int(number) <= most:
                return f"there is no {name} {number}: it is {least}-{most}"
    return ""


@lru_cache(maxsize=1024)
def cron_problem(expression: str) -> str:
    """What is wrong with a cron expression of five fields, as a sentence; empty when nothing is."""
    from croniter import CroniterError, croniter

    if len(expression.split()) != 5:
        return "a cron expression has five fields: minute hour day month weekday"
    if beyond := _beyond(expression):
        return beyond
    if _AT_RANDOM.search(expression):
        return f"'{expression}' names moments at random, others each time it is read"
    try:
        croniter(expression, datetime(2024, 1, 1, tzinfo=UTC)).get_next(datetime)
    except CroniterError as error:
        if croniter.is_valid(expression):
            return f"'{expression}' names a date that never comes"
        return str(error)
    except (ValueError, KeyError, AttributeError, OverflowError) as error:
        return f"'{expression}' cannot be read: {error}"
    return ""
