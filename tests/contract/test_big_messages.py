"""A message of 40 MB on real servers and on disk: read through the disk, never whole in memory."""

from __future__ import annotations

import hashlib
import mmap
import tracemalloc
from base64 import encodebytes
from contextlib import closing

import pytest
from tests.contract.local_store import EmlStore, MaildirStore, MboxStore
from tests.contract.server_store import ServerStore

from mailrules.api import Disposition, Settlement
from mailrules.builtin.folder.spool import PIECE
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.pop3.protocol import POP3
from mailrules.core.parse import parse
from mailrules.engine.edges import WorkspaceFiles

ATTACHED = bytes(range(256)) * (120_000)  # 30 MB, 40 MB as base64
MOST = 6 * PIECE
"""Octets of memory at most: a few pieces, with what TLS and the file system have in hand."""


def big() -> bytes:
    head = (
        b"From: Jo Doe <jo@sender.example>\nSubject: big\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=part\n\n--part\n\nThe text.\n"
        b"--part\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment; filename=big.zip\n\n"
    )
    return (head + encodebytes(ATTACHED) + b"--part--\n").replace(b"\n", b"\r\n")


@pytest.fixture(scope="module")
def message():
    return big()


@pytest.fixture
def dovecot_imap(dovecot, mailbox):
    return ServerStore(IMAP, mailbox, port=dovecot.imaps, certificate=str(dovecot.ca))


@pytest.fixture
def dovecot_pop3(dovecot, mailbox):
    return ServerStore(POP3, mailbox, port=dovecot.pop3s, certificate=str(dovecot.ca))


@pytest.fixture
def cyrus_imap(cyrus, cyrus_mailbox):
    return ServerStore(IMAP, cyrus_mailbox, port=cyrus.imaps, certificate=str(cyrus.ca))


@pytest.fixture
def maildir(tmp_path):
    return MaildirStore(tmp_path)


@pytest.fixture
def mbox(tmp_path):
    return MboxStore(tmp_path)


@pytest.fixture
def eml(tmp_path):
    return EmlStore(tmp_path)


@pytest.fixture(params=["dovecot_imap", "dovecot_pop3", "cyrus_imap", "maildir", "mbox", "eml"])
def store(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def peak():
    """Octets of memory taken at most since it was asked last."""
    tracemalloc.start()

    def peak_() -> int:
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        return found

    yield peak_
    tracemalloc.stop()


def plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").rstrip()


def test_a_message_of_40_mb_takes_the_memory_of_a_few_pieces(store, message, tmp_path, peak):
    store.put(message)
    expected = hashlib.sha256(plain(message)).hexdigest()
    with closing(store.open()) as mailbox:
        (head,) = mailbox.heads(mailbox.refs(unseen_only=False))
        before = tracemalloc.get_traced_memory()[0]
        peak()
        ((_, raw),) = mailbox.bodies([head.ref])
        parsed = parse(raw, size=head.size)
        assert parsed.text.strip() == "The text."
        (attached,) = parsed.attachments
        assert attached.size == len(ATTACHED)
        saved = WorkspaceFiles(tmp_path / "saved").save(attached.name, attached.pieces())
        assert peak() - before < MOST

    assert isinstance(raw, mmap.mmap)
    assert hashlib.sha256(plain(raw[:])).hexdigest() == expected
    assert (tmp_path / "saved" / saved).read_bytes() == ATTACHED == attached.content()


def test_small_and_big_ones_come_in_the_order_asked_for_and_can_be_settled(dovecot_imap, message):
    small = b"Subject: small\r\n\r\ntext\r\n"
    dovecot_imap.put(small, message, small)
    with closing(dovecot_imap.open()) as mailbox:
        refs = [head.ref for head in mailbox.heads(mailbox.refs(unseen_only=False))]
        assert [(ref, len(raw)) for ref, raw in mailbox.bodies(refs)] == [
            (refs[0], len(small)),
            (refs[1], len(message)),
            (refs[2], len(small)),
        ]
        assert mailbox.settle([Settlement(refs[1], Disposition(delete=True))]) == {}
        assert list(mailbox.refs(unseen_only=False)) == [refs[0], refs[2]]
