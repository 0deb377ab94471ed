"""`send: {smtp: ...}`: hand mail to a submission server or relay (RFC 5321, RFC 6409)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    NoCredential,
    PasswordCredential,
    Place,
    SendProtocol,
    TokenCredential,
    Transport,
)
from mailrules.builtin.line.options import ServerOptions
from mailrules.builtin.line.tls import Port, SecurityOption


class SmtpOptions(ServerOptions, frozen=True):
    """How to reach an SMTP server."""

    port: Annotated[Port | None, Meta(description="587 with starttls, 465 with tls, 25 without, if left out.")] = None
    security: SecurityOption = "starttls"

    ports: ClassVar = {"starttls": 587, "tls": 465, "none": 25}


def open_smtp(options: SmtpOptions, credential: Credential, place: Place) -> Transport:
    """A way to send; it connects when there is something to send."""
    from mailrules.builtin.smtp.transport import SmtpTransport

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return SmtpTransport(options.server(place), credential)


def check_smtp(options: SmtpOptions, credential: Credential, place: Place) -> Iterator[Check]:
    """See `mailrules.api.SendProtocol.checks`."""
    from mailrules.builtin.smtp.check import SmtpChecks

    return SmtpChecks(options.server(place), credential).each()


SMTP = SendProtocol(
    name="smtp",
    summary="A submission server or relay.",
    options=SmtpOptions,
    open=open_smtp,
    accepts=frozenset({PasswordCredential, TokenCredential, NoCredential}),
    checks=check_smtp,
)
