"""The outbox protocol: mail is not sent but written into a maildir on disk, whole and synced."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from mailrules.api import Credential, Options, Permanent, Place, SendProtocol, Transient
from mailrules.builtin.local.durable import sync_folders, write_synced
from mailrules.builtin.local.maildir_name import fresh_name
from mailrules.builtin.smtp.octets import international


class OutboxOptions(Options, frozen=True):
    """Where the mail goes."""

    path: Annotated[
        str,
        msgspec.Meta(description="A maildir, from the workspace's folder; made when missing.", min_length=1),
    ]

    shorthand: ClassVar[str] = "path"


@dataclass(frozen=True, slots=True)
class Outbox:
    """A maildir that takes what is sent. The envelope stands in trace fields on top, as a delivery agent writes it."""

    root: Path

    def send(self, mail: EmailMessage | bytes, sender: str, recipients: Sequence[str]) -> str:
        """Write *mail* into `new/` by way of `tmp/`, under Return-Path and one Envelope-To for each recipient."""
        try:
            content = b"".join((*_trace(sender, recipients), _octets(mail)))
        except (ValueError, LookupError) as error:
            raise Permanent(f"this mail cannot be written: {error}") from error
        try:
            name = self._write(content)
        except OSError as error:
            raise Transient(f"outbox {self.root.name}: {error.strerror or error}") from error
        return f"written to {self.root.name}/new/{name}"

    def _write(self, content: bytes) -> str:
        for place in ("tmp", "new", "cur"):
            (self.root / place).mkdir(parents=True, exist_ok=True)
        name = fresh_name()
        temporary = self.root / "tmp" / name
        try:
            write_synced(temporary, [content])
            temporary.rename(self.root / "new" / name)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folders([self.root / "new"])
        return name

    def close(self) -> None:
        """Nothing is held open."""


def _octets(mail: EmailMessage | bytes) -> bytes:
    """With the line ends of files."""
    if isinstance(mail, bytes):
        return mail.replace(b"\r\n", b"\n")
    policy: Any = mail.policy
    return mail.as_bytes(policy=policy.clone(linesep="\n", utf8=international(mail))).replace(b"\r\n", b"\n")


def _trace(sender: str, recipients: Sequence[str]) -> list[bytes]:
    lines = [f"Return-Path: <{sender}>", *(f"X-Envelope-To: <{recipient}>" for recipient in recipients)]
    return [" ".join(line.split()).encode() + b"\n" for line in lines]


def open_outbox(options: OutboxOptions, _credential: Credential, place: Place) -> Outbox:
    """The outbox at the path of *options*; nothing is written before the first mail."""
    return Outbox(place.workspace / Path(options.path).expanduser())


OUTBOX = SendProtocol(
    name="outbox",
    summary="A maildir on disk that takes what is sent, for trying out and for other programs to pick up.",
    options=OutboxOptions,
    open=open_outbox,
)
