"""When expiries come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from mailrules.core.schedule import next_run
from mailrules.model.schedule import Expiry, Schedule


class ExpiryError(ValueError):
    """A script that cannot say when its expiry comes."""


def expires_at(expiry: Expiry, start: datetime | None) -> datetime | None:
    """When it comes, as UTC; None when it never does, or as long as there is no *start* to count from.

    Raises:
        ExpiryError: the script failed, or gave something else than a moment with a time zone, or None.
    """
    if expiry.at is not None:
        return expiry.at.astimezone(UTC) + expiry.delay
    if start is None:
        return None
    if expiry.script is not None:
        return _computed(expiry, start)
    if expiry.cron:
        return next_run(Schedule(cron=expiry.cron, timezone=expiry.timezone), start)
    return start.astimezone(UTC) + expiry.delay


def in_order(expiries: Iterable[Expiry], start: datetime | None) -> list[tuple[datetime, Expiry]]:
    """Those that come, in time order; what lies behind one that ends the listener does not come any more.

    Raises:
        ExpiryError: see `expires_at`.
    """
    timed = [(at, expiry) for expiry in expiries if (at := expires_at(expiry, start)) is not None]
    timed.sort(key=lambda one: one[0])
    last = next((place for place, (_, expiry) in enumerate(timed) if expiry.terminate), len(timed))
    return timed[: last + 1]


def _computed(expiry: Expiry, start: datetime) -> datetime | None:
    assert expiry.script is not None
    try:
        moment = expiry.script(start)
    except Exception as error:
        raise ExpiryError(f"expires: {expiry.written}: {type(error).__name__}: {error}") from error
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ExpiryError(f"expires: {expiry.written} gave {moment!r}; give a datetime with a time zone, or None")
    return moment.astimezone(UTC)
