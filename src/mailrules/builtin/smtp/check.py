"""Whether an account can send by SMTP: `mailrules accounts test`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mailrules.api import Check, Credential, NoCredential, PasswordCredential, Remark, TokenCredential
from mailrules.api.check import LOG_IN
from mailrules.builtin.line.check import greeted, logged_in, reaching, secured
from mailrules.builtin.line.tls import Server
from mailrules.builtin.smtp.session import Smtp, greet, log_in


class SmtpChecks:
    """One connection, looked at step by step; no mail is sent."""

    def __init__(self, server: Server, credential: Credential) -> None:
        self._server = server
        self._credential = credential
        self._smtp: Smtp | None = None

    def each(self) -> Iterator[Check]:
        """Every check, in order."""
        yield from reaching(self._server)
        try:
            yield Check("TLS", self._connect)
            yield Check(LOG_IN, self._log_in)
            yield Check("sending", self._sending)
        finally:
            if self._smtp:
                with contextlib.suppress(Exception):
                    self._smtp.wire.sendall(b"QUIT\r\n")
                self._smtp.wire.close()

    @property
    def _connected(self) -> Smtp:
        assert self._smtp is not None  # checks run in order
        return self._smtp

    def _connect(self) -> str | Remark:
        self._smtp = greeted(self._server, "SMTP", lambda: greet(self._server))
        return secured(self._server, self._smtp.wire.sock)

    def _log_in(self) -> str:
        assert isinstance(self._credential, NoCredential | PasswordCredential | TokenCredential)
        log_in(self._connected, self._server, self._credential)
        return logged_in(self._credential)

    def _sending(self) -> str:
        most = self._connected.esmtp_features.get("size", "")
        limit = f"messages of up to {int(most):,} octets" if most.isdigit() and int(most) else "messages of any size"
        return f"it takes {limit}; nothing was sent"
