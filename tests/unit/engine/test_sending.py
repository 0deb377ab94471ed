"""The edge by which mail leaves, on servers that misbehave: who has it, who is asked again, what is kept."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailrules.api import InDoubt, Permanent, Transient, Withheld, build_options
from mailrules.api.guard import loop_token
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.config.settings import Account
from mailrules.engine.lines import Lines
from mailrules.engine.sending import AccountSender, Errand
from mailrules.model.message import Address, Trust
from mailrules.registry import Plugin, Provided
from mailrules.testing.bad_server import CLOSE, HANG
from mailrules.testing.bad_smtp import BadSmtp
from mailrules.testing.context import RecordingAppender, RecordingLog, message_of

OURS = "support@desk.example"
THREE = ["a@x.example", "b@x.example", "c@x.example"]
BUILT_IN = Plugin("built-in", "1")


def account(server, **more):
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "300ms"}
    send = (Provided(SMTP, BUILT_IN), build_options(SMTP.options, raw, root=Path()))
    trust = Trust(own_addresses=frozenset({OURS, "sales@desk.example"}))
    return Account("support", send=send, sender=Address("Example", OURS), trust=trust, **more)


def errand(message=None, *, append=None, progress=None):
    return Errand(
        message=message or message_of(),
        append=append or RecordingAppender(),
        log=RecordingLog(),
        progress=progress or {},
    )


def mail(to="b@x.example", **headers):
    made = EmailMessage()
    for name, value in {
        "From": OURS,
        "To": to,
        "Subject": "Größe",
        "Message-ID": "<1@desk.example>",
        **headers,
    }.items():
        made[name] = value
    made.set_content("Grüße\n")
    return made


def sender(server, *, lines=None, work=None, **more):
    return AccountSender(account(server, **more), Path(), work or errand(), lines or Lines(most=1))


def named(server, verb):
    """The recipients that a server was told, in order."""
    return [line.partition("<")[2].rstrip(">") for line in server.heard if line.lower().startswith(verb)]


def test_only_those_refused_for_now_are_asked_again():
    with BadSmtp({"rcpt 2": ["451 greylisted\r\n"]}) as server:
        with pytest.raises(Transient) as raised:
            sender(server)(mail(), recipients=THREE)
        said = sender(server, work=errand(progress=raised.value.progress))(mail(), recipients=THREE)

    assert str(raised.value) == (
        "account 'support': sent to a@x.example, c@x.example (250 taken) but refused for b@x.example (451 greylisted)"
    )
    assert said == "250 taken"
    assert named(server, "rcpt") == [*THREE, "b@x.example"]


def test_who_is_refused_for_good_is_named_when_all_others_have_it():
    with BadSmtp({"rcpt 1": ["550 who\r\n"], "rcpt 2": ["451 later\r\n"]}) as server:
        with pytest.raises(Transient) as raised:
            sender(server)(mail(), recipients=THREE)
        with pytest.raises(InDoubt) as at_last:
            sender(server, work=errand(progress=raised.value.progress))(mail(), recipients=THREE)

    assert "sent to c@x.example, b@x.example (250 taken)" in str(at_last.value)
    assert "refused for a@x.example (550 who): not repeated" in str(at_last.value)
    assert named(server, "rcpt") == [*THREE, "b@x.example"]


def test_what_a_person_has_repeated_goes_to_those_who_were_refused():
    with BadSmtp({"rcpt 1": ["550 who\r\n"]}) as server:
        with pytest.raises(InDoubt) as raised:
            sender(server)(mail(), recipients=THREE)
        sender(server, work=errand(progress=raised.value.progress))(mail(), recipients=THREE)

    assert named(server, "rcpt") == [*THREE, "a@x.example"]


@pytest.mark.parametrize("answer", ["251 will forward", "252 cannot verify, will try", "255 why not"])
def test_who_is_taken_in_whatever_words_has_the_mail(answer):
    with BadSmtp({"rcpt 1": [f"{answer}\r\n"]}) as server:
        assert sender(server)(mail(), recipients=THREE) == "250 taken"


@pytest.mark.parametrize("again", [{"greeting 2": ["421 busy\r\n"]}, {". 2": ["451 later\r\n"]}])
def test_who_has_it_is_remembered_while_the_server_is_away(again):
    with BadSmtp({"rcpt 3": ["451 later\r\n"], **again}) as server:
        progress = {}
        for _ in range(2):
            with pytest.raises(Transient) as raised:
                sender(server, work=errand(progress=progress))(mail(), recipients=THREE)
            progress = raised.value.progress
        sender(server, work=errand(progress=progress))(mail(), recipients=THREE)

    assert named(server, "rcpt")[:3] == THREE
    assert set(named(server, "rcpt")[3:]) == {"c@x.example"}


def test_those_who_are_refused_for_good_at_the_second_try_are_named():
    with BadSmtp({"rcpt 3": ["451 later\r\n"], "rcpt 4": ["550 who\r\n"]}) as server:
        with pytest.raises(Transient) as raised:
            sender(server)(mail(), recipients=THREE)
        with pytest.raises(InDoubt, match=r"sent to a@x.example, b@x.example .* refused for c@x.example .*550 who"):
            sender(server, work=errand(progress=raised.value.progress))(mail(), recipients=THREE)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ({".": [CLOSE]}, InDoubt),
        ({".": [HANG]}, InDoubt),
        ({"rcpt": [HANG]}, Transient),
        ({"data": [HANG]}, Transient),
        ({"greeting": [HANG]}, Transient),
        ({"rcpt": ["550 who\r\n"]}, Permanent),
        ({"rcpt": ["450 later\r\n"]}, Transient),
    ],
    ids=str,
)
def test_a_server_that_fails_costs_little_and_the_mail_leaves_at_most_once(script, kind):
    lines = Lines()
    started = time.monotonic()
    with BadSmtp(script) as server, pytest.raises((Transient, Permanent)) as raised:
        sender(server, lines=lines)(mail(), recipients=THREE)

    assert type(raised.value) is kind
    assert time.monotonic() - started < 8
    assert sum(line == "." for line in server.heard) <= 1


def test_a_lost_answer_is_never_followed_by_a_second_try_on_another_line():
    lines = Lines()
    with BadSmtp({". 2": [CLOSE]}) as server:
        sender(server, lines=lines)(mail(), recipients=THREE)
        with pytest.raises(InDoubt, match="may have been delivered"):
            sender(server, lines=lines)(mail(), recipients=THREE)

    assert sum(line == "." for line in server.heard) == 2


def greetings(server):
    return sum(line.lower().startswith("ehlo") for line in server.heard)


def test_mails_share_a_line():
    lines = Lines()
    with BadSmtp() as server:
        for _ in range(5):
            sender(server, lines=lines)(mail(), recipients=THREE)
        lines.close()

    assert greetings(server) == 1
    assert server.heard.count("RSET") + server.heard.count("rset") == 4


def test_a_line_that_died_while_it_was_kept_is_opened_anew_once():
    lines = Lines()
    with BadSmtp({"rset 1": [CLOSE]}) as server:
        for _ in range(3):
            sender(server, lines=lines)(mail(), recipients=THREE)

    assert greetings(server) == 2


def test_a_line_carries_so_many_mails_and_no_more():
    lines = Lines(most=2)
    with BadSmtp() as server:
        for _ in range(5):
            sender(server, lines=lines)(mail(), recipients=THREE)
        lines.close()

    assert greetings(server) == 3


def test_a_line_that_nobody_uses_is_closed():
    lines = Lines(idle=0.05)
    with BadSmtp() as server:
        sender(server, lines=lines)(mail(), recipients=THREE)
        end = time.monotonic() + 5
        while "QUIT" not in server.heard and time.monotonic() < end:
            time.sleep(0.02)

    assert "QUIT" in server.heard


def test_another_credential_gets_a_line_of_its_own():
    lines, opened = Lines(), []

    class Way:
        def close(self):
            pass

    def use(shown):
        return lines.use("support", shown, opened=lambda: opened.append(shown) or Way(), send=lambda _way: shown)

    assert [use("one"), use("one"), use("two"), use("one")] == ["one", "one", "two", "one"]
    assert opened == ["one", "two"]


def test_no_two_threads_share_a_line_at_a_time():
    lines, busy, clashes = Lines(), set(), []

    class Way:
        def close(self):
            pass

    def send(way):
        clashes.extend([way] if way in busy else [])
        busy.add(way)
        time.sleep(0.001)
        busy.discard(way)

    def work():
        for _ in range(50):
            lines.use("support", None, opened=Way, send=send)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not clashes


@pytest.mark.parametrize(
    ("of_account", "of_step", "folder"),
    [(True, None, "\\Sent"), ("Outgoing", None, "Outgoing"), (False, "Answers", "Answers"), (True, False, None)],
)
def test_a_copy_is_kept_where_the_step_or_else_the_account_says(of_account, of_step, folder):
    append = RecordingAppender()
    with BadSmtp() as server:
        sender(server, work=errand(append=append), sent=of_account)(
            mail(Bcc="c@x.example"), recipients=THREE, sent=of_step
        )

    assert [(name, new.flags) for _, name, new in append.appended] == (
        [("", folder, ("\\Seen",))[1:]] if folder else []
    )
    assert all(b"Bcc: c@x.example" in new.raw for _, _, new in append.appended)
    assert "Bcc: c@x.example" not in server.heard


def test_a_mail_that_has_left_does_not_leave_again_because_its_copy_failed():
    append, work = RecordingAppender(Transient("the mailbox is full")), None
    with BadSmtp({"rcpt 2": ["451 later\r\n"]}) as server:
        work = errand(append=append)
        with pytest.raises(Transient) as raised:
            sender(server, work=work, sent=True)(mail(), recipients=THREE)
        said = sender(server, sent=True)(mail(), recipients=["a@x.example"])
        failing = sender(server, work=errand(append=append), sent=True)(mail(), recipients=["a@x.example"])

    assert raised.value.progress["sending"]["copied"]
    assert work.log.lines == [("warning", "no copy in \\Sent: the mailbox is full")]
    assert (said, failing) == ("250 taken", "250 taken; no copy in \\Sent: the mailbox is full")


def test_a_mail_that_has_left_does_not_leave_again_because_a_protocol_broke_on_its_copy():
    with BadSmtp() as server:
        work = errand(append=RecordingAppender(RuntimeError("a bug")))
        said = sender(server, work=work, sent=True)(mail(), recipients=["a@x.example"])

    assert said == "250 taken; no copy in \\Sent: RuntimeError: a bug"


def test_who_is_asked_again_is_not_held_back_by_a_cap_that_let_the_others_through():
    with BadSmtp({"rcpt 2": ["451 later\r\n"]}) as server:
        with pytest.raises(Transient) as raised:
            sender(server)(mail(), recipients=THREE)
        work = replace(errand(progress=raised.value.progress), capped=lambda _to, _subject: "b has had enough")
        said = sender(server, work=work)(mail(), recipients=THREE)
        with pytest.raises(Withheld, match="b has had enough"):
            sender(server, work=replace(work, progress={}))(mail(), recipients=THREE)

    assert said == "250 taken"


GUARDED = {
    "an answer to a list": (b"List-Id: <l.x.example>\nFrom: b@x.example\n\n", "b@x.example", "kind 'list'"),
    "our own mail coming back": (f"X-Loop-Token: {loop_token(OURS)}\n\n".encode(), "z@x.example", "own loop token"),
    "ourselves": (b"From: b@x.example\n\n", OURS, "own address"),
}


@pytest.mark.parametrize(("raw", "to", "says"), GUARDED.values(), ids=GUARDED)
def test_whatever_sends_is_guarded(raw, to, says):
    with BadSmtp() as server, pytest.raises(Withheld, match=says):
        sender(server, work=errand(message_of(raw)))(mail(to))

    assert not server.heard


def test_a_mail_too_large_for_the_server_is_not_begun():
    ehlo = ["250-here\r\n250-AUTH PLAIN\r\n250 SIZE 1000\r\n"]
    says = r"it takes messages of up to 1,000 octets, this has 4,\d{3}"
    with BadSmtp({"ehlo": ehlo}) as server, pytest.raises(Permanent, match=says):
        sender(server)(b"Subject: x\r\n\r\n" + b"x" * 4000, recipients=THREE)

    assert not any(line.lower().startswith(("mail", "data")) for line in server.heard)


@pytest.mark.parametrize(
    ("ehlo", "content", "says"),
    [
        ("8BITMIME", mail("jö@x.example"), "no SMTPUTF8"),
        ("SMTPUTF8", "Subject: x\n\nGrüße\n".encode(), "no 8BITMIME"),
    ],
)
def test_what_a_server_lacks_is_said(ehlo, content, says):
    with BadSmtp({"ehlo": [f"250-here\r\n250 {ehlo}\r\n"]}) as server, pytest.raises(Permanent, match=says):
        sender(server)(content, recipients=["b@x.example"])

    assert not any(line.lower().startswith("mail") for line in server.heard)


def test_a_large_mail_may_take_longer_than_an_answer():
    with BadSmtp() as server:
        assert sender(server)(b"Subject: x\r\n\r\n" + b"x" * 60 + b"\r\n" * 300_000, recipients=THREE) == "250 taken"


def test_octets_are_sent_as_they_are():
    octets = b"Resent-From: x@x.example\r\nSubject:  two  blanks\r\n\tfolded\r\n\r\n.dot\r\nend"
    with BadSmtp({"ehlo": ["250-here\r\n250 AUTH PLAIN\r\n"]}) as server:
        sender(server)(octets, recipients=["b@x.example"])

    start = server.heard.index("Resent-From: x@x.example")
    assert "\r\n".join(server.heard[start : start + 6]) == octets.decode().replace("\r\n.dot", "\r\n..dot")


def test_without_a_message_nothing_is_guarded_or_copied():
    with BadSmtp() as server:
        assert AccountSender(account(server, sent=True), Path())(mail(OURS)) == "250 taken"
