"""That the servers are what the other tests take them for."""

import imaplib
import poplib
import smtplib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.servers import FRESH_PASSWORD, Mailbox, Relay, Store, digest

MESSAGE = b"From: ext@else.example\r\nSubject: hello\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"


@pytest.fixture(params=["dovecot", "cyrus"])
def store(request: pytest.FixtureRequest) -> Store:
    server: Store = request.getfixturevalue(request.param)
    return server


def test_a_password_is_taken_over_starttls(store: Store) -> None:
    with imaplib.IMAP4(store.host, store.imap, timeout=10) as imap:
        imap.starttls(store.tls)

        assert imap.login("alice@tb.test", "pw-alice")[0] == "OK"


def test_a_password_is_taken_over_tls(store: Store) -> None:
    with imaplib.IMAP4_SSL(store.host, store.imaps, ssl_context=store.tls, timeout=10) as imap:
        assert imap.login("alice@tb.test", "pw-alice")[0] == "OK"


def test_a_wrong_password_is_refused(store: Store) -> None:
    with (
        imaplib.IMAP4_SSL(store.host, store.imaps, ssl_context=store.tls, timeout=10) as imap,
        pytest.raises(imaplib.IMAP4.error, match=r"(?i)authentication fail"),
    ):
        imap.login("alice@tb.test", "no")


@pytest.mark.parametrize("capability", ["IDLE", "MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC", "SPECIAL-USE"])
def test_modern_imap_is_spoken(store: Store, capability: str) -> None:
    with store.fresh().session() as imap:
        assert capability in str(imap.capability()[1]).split()


def test_pop3_over_stls_counts_what_was_delivered(store: Store) -> None:
    mailbox = store.fresh()
    mailbox.deliver(MESSAGE, MESSAGE)
    pop = poplib.POP3(store.host, store.pop3, timeout=10)
    pop.stls(store.tls)
    pop.user(mailbox.user)
    pop.pass_(FRESH_PASSWORD)
    count, _ = pop.stat()
    pop.quit()

    assert count == 2


def test_a_snapshot_shows_flags_and_content_and_changes_neither(store: Store) -> None:
    mailbox = store.fresh()
    mailbox.append(MESSAGE, "Done/2026", r"\Flagged")
    first = mailbox.snapshot()

    assert first["Done/2026"].messages[0].flags == {"\\Flagged"}
    assert first["Done/2026"].digests == (digest(MESSAGE),)
    assert mailbox.snapshot() == first


def test_a_cleared_mailbox_is_empty(store: Store) -> None:
    mailbox = store.fresh()
    mailbox.deliver(MESSAGE)
    mailbox.append(MESSAGE, "Other")
    mailbox.clear()
    left = mailbox.snapshot()

    assert "Other" not in left
    assert not any(folder.messages for folder in left.values())


def test_mail_is_loaded_unchanged_in_order(mailbox: Mailbox) -> None:
    mail = [b"Subject: %d\n\nbody\n" % number for number in range(300)]
    mailbox.load(mail)
    mailbox.load(mail[:2], "Done/2026")
    held = mailbox.snapshot()

    assert held["INBOX"].digests == tuple(map(digest, mail))
    assert held["Done/2026"].uids == (1, 2)


def test_submitted_mail_arrives_in_the_mailbox(postfix: Relay, mailbox: Mailbox) -> None:
    with smtplib.SMTP(postfix.host, postfix.submission, timeout=10) as smtp:
        smtp.starttls(context=postfix.tls)
        smtp.login("bob@tb.test", "pw-bob")
        smtp.sendmail("bob@tb.test", [mailbox.user], MESSAGE)

    mailbox.wait(1)


def test_submission_needs_a_login(postfix: Relay, mailbox: Mailbox) -> None:
    with smtplib.SMTP_SSL(postfix.host, postfix.smtps, context=postfix.tls, timeout=10) as smtp:
        smtp.ehlo()
        smtp.mail("bob@tb.test")

        assert smtp.rcpt(mailbox.user)[0] == 554


def test_mail_for_outside_stays_here(postfix: Relay, dovecot: Store) -> None:
    sink = dovecot.mailbox("sink")
    sink.clear()
    with smtplib.SMTP(postfix.host, postfix.smtp, timeout=10) as smtp:
        smtp.sendmail("bob@tb.test", ["someone@example.org"], MESSAGE)

    sink.wait(1)


@pytest.mark.parametrize(("user", "code"), [("reject550", 550), ("reject451", 451), ("full", 452)])
def test_some_recipients_are_refused(postfix: Relay, user: str, code: int) -> None:
    with smtplib.SMTP(postfix.host, postfix.smtp, timeout=10) as smtp:
        smtp.ehlo()
        smtp.mail("ext@else.example")

        assert smtp.rcpt(f"{user}@tb.test")[0] == code


OWNER = """
import sys, time
from tests.servers import Testbed
with Testbed.temporary() as bed:
    bed.start(*sys.argv[1:])
    print(bed.place.directory, flush=True)
    time.sleep(60)
"""


def processes_of(directory: str) -> list[str]:
    """The command lines and working folders that name a testbed's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text() + str((process / "cwd").readlink())
        except OSError:  # it ended while we looked
            continue
        found += [words] if directory in words else []
    return found


@pytest.mark.usefixtures("postfix", "cyrus")
def test_nothing_is_left_when_the_owner_is_killed() -> None:
    command = [sys.executable, "-c", OWNER, "dovecot", "postfix", "cyrus"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as owner:
        assert owner.stdout
        directory = owner.stdout.readline().strip()
        before = processes_of(directory)
        owner.kill()
    deadline = time.monotonic() + 15
    while (processes_of(directory) or Path(directory).exists()) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert len(before) > 10
    assert processes_of(directory) == []
    assert not Path(directory).exists()
