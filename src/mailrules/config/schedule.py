"""A listener's schedule as an admin writes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailrules.config import moments
from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.model.schedule import Schedule


def read_schedule(node: Node, timezone: str, findings: Findings, now: datetime) -> Schedule:
    """The schedule under *node*, with all that is wrong told, but for its shape; *timezone* is the account's."""
    value = node.value if isinstance(node.value, dict) else {}
    before = findings.errors
    zone = _text(node, "timezone")
    timezone = moments.read_zone(zone, zone.value, findings) if zone else timezone
    schedule = Schedule(
        every=_pause(node, findings),
        cron=_cron(node, findings),
        timezone=timezone,
        since=_moment(node, "from", timezone, findings),
        until=_moment(node, "until", timezone, findings),
        max_runs=value.get("max_runs"),
        overlap=value.get("overlap", "skip"),
        misfire=value.get("misfire", "once"),
    )
    if "every" in value and "cron" in value:
        message = "a schedule has either 'every' or 'cron', and this one has both"
        findings.add(node["cron"].label, "bad-schedule", message, "keep one of them")
    elif findings.errors == before:
        _check_window(node, schedule, findings, now)
    return schedule


def _text(node: Node, key: str) -> Node | None:
    """What stands under *key*; None where there is no text, of which the shape tells."""
    return node[key] if key in node and isinstance(node[key].value, str) and node[key].value else None


def _pause(node: Node, findings: Findings) -> float:
    from mailrules.api import Duration

    written = _text(node, "every")
    if written is None:
        return Schedule().every if "every" not in node else 0.0
    try:
        pause = timedelta(seconds=Duration.parse(written.value).seconds)
    except (ValueError, OverflowError):
        pause = timedelta(0)
    if not pause:
        help_ = "write a number with a unit: 5s, 10m"
        findings.add(written.place, "bad-duration", f"{written.place.text} is no pause", help_)
    return pause.total_seconds()


def _cron(node: Node, findings: Findings) -> str:
    written = _text(node, "cron")
    if written is None:
        return ""
    if problem := moments.cron_problem(written.value):
        findings.add(written.place, "bad-cron", problem, 'an example: "*/5 8-18 * * mon-fri"')
    return str(written.value)


def _moment(node: Node, key: str, timezone: str, findings: Findings) -> datetime | None:
    written = _text(node, key)
    return moments.read_date(written, written.value, timezone, findings) if written else None


def _check_window(node: Node, schedule: Schedule, findings: Findings, now: datetime) -> None:
    """Whether there is a run at all between `from` and `until`."""
    since, until = schedule.since, schedule.until
    if until is None:
        return
    from mailrules.core.schedule import next_run

    if since and since >= until:
        message, help_ = "the schedule ends before it begins", "swap 'from' and 'until'"
        findings.add(node["until"].label, "bad-schedule", message, help_)
    elif until <= now:
        message = f"the schedule ended {until:%Y-%m-%d %H:%M}"
        findings.add(node["until"].label, "expired-schedule", message, "delete the listener, or give it more time")
    elif schedule.cron and next_run(schedule, (since or now) - timedelta(minutes=1)) is None:
        message = f"'{schedule.cron}' names no moment before 'until'"
        findings.add(node["until"].label, "bad-schedule", message, "the expression comes later, or never")
