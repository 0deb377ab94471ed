"""One message about which a server has more to say than is sane keeps nobody from the others."""

from __future__ import annotations

from contextlib import closing

import pytest
from tests.contract.server_store import ServerStore

from mailrules.builtin.imap.protocol import IMAP

PLAIN = b"From: a@b.example\r\nSubject: plain\r\n\r\nhello\r\n"
LONG_HEADER = b"Subject: long\r\nX-Long: " + b"\r\n ".join([b"x" * 900] * 19_000) + b"\r\n\r\nhello\r\n"
AUTHORS = b"From: " + b",\r\n ".join([b"a," * 400] * 750)
LONG_STRUCTURE = b"\r\n".join(
    (
        b"Subject: deep\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
        b"--b\r\n\r\nsome text",
        b"--b\r\nContent-Type: message/rfc822\r\n",
        AUTHORS + b"\r\n\r\nhello",
        b"--b--\r\n",
    )
)
"""Each author takes two octets of it, and some thirty for each of three fields of an ENVELOPE (RFC 9051, 7.5.2)."""


@pytest.fixture(params=["dovecot", "cyrus"])
def opened(request):
    server = request.getfixturevalue(request.param)
    box = server.fresh()

    def open_(*messages):
        with box.session() as imap:
            for message in messages:
                assert imap.append("INBOX", "", "", message)[0] == "OK"
        return closing(ServerStore(IMAP, box, port=server.imaps, certificate=str(server.ca)).open())

    return open_


def test_a_header_block_beyond_all_limits_is_left_out_and_the_others_come(opened, caplog):
    with opened(PLAIN, LONG_HEADER, PLAIN) as mailbox:
        refs = mailbox.refs(unseen_only=False)
        heads = list(mailbox.heads(refs))

        assert [head.ref for head in heads] == [refs[0], refs[2]]
        assert {head.header for head in heads} == {b"From: a@b.example\r\nSubject: plain\r\n\r\n"}
        assert [raw for _, raw in mailbox.bodies([refs[0], refs[2]])] == [PLAIN, PLAIN]
    assert f"left out, by UID: {refs[1].uid}" in caplog.text


def test_messages_can_be_fetched_whole_after_a_structure_beyond_all_limits(opened):
    with opened(PLAIN, LONG_STRUCTURE, PLAIN) as mailbox:
        refs = mailbox.refs(unseen_only=False)
        heads = list(mailbox.heads(refs))

        given = [ref for ref, _ in mailbox.parts(heads, text=True)]

        assert given == [ref for ref in refs if ref in given]
        assert [bytes(raw) for _, raw in mailbox.bodies(refs)] == [PLAIN, LONG_STRUCTURE, PLAIN]
