"""A small IMAP server for many connections at once: one message a folder more each time it is told to notify.

    python -m benchmarks.idle_server        prints its port; reads lines `notify N` on its standard input

It has what mailrules asks for and nothing else, in one process, so that what 500 connections cost is not the server's.
For `notify N` it says EXISTS on the N-th connection that idles, and prints the moment, on the clock of the system.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

HEAD = b"Subject: news\r\nMessage-ID: <%d@x.example>\r\n\r\n"
CAPABILITIES = b"IMAP4rev1 IDLE ESEARCH UIDPLUS MOVE LITERAL+"


class Connection:
    """One client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.messages = 1
        self.idle = b""

    async def serve(self) -> None:
        """Answer until it goes."""
        self.writer.write(b"* OK ready\r\n")
        while line := await self.reader.readline():
            tag, _, command = line.strip().partition(b" ")
            self.writer.write(self.answer(tag, command.upper()))
            await self.writer.drain()

    def answer(self, tag: bytes, command: bytes) -> bytes:
        """What to say to a command."""
        if tag.upper() == b"DONE":
            done, self.idle = self.idle, b""
            return done + b" OK done\r\n"
        if command == b"IDLE":
            self.idle = tag
            return b"+ idling\r\n"
        return self.said(command) + tag + b" OK done\r\n"

    def said(self, command: bytes) -> bytes:
        """The data that come before the end of an answer."""
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY " + CAPABILITIES + b"\r\n"
        if command.startswith((b"SELECT", b"EXAMINE")):
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n" % self.messages
        if command.startswith(b"UID SEARCH"):
            return b'* ESEARCH (TAG "x") UID ALL 1:%d\r\n' % self.messages
        if command.startswith(b"UID FETCH"):
            numbers = command.split()[2]
            last = int(numbers.rpartition(b":")[2].rpartition(b",")[2])
            head = HEAD % last
            return b"* %d FETCH (UID %d FLAGS () RFC822.SIZE 100 BODY[HEADER] {%d}\r\n%s)\r\n" % (
                last,
                last,
                len(head),
                head,
            )
        return b""

    def notify(self) -> float:
        """Tell of one message more; gives when."""
        self.messages += 1
        now = time.monotonic()
        self.writer.write(b"* %d EXISTS\r\n" % self.messages)
        return now


async def main() -> None:
    """Serve until the standard input ends."""
    connections: list[Connection] = []

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        connections.append(connection)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await connection.serve()
        connections.remove(connection)
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        idling = [connection for connection in connections if connection.idle]
        print(idling[int(line.split()[1]) % len(idling)].notify() if idling else 0, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
