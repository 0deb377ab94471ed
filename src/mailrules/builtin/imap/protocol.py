"""`receive: {imap: ...}`: a folder on an IMAP server (RFC 3501, RFC 9051)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    Duration,
    Mailbox,
    NewMessage,
    NoCredential,
    Options,
    PasswordCredential,
    Place,
    ReceiveProtocol,
    Ref,
    TokenCredential,
)
from mailrules.builtin.line.tls import Certificate, Host, Port, SecurityOption, Server, Timeout


class ImapOptions(Options, frozen=True):
    """How to reach an IMAP server."""

    host: Host
    port: Annotated[Port | None, Meta(description="993 with tls, 143 without, if left out.")] = None
    security: SecurityOption = "tls"
    certificate: Certificate = ""
    timeout: Timeout = Duration(30)


def open_imap(options: ImapOptions, credential: Credential, place: Place) -> Mailbox:
    """Log in and open the folder, with EXAMINE when it is only to be read.

    Raises:
        Transient: the server is away, slow or confused.
        PersonNeeded: the password, the certificate, the folder or the security asked for is wrong.
    """
    from mailrules.builtin.imap.mailbox import ImapMailbox
    from mailrules.builtin.imap.session import Session

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return ImapMailbox(partial(Session.opened, server_of(options, place), credential, place))


def append_to_imap(options: ImapOptions, credential: Credential, place: Place, new: NewMessage) -> Ref:
    """See `mailrules.api.ReceiveProtocol.append`."""
    from mailrules.builtin.imap.append import append_imap

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return append_imap(server_of(options, place), credential, place, new)


def server_of(options: ImapOptions, place: Place) -> Server:
    """Where it is, with the usual port where none is written."""
    return Server(
        host=options.host,
        port=options.port or (993 if options.security == "tls" else 143),
        security=options.security,
        certificate=options.certificate,
        timeout=options.timeout.seconds,
        workspace=place.workspace,
    )


def check_imap(options: ImapOptions, credential: Credential, place: Place, folders: Sequence[str]) -> Iterator[Check]:
    """See `mailrules.api.ReceiveProtocol.checks`."""
    from mailrules.builtin.imap.check import ImapChecks

    return ImapChecks(server_of(options, place), credential, place).each(folders)


IMAP = ReceiveProtocol(
    name="imap",
    summary="A folder on an IMAP server.",
    options=ImapOptions,
    open=open_imap,
    accepts=frozenset({PasswordCredential, TokenCredential, NoCredential}),
    verbs=frozenset({"delete", "move", "copy", "seen", "flags", "labels"}),
    checks=check_imap,
    append=append_to_imap,
    pushes=True,
)
