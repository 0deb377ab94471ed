r"""Servers on loopback that misbehave as a script says, for showing that a client stays sane.

```python
with BadImap({"uid fetch": ["* 1 FETCH (UID 1 BODY[HEADER] {6000000000}\r\nabc", HANG]}) as server:
    connect(server.port)
```
A script maps a command to what is played when it comes. `"select 2"` is the second SELECT; what no script names is
answered politely. What is played is a list of

| step                                           | meaning                                                     |
|------------------------------------------------|-------------------------------------------------------------|
| text                                           | is sent; `{tag}` is the command's tag                       |
| a number                                       | seconds to pause                                            |
| `{"repeat": text, "times": n, "every": seconds}` | is sent so many times, with a pause after each            |
| `HANG`                                         | nothing more, until the client goes                         |
| `CLOSE`                                        | the connection is closed                                    |
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

HANG = "hang"
CLOSE = "close"

Step: TypeAlias = str | float | Mapping[str, Any]
Script: TypeAlias = Mapping[str, Sequence[Step]]


class BadServer:
    """One server in a thread; connections are served one after another. Subclasses bring a protocol's good manners."""

    manners: ClassVar[Script] = {}
    """What it says where the script is silent."""
    otherwise: ClassVar[Sequence[Step]] = ()
    """And to a command that it knows nothing of."""

    def __init__(self, script: Script | None = None) -> None:
        """Listen on `port`; *script* may name `greeting` too."""
        self.script: Script = {**self.manners, **(script or {})}
        self.heard: list[str] = []
        """Every line that clients sent."""
        self._seen: Counter[str] = Counter()
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()  # wakes it from accept
        self._thread.join(10)
        self._listening.close()

    def parse(self, line: str) -> tuple[str, str]:
        """A client's line as (tag, command), the command in small letters; an empty command is passed over."""
        return "", line.partition(" ")[0].lower()

    def _serve(self) -> None:
        while not self._over.is_set():
            connection, _ = self._listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        going_on = self._play(connection, "greeting", "")
        while going_on and not self._over.is_set():
            octets = lines.readline()
            if not octets:
                return
            line = octets.decode("latin-1").rstrip("\r\n")
            self.heard.append(line)
            tag, command = self.parse(line)
            going_on = not command or self._play(connection, command, tag)

    def _play(self, connection: socket.socket, command: str, tag: str) -> bool:
        """Play what the script has for this; False if the connection is to end."""
        self._seen[command] += 1
        steps = self.script.get(f"{command} {self._seen[command]}", self.script.get(command, self.otherwise))
        return all(self._step(connection, step, tag) for step in steps)

    def _step(self, connection: socket.socket, step: Step, tag: str) -> bool:
        if step == CLOSE:
            return False
        if step == HANG:
            with contextlib.suppress(OSError):
                connection.settimeout(0.1)
                while not self._over.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not connection.recv(65536):
                            break
            return False
        if isinstance(step, int | float):
            self._over.wait(step)
        elif isinstance(step, Mapping):
            for _ in range(step["times"]):
                connection.sendall(step["repeat"].encode("latin-1"))
                if self._over.wait(step.get("every", 0)):
                    break
        else:
            connection.sendall(step.replace("{tag}", tag).encode("latin-1"))
        return True
