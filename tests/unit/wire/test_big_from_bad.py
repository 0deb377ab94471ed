"""Big messages from servers that send other than what they announced, and disks that do not take them."""

from __future__ import annotations

import resource
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailrules.api import PasswordCredential, Place, Secret, Transient, build_options
from mailrules.builtin.folder.spool import PIECE, Spool
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.pop3.protocol import POP3
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_pop3 import BadPop3
from mailrules.testing.bad_server import CLOSE

DONE = "{tag} OK done\r\n"
HEAD = "Subject: x\r\n\r\n"


@contextmanager
def opened(protocol, server):
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "400ms"}
    options = build_options(protocol.options, raw, root=Path())
    credential = PasswordCredential("jo", Secret("x"))
    with server, closing(protocol.open(options, credential, Place(Path()))) as mailbox:
        yield mailbox


def sizes(mailbox):
    """The octets of each message that comes."""
    heads = list(mailbox.heads(mailbox.refs(unseen_only=False)))
    return [len(raw) for _, raw in mailbox.bodies([head.ref for head in heads])]


def heads(*announced):
    told = [
        f"* {n} FETCH (UID {n} RFC822.SIZE {size} BODY[HEADER] {{{len(HEAD)}}}\r\n{HEAD})\r\n"
        for n, size in enumerate(announced, 1)
    ]
    return ["".join(told) + DONE]


def piece(offset, octets, uid=1):
    return f"* {uid} FETCH (UID {uid} BODY[]<{offset}> {{{octets}}}\r\n{'x' * octets})\r\n"


END = f"* 1 FETCH (UID 1 BODY[]<{2 * PIECE}> NIL)\r\n"
SMALL = f"* 2 FETCH (UID 2 BODY[] {{3}}\r\nabc)\r\n{DONE}"
BIG = 2 * PIECE + 7

IMAP_CASES = {
    "as announced": (
        BIG,
        [piece(0, PIECE) + DONE, piece(PIECE, PIECE) + DONE, piece(2 * PIECE, 7) + DONE],
        [BIG, 3],
    ),
    "a few octets fewer": (
        BIG,
        [piece(0, PIECE) + DONE, piece(PIECE, PIECE) + DONE, END + DONE],
        [2 * PIECE, 3],
    ),
    "a few octets more": (
        BIG - 7,
        [piece(0, PIECE) + DONE, piece(PIECE, PIECE) + DONE, piece(2 * PIECE, 7) + DONE],
        [BIG, 3],
    ),
    "pieces smaller than asked for": (
        2 * PIECE,
        [
            piece(0, PIECE - 5) + DONE,
            piece(PIECE, 5) + DONE,
            piece(PIECE - 5, PIECE) + DONE,
            piece(2 * PIECE - 5, 5) + DONE,
        ],
        [2 * PIECE, 3],
    ),
    "answers to two commands in one": (
        BIG,
        [piece(0, PIECE) + piece(PIECE, PIECE) + DONE, DONE, piece(2 * PIECE, 7) + DONE],
        [BIG, 3],
    ),
    "not the half of it": (4 * PIECE, [piece(0, PIECE) + DONE, DONE, DONE], [3]),
    "without an end": (PIECE + 1, [piece(at * PIECE, PIECE) + DONE for at in range(5)], [3]),
    "nothing": (BIG, [DONE, DONE], [3]),
    "a refusal": (BIG, ["{tag} NO [SERVERBUG] cannot read it\r\n", DONE], [3]),
}


@pytest.mark.parametrize(("announced", "answers", "come"), IMAP_CASES.values(), ids=IMAP_CASES)
def test_imap_what_is_sent_counts_within_reason_and_the_others_come_too(announced, answers, come):
    script = {
        "uid search": ['* ESEARCH (TAG "{tag}") UID ALL 1:2\r\n{tag} OK done\r\n'],
        "uid fetch 1": heads(announced, 3),
        **{f"uid fetch {number}": [answer] for number, answer in enumerate(answers, 2)},
        "uid fetch": [SMALL],
    }
    with opened(IMAP, BadImap(script)) as mailbox:
        assert sizes(mailbox) == come


