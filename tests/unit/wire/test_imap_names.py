r"""Folders by role, by level and without prefix: what the server is asked for."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.contract.server_store import ServerStore

from mailrules.api import (
    Disposition,
    PasswordCredential,
    PersonNeeded,
    Place,
    Secret,
    Settlement,
    build_options,
)
from mailrules.builtin.imap.names import Folder, Names
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap

MAIL = b"Subject: one\r\n\r\nhere\r\n"
SLASH, DOT = ("", "/", ()), ("INBOX.", ".", ("user.", "shared."))
GMAIL = {"[Gmail]": "\\Noselect", "[Gmail]/Bin": "\\Trash", "[Gmail]/All Mail": "\\All"}


@dataclass(frozen=True)
class Listing:
    """A server as its answers."""

    there: dict[str, str]
    spaces: tuple[str, str, tuple[str, ...]]

    def listed(self):
        return [Folder(name, frozenset(marks.lower().split())) for name, marks in self.there.items()]

    def exists(self, name):
        return name in self.there

    def namespaces(self):
        return self.spaces

    def delimiter(self):
        return "|"


@pytest.mark.parametrize(
    ("there", "spaces", "written", "called"),
    [
        ({}, SLASH, "inbox", "inbox"),
        ({}, SLASH, "Invoices/2026", "Invoices/2026"),
        ({}, ("", None, ()), "Invoices/2026", "Invoices|2026"),
        ({}, DOT, "Invoices/2026", "INBOX.Invoices.2026"),
        ({}, DOT, "INBOX/Invoices", "INBOX.Invoices"),
        ({}, DOT, "INBOX.Invoices", "INBOX.Invoices"),
        ({}, DOT, "shared/desk", "shared.desk"),
        ({"Invoices/2026": ""}, DOT, "Invoices/2026", "Invoices/2026"),
        ({"Post": "\\Archive"}, SLASH, "\\Archive", "Post"),
        ({"Post": "\\Archive \\Noselect", "Archives": ""}, SLASH, "\\Archive", "Archives"),
        ({}, SLASH, "\\archive", "Archive"),
        ({}, DOT, "\\Trash", "INBOX.Trash"),
        ({"INBOX.Deleted Items": ""}, DOT, "\\Trash", "INBOX.Deleted Items"),
        (GMAIL, SLASH, "\\Trash", "[Gmail]/Bin"),
        (GMAIL, SLASH, "\\Archive", "[Gmail]/All Mail"),
    ],
)
def test_a_name_as_written_and_as_the_server_calls_it(there, spaces, written, called):
    assert Names(Listing(there, spaces)).resolve(written) == called


def test_a_role_that_there_is_not():
    with pytest.raises(PersonNeeded, match=r"no folder has the role \\Arhive") as raised:
        Names(Listing({}, SLASH)).resolve("\\Arhive")
    assert "\\Archive, \\Drafts" in raised.value.remedy


class TestOnServers:
    """Moved, and looked at by a client that knows the names."""

    @pytest.fixture(params=["dovecot", "cyrus"])
    def store(self, request):
        server = request.getfixturevalue(request.param)
        return ServerStore(IMAP, server.fresh(), port=server.imaps, certificate=str(server.ca))

    @pytest.fixture
    def dotted(self, dovecot):
        mailbox = dovecot.mailbox("dots")
        mailbox.clear()
        return ServerStore(IMAP, mailbox, port=dovecot.imaps, certificate=str(dovecot.ca))

    @staticmethod
    def settle(store, disposition, folder="INBOX"):
        credential = PasswordCredential(store.mailbox.user, Secret(store.mailbox.password))
        with closing(IMAP.open(store.options, credential, Place(Path(), folder))) as box:
            return box.settle([Settlement(ref, disposition) for ref in box.refs(unseen_only=False)])

    @pytest.mark.parametrize("role", ["Archive", "Trash", "Junk", "Sent", "Drafts"])
    def test_a_message_goes_to_the_folder_of_a_role_and_is_read_there(self, store, role):
        store.put(MAIL)

        assert self.settle(store, Disposition(move=f"\\{role}")) == {}
        assert [kept.content for kept in store.folder(role)] == [MAIL]
        assert self.settle(store, Disposition(move="INBOX"), folder=f"\\{role}") == {}
        assert [kept.content for kept in store.folder()] == [MAIL]

    def test_a_role_that_there_is_not_fails_the_message_and_leaves_it(self, store):
        store.put(MAIL)

        (reason,) = self.settle(store, Disposition(move="\\Arhive")).values()

        assert "the roles are" in reason
        assert [kept.content for kept in store.folder()] == [MAIL]

    @pytest.mark.parametrize(
        ("written", "called"),
        [("Invoices/2026", "INBOX.Invoices.2026"), ("Büro/Müll", "INBOX.Büro.Müll"), ("INBOX.Plain", "INBOX.Plain")],
    )
    def test_levels_and_prefix_are_the_servers(self, dotted, written, called):
        dotted.put(MAIL)

        assert self.settle(dotted, Disposition(copy=(written,))) == {}
        assert self.settle(dotted, Disposition(move=written)) == {}
        assert [kept.content for kept in dotted.folder(called)] == [MAIL, MAIL]
        assert self.settle(dotted, Disposition(delete=True), folder=written) == {}
        assert dotted.folder(called) == []


def test_what_is_deleted_at_gmail_goes_to_its_trash():
    script = {
        "capability": ["* CAPABILITY IMAP4rev1 MOVE UIDPLUS ESEARCH X-GM-EXT-1\r\n{tag} OK done\r\n"],
        "list": ['* LIST (\\Trash) "/" "[Gmail]/Bin"\r\n{tag} OK done\r\n'],
    }
    with BadImap(script) as server:
        raw = {"host": "127.0.0.1", "port": server.port, "security": "none"}
        options = build_options(IMAP.options, raw, root=Path())
        with closing(IMAP.open(options, PasswordCredential("jo", Secret("pw")), Place(Path()))) as box:
            settlements = [Settlement(ref, Disposition(delete=True)) for ref in box.refs(unseen_only=False)]
            assert box.settle(settlements) == {}
        heard = " | ".join(server.heard)

    assert 'UID MOVE 1:3 "[Gmail]/Bin"' in heard
    assert "\\Deleted" not in heard
    assert "EXPUNGE" not in heard
