"""`receive: {pop3: ...}`: the mailbox on a POP3 server (RFC 1939)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    Mailbox,
    PasswordCredential,
    Place,
    ReceiveProtocol,
    TokenCredential,
)
from mailrules.builtin.line.options import ServerOptions
from mailrules.builtin.line.tls import Port


class Pop3Options(ServerOptions, frozen=True):
    """How to reach a POP3 server."""

    port: Annotated[Port | None, Meta(description="995 with tls, 110 without, if left out.")] = None

    ports: ClassVar = {"tls": 995, "starttls": 110, "none": 110}


def open_pop3(options: Pop3Options, credential: Credential, place: Place) -> Mailbox:
    """Log in. There is one mailbox, whatever the folder.

    Raises:
        Transient: the server is away, slow, confused, or the mailbox is in use.
        PersonNeeded: the password, the certificate or the security asked for is wrong.
    """
    from mailrules.builtin.pop3.mailbox import Pop3Mailbox

    assert isinstance(credential, PasswordCredential | TokenCredential)
    mailbox = Pop3Mailbox(options.server(place), credential, place.folder)
    mailbox.connect()
    return mailbox


def check_pop3(options: Pop3Options, credential: Credential, place: Place, _folders: Sequence[str]) -> Iterator[Check]:
    """See `mailrules.api.ReceiveProtocol.checks`."""
    from mailrules.builtin.pop3.check import Pop3Checks

    return Pop3Checks(options.server(place), credential).each()


POP3 = ReceiveProtocol(
    name="pop3",
    summary="The mailbox on a POP3 server.",
    options=Pop3Options,
    open=open_pop3,
    accepts=frozenset({PasswordCredential, TokenCredential}),
    verbs=frozenset({"delete"}),
    folders=False,
    checks=check_pop3,
)
