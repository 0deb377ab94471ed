"""`receive: {pop3: ...}`: the mailbox on a POP3 server (RFC 1939)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    Duration,
    Mailbox,
    Options,
    PasswordCredential,
    Place,
    ReceiveProtocol,
    TokenCredential,
)
from mailrules.builtin.line.tls import Certificate, Host, Port, SecurityOption, Server, Timeout


class Pop3Options(Options, frozen=True):
    """How to reach a POP3 server."""

    host: Host
    port: Annotated[Port | None, Meta(description="995 with tls, 110 without, if left out.")] = None
    security: SecurityOption = "tls"
    certificate: Certificate = ""
    timeout: Timeout = Duration(30)


def open_pop3(options: Pop3Options, credential: Credential, place: Place) -> Mailbox:
    """Log in. There is one mailbox, whatever the folder.

    Raises:
        Transient: the server is away, slow, confused, or the mailbox is in use.
        PersonNeeded: the password, the certificate or the security asked for is wrong.
    """
    from mailrules.builtin.pop3.mailbox import Pop3Mailbox

    assert isinstance(credential, PasswordCredential | TokenCredential)
    mailbox = Pop3Mailbox(server_of(options, place), credential, place.folder)
    mailbox.connect()
    return mailbox


def server_of(options: Pop3Options, place: Place) -> Server:
    """Where it is, with the usual port where none is written."""
    return Server(
        host=options.host,
        port=options.port or (995 if options.security == "tls" else 110),
        security=options.security,
        certificate=options.certificate,
        timeout=options.timeout.seconds,
        workspace=place.workspace,
    )


def check_pop3(options: Pop3Options, credential: Credential, place: Place, _folders: Sequence[str]) -> Iterator[Check]:
    """See `mailrules.api.ReceiveProtocol.checks`."""
    from mailrules.builtin.pop3.check import Pop3Checks

    return Pop3Checks(server_of(options, place), credential).each()


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
