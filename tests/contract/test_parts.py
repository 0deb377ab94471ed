"""What parts tell, the whole message tells too: on real servers, with mail of every sort of damage."""

from __future__ import annotations

import random
import re
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.server_store import ServerStore

from mailrules.api import Selective
from mailrules.builtin.imap.protocol import IMAP
from mailrules.core.parse import parse
from mailrules.core.skeleton import assembled
from mailrules.model.message import Extent, NotLoadedError, Trust

SAMPLES = sorted((Path(__file__).parents[1] / "mail").glob("*.eml"))
TRUST = Trust(forwarders=frozenset({"forward.example", "gate.example"}))
TOLD = ("subject", "text", "html", "undecodable", "reply_text", "kind", "original_sender_fact")
OF_ATTACHMENTS = ("name", "type", "kind", "content_id", "size")


def told(message, names=TOLD):
    """What a message says, by name; what it does not know is left out."""
    found = {}
    for name in names:
        try:
            found[name] = getattr(message, name)
        except NotLoadedError:
            continue
    return {name: value for name, value in found.items() if getattr(value, "known", True)}


def all_told(message):
    found = told(message)
    for number, attachment in enumerate(message.attachments):
        found |= {f"{number} {name}": value for name, value in told_of(attachment).items()}
    return found | {"attachments": len(message.attachments)}


def told_of(attachment):
    found = {}
    for name in OF_ATTACHMENTS:
        try:
            found[name] = getattr(attachment, name)
        except NotLoadedError:
            continue
    return found


def differences(mailbox, *, text):
    """By message: what its parts say and the whole does not; and how many could be told from parts at all."""
    refs = mailbox.refs(unseen_only=False)
    heads = {head.ref: head for head in mailbox.heads(refs)}
    whole = {ref: parse(raw[:], size=heads[ref].size, trust=TRUST) for ref, raw in mailbox.bodies(refs)}
    wrong, count = {}, 0
    given = [ref for ref, _ in mailbox.parts(list(heads.values()), text=text)]
    assert given == [ref for ref in refs if ref in set(given)]
    for ref, parts in mailbox.parts(list(heads.values()), text=text):
        message = assembled(heads[ref], parts, parse(heads[ref].header, extent=Extent.HEADER), text=text, trust=TRUST)
        if message is None:
            continue
        count += message.extent is not Extent.WHOLE
        truth = all_told(whole[ref])
        said = all_told(message)
        if bad := {name: (value, truth.get(name)) for name, value in said.items() if truth.get(name) != value}:
            wrong[whole[ref].subject or ref.uid] = bad, whole[ref].raw
    return wrong, count


