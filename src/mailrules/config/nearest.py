"""Help for a name that is not there: the nearest ones, or what there is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

MANY = 30
"""More names than these are not listed."""


def nearest(name: object, names: Iterable[str]) -> str:
    """The one name that was most likely meant; empty without a likely one."""
    return _nearest(str(name).casefold(), tuple(names))


@lru_cache(maxsize=1024)
def _nearest(name: str, names: tuple[str, ...]) -> str:
    """The same mistake is often made all over a file."""
    from difflib import get_close_matches

    by_folded = {known.casefold(): known for known in names}
    close = get_close_matches(name, by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def suggestion(name: object, names: Iterable[str], *, what: str) -> str:
    """A sentence of help: `did you mean 'subject'?`, or which there are: `fields: cc, from, to`."""
    known = sorted(set(names))
    meant = nearest(name, known)
    if meant:
        return f"did you mean '{meant}'?"
    if not known:
        return f"there are no {what}"
    return f"{what}: {', '.join(known[:MANY])}" + (", ..." if len(known) > MANY else "")
