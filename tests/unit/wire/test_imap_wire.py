"""What goes over the line, and what may come in odd pieces."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailrules.api import (
    Disposition,
    PasswordCredential,
    Place,
    Ref,
    Refused,
    Secret,
    Settlement,
    Transient,
    build_options,
)
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import HANG
from mailrules.testing.mailbox_contract import message


@contextmanager
def opened(script, *, login="jo", password="x", readonly=False):
    with BadImap(script) as server:
        raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "2s"}
        options = build_options(IMAP.options, raw, root=Path())
        with closing(
            IMAP.open(options, PasswordCredential(login, Secret(password)), Place(Path(), readonly=readonly))
        ) as mailbox:
            yield server, mailbox


def commands(server):
    """Without LOGOUT, whose answer nobody waits for."""
    return [command for line in server.heard if (command := line.partition(" ")[2]) != "LOGOUT"]


def head(uid):
    return (
        f'* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE "21-Nov-2026 20:41:44 +0000" RFC822.SIZE 10 '
        f"BODY[HEADER] {{14}}\r\nSubject: {uid % 10}\r\n\r\n)\r\n"
    )


def refs(*uids):
    return [Ref("INBOX", "1", str(uid)) for uid in uids]


def test_a_dry_run_examines_and_peeks():
    with opened({}, readonly=True) as (server, mailbox):
        found = mailbox.refs(unseen_only=False)
        list(mailbox.heads(found))
        list(mailbox.bodies(found))
    assert commands(server)[3:] == [
        'EXAMINE "INBOX"',
        "UID SEARCH RETURN (ALL) UNDELETED",
        "UID FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])",
        "UID FETCH 1:3 (UID BODY.PEEK[])",
    ]


def test_ten_thousand_heads_take_five_commands():
    with opened({"uid search": ['* ESEARCH (TAG "x") UID ALL 1:10000\r\n{tag} OK done\r\n']}) as (server, mailbox):
        assert list(mailbox.heads(mailbox.refs(unseen_only=False))) == []
    assert sum(command.startswith("UID FETCH") for command in commands(server)) == 5


def test_answers_that_come_before_their_turn_find_their_message():
    """A server may work on two commands at once and send data of the second before the end of the first."""
    script = {
        "uid search": ['* ESEARCH (TAG "x") UID ALL 1999:2002\r\n{tag} OK done\r\n'],
        "uid fetch 1": [head(2002)],
        "uid fetch 2": [head(1), head(2001), "M2 OK done\r\n", "{tag} OK done\r\n"],
    }
    with opened(script) as (_, mailbox):
        mailbox.refs(unseen_only=False)
        wanted = refs(*range(1, 2001), 2001, 2002)
        assert [found.ref.uid for found in mailbox.heads(wanted)] == ["1", "2001", "2002"]


def test_another_command_between_two_batches_gets_its_own_answer():
    body = message("a").decode()
    script = {
        "uid fetch 1": [head(1), "{tag} OK done\r\n"],
        "uid fetch 2": [head(2001), "{tag} OK done\r\n"],
        "uid fetch 3": [
            f"* 1 FETCH (UID 1 BODY[] {{{{{len(body)}}}}}\r\n{body})\r\n".replace("{{", "{").replace("}}", "}"),
            "{tag} OK done\r\n",
        ],
    }
    with opened(script) as (_, mailbox):
        heads = mailbox.heads(refs(*range(1, 2002)))
        first = next(heads)
        assert [content for _, content in mailbox.bodies([first.ref])] == [body.encode()]
        assert [found.ref.uid for found in heads] == ["2001"]


def test_bodies_are_asked_for_by_their_sizes():
    script = {
        "uid fetch 1": [
            *(head(uid).replace("RFC822.SIZE 10", "RFC822.SIZE 1000000") for uid in range(1, 20)),
            "{tag} OK done\r\n",
        ]
    }
    with opened(script) as (server, mailbox):
        found = [one.ref for one in mailbox.heads(refs(*range(1, 20)))]
        list(mailbox.bodies(found))
    assert commands(server)[-3:] == [f"UID FETCH {uids} (UID BODY.PEEK[])" for uids in ("1:8", "9:16", "17:19")]


def test_a_message_too_big_for_memory_is_fetched_in_pieces():
    script = {"uid fetch 1": [head(1).replace("RFC822.SIZE 10", "RFC822.SIZE 900000000"), "{tag} OK done\r\n"]}
    with opened(script) as (server, mailbox):
        found = [one.ref for one in mailbox.heads(refs(1))]
        assert list(mailbox.bodies(found)) == []
    assert "UID FETCH 1 (UID BODY.PEEK[]<0.1048576>)" in commands(server)
    assert "UID FETCH 1 (UID BODY.PEEK[])" not in commands(server)


LOGINS = {
    "plain words": ("jo", "x", "IMAP4rev1", 'LOGIN "jo" "x"'),
    "quotes and spaces": ('jo "the" doe', 'a"b\\c', "IMAP4rev1", r'LOGIN "jo \"the\" doe" "a\"b\\c"'),
}


@pytest.mark.parametrize(("login", "password", "capabilities", "heard"), LOGINS.values(), ids=LOGINS)
def test_log_in(login, password, capabilities, heard):
    script = {"capability": [f"* CAPABILITY {capabilities}\r\n{{tag}} OK done\r\n"]}
    with opened(script, login=login, password=password) as (server, _):
        assert heard in commands(server)


def test_after_a_failure_nothing_is_taken_for_an_answer():
    """The rest of a literal that came too late must not be read as what the server says."""
    script = {
        "uid search": ['* ESEARCH (TAG "x") UID ALL 1\r\n{tag} OK done\r\n'],
        "uid fetch 1": ["* 1 FETCH (UID 1 BODY[HEADER] {1000}\r\n", 2.3, "M3 OK done\r\nM4 OK done\r\n", HANG],
    }
    with opened(script) as (server, mailbox):
        found = mailbox.refs(unseen_only=False)
        with pytest.raises(Transient, match="no answer"):
            list(mailbox.heads(found))
        for _ in range(2):
            with pytest.raises(Transient, match="broke the connection off"):
                mailbox.settle([Settlement(found[0], Disposition(delete=True))])
    assert not any("STORE" in command for command in commands(server))


@pytest.mark.parametrize("greeting", ["+OK POP3 is here", "220 mx.example ESMTP", "SSH-2.0-x"])
def test_a_greeting_of_another_protocol_is_told_in_its_words(greeting):
    with pytest.raises(Transient) as raised, opened({"greeting": [f"{greeting}\r\n"]}):
        pass

    assert str(raised.value).endswith(f": no IMAP server's greeting: {greeting}")


@pytest.mark.parametrize(("said", "told"), [("No such user.", "No such user"), ("Ask again...", "Ask again...")])
def test_what_a_server_refuses_with_ends_without_its_full_stop_as_what_to_do_comes_after_it(said, told):
    script = {"login": [f"{{tag}} NO [AUTHENTICATIONFAILED] {said}\r\n"]}
    with pytest.raises(Refused) as raised, opened(script):
        pass

    assert str(raised.value).endswith(f"refused: [AUTHENTICATIONFAILED] {told}")


BEFORE = "IMAP4rev1 AUTH=PLAIN"
SHOWN = "AGpvAHg="  # RFC 4616: nothing, jo, x


def offers(capabilities):
    return [f"* CAPABILITY {capabilities}\r\n{{tag}} OK done\r\n"]


LOG_INS = {
    "in one go where the server takes that, which tells at once what it can do": (
        {"capability": offers(f"{BEFORE} SASL-IR"), "authenticate": ["{tag} OK [CAPABILITY IMAP4rev1 MOVE] in\r\n"]},
        ["CAPABILITY", f"AUTHENTICATE PLAIN {SHOWN}", 'SELECT "INBOX"'],
    ),
    "in one go, and what it can do then is told before it says yes": (
        {
            "capability": offers(f"{BEFORE} SASL-IR"),
            "authenticate": ["* CAPABILITY IMAP4rev1 MOVE\r\n{tag} OK in\r\n"],
        },
        ["CAPABILITY", f"AUTHENTICATE PLAIN {SHOWN}", 'SELECT "INBOX"'],
    ),
    "in two where it does not, and it is asked what it can do": (
        {"capability": offers(BEFORE), "authenticate": ["+ \r\n"], "response": ["{tag} OK in\r\n"]},
        ["CAPABILITY", "AUTHENTICATE PLAIN", "", "CAPABILITY", 'SELECT "INBOX"'],
    ),
}


@pytest.mark.parametrize("how", LOG_INS)
def test_a_password_is_shown(how):
    script, said = LOG_INS[how]
    with opened(script) as (server, _):
        assert [command for command in commands(server) if not command.startswith("LIST")] == said