class Random:
    """Mail of nested parts, now and then broken as real mail is, and worse."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.made = 0
        self.around = []

    def message(self, number):
        header = f"From: a@gate.example\r\nTo: b@example.com\r\nSubject: random {number}\r\nMIME-Version: 1.0\r\n"
        return header.encode() + self.multipart(0)

    def boundary(self):
        self.made += 1
        kinds = (f"=_{self.rng.getrandbits(80):x}", "b", "bb", f"----=_Part_{self.made}", "with space", "b" * 80, 'q"q')
        return self.rng.choices(kinds, (60, 2, 2, 20, 3, 1, 1))[0]

    def multipart(self, depth):
        rng, boundary = self.rng, self.boundary()
        self.around.append(boundary)
        subtype = rng.choice(("mixed", "mixed", "alternative", "related", "digest", "signed", "report"))
        parts = [self.part(depth + 1) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
        line = f"--{self.around.pop()}".encode()
        end = rng.choices((b"\r\n", b" \r\n", b"x\r\n", b"--x\r\n"), (60, 2, 1, 1))[0]
        before = rng.choices((b"", b"\r\n", b"This is a multi-part message in MIME format.\r\n"), (5, 1, 2))[0]
        after = rng.choices((b"", b"\r\n", b"\r\nbye\r\n", b"\r\n" + line + b"\r\n\r\nmore"), (6, 6, 1, 1))[0]
        close = rng.choices((line + b"--", line + b"--x", line + b"-- ", b""), (40, 1, 1, 1))[0]
        named = boundary.replace('"', '\\"')
        given = rng.choices((f'; boundary="{named}"', f"; BOUNDARY={named}", ""), (40, 3, 1))[0]
        head = f"Content-Type: multipart/{subtype}{given}\r\n{self.encoding(depth)}\r\n".encode()
        return head + before + b"".join(line + end + part + b"\r\n" for part in parts) + close + after

    def encoding(self, depth):
        return (
            self.rng.choice(("Content-Transfer-Encoding: base64\r\n", "")) if self.rng.random() < 0.02 * depth else ""
        )

    def part(self, depth):
        rng = self.rng
        if depth < 5 and rng.random() < 0.25:
            return self.multipart(depth)
        kind = rng.choices(
            (
                "text/plain",
                "text/html",
                "application/pdf",
                "message/rfc822",
                "text/calendar",
                "",
                "image/png",
                "nonsense",
                "multipart/mixed",
            ),
            (30, 12, 12, 6, 3, 4, 6, 1, 1),
        )[0]
        text = self.content()
        if kind == "message/rfc822":
            text = f"From: inner@example.org\r\nSubject: inside\r\n\r\n{text}"
        lines = (
            [f"Content-Type: {kind}{rng.choice(('', '; charset=utf-8', '; name=x.txt', ';name=*bad'))}"] if kind else []
        )
        lines += rng.choices(
            (
                [],
                ['Content-Disposition: attachment; filename="a; b.pdf"'],
                ["Content-Disposition: inline"],
                ["Content-Disposition: attachment"],
                ["Content-ID: <a@b>"],
                ["no header at all"],
            ),
            (10, 3, 2, 1, 2, 1),
        )[0]
        return ("".join(f"{line}\r\n" for line in lines) + rng.choice(("\r\n", "\r\n", "\r\n", "")) + text).encode()

    def content(self):
        rng = self.rng
        text = rng.choice(("", " \r\n", "short", "<p>Grüße</p>\r\n" * 3, "line\r\n" * rng.randint(1, 2000)))
        if rng.random() < 0.04:
            odd = rng.choice(("", "--", "x", " \t", "--x", "\r\n\r\n", "-- \r\nContent-Type: text/plain"))
            return f"{text}\r\n--{rng.choice(self.around)}{odd}\r\n{text}"
        return text


def put(mailbox, messages):
    """Into the INBOX, but for what the server refuses."""
    with mailbox.session() as imap:
        for message in messages:
            imap.append("INBOX", "", "", message)


@pytest.fixture(autouse=True)
def _nothing_is_small(monkeypatch):
    monkeypatch.setattr("mailrules.builtin.imap.parts.SMALL", 0)


@pytest.fixture(params=["dovecot", "cyrus"])
def box(request):
    server = request.getfixturevalue(request.param)
    return server, server.fresh()


def test_parts_of_the_samples_say_what_the_whole_says(box):
    server, mailbox = box
    put(mailbox, [re.sub(rb"\r?\n", b"\r\n", path.read_bytes()).replace(b"\0", b"") for path in SAMPLES])
    with opened(server, mailbox) as there:
        assert differences(there, text=True)[0] == {}
        assert differences(there, text=False)[0] == {}


@pytest.mark.parametrize("seed", [7, 8])
def test_parts_of_random_mail_say_what_the_whole_says(box, seed):
    server, mailbox = box
    made = Random(seed)
    put(mailbox, [made.message(number) for number in range(200)])
    with opened(server, mailbox) as there:
        texts, with_text = differences(there, text=True)
        structures, with_structure = differences(there, text=False)

    assert (texts, structures) == ({}, {})
    assert min(with_text, with_structure) >= 8


def opened(server, mailbox):
    mailbox = ServerStore(IMAP, mailbox, port=server.imaps, certificate=str(server.ca)).open(readonly=True)
    assert isinstance(mailbox, Selective)
    return closing(mailbox)
