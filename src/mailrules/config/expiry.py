"""A listener's expiries as an admin writes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from mailrules.api import Duration
from mailrules.config import moments
from mailrules.config.captured import Reached, tell_missing
from mailrules.config.document import Node
from mailrules.config.needs import Needs
from mailrules.config.script import load_function
from mailrules.config.transition import Transitions
from mailrules.model.rule import Step
from mailrules.model.schedule import Expiry

_MOMENTS = ("at", "date", "cron", "script")
_HELP = "write one of: {after: 14d}, {at: 2026-12-31T18:00}, {before: 2d, date: 2026-12-31}, {cron: ...}, {script: ...}"
_SCRIPT = "write def expires(start), giving a datetime with a time zone, or None"


def read_expiries(node: Node, timezone: str, transitions: Transitions, now: datetime) -> tuple[Expiry, ...]:
    """The expiries in a list; *timezone* is the account's. Those that are wrong are left out, with diagnostics.

    One that has ended the listener by *now* is told.
    """
    items = [item for item in node if isinstance(item.value, dict)] if isinstance(node.value, list) else []
    seen: Counter[str] = Counter()
    built = []
    for item in items:
        expiry = _expiry(item, timezone, transitions)
        if expiry is not None:
            number = seen[expiry.key]
            seen[expiry.key] += 1
            if expiry.terminate and expiry.at is not None and expiry.at + expiry.delay <= now:
                message = f"the listener expired {expiry.at + expiry.delay:%Y-%m-%d %H:%M}"
                help_ = "delete the listener, or give it more time"
                transitions.findings.add(item.place, "expired-schedule", message, help_)
            built.append(replace(expiry, key=f"{expiry.key}-{number}") if number else expiry)
    return tuple(built)


def _expiry(node: Node, timezone: str, transitions: Transitions) -> Expiry | None:
    findings, before = transitions.findings, transitions.findings.errors
    steps = _steps(node, transitions)
    said = {key: node[key] for key in (*_MOMENTS, "after", "before") if isinstance(node.value.get(key), str)}
    one_moment = sum(key in said for key in _MOMENTS) == 1 or list(said) == ["after"]
    delays = sum(key in said for key in ("after", "before"))
    if not one_moment or delays != (1 if "date" in said or list(said) == ["after"] else 0):
        findings.add(node.place, "bad-expiry", "an expiry names one moment at which it comes", _HELP)
        return None
    if "timezone" in node and isinstance(node["timezone"].value, str):
        timezone = moments.read_zone(node["timezone"], node["timezone"].value, findings)
    base = said.get("at") or said.get("date")
    expiry = Expiry(
        written=_written(said),
        key=_key({key: each.value for key, each in said.items()} | {"timezone": timezone}),
        at=moments.read_date(base, base.value, timezone, findings) if base else None,
        delay=_delay(said, transitions),
        cron=_cron(said, transitions),
        timezone=timezone,
        script=load_function(said["script"], transitions.root, findings, name="expires", help_=_SCRIPT)
        if "script" in said
        else None,
        steps=steps,
        terminate=node.value.get("terminate", True) is not False,
    )
    return expiry if findings.errors == before else None


def _steps(node: Node, transitions: Transitions) -> tuple[Step, ...]:
    steps, needs = tuple[Step, ...](), transitions.fresh()
    if isinstance(node.value.get("actions"), list):
        steps = transitions.steps(node["actions"], owner="'actions' of an expiry")
    if isinstance(node.value.get("flow"), str) and node.value["flow"]:
        steps += transitions.flow(node["flow"].value, node["flow"])
    tell_missing(needs, Reached("an expiry", frozenset(), Needs()), transitions.findings)
    return steps


def _key(moment: dict[str, Any]) -> str:
    return blake2b(msgspec.json.encode(moment, order="sorted"), digest_size=8).hexdigest()


def _written(said: dict[str, Node]) -> str:
    """`14d after the start`, `2d before 2026-12-31`, `at 2026-12-31`, `cron 0 18 * * fri`, `script end.py`."""
    delay = next((f"{said[key].value} {key} " for key in ("after", "before") if key in said), "")
    if delay:
        return delay + (said["date"].value if "date" in said else "the start")
    (key, node), *_ = said.items()
    return f"{key} {node.value}"


def _delay(said: dict[str, Node], transitions: Transitions) -> timedelta:
    for key, sign in (("after", 1), ("before", -1)):
        if key in said:
            try:
                return sign * Duration.parse(said[key].value).delta
            except (ValueError, OverflowError):
                place = said[key].place
                help_ = "write a number with a unit: 90m, 14d"
                transitions.findings.add(place, "bad-duration", f"{place.text} is no length of time", help_)
    return timedelta(0)


def _cron(said: dict[str, Node], transitions: Transitions) -> str:
    if "cron" not in said:
        return ""
    expression = str(said["cron"].value)
    if problem := moments.cron_problem(expression):
        transitions.findings.add(said["cron"].place, "bad-cron", problem, 'an example: "0 18 * * fri"')
    return expression
