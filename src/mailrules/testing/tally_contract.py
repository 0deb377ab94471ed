"""What every journal must count: a part of `JournalContract`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailrules.model.journal import Journal
from mailrules.model.tally import Mark

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MOST = 100
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


class TallyContract:
    """Behaviours of `tally` and `tallied`, each a test, on the fixture `journal`."""

    def test_what_is_counted_is_found_by_what_and_whom(self, journal: Journal) -> None:
        """Whatever characters a stranger put there."""
        journal.tally([Mark("mail", "jo@a.example", "1"), Mark("mail", "nul \x00, surrogate \ud800", "2")], NOW)
        journal.tally([Mark("delete", "jo@a.example", "1"), Mark("mail", "jo@a.example", "3")], NOW)
        assert len(journal.tallied("mail", "jo@a.example", LONG_AGO, most=MOST)) == 2
        assert len(journal.tallied("delete", "jo@a.example", LONG_AGO, most=MOST)) == 1
        assert len(journal.tallied("mail", "nul \x00, surrogate \ud800", LONG_AGO, most=MOST)) == 1
        assert journal.tallied("move", "jo@a.example", LONG_AGO, most=MOST) == []

    def test_a_key_counts_once_and_keeps_its_moment(self, journal: Journal) -> None:
        """However often it is tried."""
        journal.tally([Mark("mail", "jo", "1")], NOW)
        first = journal.tallied("mail", "jo", LONG_AGO, most=MOST)
        journal.tally([Mark("mail", "jo", "1"), Mark("mail", "jo", "1")], NOW)
        assert journal.tallied("mail", "jo", LONG_AGO, most=MOST) == first
        assert len(first) == 1

    def test_the_key_in_hand_may_be_left_out(self, journal: Journal) -> None:
        """A second try is not held up by its first."""
        journal.tally([Mark("mail", "jo", "1"), Mark("mail", "jo", "2")], NOW)
        assert len(journal.tallied("mail", "jo", LONG_AGO, most=MOST, apart="1")) == 1

    def test_the_latest_come_first_and_no_more_than_asked_for(self, journal: Journal) -> None:
        """Aware moments."""
        for number in range(5):
            journal.tally([Mark("mail", "jo", str(number))], NOW + timedelta(microseconds=number))
        every = journal.tallied("mail", "jo", LONG_AGO, most=MOST)
        assert every == sorted(every, reverse=True)
        assert all(at.tzinfo for at in every)
        assert list(journal.tallied("mail", "jo", LONG_AGO, most=3)) == list(every[:3])

    def test_what_is_older_than_asked_for_does_not_count(self, journal: Journal) -> None:
        """The moment itself does."""
        journal.tally([Mark("mail", "jo", "1")], NOW)
        (at,) = journal.tallied("mail", "jo", LONG_AGO, most=MOST)
        assert len(journal.tallied("mail", "jo", at, most=MOST)) == 1
        assert journal.tallied("mail", "jo", at + timedelta(microseconds=1), most=MOST) == []

    def test_nothing_to_count_is_nothing(self, journal: Journal) -> None:
        """No error."""
        journal.tally([], NOW)
        assert journal.tallied("mail", "jo", LONG_AGO, most=MOST) == []
