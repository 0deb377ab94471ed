"""Bad SMTP and POP3 servers: what their answers mean for trying again."""

from __future__ import annotations

from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailrules.api import (
    Disposition,
    InDoubt,
    NoCredential,
    PasswordCredential,
    Permanent,
    PersonNeeded,
    Place,
    Refused,
    Secret,
    Settlement,
    Transient,
    build_options,
)
from mailrules.builtin.pop3.protocol import POP3
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.testing.bad_pop3 import BadPop3
from mailrules.testing.bad_server import CLOSE, HANG
from mailrules.testing.bad_smtp import BadSmtp

JO = PasswordCredential("jo", Secret("hunter2"))


def opened(protocol, server, credential=JO, **options):
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "300ms", **options}
    return closing(protocol.open(build_options(protocol.options, raw, root=Path()), credential, Place(Path())))


def mail(text="Grüße\n.\n..\n"):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@x.example", "b@x.example", "Größe"
    made.set_content(text, cte="8bit")
    return made


SENDING = {
    "refused at the door": ({"greeting": ["554 go away\r\n"]}, Permanent, "554 go away"),
    "busy": ({"greeting": ["421 later\r\n"]}, Transient, "421 later"),
    "silent": ({"greeting": [HANG]}, Transient, "no answer within 0.3 s"),
    "wrong password": ({"auth": ["535 no hunter2\r\n"]}, Refused, "log-in as jo refused: 535 no ***"),
    "log-in not now": ({"auth": ["454 later\r\n"]}, Transient, "no log-in now: 454 later"),
    "no log-in offered": ({"ehlo": ["250 here\r\n"]}, PersonNeeded, "it takes no log-in"),
    "sender refused": ({"mail": ["550 not you\r\n"]}, Permanent, "sender refused: 550 not you"),
    "sender not now": ({"mail": ["450 later\r\n"]}, Transient, "sender refused: 450 later"),
    "recipients refused": ({"rcpt": ["550 who\r\n"]}, Permanent, "b@x.example (550 who), c@x.example (550 who)"),
    "one recipient not now": ({"rcpt 1": ["450 later\r\n"], "rcpt": ["550 who\r\n"]}, Transient, "450 later"),
    "no data": ({"data": ["451 full\r\n"]}, Transient, "message refused: 451 full"),
    "cut off before the message": ({"data": [CLOSE]}, Transient, "the server broke the connection off"),
    "message refused": ({".": ["554 spam\r\n"]}, Permanent, "message refused: 554 spam"),
    "message not now": ({".": ["452 full\r\n"]}, Transient, "message refused: 452 full"),
    "cut off after the message": ({".": [CLOSE]}, InDoubt, "which may have been delivered: not repeated"),
    "nonsense after the message": ({".": ["\xff\xfe\r\n"]}, InDoubt, "which may have been delivered: not repeated"),
}


@pytest.mark.parametrize(("script", "kind", "says"), SENDING.values(), ids=SENDING)
def test_transient_only_if_the_message_cannot_have_been_taken(script, kind, says):
    with (
        BadSmtp(script) as server,
        opened(SMTP, server) as transport,
        pytest.raises((Transient, Permanent)) as raised,
    ):
        transport.send(mail(), "a@x.example", ["b@x.example", "c@x.example"])

    assert type(raised.value) is kind
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_slow_last_answer_is_waited_for_longer_than_others():
    with BadSmtp({".": [0.8, "250 taken\r\n"]}) as server, opened(SMTP, server) as transport:
        assert transport.send(mail(), "a@x.example", ["b@x.example"]) == "250 taken"


@pytest.mark.parametrize("refusal", ["550 who", "451 greylisted"])
def test_when_some_have_it_and_others_were_refused_a_person_decides(refusal):
    with (
        BadSmtp({"rcpt 2": [f"{refusal}\r\n"]}) as server,
        opened(SMTP, server) as transport,
        pytest.raises(Permanent) as raised,
    ):
        transport.send(mail(), "a@x.example", ["b@x.example", "c@x.example", "d@x.example"])

    assert str(raised.value).endswith(
        f"sent to b@x.example, d@x.example (250 taken) but refused for c@x.example ({refusal}): "
        "not repeated, so that nobody gets it twice"
    )


def test_when_some_were_refused_and_the_message_was_not_taken_nobody_has_it():
    with (
        BadSmtp({"rcpt 2": ["550 who\r\n"], ".": ["452 full\r\n"]}) as server,
        opened(SMTP, server) as transport,
        pytest.raises(Transient, match="message refused: 452 full"),
    ):
        transport.send(mail(), "a@x.example", ["b@x.example", "c@x.example"])


def test_one_connection_serves_many_messages_and_is_made_anew_when_it_went():
    with BadSmtp({"rset 2": [CLOSE]}) as server, opened(SMTP, server) as transport:
        for _ in range(3):
            assert transport.send(mail(), "a@x.example", ["b@x.example"]) == "250 taken"

    assert sum(line.lower().startswith("ehlo") for line in server.heard) == 2