IMAP_FAILURES = {
    "more in one piece than was asked for": (["* 1 FETCH (UID 1 BODY[]<0> {6000000000}\r\nabc"], "in one piece"),
    "the end in the middle": ([f"* 1 FETCH (UID 1 BODY[]<0> {{{PIECE}}}\r\nabc", CLOSE], "broke the connection off"),
    "no time": (["{tag} NO [UNAVAILABLE] later\r\n"], "UNAVAILABLE"),
}


@pytest.mark.parametrize(("answer", "said"), IMAP_FAILURES.values(), ids=IMAP_FAILURES)
def test_imap_a_broken_answer_is_tried_again_later(answer, said):
    server = BadImap({"uid fetch 1": heads(BIG), "uid fetch": answer})
    with opened(IMAP, server) as mailbox, pytest.raises(Transient, match=said):
        sizes(mailbox)


LINE = "x" * 62 + "\r\n"
POP3_CASES = {
    "as announced": (1 << 15, [1 << 21]),
    "a few lines more": ((1 << 15) + 10, [(1 << 21) + 640]),
    "far more": (1 << 20, []),
}


@pytest.mark.parametrize(("lines", "come"), POP3_CASES.values(), ids=POP3_CASES)
def test_pop3_what_is_sent_counts_within_reason(lines, come):
    script = {
        "list": [f"+OK\r\n1 {1 << 21}\r\n.\r\n"],
        "top 1": [f"+OK\r\n{HEAD}.\r\n"],
        "top 2": ["+OK\r\n", {"repeat": LINE * 1024, "times": lines // 1024}, LINE * (lines % 1024), ".\r\n"],
    }
    with opened(POP3, BadPop3(script)) as mailbox:
        assert sizes(mailbox) == come


def test_pop3_a_dot_in_front_is_taken_off_and_after_it_all_is_well():
    script = {
        "list": [f"+OK\r\n1 {PIECE + 1}\r\n.\r\n"],
        "top 2": ["+OK\r\n", "..dot\r\n", {"repeat": LINE, "times": 20_000}, ".\r\n"],
    }
    with opened(POP3, BadPop3(script)) as mailbox:
        ref = next(iter(mailbox.heads(mailbox.refs(unseen_only=False)))).ref
        ((_, raw),) = mailbox.bodies([ref])
        assert raw[:6] == b".dot\r\n"
        assert [head.ref for head in mailbox.heads([ref])] == [ref]


def test_pop3_without_top_none_is_read_for_its_header_that_no_disk_would_hold(caplog):
    script = {
        "capa": ["+OK\r\nUIDL\r\n.\r\n"],
        "uidl": ["+OK\r\n1 first\r\n2 second\r\n.\r\n"],
        "list": ["+OK\r\n1 6000000000\r\n2 40\r\n.\r\n"],
    }
    with opened(POP3, server := BadPop3(script)) as mailbox:
        assert [head.ref.uid for head in mailbox.heads(mailbox.refs(unseen_only=False))] == ["second"]
    assert [line for line in server.heard if line.startswith("RETR")] == ["RETR 2"]
    assert "message first is left out: it has 6000000000 octets, and no TOP" in caplog.text


@pytest.fixture
def full_disk():
    """No file may grow beyond a megabyte and a half."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE + PIECE // 2, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_is_named_and_the_message_is_tried_again_later(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    script = {
        "uid fetch 1": heads(BIG),
        "uid fetch 2": [piece(0, PIECE) + DONE],
        "uid fetch": [piece(PIECE, PIECE) + DONE],
    }
    told = f"no room for a message of 2,097,159 octets in {tmp_path}: .*; free some"
    with opened(IMAP, BadImap(script)) as mailbox, pytest.raises(Transient, match=told):
        sizes(mailbox)


def test_nothing_stays_on_the_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with Spool(3) as spool:
        spool.write(b"abc")
        message = spool.message()

    assert list(tmp_path.iterdir()) == []
    assert message[:] == b"abc"


def test_a_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("mailrules.builtin.folder.spool.spool_folder", lambda: str(tmp_path / "gone"))
    with pytest.raises(Transient, match="gone: No such file or directory"):
        Spool(3)
