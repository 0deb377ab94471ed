"""Every journal there is, against the one contract."""

from __future__ import annotations

import pytest

from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import JournalContract


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/journal.db"


class AtAnAddress(JournalContract):
    """What SQLAlchemy reaches."""

    @pytest.fixture
    def journal(self, url):
        journal = open_journal(url)
        yield journal
        journal.close()

    @pytest.fixture
    def peer(self, url):
        peer = open_journal(url)
        yield peer
        peer.close()


class TestSqliteFile(AtAnAddress):
    """By default."""


class TestPostgres(AtAnAddress):
    @pytest.fixture
    def url(self, postgres):
        return postgres.fresh()


class TestOverlayOverNothing(JournalContract):
    @pytest.fixture
    def journal(self):
        return OverlayJournal()


class TestOverlayOverSqlite(JournalContract):
    @pytest.fixture
    def journal(self, url):
        journal = OverlayJournal(open_journal(url))
        yield journal
        journal.close()


class TestOverlayOverAnAbsentFileReadOnly(JournalContract):
    @pytest.fixture
    def journal(self, url):
        journal = OverlayJournal(open_journal(url, readonly=True))
        yield journal
        journal.close()
