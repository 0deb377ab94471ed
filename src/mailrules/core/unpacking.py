"""Containers among the attachments, opened: what is in them stands behind them, as if it had been attached itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mailrules.core.defects import Defects
from mailrules.core.mime import kind_of
from mailrules.model.message import Attachment
from mailrules.model.unpack import Unpacked, Unpacker

LARGEST = 64_000_000
"""Octets of a container that is opened, and of all that is taken out of the containers of one message."""
MOST = 1_000
"""Files that are taken out of the containers of one message."""
CLOSED = "cannot-unpack"
"""The word of the defect that a container is which stays closed, in whole or in part."""


@dataclass(frozen=True, slots=True)
class UnpackedPart:
    """A file that was in an attachment; an `Attachment` like any other."""

    inside: Unpacked
    origin: str

    @property
    def name(self) -> str:
        """The file name as the container has it; empty without one."""
        return self.inside.name

    @property
    def type(self) -> str:
        """The media type, lower-cased."""
        return self.inside.type.lower()

    @property
    def kind(self) -> str:
        """By its type; `inline` where the text of the container shows it."""
        return kind_of(self.type, self.name) or ("inline" if self.inside.content_id else "file")

    @property
    def size(self) -> int:
        """Octets."""
        return len(self.inside.content)

    @property
    def content_id(self) -> str:
        """The Content-ID without its angle brackets; empty without one."""
        return self.inside.content_id

    def content(self) -> bytes:
        """The octets."""
        return self.inside.content

    def pieces(self) -> Iterator[bytes]:
        """The same."""
        yield self.inside.content


def opened(attachments: Sequence[Attachment], unpackers: Sequence[Unpacker], defects: Defects) -> Sequence[Attachment]:
    """*attachments*, with what is in each container behind it. One level: what was in a container stays as it is.

    Never raises: a container that its unpacker cannot read, or that holds more than the limits, is a defect.
    """
    found: list[Attachment] = []
    room = _Room()
    for attachment in attachments:
        found.append(attachment)
        unpacker = next((each for each in unpackers if _opens(each, attachment)), None)
        if unpacker is not None:
            origin = f"{attachment.name or attachment.type}, unpacked by {unpacker.name}"
            found += [UnpackedPart(each, origin) for each in _inside(attachment, unpacker, room, defects)]
    return tuple(found)


class _Room:
    """How much may still be taken out of the containers of this message."""

    __slots__ = ("files", "octets")

    def __init__(self) -> None:
        self.files = MOST
        self.octets = LARGEST

    def takes(self, unpacked: Unpacked) -> bool:
        self.files -= 1
        self.octets -= len(unpacked.content)
        return self.files >= 0 and self.octets >= 0


def _opens(unpacker: Unpacker, attachment: Attachment) -> bool:
    if attachment.type in unpacker.types:
        return True
    name = attachment.name.lower() if unpacker.names else ""
    return bool(name) and any(fnmatchcase(name, pattern) for pattern in unpacker.names)


def _inside(attachment: Attachment, unpacker: Unpacker, room: _Room, defects: Defects) -> Iterator[Unpacked]:
    named = attachment.name or attachment.type
    if attachment.size > LARGEST:
        defects.add(CLOSED, f"{named}: {attachment.size} octets are more than are unpacked")
        return
    try:
        unpacked = [_checked(each) for each in unpacker.unpack(attachment.content())]
    except Exception as error:  # a plugin meets hostile octets: whatever it raises is a defect
        defects.add(CLOSED, f"{named}, by {unpacker.name}: {type(error).__name__}: {error}"[:200])
        return
    for each in unpacked:
        if not room.takes(each):
            defects.add(CLOSED, f"{named}: more is in it than is unpacked")
            return
        yield each


def _checked(given: object) -> Unpacked:
    """What a plugin gave, if it is what it should be.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(given, Unpacked) or not isinstance(given.content, bytes):
        raise TypeError(f"it gave a {type(given).__name__}, which is no Unpacked")
    for text in (given.name, given.type, given.content_id):
        if not isinstance(text, str):
            raise TypeError(f"it gave a {type(text).__name__} for a text")
    return given
