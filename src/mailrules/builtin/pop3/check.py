"""Whether a POP3 account works: `mailrules accounts test`."""

from __future__ import annotations

from collections.abc import Iterator

from mailrules.api import Check, Credential, PasswordCredential, Remark, TokenCredential
from mailrules.api.check import LOG_IN
from mailrules.builtin.line.check import greeted, logged_in, reaching, secured
from mailrules.builtin.line.tls import Server
from mailrules.builtin.pop3.session import Pop3Session


class Pop3Checks:
    """One connection, looked at step by step."""

    def __init__(self, server: Server, credential: Credential) -> None:
        self._server = server
        self._credential = credential
        self._session: Pop3Session | None = None

    def each(self) -> Iterator[Check]:
        """Every check, in order."""
        yield from reaching(self._server)
        try:
            yield Check("TLS", self._connect)
            yield Check(LOG_IN, self._log_in)
            yield Check("abilities", self._abilities)
            yield Check("mailbox", self._mailbox)
        finally:
            if self._session:
                self._session.close()

    @property
    def _open_session(self) -> Pop3Session:
        assert self._session is not None  # checks run in order
        return self._session

    def _connect(self) -> str | Remark:
        self._session = greeted(self._server, "POP3", lambda: Pop3Session(self._server))
        return secured(self._server, self._session.wire.sock)

    def _log_in(self) -> str:
        assert isinstance(self._credential, PasswordCredential | TokenCredential)
        self._open_session.log_in(self._credential)
        return logged_in(self._credential)

    def _abilities(self) -> str | Remark:
        if self._open_session.has("TOP"):
            return "TOP, UIDL" if self._open_session.has("UIDL") else "TOP"
        return Remark("no TOP, so messages are fetched whole, which some servers take for reading them")

    def _mailbox(self) -> str:
        count = len(self._open_session.numbers)
        return f"{count} message{'' if count == 1 else 's'}"
