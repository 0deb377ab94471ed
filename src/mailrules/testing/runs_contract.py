"""What every journal must remember of the runs of a listener: a part of `JournalContract`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailrules.model.journal import History, Journal, JournalError

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LISTENER = "support-inbox"


class RunsContract:
    """Behaviours of `history`, `ran` and `stop`, each a test, on the fixture `journal`."""

    def test_runs_are_counted_and_the_latest_is_known(self, journal: Journal) -> None:
        """Of this listener only, to the microsecond."""
        journal.begin(LISTENER, NOON, [])
        journal.begin("other", NOON, [])
        assert journal.history(LISTENER) == History()
        journal.ran(LISTENER, NOON)
        journal.ran(LISTENER, NOON + timedelta(microseconds=1))
        assert journal.history(LISTENER) == History(2, NOON + timedelta(microseconds=1))
        assert journal.history("other") == History()
        assert journal.first_pass(LISTENER) == NOON

    def test_a_listener_that_takes_no_more_mail_says_why(self, journal: Journal) -> None:
        """The last word counts; runs are counted on."""
        journal.begin(LISTENER, NOON, [])
        journal.stop(LISTENER, "once")
        journal.stop(LISTENER, "nul \x00, surrogate \ud800")
        journal.ran(LISTENER, NOON)
        assert journal.history(LISTENER) == History(1, NOON, "nul \x00, surrogate \ud800")

    def test_what_a_listener_did_before_its_first_pass_is_an_error(self, journal: Journal) -> None:
        """Nothing is noted then."""
        with pytest.raises(JournalError, match="no first pass"):
            journal.ran(LISTENER, NOON)
        with pytest.raises(JournalError, match="no first pass"):
            journal.stop(LISTENER, "once")
        assert journal.history(LISTENER) == History()
