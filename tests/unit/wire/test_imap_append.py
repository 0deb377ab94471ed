"""What putting a message into a folder says to an IMAP server, and what it makes of every answer."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from mailrules.api import (
    NewMessage,
    PasswordCredential,
    Permanent,
    PersonNeeded,
    Place,
    Ref,
    Secret,
    Transient,
    build_options,
)
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import CLOSE, HANG

RAW = b"Subject: a\r\nMessage-ID: <a@x.example>\r\n\r\nText.\r\n"
SIZE = len(RAW)
NOTHING = ["* SEARCH\r\n{tag} OK done\r\n"]
DONE = "{tag} OK [APPENDUID 7 42] done\r\n"


class Taking(BadImap):
    """Reads literals, too: `append` is played when one is announced, `appended` when all of it is there."""

    _left, _tag = 0, ""

    def parse(self, line):
        if self._left:
            self._left -= len(line) + 2
            return "", ""
        if self._tag and not line:
            tag, self._tag = self._tag, ""
            return tag, "appended"
        tag, command = super().parse(line)
        if announced := re.search(r"\{(\d+)(\+?)\}$", line):
            self._left, self._tag = int(announced[1]), tag
        return tag, command


def server_with(capabilities="IMAP4rev1 UIDPLUS LITERAL+", **script):
    announced = {"capability": [f"* CAPABILITY {capabilities}\r\n{{tag}} OK done\r\n"]}
    usual = {"uid search": NOTHING, "append": [] if "LITERAL" in capabilities else ["+ go\r\n"], "appended": [DONE]}
    return Taking(announced | usual | {name.replace("_", " "): steps for name, steps in script.items()})


def put(server, raw=RAW, *, folder="INBOX", must_exist=(), **more):
    options = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "500ms"}
    place = Place(Path(), folder, must_exist=must_exist)
    shown = PasswordCredential("jo", Secret("hunter2"))
    return IMAP.append(build_options(IMAP.options, options, root=Path()), shown, place, NewMessage(raw, **more))


def commands(server):
    """What was said after logging in, without tags."""
    said = [line.partition(" ")[2] for line in server.heard]
    return [line for line in said if line.startswith(("EXAMINE", "CREATE", "SUBSCRIBE", "UID", "APPEND"))]


def test_it_looks_whether_the_message_is_there_and_puts_it():
    with server_with() as server:
        assert put(server) == Ref("INBOX", "7", "42")

    assert commands(server) == [
        'EXAMINE "INBOX"',
        f'UID SEARCH UNDELETED LARGER {SIZE - 1} SMALLER {SIZE + 1} HEADER Message-ID "<a@x.example>"',
        f'APPEND "INBOX" () {{{SIZE}+}}',
    ]


@pytest.mark.parametrize(
    ("capabilities", "octets", "announced"),
    [
        ("IMAP4rev1 LITERAL+", 5_000, "{5000+}"),
        ("IMAP4rev1 LITERAL-", 4_096, "{4096+}"),
        ("IMAP4rev1", 5_000, "{5000}"),
    ],
)
def test_a_literal_is_sent_unasked_only_where_that_may_be(capabilities, octets, announced):
    with server_with(capabilities) as server:
        put(server, RAW + b"x" * (octets - SIZE - 2) + b"\r\n")

    assert commands(server)[-1].endswith(announced)


def test_a_large_literal_waits_where_only_small_ones_may_be_sent_unasked():
    with server_with("IMAP4rev1 LITERAL-", append=["+ go\r\n"]) as server:
        put(server, RAW + b"x" * 4_095 + b"\r\n")

    assert commands(server)[-1].endswith(f"{{{SIZE + 4_097}}}")


def test_flags_and_the_moment_are_said_as_the_protocol_has_them():
    received = datetime(2026, 3, 2, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    with server_with() as server:
        put(server, flags=("\\Seen", "$Filed", "\\Recent", "no flag", "a)b"), received=received)

    assert f'APPEND "INBOX" (\\Seen $Filed) " 1-Mar-2026 23:02:03 +0000" {{{SIZE}+}}' == commands(server)[-1]


def test_bare_line_ends_become_those_of_the_protocol():
    with server_with() as server:
        put(server, RAW.replace(b"\r\n", b"\n"))

    assert f'APPEND "INBOX" () {{{SIZE}+}}' == commands(server)[-1]


def found(raw):
    """What the server has as UID 5, as it answers for its header block, then for all of it."""

    def item(name, octets):
        said = octets.decode()
        return [f"* 1 FETCH (UID 5 BODY[{name}] {{{len(said)}}}\r\n{said})\r\n{{tag}} OK done\r\n"]

    header, end, _ = raw.partition(b"\r\n\r\n")
    steps = {"uid_search": ["* SEARCH 5\r\n{tag} OK done\r\n"], "uid fetch 1": item("HEADER", header + end)}
    return steps | {"uid fetch 2": item("", raw)}


NAMELESS = b"Subject: a\r\n\r\nText.\r\n"


@pytest.mark.parametrize(
    ("raw", "theirs", "there"),
    [
        (RAW, RAW, True),
        (RAW, RAW.replace(b"<a@", b"<b@"), False),
        (RAW, RAW.replace(b"Text", b"Next"), False),
        (NAMELESS, NAMELESS, True),
        (NAMELESS, NAMELESS.replace(b": a", b": b"), False),
    ],
)
def test_a_message_that_is_there_is_not_put_again(raw, theirs, there):
    with server_with(**found(theirs)) as server:
        assert put(server, raw) == (Ref("INBOX", "1", "5") if there else Ref("INBOX", "7", "42"))
    assert there is not any(line.startswith("APPEND") for line in commands(server))


def test_where_no_uid_is_told_none_is_known():
    with server_with("IMAP4rev1", appended=["{tag} OK done\r\n"]) as server:
        assert put(server) == Ref("INBOX", "1", "")


def test_a_missing_folder_is_made_first_unless_it_must_be_there():
    missing = {"examine 1": ["{tag} NO no such folder\r\n"]}
    with server_with(**missing) as server:
        put(server, folder="Filed")
    with server_with(**missing) as other, pytest.raises(PersonNeeded, match="no folder 'Filed'"):
        put(other, folder="Filed", must_exist=("Filed",))

    assert commands(server)[:4] == ['EXAMINE "Filed"', 'CREATE "Filed"', 'SUBSCRIBE "Filed"', 'EXAMINE "Filed"']
    assert commands(other) == ['EXAMINE "Filed"']


@pytest.mark.parametrize(
    ("script", "failure", "says"),
    [
        ({"appended": ["{tag} NO [OVERQUOTA] full\r\n"]}, Transient, "OVERQUOTA"),
        ({"appended": ["{tag} NO [UNAVAILABLE] busy\r\n"]}, Transient, "busy"),
        ({"appended": ["{tag} NO [NOPERM] not yours\r\n"]}, PersonNeeded, "not yours"),
        ({"appended": ["{tag} NO message has bare newlines\r\n"]}, Permanent, "NO message has bare newlines"),
        ({"appended": ["{tag} BAD what\r\n"]}, Permanent, "BAD what"),
        ({"append": ["{tag} NO [TOOBIG] too large\r\n"]}, Permanent, "too large"),
        ({"append": [HANG]}, Transient, "no answer within"),
        ({"append": [CLOSE]}, Transient, "broke the connection off"),
        ({"appended": [CLOSE]}, Transient, "broke the connection off"),
        ({"appended": ["* BYE going down\r\n"]}, Transient, "goodbye"),
        ({"appended": ["%&!\r\n"]}, Transient, "it answers"),
        ({"examine": ["{tag} NO [NOPERM] not yours\r\n"]}, PersonNeeded, "not yours"),
    ],
    ids=str,
)
def test_refusals_and_breakdowns_are_told_apart(script, failure, says):
    with server_with("IMAP4rev1 UIDPLUS", **script) as server, pytest.raises(failure, match=says) as error:
        put(server)
    assert type(error.value) is failure


def test_one_that_was_taken_before_the_line_broke_is_found_by_the_next_try():
    there = found(RAW)
    script = {"uid search 1": NOTHING, "uid search 2": there.pop("uid_search"), "appended": [CLOSE]}
    with server_with(**script, **there) as server:
        with pytest.raises(Transient):
            put(server)
        assert put(server) == Ref("INBOX", "1", "5")
