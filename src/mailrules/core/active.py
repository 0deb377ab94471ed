"""When a rule is in force."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailrules.model.rule import Active


def is_active(active: Active, now: datetime) -> bool:
    """Whether *now* (aware) lies from `since` (inclusive) to `until` (exclusive) and in a minute of the cron window."""
    if active.since is not None and now < active.since:
        return False
    if active.until is not None and now >= active.until:
        return False
    return not active.cron or _in_window(active.cron, active.timezone, now.replace(second=0, microsecond=0))


def inactive_reason(active: Active, now: datetime) -> str:
    """Why a rule is not in force, for the trace; empty when it is."""
    if active.since is not None and now < active.since:
        return f"not active until {active.since:%Y-%m-%d %H:%M}"
    if active.until is not None and now >= active.until:
        return f"not active since {active.until:%Y-%m-%d %H:%M}"
    return "" if is_active(active, now) else f"not active outside of {active.cron} ({active.timezone})"


@lru_cache(maxsize=1024)
def _in_window(cron: str, timezone: str, minute: datetime) -> bool:
    """Remembered by expression and minute: a pass over a mailbox asks the same for every message."""
    from croniter import croniter

    return bool(croniter.match(cron, minute.astimezone(ZoneInfo(timezone))))
