"""An SMTP server that misbehaves as a script says: see `mailrules.testing.bad_server`."""

from __future__ import annotations

from typing import ClassVar

from mailrules.testing.bad_server import BadServer, Script, Step


class BadSmtp(BadServer):
    """Polite, it takes every message. The end of a message is the command `.`."""

    manners: ClassVar[Script] = {
        "greeting": ["220 ready\r\n"],
        "ehlo": ["250-here\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n"],
        "auth": ["235 welcome\r\n"],
        "data": ["354 go on\r\n"],
        ".": ["250 taken\r\n"],
    }
    otherwise: ClassVar[list[Step]] = ["250 fine\r\n"]
    _in_data = False

    def parse(self, line: str) -> tuple[str, str]:
        """The verb; lines of a message are passed over."""
        command = line.partition(" ")[0].partition(":")[0].lower()
        if self._in_data and line != ".":
            return "", ""
        self._in_data = command == "data"
        return "", command
