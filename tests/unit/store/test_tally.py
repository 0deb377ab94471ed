"""What is counted over time, in the durable journal."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

from mailrules.model.tally import LONGEST, Mark
from mailrules.store.sql import open_journal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_is_older_than_counts_reach_is_forgotten(tmp_path):
    later = NOON + LONGEST
    with closing(open_journal(f"sqlite:///{tmp_path}/journal.db")) as journal:
        journal.tally([Mark("mail", "jo", "1")], NOON)
        journal.tally([Mark("mail", "jo", "2")], later)
        assert len(journal.tallied("mail", "jo", NOON, most=9)) == 2
        journal.tally([Mark("mail", "jo", "3")], later + timedelta(seconds=1))
        assert journal.tallied("mail", "jo", NOON, most=9) == [later + timedelta(seconds=1), later]


def test_counts_outlive_the_process(tmp_path):
    address = f"sqlite:///{tmp_path}/journal.db"
    with closing(open_journal(address)) as journal:
        journal.tally([Mark("mail", "jo", "1")], NOON)
    with closing(open_journal(address, readonly=True)) as journal:
        assert journal.tallied("mail", "jo", NOON, most=9) == [NOON]
