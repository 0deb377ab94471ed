"""Logging in by access token: SASL OAUTHBEARER (RFC 7628) and XOAUTH2, on IMAP, POP3 and SMTP alike."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from mailrules.builtin.line.tls import Server, one_line

if TYPE_CHECKING:
    from mailrules.api import TokenCredential

MECHANISMS = ("OAUTHBEARER", "XOAUTH2")
"""The standard one first."""

Outcome: TypeAlias = Literal["in", "more", "later", "no"]
"""Logged in; the server says something and waits; not now; refused."""
Exchange: TypeAlias = Callable[[str], tuple[Outcome, bytes]]
"""Sends one line, gives what came of it and the text that came with it."""


def log_in_by_token(
    server: Server,
    credential: TokenCredential,
    *,
    offered: Iterable[str],
    command: str,
    longest: int,
    exchange: Exchange,
) -> None:
    """The whole dialogue.

    A refusal comes as a challenge that says why and must be answered before the server ends the dialogue (RFC 7628,
    section 3.2.3): its words are in the error.

    Args:
        server: for naming it.
        credential: the mailbox and the token.
        offered: the mechanisms that the server knows.
        command: `AUTH` or `AUTHENTICATE`.
        longest: octets of a command line; a token that does not fit follows on a line of its own.
        exchange: the conversation.

    Raises:
        Refused: the server does not take the token.
        Transient: it takes none now.
        PersonNeeded: it takes no tokens at all.
    """
    known = {name.upper() for name in offered}
    mechanism = next((name for name in MECHANISMS if name in known), None)
    if mechanism is None:
        there = ", ".join(sorted(known)) or "nothing"
        raise server.person(f"it takes no token (it offers {there})", remedy="set another `auth:`")
    first = _base64(initial(mechanism, credential, server))
    line = f"{command} {mechanism} {first}"
    outcome, text = exchange(line if len(line) <= longest else f"{command} {mechanism}")
    if outcome == "more" and len(line) > longest:
        outcome, text = exchange(first)
    challenge = b""
    if outcome == "more":
        challenge = text
        outcome, text = exchange(_base64(b"\x01" if mechanism == "OAUTHBEARER" else b""))
    if outcome != "in":
        raise _refusal(server, credential, outcome, said=_said(text, challenge, credential.token.reveal()))


def initial(mechanism: str, credential: TokenCredential, server: Server) -> bytes:
    """The first response: for whom, and the token."""
    token = f"auth=Bearer {credential.token.reveal()}\x01\x01"
    if mechanism == "XOAUTH2":
        return f"user={credential.login}\x01{token}".encode()
    name = credential.login.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, section 4
    return f"n,a={name},\x01host={server.host}\x01port={server.port}\x01{token}".encode()


def _refusal(server: Server, credential: TokenCredential, outcome: Outcome, *, said: str) -> Exception:
    if outcome == "later":
        return server.transient(f"no log-in now: {said}")
    remedy = "check `login`, `mailbox` and `scopes`, or run: mailrules auth login ACCOUNT"
    return server.refused(credential.login, said, remedy=remedy)


def _said(text: bytes, challenge: bytes, token: str) -> str:
    """The server's own words: of its last line, and of the challenge, JSON in base64."""
    words = one_line(text)
    if details := _details(challenge):
        words = f"{words} ({details})"
    return words.replace(token, "***")


def _details(challenge: bytes) -> str:
    try:
        decoded = b64decode(challenge, validate=True)
        told = json.loads(decoded)
    except (ValueError, RecursionError):
        return one_line(challenge)
    if not isinstance(told, dict):
        return one_line(decoded)
    return ", ".join(f"{one_line(key, 40)} {one_line(value)}" for key, value in list(told.items())[:8] if value)


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode()
