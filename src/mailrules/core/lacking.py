"""What must be loaded for a condition that is unknown to become known."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.core import match
from mailrules.core.further import LOADED, is_text
from mailrules.core.view import View
from mailrules.model.condition import All, AnyOf, Condition, NoneOf, Test, Verdict
from mailrules.model.message import Extent

_OPPOSITE = {Verdict.YES: Verdict.NO, Verdict.NO: Verdict.YES}


def lacking(condition: Condition, view: View, wanted: Verdict = Verdict.YES) -> Extent | None:
    """What must be loaded for *condition* to become *wanted*; None when nothing can make it so.

    `Extent.HEADER`, which is there, when it is so already. A condition that waits for something that no octets tell
    (the results of a server that nobody trusts, say) can still become the opposite; that is not worth a fetch, as it
    would not make its rule speak.
    """
    verdict = match.verdict(condition, view)
    if verdict is not Verdict.UNKNOWN:
        return Extent.HEADER if verdict is wanted else None
    if isinstance(condition, Test):
        return match.values(condition, view).more
    if isinstance(condition, NoneOf):
        return lacking(AnyOf(condition.conditions), view, _OPPOSITE[wanted])
    each = [lacking(one, view, wanted) for one in condition.conditions]
    return _most(each) if isinstance(condition, All) is (wanted is Verdict.YES) else _least(each)


def _most(each: Iterable[Extent | None]) -> Extent | None:
    """All of it must come to be."""
    found = list(each)
    return None if None in found else LOADED[max(LOADED.index(one) for one in found if one)]


def _least(each: Iterable[Extent | None]) -> Extent | None:
    """One is enough: what is cheap to load tells most often."""
    found = [LOADED.index(one) for one in each if one is not None]
    cheap = [at for at in found if LOADED[at] is not Extent.WHOLE]
    return LOADED[max(cheap or found)] if found else None


def asks_text(condition: Condition) -> bool:
    """Whether *condition* looks at the text of messages."""
    if isinstance(condition, Test):
        return is_text(condition.field)
    return any(asks_text(each) for each in condition.conditions)
