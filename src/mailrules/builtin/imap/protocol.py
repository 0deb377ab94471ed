"""`receive: {imap: ...}`: a folder on an IMAP server (RFC 3501, RFC 9051)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, ClassVar

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    Mailbox,
    NewMessage,
    NoCredential,
    PasswordCredential,
    Place,
    ReceiveProtocol,
    Ref,
    TokenCredential,
)
from mailrules.builtin.line.options import ServerOptions
from mailrules.builtin.line.tls import Port


class ImapOptions(ServerOptions, frozen=True):
    """How to reach an IMAP server."""

    port: Annotated[Port | None, Meta(description="993 with tls, 143 without, if left out.")] = None

    ports: ClassVar = {"tls": 993, "starttls": 143, "none": 143}


def open_imap(options: ImapOptions, credential: Credential, place: Place) -> Mailbox:
    """Log in and open the folder, with EXAMINE when it is only to be read.

    Raises:
        Transient: the server is away, slow or confused.
        PersonNeeded: the password, the certificate, the folder or the security asked for is wrong.
    """
    from mailrules.builtin.imap.mailbox import ImapMailbox
    from mailrules.builtin.imap.session import Session

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return ImapMailbox(partial(Session.opened, options.server(place), credential, place))


def append_to_imap(options: ImapOptions, credential: Credential, place: Place, new: NewMessage) -> Ref:
    """See `mailrules.api.ReceiveProtocol.append`."""
    from mailrules.builtin.imap.append import append_imap

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return append_imap(options.server(place), credential, place, new)


def check_imap(options: ImapOptions, credential: Credential, place: Place, folders: Sequence[str]) -> Iterator[Check]:
    """See `mailrules.api.ReceiveProtocol.checks`."""
    from mailrules.builtin.imap.check import ImapChecks

    return ImapChecks(options.server(place), credential, place).each(folders)


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
