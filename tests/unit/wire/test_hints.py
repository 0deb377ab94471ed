"""What a server says of how long to stay away reaches whoever plans the next try, and only where it is about us."""

from __future__ import annotations

from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.unit.engine.test_push import open_imap

from mailrules.api import NoCredential, Place, Transient, build_options
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_smtp import BadSmtp

IMAP_HINTS = {
    "a goodbye for a greeting": ({"greeting": ["* BYE try again in 30 seconds\r\n"]}, 30),
    "no log-in now": ({"login": ["{tag} NO [UNAVAILABLE] try again in 5 minutes\r\n"]}, 300),
    "throttled at the log-in": (
        {"login": ["{tag} BAD Request is throttled. Suggested Backoff Time: 299923 milliseconds\r\n"]},
        299.923,
    ),
    "throttled at work": ({"uid search": ["{tag} NO [THROTTLED] wait 2 hours\r\n"]}, 7200),
    "a goodbye at work": ({"uid search": ["* BYE retry after 45 s\r\n"]}, 45),
    "no number": ({"uid search": ["{tag} NO [LIMIT] try again later\r\n"]}, None),
}
SMTP_HINTS = {
    "a greeting": ({"greeting": ["421 4.7.0 try again in 60 seconds\r\n"]}, 60),
    "the sender": ({"mail": ["451 4.7.1 slow down, retry in 90 s\r\n"]}, 90),
    "the message": ({".": ["421 4.3.2 busy, try again in 2 minutes\r\n"]}, 120),
    "a recipient that is put off": ({"rcpt": ["450 4.2.0 greylisted, try again in 300 seconds\r\n"]}, None),
    "a failure of its own": ({"mail": ["451 4.3.0 try again in 300 seconds\r\n"]}, None),
}


@pytest.mark.parametrize(("script", "seconds"), IMAP_HINTS.values(), ids=IMAP_HINTS)
def test_an_imap_server_that_asks_to_be_left_alone(script, seconds):
    with BadImap(script) as server, pytest.raises(Transient) as raised, closing(open_imap(server.port)) as mailbox:
        mailbox.refs(unseen_only=False)

    assert raised.value.after == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("script", "seconds"), SMTP_HINTS.values(), ids=SMTP_HINTS)
def test_an_smtp_server_that_asks_to_be_left_alone(script, seconds):
    mail = EmailMessage()
    mail["From"] = mail["To"] = "a@x.example"
    with BadSmtp(script) as server:
        raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "5s"}
        options = build_options(SMTP.options, raw, root=Path())
        with (
            closing(SMTP.open(options, NoCredential(), Place(Path()))) as transport,
            pytest.raises(Transient) as raised,
        ):
            transport.send(mail, "a@x.example", ["b@x.example"])

    assert raised.value.after == seconds
