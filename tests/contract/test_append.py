"""Messages put into every mailbox that takes them."""

from __future__ import annotations

import pytest
from tests.contract.append_contract import PLAIN, AppendContract
from tests.contract.local_store import EmlStore, MaildirStore, MboxStore
from tests.contract.server_store import ServerStore

from mailrules.api import NewMessage, NoCredential, PasswordCredential, Permanent, Place, Secret
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.local.eml import EML
from mailrules.builtin.pop3.protocol import POP3


class LocalAppendContract(AppendContract):
    def options(self, store):
        return store.protocol.options(path=store.path)

    def shown(self, _store):
        return NoCredential()


class TestMaildir(LocalAppendContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MaildirStore(tmp_path)

    def test_one_without_flags_is_new(self, store):
        self.put(store, NewMessage(PLAIN))

        assert len(list((store.root / "mail" / "new").iterdir())) == 1
        assert list((store.root / "mail" / "tmp").iterdir()) == []


class TestMbox(LocalAppendContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MboxStore(tmp_path)


class TestEml(LocalAppendContract):
    keeps_flags = False

    @pytest.fixture
    def store(self, tmp_path):
        return EmlStore(tmp_path)


class ServerAppendContract(AppendContract):
    def shown(self, store):
        return PasswordCredential(store.mailbox.user, Secret(store.mailbox.password))


class TestDovecot(ServerAppendContract):
    @pytest.fixture
    def store(self, dovecot, mailbox):
        return ServerStore(IMAP, mailbox, port=dovecot.imaps, certificate=str(dovecot.ca))


class TestCyrus(ServerAppendContract):
    @pytest.fixture
    def store(self, cyrus, cyrus_mailbox):
        return ServerStore(IMAP, cyrus_mailbox, port=cyrus.imaps, certificate=str(cyrus.ca))

    def test_what_the_server_will_never_take_is_for_good_and_in_its_words(self, store):
        with pytest.raises(Permanent, match="NUL"):
            self.put(store, NewMessage(PLAIN + b"\0"))


def test_nothing_can_be_put_into_a_single_file(tmp_path):
    (tmp_path / "one.eml").write_bytes(PLAIN)

    with pytest.raises(Permanent, match=r"one\.eml is one message"):
        EML.append(EML.options(path="one.eml"), NoCredential(), Place(tmp_path), NewMessage(PLAIN))


def test_a_server_of_pop3_takes_nothing():
    assert POP3.append is None
