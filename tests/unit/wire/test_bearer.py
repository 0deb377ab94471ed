"""The SASL dialogue by access token, as servers really hold it."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailrules.api import PersonNeeded, Place, Refused, Secret, TokenCredential, Transient, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.pop3.protocol import POP3
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_pop3 import BadPop3
from mailrules.testing.bad_smtp import BadSmtp

TOKEN = "ya29.t0ken"
LONG = "x" * 2000


def encoded(text) -> str:
    return base64.b64encode(text.encode()).decode()


CHALLENGE = encoded(json.dumps({"status": "invalid_token", "scope": "imap", "schemes": f"bearer {TOKEN}"}))
SERVERS = {
    "imap": (
        BadImap,
        IMAP,
        lambda said: {"capability": [f"* CAPABILITY IMAP4rev1 SASL-IR {said}\r\n{{tag}} OK done\r\n"]},
        "authenticate",
    ),
    "pop3": (BadPop3, POP3, lambda said: {"capa": [f"+OK\r\nUIDL\r\nSASL {said}\r\n.\r\n"]}, "auth"),
    "smtp": (BadSmtp, SMTP, lambda said: {"ehlo": [f"250-here\r\n250 AUTH {said}\r\n"]}, "auth"),
}
DONE = {"imap": "{tag} OK in", "pop3": "+OK in", "smtp": "235 in"}
MORE = {"imap": "+ ", "pop3": "+ ", "smtp": "334 "}
NO = {"imap": "{tag} NO [AUTHENTICATIONFAILED] sorry", "pop3": "-ERR [AUTH] sorry", "smtp": "535 5.7.8 sorry"}
LATER = {"imap": "{tag} NO [UNAVAILABLE] busy", "pop3": "-ERR [SYS/TEMP] busy", "smtp": "454 4.7.0 busy"}
NAMES = pytest.mark.parametrize("name", SERVERS)


def mechanisms(name, *offered):
    return " ".join(f"AUTH={each}" for each in offered) if name == "imap" else " ".join(offered)


def script(name, *offered, **said):
    _, _, capable, command = SERVERS[name]
    return capable(mechanisms(name, *offered)) | {command: [f"{DONE[name]}\r\n"], **said}


def log_in(name, server, token=TOKEN, login="jo@x.example"):
    """Log in; to SMTP by sending something."""
    protocol = SERVERS[name][1]
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "500ms"}
    options = build_options(protocol.options, raw, root=Path())
    with closing(protocol.open(options, TokenCredential(login, Secret.holding(token)), Place(Path()))) as opened:
        if name == "smtp":
            mail = EmailMessage()
            mail["From"], mail["To"] = "a@x.example", "b@x.example"
            mail.set_content("hello")
            opened.send(mail, "a@x.example", ["b@x.example"])


def waiting(kind, line):
    """A server to which *line* is the command `answer`, under the tag of the command before."""

    class Waiting(kind):
        tag = ""

        def parse(self, heard):
            if heard == line:
                return self.tag, "answer"
            self.tag, found = super().parse(heard)
            return self.tag, found

    return Waiting


def shown(server):
    """What was said to log in, without tags."""
    lines = [line.split(" ", 1)[1] if line.startswith("M") else line for line in server.heard]
    return [line for line in lines if line.upper().startswith("AUTH")]


@NAMES
def test_the_standard_mechanism_is_taken_where_it_is_offered(name):
    kind, _, _, command = SERVERS[name]
    with kind(script(name, "PLAIN", "XOAUTH2", "OAUTHBEARER")) as server:
        log_in(name, server)
    first = f"n,a=jo@x.example,\x01host=127.0.0.1\x01port={server.port}\x01auth=Bearer {TOKEN}\x01\x01"

    assert shown(server) == [f"{command.upper()} OAUTHBEARER {encoded(first)}"]


@NAMES
def test_the_older_one_is_taken_elsewhere(name):
    kind, _, _, command = SERVERS[name]
    with kind(script(name, "PLAIN", "XOAUTH2")) as server:
        log_in(name, server)

    assert shown(server) == [
        f"{command.upper()} XOAUTH2 {encoded(f'user=jo@x.example{chr(1)}auth=Bearer {TOKEN}{chr(1)}{chr(1)}')}"
    ]


def test_a_login_with_signs_of_its_own_is_escaped():
    with BadImap(script("imap", "OAUTHBEARER")) as server:
        log_in("imap", server, login="jo=1,2@x.example")

    assert base64.b64decode(shown(server)[0].split()[-1]).startswith(b"n,a=jo=3D1=2C2@x.example,")


@pytest.mark.parametrize("name", ["pop3", "smtp"])
def test_a_token_too_long_for_a_command_follows_on_a_line_of_its_own(name):
    kind, _, _, command = SERVERS[name]
    said = script(name, "XOAUTH2", **{command: [f"{MORE[name]}\r\n"]})
    first = encoded(f"user=jo@x.example\x01auth=Bearer {LONG}\x01\x01")
    said[first.lower()] = said[first] = [f"{DONE[name]}\r\n"]
    with kind(said) as server:
        log_in(name, server, token=LONG)

    assert shown(server) == ["AUTH XOAUTH2"]
    assert first in server.heard


def test_an_imap_server_without_initial_responses_is_told_the_token_when_it_asks():
    said = {
        "capability": ["* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done\r\n"],
        "authenticate": ["+ \r\n"],
    }
    first = encoded(f"user=jo@x.example\x01auth=Bearer {TOKEN}\x01\x01")
    with waiting(BadImap, first)(said | {"answer": ["{tag} OK in\r\n"]}) as server:
        log_in("imap", server)

    assert shown(server) == ["AUTHENTICATE XOAUTH2"]
    assert first in server.heard


@NAMES
@pytest.mark.parametrize(("mechanism", "answer"), [("XOAUTH2", ""), ("OAUTHBEARER", encoded("\x01"))])
def test_the_reason_of_a_refusal_is_taken_and_told(name, mechanism, answer):
    kind, _, _, command = SERVERS[name]
    said = script(name, mechanism, **{command: [f"{MORE[name]}{CHALLENGE}\r\n"], "answer": [f"{NO[name]}\r\n"]})
    with waiting(kind, answer)(said) as server, pytest.raises(Refused) as error:
        log_in(name, server)

    assert "log-in as jo@x.example refused: " in str(error.value)
    assert "sorry (status invalid_token, scope imap, schemes bearer ***)" in str(error.value)
    assert "auth login" in error.value.remedy


@NAMES
def test_a_refusal_without_a_reason_is_one_too(name):
    kind, _, _, command = SERVERS[name]
    with (
        kind(script(name, "XOAUTH2", **{command: [f"{NO[name]} {TOKEN}\r\n"]})) as server,
        pytest.raises(Refused, match=r"refused: .*sorry \*\*\*"),
    ):
        log_in(name, server)


@NAMES
def test_a_server_that_cannot_ask_the_provider_now_is_tried_again(name):
    kind, _, _, command = SERVERS[name]
    with (
        kind(script(name, "XOAUTH2", **{command: [f"{LATER[name]}\r\n"]})) as server,
        pytest.raises(Transient, match=r"no log-in now: .*busy"),
    ):
        log_in(name, server)


@NAMES
def test_a_server_that_takes_no_tokens_needs_another_way(name):
    kind = SERVERS[name][0]
    with kind(script(name, "PLAIN")) as server, pytest.raises(PersonNeeded) as error:
        log_in(name, server)

    assert "it takes no token (it offers PLAIN)" in str(error.value)
    assert not isinstance(error.value, Refused)
    assert shown(server) == []


@NAMES
def test_nonsense_for_a_reason_is_told_as_it_is(name):
    kind, _, _, command = SERVERS[name]
    said = script(name, "OAUTHBEARER", **{command: [f"{MORE[name]}no base64\r\n"], "answer": [f"{NO[name]}\r\n"]})
    with waiting(kind, encoded("\x01"))(said) as server, pytest.raises(Refused, match=r"sorry \(no base64\)"):
        log_in(name, server)
