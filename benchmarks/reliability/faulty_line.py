"""A line to a server that can go dead without a word, and that keeps one way to log in from being offered."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.servers.place import HOST

CHUNK = 1 << 16
BEARER = (b" AUTH=OAUTHBEARER", b" OAUTHBEARER")
"""As IMAP and as POP3 offers it: without it XOAUTH2 is left to be used."""


class FaultyLine:
    """Listens on a free port and hands every connection on to *port*, for as long as the process lives."""

    def __init__(self, port: int) -> None:
        self._onward = port
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.passes = threading.Event()
        """While it is not set, octets are taken and come to nothing; connections stay open."""
        self.passes.set()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listening.accept()
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection((HOST, self._onward), 5) as server:
            server.settimeout(None)
            threading.Thread(target=self._hand_on, args=(client, server), daemon=True).start()
            self._hand_on(server, client, answers=True)

    def _hand_on(self, source: socket.socket, target: socket.socket, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(CHUNK):
                for word in BEARER if answers else ():
                    octets = octets.replace(word, b"")
                if self.passes.is_set():
                    target.sendall(octets)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
