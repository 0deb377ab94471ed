"""All that an action needs to be run in a test: a message, what templates see, and edges that remember."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailrules.api import Answer, Context, Data, Message, NewMessage, Reach, Ref
from mailrules.core.parse import parse
from mailrules.engine.edges import WorkspaceFiles
from mailrules.engine.http import DeadlineHttp
from mailrules.model.message import Extent

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""The moment that `action_data` tells templates."""

SAMPLE = b"""\
Return-Path: <ada@acme.example>
From: Ada Field <ada@acme.example>
To: Support <support@desk.example>
Subject: Invoice #42
Date: Mon, 02 Mar 2026 10:15:00 +0100
Message-ID: <invoice-42@acme.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/plain; charset=utf-8

Hello,
the invoice is attached.
--part
Content-Type: application/pdf
Content-Disposition: attachment; filename="invoice 42.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjcKJSVFT0YK
--part--
"""
"""A message from a person, with a text and one attachment."""


def message_of(raw: bytes = SAMPLE, *, header_only: bool = False) -> Message:
    """The message in *raw*, as the engine gives it to actions; with *header_only* its header block alone is loaded."""
    if not header_only:
        return parse(raw)
    header, end, _ = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    return parse(header + end, extent=Extent.HEADER, size=len(raw))


def action_data(
    message: Message, *, match: Mapping[str, str] | None = None, data: Mapping[str, Any] | None = None
) -> Data:
    """What templates and actions see: *match* is what the rule captured, *data* what earlier steps gave."""
    return {
        "message": message,
        "match": dict(match or {}),
        "data": dict(data or {}),
        "account": {"name": "support", "address": "support@desk.example"},
        "listener": {"name": "support-inbox", "folder": "INBOX", "rule": "acme invoices"},
        "now": NOW,
    }


@dataclass(frozen=True, slots=True)
class RecordingSender:
    """Takes every mail; or raises *failure* instead."""

    failure: Exception | None = None
    sent: list[tuple[EmailMessage | bytes, tuple[str, ...]]] = field(default_factory=list)
    """Each mail with its envelope recipients."""

    def __call__(
        self,
        mail: EmailMessage | bytes,
        *,
        recipients: Sequence[str] = (),
        sent: bool | str | None = None,  # noqa: ARG002 - copies are not recorded
    ) -> str:
        """See `mailrules.api.Sender`."""
        if self.failure:
            raise self.failure
        self.sent.append((mail, tuple(recipients)))
        return "250 taken"


@dataclass(frozen=True, slots=True)
class RecordingLog:
    """Keeps every line with its level."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def info(self, text: str, /) -> None:
        """See `mailrules.api.Log`."""
        self.lines.append(("info", text))

    def warning(self, text: str, /) -> None:
        """See `mailrules.api.Log`."""
        self.lines.append(("warning", text))


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """Really writes, under a folder of the test; or raises *failure* instead."""

    root: Path
    failure: Exception | None = None

    def save(self, path: str, content: bytes | Iterable[bytes]) -> Path:
        """See `mailrules.api.Files`."""
        if self.failure:
            raise self.failure
        return WorkspaceFiles(self.root).save(path, content)

    def saved(self) -> dict[str, bytes]:
        """Everything there, by its path under the root."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}


_HERE = Reach(private=True)
"""Servers of tests are on this machine."""


@dataclass(frozen=True, slots=True)
class RecordingHttp:
    """Really asks, and keeps every request; or raises *failure* instead."""

    seconds: float
    failure: Exception | None = None
    requests: list[tuple[str, str, dict[str, str], bytes | None]] = field(default_factory=list)
    """Method, URL, headers and body of each."""

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        reach: Reach = _HERE,
    ) -> Answer:
        """See `mailrules.api.Http`."""
        if self.failure:
            raise self.failure
        self.requests.append((method, url, dict(headers or {}), content))
        return DeadlineHttp(self.seconds).request(method, url, content=content, headers=headers, reach=reach)


@dataclass(frozen=True, slots=True)
class RecordingAppender:
    """Takes every message; or raises *failure* instead."""

    failure: Exception | None = None
    appended: list[tuple[str, str, NewMessage]] = field(default_factory=list)
    """Account, folder and message of each."""

    def __call__(
        self, account: str, folder: str, raw: bytes, *, flags: Sequence[str] = (), received: datetime | None = None
    ) -> Ref:
        """See `mailrules.api.Appender`."""
        if self.failure:
            raise self.failure
        put = (account, folder, NewMessage(raw, tuple(flags), received))
        if put not in self.appended:
            self.appended.append(put)
        return Ref(folder, "", str(self.appended.index(put) + 1))


@dataclass(frozen=True, slots=True)
class RecordingContext(Context):
    """A context whose edges can be asked what happened."""

    http: RecordingHttp
    files: RecordingFiles
    log: RecordingLog
    send: RecordingSender
    append: RecordingAppender

    def untouched(self) -> bool:
        """Whether nothing at all was done through it."""
        return not (
            self.http.requests or self.files.saved() or self.log.lines or self.send.sent or self.append.appended
        )


def recording_context(
    root: Path,
    *,
    key: str = "key-1",
    seconds: float = 10.0,
    failure: Exception | None = None,
    progress: Mapping[str, Any] | None = None,
) -> RecordingContext:
    """A context for one run of an action.

    Args:
        root: where its files go: a `tmp_path` of the test.
        key: the idempotency key.
        seconds: until its deadline; HTTP requests end by then, too.
        failure: what sending, saving and asking raise instead of doing it.
        progress: what a try before this one had done already.
    """
    return RecordingContext(
        idempotency_key=key,
        deadline=datetime.now(UTC) + timedelta(seconds=seconds),
        http=RecordingHttp(max(seconds, 0.01), failure),
        files=RecordingFiles(root, failure),
        log=RecordingLog(),
        send=RecordingSender(failure),
        append=RecordingAppender(failure),
        progress=progress or {},
    )