def test_eight_bit_text_becomes_ascii_where_the_server_takes_no_other():
    with BadSmtp({"ehlo": ["250 here\r\n"]}) as server, opened(SMTP, server, NoCredential()) as transport:
        transport.send(mail(), "a@x.example", ["b@x.example"])

    assert all(line.isascii() for line in server.heard)


@pytest.mark.parametrize(
    ("recipient", "heard"),
    [
        ("jö@x.example", "RCPT TO:<jÃ¶@x.example>"),
        ("jo@münchen.example", "RCPT TO:<jo@xn--mnchen-3ya.example>"),
    ],
)
def test_an_address_outside_ascii(recipient, heard):
    with BadSmtp() as server, opened(SMTP, server) as transport:
        transport.send(mail(), "", [recipient])

    assert heard.lower() in [line.lower() for line in server.heard]
    assert ("SMTPUTF8" in "".join(server.heard)) == (recipient == "jö@x.example")


@pytest.mark.parametrize("recipient", ["a b@x.example", "a@x.example>\r\nRCPT TO:<b@x.example", "a@x..example\u00fc"])
def test_what_is_no_address_is_not_sent_to(recipient):
    with (
        BadSmtp() as server,
        opened(SMTP, server) as transport,
        pytest.raises(Permanent, match="no mail address"),
    ):
        transport.send(mail(), "", [recipient])

    assert not any(line.lower().startswith("rcpt") for line in server.heard)


def read_and_delete(server):
    with opened(POP3, server) as mailbox:
        refs = mailbox.refs(unseen_only=False)
        list(mailbox.heads(refs))
        mailbox.settle([Settlement(refs[0], Disposition(delete=True))])


RECEIVING = {
    "wrong password": ({"pass": ["-ERR [AUTH] no hunter2\r\n"]}, Refused, "log-in as jo refused"),
    "in use": ({"pass": ["-ERR [IN-USE] somebody is in\r\n"]}, Transient, "no log-in now: -ERR [IN-USE]"),
    "locked, in old words": ({"pass": ["-ERR maildrop already locked\r\n"]}, Transient, "no log-in now"),
    "closed": ({"greeting": [CLOSE]}, Transient, "the server broke the connection off"),
    "silent": ({"uidl": [HANG]}, Transient, "no answer within 0.3 s"),
    "another protocol": ({"greeting": ["* OK IMAP ready\r\n"]}, Transient, "* OK IMAP ready"),
    "no UIDL": ({"uidl": ["-ERR what\r\n"]}, PersonNeeded, "it has no UIDL"),
    "nonsense for UIDL": ({"uidl": ["+OK\r\none first\r\n.\r\n"]}, Transient, "it answers UIDL with 'one first'"),
    "a message without end": ({"top": ["+OK\r\nSubject: x\r\n", HANG]}, Transient, "no answer within 0.3 s"),
    "broken for now": ({"top": ["-ERR [SYS/TEMP] disk\r\n"]}, Transient, "[SYS/TEMP] disk"),
    "too slow": ({"top": [{"repeat": "a", "times": 100, "every": 0.1}]}, Transient, "it sends too slowly"),
    "gone before QUIT was answered": ({"quit": [CLOSE]}, Transient, "the server broke the connection off"),
}


@pytest.mark.parametrize(("script", "kind", "says"), RECEIVING.values(), ids=RECEIVING)
def test_a_bad_pop3_server_gives_one_clear_error(script, kind, says):
    with BadPop3(script) as server, pytest.raises((Transient, Permanent)) as raised:
        read_and_delete(server)

    assert type(raised.value) is kind
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_deletion_that_quit_does_not_confirm_has_failed():
    with BadPop3({"quit": ["-ERR some messages not removed\r\n"]}) as server, opened(POP3, server) as mailbox:
        (ref,) = mailbox.refs(unseen_only=False)
        assert mailbox.settle([Settlement(ref, Disposition(delete=True))]) == {
            ref: "QUIT answered -ERR some messages not removed"
        }


def test_without_top_a_header_block_is_cut_off_the_message():
    with BadPop3({"capa": ["-ERR what\r\n"]}) as server, opened(POP3, server) as mailbox:
        (head,) = mailbox.heads(mailbox.refs(unseen_only=False))

    assert head.header == b"Subject: hello\r\n\r\n"
    assert not any(line.startswith("TOP") for line in server.heard)


def test_a_password_cannot_bring_a_command_along():
    with BadPop3() as server, pytest.raises(PersonNeeded, match="line break"):
        opened(POP3, server, PasswordCredential("jo", Secret("x\r\nDELE 1")))


def test_after_a_failure_pop3_starts_anew():
    script = {"top 1": ["+OK\r\nSubject: x\r\n", HANG]}
    with BadPop3(script) as server, opened(POP3, server) as mailbox:
        refs = mailbox.refs(unseen_only=False)
        with pytest.raises(Transient, match="no answer"):
            list(mailbox.heads(refs))
        assert [head.header for head in mailbox.heads(refs)] == [b"Subject: hello\r\n\r\n"]
