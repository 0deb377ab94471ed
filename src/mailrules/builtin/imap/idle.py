"""What an open folder hears while nobody asks for anything: new mail, at once where the server has IDLE (RFC 2177)."""

from __future__ import annotations

from mailrules.builtin.imap.session import Session


class Listening:
    """The part of an `ImapMailbox` that makes it a `mailrules.api.Pushing`."""

    _session: Session
    _sizes: dict[int, int]
    _listed: bool

    @property
    def pushes(self) -> bool:
        """Whether the server tells by itself."""
        return self._session.has("IDLE") and not self._session.line.refuses_idle

    def fileno(self) -> int:
        """See `mailrules.api.Pushing`."""
        return self._session.line.wire.sock.fileno()

    def listen(self) -> None:
        """See `mailrules.api.Pushing`; what a pass needed to know is let go of."""
        self._sizes.clear()
        self._session.line.forget()
        if self.pushes:
            with self._session.talking():
                self._session.line.idle()

    def heard(self) -> bool:
        """See `mailrules.api.Pushing`."""
        with self._session.talking():
            return self._session.line.hear()

    def renew(self) -> None:
        """See `mailrules.api.Pushing`."""
        with self._session.talking():
            if self.pushes:
                self._session.line.renew()
            else:
                self._session.line.keep_alive()

    def resume(self) -> None:
        """See `mailrules.api.Pushing`; what the server knows by then has been told, so that no NOOP is needed."""
        with self._session.talking():
            self._session.line.end_idle()
        if not self.pushes:
            self._session.demand(b"NOOP")
        self._listed = False
