"""How every journal must write how far entries have come: a part of `JournalContract`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailrules.model.entry import Entry, State, StepRecord, StepState
from mailrules.model.journal import Journal, JournalError, Query
from mailrules.model.mailbox import Ref

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def acted(uid: int) -> Entry:
    """An entry of which only the disposition is left to do."""
    ref = Ref("INBOX", "1700000000", str(uid))
    return Entry("support-inbox", "support", ref, f"print-{uid}", State.ACTED, subject=f"Invoice #{uid}")


class ProgressContract:
    """Behaviours of `advance`, each a test, on the fixture `journal`."""

    def test_advance_writes_how_far_entries_have_come_and_nothing_else(self, journal: Journal) -> None:
        """Of each entry given; their other columns and their steps stay as they are on record."""
        one, two, three = journal.claim([acted(1), acted(2), acted(3)])
        record = StepRecord(0, "save", "d1", StepState.SUCCEEDED, "key", at=NOON)
        one = journal.record(one, record)
        come: dict[str, Any] = {"state": State.RETRY, "reason": "no such folder", "attempts": 2, "retry_at": NOON}
        journal.advance([replace(one, subject="another", **come), replace(two, state=State.DONE)])
        found = {entry.id: entry for entry in journal.find(Query())}
        assert found[one.id] == replace(one, updated=found[one.id].updated, **come)
        assert found[two.id] == replace(two, updated=found[two.id].updated, state=State.DONE)
        assert found[three.id] == three
        assert journal.due("support-inbox", NOON) == [found[one.id]]

    def test_advancing_nothing_is_nothing(self, journal: Journal) -> None:
        """Not even a write."""
        journal.advance([])
        assert journal.find(Query()) == []

    def test_advancing_an_entry_that_is_not_there_is_an_error_and_writes_nothing(self, journal: Journal) -> None:
        """Whole or not at all."""
        (entry,) = journal.claim([acted(1)])
        with pytest.raises(JournalError, match="not in the journal"):
            journal.advance([replace(entry, state=State.DONE), replace(entry, id=987_654)])
        assert journal.find(Query()) == [entry]
