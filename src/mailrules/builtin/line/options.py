"""What an admin writes to reach a server, whatever is spoken there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mailrules.api import Duration, Options, Place
from mailrules.builtin.line.tls import Certificate, Host, Port, SecurityOption, Server, Timeout


class ServerOptions(Options, frozen=True):
    """Where a server is, and how the line to it is secured; each protocol tells its usual ports."""

    host: Host
    port: Port | None = None
    security: SecurityOption = "tls"
    certificate: Certificate = ""
    timeout: Timeout = Duration(30)

    ports: ClassVar[Mapping[str, int]] = {}
    """The usual port by `security`."""

    def server(self, place: Place) -> Server:
        """The server, at the usual port where none is written."""
        return Server(
            host=self.host,
            port=self.port or self.ports[self.security],
            security=self.security,
            certificate=self.certificate,
            timeout=self.timeout.seconds,
            workspace=place.workspace,
        )
