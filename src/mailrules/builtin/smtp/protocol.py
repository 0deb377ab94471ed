"""`send: {smtp: ...}`: hand mail to a submission server or relay (RFC 5321, RFC 6409)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from mailrules.api import (
    Check,
    Credential,
    Duration,
    NoCredential,
    Options,
    PasswordCredential,
    Place,
    SendProtocol,
    TokenCredential,
    Transport,
)
from mailrules.builtin.line.tls import Certificate, Host, Port, SecurityOption, Server, Timeout

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class SmtpOptions(Options, frozen=True):
    """How to reach an SMTP server."""

    host: Host
    port: Annotated[Port | None, Meta(description="587 with starttls, 465 with tls, 25 without, if left out.")] = None
    security: SecurityOption = "starttls"
    certificate: Certificate = ""
    timeout: Timeout = Duration(30)


def open_smtp(options: SmtpOptions, credential: Credential, place: Place) -> Transport:
    """A way to send; it connects when there is something to send."""
    from mailrules.builtin.smtp.transport import SmtpTransport

    assert isinstance(credential, NoCredential | PasswordCredential | TokenCredential)
    return SmtpTransport(server_of(options, place), credential)


def server_of(options: SmtpOptions, place: Place) -> Server:
    """Where it is, with the usual port where none is written."""
    return Server(
        host=options.host,
        port=options.port or _PORTS[options.security],
        security=options.security,
        certificate=options.certificate,
        timeout=options.timeout.seconds,
        workspace=place.workspace,
    )


def check_smtp(options: SmtpOptions, credential: Credential, place: Place) -> Iterator[Check]:
    """See `mailrules.api.SendProtocol.checks`."""
    from mailrules.builtin.smtp.check import SmtpChecks

    return SmtpChecks(server_of(options, place), credential).each()


SMTP = SendProtocol(
    name="smtp",
    summary="A submission server or relay.",
    options=SmtpOptions,
    open=open_smtp,
    accepts=frozenset({PasswordCredential, TokenCredential, NoCredential}),
    checks=check_smtp,
)
