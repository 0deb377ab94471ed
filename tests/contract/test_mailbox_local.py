"""Every mailbox on disk, against the one contract."""

from __future__ import annotations

import pytest
from tests.contract.local_store import EmlStore, MaildirStore, MboxStore

from mailrules.testing.mailbox_contract import MailboxContract


class TestMaildir(MailboxContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MaildirStore(tmp_path)


class TestMbox(MailboxContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MboxStore(tmp_path)


class TestEml(MailboxContract):
    @pytest.fixture
    def store(self, tmp_path):
        return EmlStore(tmp_path)
