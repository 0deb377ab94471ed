"""Mailboxes on real servers, against the one contract."""

from __future__ import annotations

import pytest
from tests.contract.server_store import ServerStore

from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.pop3.protocol import POP3
from mailrules.testing.mailbox_contract import MailboxContract


class TestDovecotImapOverTls(MailboxContract):
    tells = True

    @pytest.fixture
    def store(self, dovecot, mailbox):
        return ServerStore(IMAP, mailbox, port=dovecot.imaps, certificate=str(dovecot.ca))


class TestDovecotImapOverStarttls(MailboxContract):
    tells = True

    @pytest.fixture
    def store(self, dovecot, mailbox):
        return ServerStore(IMAP, mailbox, port=dovecot.imap, security="starttls", certificate=str(dovecot.ca))


class TestDovecotPop3(MailboxContract):
    @pytest.fixture
    def store(self, dovecot, mailbox):
        return ServerStore(POP3, mailbox, port=dovecot.pop3s, certificate=str(dovecot.ca))


class TestCyrusImap(MailboxContract):
    tells = True

    @pytest.fixture
    def store(self, cyrus, cyrus_mailbox):
        return ServerStore(IMAP, cyrus_mailbox, port=cyrus.imaps, certificate=str(cyrus.ca))


class TestCyrusPop3(MailboxContract):
    @pytest.fixture
    def store(self, cyrus, cyrus_mailbox):
        return ServerStore(POP3, cyrus_mailbox, port=cyrus.pop3s, certificate=str(cyrus.ca))
