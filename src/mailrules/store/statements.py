"""What the journal asks again and again, said once: making a statement takes longer than its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from mailrules.model.entry import UNFINISHED, State
from mailrules.model.mailbox import Ref
from mailrules.store.rows import ENTRY_COLUMNS, chunks
from mailrules.store.schema import entries, listeners, steps

_column = entries.c
_entries = select(*ENTRY_COLUMNS)
_of_listener = _entries.where(_column.listener == bindparam("listener")).order_by(_column.id)

AT_PLACE = (
    _column.listener == bindparam("listener"),
    _column.folder == bindparam("folder"),
    _column.validity == bindparam("validity"),
    _column.uid.in_(bindparam("uids", expanding=True)),
)
"""Conditions for the entries of a listener at a place, which `places` gives."""

KNOWN = _entries.where(*AT_PLACE)
"""Of any account."""
KNOWN_OF_ACCOUNT = KNOWN.where(_column.account == bindparam("account"))
HANDLED = _of_listener.where(_column.fingerprint.in_(bindparam("fingerprints", expanding=True)))
IN_HAND = _of_listener.where(_column.state.in_(sorted(UNFINISHED)))
"""What a crash left in hand."""
DUE = _of_listener.where(
    _column.state == State.RETRY.value, or_(_column.retry_at.is_(None), _column.retry_at <= bindparam("now"))
)
STANDING = select(
    _column.id, _column.folder, _column.validity, _column.uid, _column.account, _column.state, _column.claim
).where(*AT_PLACE)
"""What a claim asks of the entries at a place."""

NUMBERED = update(entries).where(_column.id == bindparam("number"))
"""Writes the columns that it is given, of the entry of that number."""
TAKE_AGAIN = NUMBERED.where(_column.state == State.RETRY.value)
ADD_STEPS = insert(steps)
FIRST_PASS = select(listeners.c.first_pass).where(listeners.c.name == bindparam("listener"))
HISTORY = select(listeners.c.runs, listeners.c.last_run, listeners.c.stopped).where(
    listeners.c.name == bindparam("listener")
)


def places(listener: str, refs: Iterable[Ref]) -> Iterator[dict[str, Any]]:
    """What `AT_PLACE` is given, time after time, to find the entries of *refs*: few enough for any database."""
    uids: dict[tuple[str, str], list[str]] = {}
    for ref in refs:
        uids.setdefault((ref.folder, ref.validity), []).append(ref.uid)
    for (folder, validity), there in uids.items():
        for chunk in chunks(there):
            yield {"listener": listener, "folder": folder, "validity": validity, "uids": chunk}
