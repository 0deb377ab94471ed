# ruff: noqa: INP001 - one module, no package around it
"""The action `notify`: a line to a chat, a phone or another service, by apprise."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from mailrules.api import (
    ActionType,
    Context,
    Data,
    Message,
    Options,
    Permanent,
    Secret,
    Template,
    Transient,
    hookimpl,
)

MOST = 4_000
"""Characters of a text: what the services between them take, or cut off themselves."""


class NotifyOptions(Options, frozen=True):
    """Whom, and what."""

    urls: Annotated[
        list[Secret], Meta(min_length=1, description="Where to: apprise's addresses, each as a reference (env:NAME).")
    ]
    body: Annotated[Template, Meta(description="The text.")]
    title: Annotated[Template, Meta(description="A heading.")] = field(default_factory=Template)
    type: Annotated[Literal["info", "success", "warning", "failure"], Meta(description="What sort of news it is.")] = (
        "info"
    )


@dataclass(frozen=True, slots=True)
class NotifyAction:
    """Tells each service once."""

    options: NotifyOptions

    def describe(self, _message: Message, data: Data) -> str:
        """How many services, and the heading or the text; their addresses are secret."""
        number = len(self.options.urls)
        said = (self.options.title if self.options.title.source else self.options.body).shown(data)
        return f"notify {number} service{'s' if number > 1 else ''}: {' '.join(said.split())[:200]!r}"

    def run(self, _message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Tell those that have not been told; how many there are becomes `data.notified`.

        Raises:
            Transient: some could not be told; those that were are in the progress.
            Permanent: an address is none that apprise knows.
        """
        body, title = self.options.body.render(data)[:MOST], self.options.title.render(data)
        services = list(self._services())
        told = set(context.progress.get("told", ()))
        failed: list[str] = []
        for mark, service in services:
            if mark in told:
                continue
            if datetime.now(UTC) >= context.deadline:
                failed.append(f"{service.service_name}: no time was left")
                continue
            if reason := self._tell(service, body, title):
                failed.append(f"{service.service_name}: {reason}")
            else:
                told.add(mark)
        if failed:
            raise Transient("; ".join(failed), progress={"told": sorted(told)})
        return {"notified": len(services)}

    def _services(self) -> Iterator[tuple[str, Any]]:
        """Each with a mark that tells it from the others and nobody its address."""
        import apprise

        for number, reference in enumerate(self.options.urls, start=1):
            url = reference.reveal()
            with _said():
                service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
            if service is None:
                raise Permanent(f"address {number} of `urls` is none that apprise knows")
            yield hashlib.blake2b(url.encode(), digest_size=8).hexdigest(), service

    def _tell(self, service: Any, body: str, title: str) -> str:
        """Why it could not be told; empty when it was."""
        import apprise

        sort = getattr(apprise.NotifyType, self.options.type.upper())
        with _said() as said:
            try:
                done = service.notify(body=body, title=title, notify_type=sort)
            except Exception as error:
                return type(error).__name__
        return "" if done else (said[-1] if said else "it was not taken")


class _Words(logging.Handler):
    """Keeps what apprise says in this thread: its answer is a bare yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """One line of it."""
        if record.thread == self._thread:
            self.said.append(" ".join(record.getMessage().split())[:200])


@contextmanager
def _said() -> Iterator[Sequence[str]]:
    words = _Words()
    log = logging.getLogger("apprise")
    log.addHandler(words)
    try:
        yield words.said
    finally:
        log.removeHandler(words)


NOTIFY = ActionType(
    name="notify",
    summary="Tell a chat, a phone or another service.",
    options=NotifyOptions,
    build=NotifyAction,
)


@hookimpl
def mailrules_actions() -> Iterable[ActionType]:
    """The action."""
    yield NOTIFY
