"""What goes along with a mail: attachments of a message by their names, files of the workspace, a whole message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta, field

from mailrules.api import Attachment, Data, Message, Options
from mailrules.api.files import WorkspaceFile
from mailrules.builtin.action.file_name import safe_name


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Something that goes along with a mail."""

    name: str
    type: str
    load: Callable[[], bytes]
    content_id: str = ""

    @property
    def content(self) -> bytes:
        """Its octets."""
        return self.load()


class Enclosed(Options, frozen=True):
    """One thing to attach: parts of the received message, a file, or that whole message."""

    part: Annotated[str, Meta(description="Attachments of the received message by name: '*.pdf'.")] = ""
    file: Annotated[WorkspaceFile, Meta(description="A file of the workspace.")] = field(default_factory=WorkspaceFile)
    message: Annotated[str, Meta(description="The received message itself, under this name: original.eml.")] = ""

    def __post_init__(self) -> None:
        """One of them."""
        if sum(map(bool, (self.part, self.file.source, self.message))) != 1:
            raise ValueError("an attachment is {part: PATTERN}, {file: PATH} or {message: NAME}")


Attachments = Annotated[
    str | list[str | Enclosed] | None,
    Meta(
        description="What to attach: attachments of the received message by name ('*.pdf', or a list of such "
        "patterns), {file: PATH} of the workspace, {message: NAME} for the received message itself."
    ),
]
"""The option of every action that composes a mail."""


def enclosures(written: str | list[str | Enclosed] | None, message: Message, data: Data) -> Iterator[Enclosure]:
    """All that is to go along: attachments of the message, each once, then the rest in the order written."""
    items = [written] if isinstance(written, str) else written or []
    patterns = [each if isinstance(each, str) else each.part for each in items]
    if any(patterns):
        yield from (passed_on(*chosen) for chosen in chosen_attachments(message, [each for each in patterns if each]))
    for each in items:
        if isinstance(each, Enclosed) and not each.part:
            yield the_message(message, each.message) if each.message else _file(each.file, data)


def passed_on(name: str, part: Attachment) -> Enclosure:
    """An attachment of a received message, under a safe name."""
    return Enclosure(name, part.type, part.content, part.content_id if part.kind == "inline" else "")


def the_message(message: Message, name: str) -> Enclosure:
    """A received message as an attachment."""
    return Enclosure(safe_name(name, "message.eml"), "message/rfc822", lambda: message.raw)


def _file(file: WorkspaceFile, data: Data) -> Enclosure:
    import mimetypes

    name = safe_name(file.shown(data), "attachment.bin")
    return Enclosure(name, mimetypes.guess_type(name)[0] or "application/octet-stream", lambda: file.read(data))


def asks_for_message(written: str | list[str | Enclosed] | None) -> bool:
    """Whether something of the received message is to go along."""
    if not isinstance(written, list):
        return bool(written)
    return any(isinstance(each, str) or each.part or each.message for each in written)


def chosen_attachments(message: Message, patterns: Sequence[str]) -> Iterator[tuple[str, Attachment]]:
    """Each attachment whose name fits one of *patterns* (shell patterns, ignoring case), under a safe file name.

    One without a name is `attachment-N` with a suffix by its type, and is matched so.
    """
    for number, attachment in enumerate(message.attachments, start=1):
        name = safe_name(attachment.name, f"attachment-{number}{_suffix(attachment.type)}")
        if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
            yield name, attachment


def patterns_of(written: str | list[str] | None) -> tuple[str, ...]:
    """One pattern, several, or none, as YAML has them."""
    return (written,) if isinstance(written, str) else tuple(written or ())


def _suffix(media_type: str) -> str:
    import mimetypes

    return ".eml" if media_type == "message/rfc822" else mimetypes.guess_extension(media_type) or ".bin"
