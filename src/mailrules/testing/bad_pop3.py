"""A POP3 server that misbehaves as a script says: see `mailrules.testing.bad_server`."""

from __future__ import annotations

from typing import ClassVar

from mailrules.testing.bad_server import BadServer, Script, Step

_MESSAGE = "+OK\r\nSubject: hello\r\n\r\nText.\r\n.\r\n"


class BadPop3(BadServer):
    """Polite, it has one message with the UIDL `first`, and takes any password."""

    manners: ClassVar[Script] = {
        "greeting": ["+OK ready\r\n"],
        "capa": ["+OK\r\nTOP\r\nUIDL\r\nUSER\r\n.\r\n"],
        "uidl": ["+OK\r\n1 first\r\n.\r\n"],
        "list": ["+OK\r\n1 40\r\n.\r\n"],
        "top": [_MESSAGE],
        "retr": [_MESSAGE],
    }
    otherwise: ClassVar[list[Step]] = ["+OK\r\n"]
