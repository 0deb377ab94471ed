"""What goes over the wire: a relay between a client and a server that counts commands and octets."""

from __future__ import annotations

import socket
import threading
from typing import Self

from tests.servers.place import HOST

CHUNK = 1 << 18


class Relay:
    """Listens on a free port for one connection, which it hands on to *port*."""

    def __init__(self, port: int) -> None:
        self._onward = port
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.commands = 0
        self.received = 0
        """Octets that the server sent."""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._listening.close()

    def _run(self) -> None:
        with self._listening.accept()[0] as client, socket.create_connection((HOST, self._onward)) as server:
            answers = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            answers.start()
            while octets := client.recv(CHUNK):
                self.commands += octets.count(b"\n")
                server.sendall(octets)
            server.shutdown(socket.SHUT_WR)
            answers.join(10)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while octets := server.recv(CHUNK):
                self.received += len(octets)
                client.sendall(octets)
        except OSError:
            pass  # the client has hung up and wants no more
