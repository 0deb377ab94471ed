"""A message that the server cannot give is left out, and keeps nobody from the others."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailrules.api import PasswordCredential, Place, Ref, Secret, Transient, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.pop3.protocol import POP3
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_pop3 import BadPop3
from mailrules.testing.bad_server import CLOSE

DONE = "{tag} OK done\r\n"
BROKEN = "{tag} NO [SERVERBUG] cannot read it\r\n"


@contextmanager
def opened(protocol, server, folder="INBOX"):
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "400ms"}
    options = build_options(protocol.options, raw, root=Path())
    with (
        server,
        closing(protocol.open(options, PasswordCredential("jo", Secret("x")), Place(Path(), folder=folder))) as mailbox,
    ):
        yield mailbox


def refs(*uids, folder="INBOX", validity="1"):
    return [Ref(folder, validity, str(uid)) for uid in uids]


def given(mailbox, what, wanted):
    """The UIDs of those whose heads or bodies came."""
    if what == "heads":
        return [int(head.ref.uid) for head in mailbox.heads(wanted)]
    return [int(ref.uid) for ref, _ in mailbox.bodies(wanted)]


def fetched(what, *uids):
    name = {"heads": "BODY[HEADER]", "bodies": "BODY[]"}[what]
    text = "Subject: x\r\n\r\n"
    return "".join(f"* {uid} FETCH (UID {uid} {name} {{{len(text)}}}\r\n{text})\r\n" for uid in uids)


def asked(server):
    return [line.split()[3] for line in server.heard if "UID FETCH" in line]


IMAP_CASES = {
    "two of three, then a refusal": ([[(1, 3), BROKEN], [(), BROKEN]], [1, 3], ["1:3", "2"]),
    "nothing, then a refusal": (
        [[(), BROKEN], [(1,), DONE], [(), BROKEN], [(3,), DONE]],
        [1, 3],
        ["1:3", "1", "2", "3"],
    ),
    "all, and a refusal": ([[(1, 2, 3), BROKEN]], [1, 2, 3], ["1:3"]),
    "the missing one comes when asked for alone": ([[(1, 2), BROKEN], [(3,), DONE]], [1, 2, 3], ["1:3", "3"]),
    "a refusal without a code": ([[(1, 2), "{tag} NO sorry\r\n"], [(), "{tag} BAD sorry\r\n"]], [1, 2], ["1:3", "3"]),
    "the missing one is gone": ([[(1, 2), BROKEN], [(), DONE]], [1, 2], ["1:3", "3"]),
}


@pytest.mark.parametrize("what", ["heads", "bodies"])
@pytest.mark.parametrize(("answers", "come", "commands"), IMAP_CASES.values(), ids=IMAP_CASES)
def test_what_a_refused_fetch_brought_is_kept_and_the_rest_asked_for_one_by_one(what, answers, come, commands):
    script = {f"uid fetch {n}": [fetched(what, *uids), end] for n, (uids, end) in enumerate(answers, 1)}
    server = BadImap(script)
    with opened(IMAP, server) as mailbox:
        assert given(mailbox, what, refs(1, 2, 3)) == come
        assert asked(server) == commands


def test_a_refused_message_asked_for_alone_is_left_out(caplog):
    with opened(IMAP, BadImap({"uid fetch": [BROKEN]})) as mailbox:
        assert given(mailbox, "heads", refs(2)) == []
    assert "left out, by UID: 2; 127.0.0.1" in caplog.text
    assert "[SERVERBUG] cannot read it" in caplog.text


def test_the_next_batch_which_is_on_its_way_already_is_not_lost():
    script = {
        "uid fetch 1": [fetched("heads", 1), BROKEN],
        "uid fetch 2": [fetched("heads", 2001), DONE],
    }
    with opened(IMAP, BadImap(script)) as mailbox:
        assert given(mailbox, "heads", refs(*range(1, 2002))) == [1, 2001]


IMAP_TRANSIENT = {
    "it breaks off after a part": ({"uid fetch": [fetched("heads", 1), CLOSE]}, "broke the connection off"),
    "it breaks off while asked one by one": (
        {"uid fetch 1": [fetched("heads", 1), BROKEN], "uid fetch 2": [CLOSE]},
        "broke the connection off",
    ),
    "it gives no message at all": ({"uid fetch": [BROKEN]}, "cannot read it"),
    "it has no time": ({"uid fetch 1": [fetched("heads", 1), "{tag} NO [LIMIT] later\r\n"]}, "[LIMIT] later"),
    "it has no time any more": (
        {"uid fetch 1": [fetched("heads", 1), BROKEN], "uid fetch 2": ["{tag} NO [UNAVAILABLE] later\r\n"]},
        "[UNAVAILABLE] later",
    ),
}


@pytest.mark.parametrize(("script", "says"), IMAP_TRANSIENT.values(), ids=IMAP_TRANSIENT)
def test_what_is_not_about_one_message_is_left_for_later(script, says):
    with opened(IMAP, BadImap(script)) as mailbox, pytest.raises(Transient) as raised:
        given(mailbox, "heads", refs(1, 2, 3))
    assert says in str(raised.value)


ARCHIVE = '* LIST (\\Archive) "/" "Old mail"\r\n* LIST () "/" "INBOX"\r\n{tag} OK done\r\n'
FOLDERS = {
    "the same name": ("Invoices", "Invoices", [1]),
    "another folder": ("Invoices", "INBOX", []),
    "another folder, while INBOX is open": ("INBOX", "Invoices", []),
    "INBOX in other letters": ("INBOX", "inbox", [1]),
    "others are told apart by their letters": ("Invoices", "invoices", []),
    "opened by its role, meant by its name": ("\\Archive", "Old mail", [1]),
    "opened by its name, meant by its role": ("Old mail", "\\Archive", [1]),
    "a role in other letters": ("\\Archive", "\\archive", [1]),
    "a role that there is not": ("INBOX", "\\Nonsense", []),
}


@pytest.mark.parametrize("what", ["heads", "bodies"])
@pytest.mark.parametrize(("folder", "meant", "come"), FOLDERS.values(), ids=FOLDERS)
def test_only_messages_of_the_open_folder_are_fetched(what, folder, meant, come):
    script = {"list": [ARCHIVE], "uid fetch": [fetched(what, 1), DONE]}
    with opened(IMAP, BadImap(script), folder) as mailbox:
        assert given(mailbox, what, refs(1, folder=meant)) == come


THREE = {"uidl": ["+OK\r\n1 1\r\n2 2\r\n3 3\r\n.\r\n"], "list": ["+OK\r\n1 40\r\n2 40\r\n3 40\r\n.\r\n"]}
POP3_CASES = {
    "TOP": ("TOP", "-ERR no such message\r\n"),
    "TOP, many at once": ("TOP\r\nPIPELINING", "-ERR no such message\r\n"),
    "RETR": ("UIDL", "-ERR no such message\r\n"),
    "RETR, many at once": ("PIPELINING", "-ERR no such message\r\n"),
    "broken for good": ("TOP", "-ERR [SYS/PERM] this message is broken\r\n"),
}


@pytest.mark.parametrize("what", ["heads", "bodies"])
@pytest.mark.parametrize(("capabilities", "answer"), POP3_CASES.values(), ids=POP3_CASES)
def test_a_message_that_pop3_refuses_is_left_out(what, capabilities, answer):
    script = {"capa": [f"+OK\r\n{capabilities}\r\n.\r\n"], "top 2": [answer], "retr 2": [answer]}
    with opened(POP3, BadPop3(THREE | script)) as mailbox:
        assert given(mailbox, what, mailbox.refs(unseen_only=False)) == [1, 3]
