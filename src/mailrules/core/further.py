"""How much of a message must be loaded for a field to be known."""

from __future__ import annotations

from mailrules.model.message import Extent

LOADED = (Extent.HEADER, Extent.STRUCTURE, Extent.TEXT, Extent.WHOLE)
"""Each holds all that those before it hold."""

_TOLD_BY: dict[str, Extent | None] = {
    "body": Extent.TEXT,
    "reply_text": Extent.TEXT,
    "quoted_text": Extent.TEXT,
    "original_sender": Extent.TEXT,
    "claimed_sender": Extent.TEXT,
    "attachment": Extent.STRUCTURE,
    "kind": Extent.STRUCTURE,
    "auth": None,
    "date": None,
    "received": None,
}
"""What tells, most often; None where the header block and the server have told all that there is to know."""


def further(field: str, extent: Extent) -> Extent | None:
    """What must be loaded, beyond *extent*, for a *field* that is uncertain; None when nothing would tell."""
    wanted = _TOLD_BY.get(field, Extent.WHOLE)
    if wanted is None or not extent.partial:
        return None
    return wanted if LOADED.index(extent) < LOADED.index(wanted) else Extent.WHOLE


def is_text(field: str) -> bool:
    """Whether the text of messages tells a *field*."""
    return _TOLD_BY.get(field) is Extent.TEXT
