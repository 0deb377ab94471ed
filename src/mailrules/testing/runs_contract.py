"""What every journal must remember of how a listener runs: a part of `JournalContract`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailrules.model.health import Health
from mailrules.model.journal import History, Journal, JournalError

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LISTENER = "support-inbox"
HEALTH = Health(
    last_success=NOON,
    failures=3,
    since=NOON + timedelta(seconds=1),
    error="refused, nul \x00, surrogate \ud800",
    remedy="run: mailrules auth login support",
    person=True,
    next_run=NOON + timedelta(minutes=1),
    overdue=NOON + timedelta(microseconds=1),
    waiting=7,
    ended="it ended",
)


class RunsContract:
    """Behaviours of `history`, `ran`, `stop`, `health` and `note`, each a test, on the fixture `journal`."""

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

    def test_how_listeners_fare_is_kept_as_last_noted(self, journal: Journal) -> None:
        """Of several at once, those without a first pass too; what is not noted stays."""
        assert journal.health() == {}
        journal.note({})
        journal.note({LISTENER: HEALTH, "other": Health()})
        assert journal.health() == {LISTENER: HEALTH, "other": Health()}
        changed = replace(HEALTH, failures=4, person=False)
        journal.note({LISTENER: changed})
        assert journal.health() == {LISTENER: changed, "other": Health()}
        assert journal.history(LISTENER) == History()
