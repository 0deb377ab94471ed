"""For how long a server asks to be left alone, where it says a number."""

from __future__ import annotations

import re

_ASKED = re.compile(
    r"(?:back-?off(?: time)?|try(?: again)?(?: later)?|retry|wait)(?: in| after| for|:| at least)?"
    r" {0,2}(\d{1,9}(?:\.\d{1,3})?) ?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|hours?)\b",
    re.IGNORECASE,
)
_UNITS = {"mi": 60.0, "ms": 0.001, "se": 1.0, "s": 1.0, "ho": 3600.0}


def asked_pause(text: str) -> float | None:
    """Seconds, from words as of a server that throttles; None where there are none.

    `Request is throttled. Suggested Backoff Time: 299923 milliseconds`; `try again in 5 minutes`; `retry after 30 s`.
    """
    found = _ASKED.search(text)
    if not found:
        return None
    unit = found[2].lower()
    return float(found[1]) * (0.001 if unit.startswith("milli") else _UNITS[unit[:2]])
