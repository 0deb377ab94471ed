"""What the actions themselves say was done: requests received, files written, lines appended."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from benchmarks.reliability.house import House
from tests.servers.place import HOST


@dataclass(frozen=True, slots=True)
class Record:
    """One thing done."""

    listener: str
    subject: str
    at: float
    key: str = ""


@dataclass(slots=True)
class Hook:
    """The other program that the webhooks tell."""

    told: list[Record] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Listen; gives the URL."""
        told = self.told

        class Listener(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.0"

            def do_POST(self) -> None:
                """Note it, and say so."""
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers["Idempotency-Key"]
                told.append(Record(body["listener"], body["subject"], time.time(), key))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Listener)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://{HOST}:{self._server.server_port}/told"

    def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()


def records(house: House, hook: Hook) -> list[Record]:
    """Everything done so far, whichever action did it."""
    return [*hook.told, *_saved(house), *_appended(house)]


def _saved(house: House) -> Iterator[Record]:
    for path in (house.root / "saved").glob("*/*.eml"):
        subject = path.stem.partition("-")[0]  # a second file of one name is called m000001-2.eml
        yield Record(path.parent.name, subject, path.stat().st_mtime)


def _appended(house: House) -> Iterator[Record]:
    if not house.appended.exists():
        return
    name = next(post.name for post in house.posts if post.action == "command")
    for line in house.appended.read_text().splitlines():
        subject, key, at = line.split()
        yield Record(name, subject, float(at), key)
