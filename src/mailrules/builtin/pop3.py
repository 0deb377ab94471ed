"""`receive: {pop3: ...}`: the mailbox on a POP3 server (RFC 1939)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mailrules.api import (
    Credential,
    Duration,
    Mailbox,
    Options,
    PasswordCredential,
    Place,
    ReceiveProtocol,
    TokenCredential,
)
from mailrules.builtin.tls import Certificate, Host, Port, SecurityOption, Server, Timeout


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
    from mailrules.builtin.pop3_mailbox import Pop3Mailbox

    assert isinstance(credential, PasswordCredential | TokenCredential)
    server = Server(
        host=options.host,
        port=options.port or (995 if options.security == "tls" else 110),
        security=options.security,
        certificate=options.certificate,
        timeout=options.timeout.seconds,
        workspace=place.workspace,
    )
    mailbox = Pop3Mailbox(server, credential, place.folder)
    mailbox.connect()
    return mailbox


POP3 = ReceiveProtocol(
    name="pop3",
    summary="The mailbox on a POP3 server.",
    options=Pop3Options,
    open=open_pop3,
    accepts=frozenset({PasswordCredential, TokenCredential}),
    verbs=frozenset({"delete"}),
    folders=False,
)
