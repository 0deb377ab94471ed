# ruff: noqa: INP001 - one module, no package around it
"""The unpacker `tnef`: the files in the `winmail.dat` of Outlook and Exchange (MS-OXTNEF).

The one library there is for Python asks a hostile file for four billion properties one by one; this reader goes
through its octets once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailrules.api import Unpacked, Unpacker, hookimpl

SIGNATURE = 0x223E9F78
_OF_ATTACHMENT = 2
"""The level of what belongs to an attachment (MS-OXTNEF, section 2.1.3.2)."""
_RENDERING, _TITLE, _DATA, _PROPERTIES, _CODE_PAGE = 0x9002, 0x8010, 0x800F, 0x9005, 0x9007
"""attAttachRendData begins an attachment, attAttachTitle, attAttachData, attAttachment, attOemCodepage."""
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
"""Octets of a value by its property type, padding included (MS-OXCDATA, section 2.11.1)."""
_TEXT, _UNICODE, _BINARY, _OBJECT = 30, 31, 0x102, 13
_SEVERAL, _NAMED = 0x1000, 0x8000
_DATA_OBJECT, _FILE_NAME, _LONG_NAME, _MEDIA_TYPE, _CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_MESSAGE = struct.pack("<IHHQ", 0x00020307, 0, 0, 0x46000000000000C0)
"""The identifier of IMessage, which stands before a message that is attached (MS-OXTNEF, section 2.1.3.4)."""


class BrokenTnefError(ValueError):
    """Not the octets of a TNEF container, or cut off."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Octets that are taken one value after the other."""

    octets: memoryview
    at: list[int] = field(default_factory=lambda: [0])

    @property
    def left(self) -> int:
        """How many there are yet."""
        return len(self.octets) - self.at[0]

    def take(self, size: int) -> bytes:
        """So many.

        Raises:
            BrokenTnefError: there are fewer.
        """
        if size > self.left:
            raise BrokenTnefError(f"{size} octets are announced where {self.left} are left")
        start = self.at[0]
        self.at[0] += size
        return bytes(self.octets[start : start + size])

    def number(self, form: str) -> int:
        """A little-endian number, `H` or `I`."""
        found: int = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]
        return found


@dataclass(slots=True)
class File:
    """An attachment as it comes together."""

    title: bytes = b""
    content: bytes = b""
    properties: dict[int, Any] = field(default_factory=dict)

    def unpacked(self, charset: str) -> Unpacked:
        """What it comes to: the properties say it better than the old attributes."""
        told = {key: _text(value, charset) for key, value in self.properties.items() if key != _DATA_OBJECT}
        name = told.get(_LONG_NAME) or told.get(_FILE_NAME) or _text(self.title, charset)
        content, kind = self.content, told.get(_MEDIA_TYPE) or "application/octet-stream"
        attached = self.properties.get(_DATA_OBJECT)
        if isinstance(attached, bytes) and not content:
            is_message = attached.startswith(_MESSAGE)
            content = attached.removeprefix(_MESSAGE)
            kind = "application/ms-tnef" if is_message else kind
        return Unpacked(name, content, kind.lower(), told.get(_CONTENT_ID, "").strip("<>"))


def unpack_tnef(content: bytes) -> Sequence[Unpacked]:
    """The files in it; an attached message is one of the type application/ms-tnef.

    Raises:
        BrokenTnefError: it is no such container, or cut off.
    """
    reader = Reader(memoryview(content))
    if reader.left < 6 or reader.number("I") != SIGNATURE:
        raise BrokenTnefError("it does not begin as a TNEF container does")
    reader.take(2)
    files, charset = list[File](), "cp1252"
    while reader.left >= 11:
        level, name = reader.take(1)[0], reader.number("I") & 0xFFFF
        octets = reader.take(reader.number("I"))
        reader.take(min(2, reader.left))
        if name == _CODE_PAGE and len(octets) >= 4:
            charset = _charset(struct.unpack_from("<I", octets)[0])
        elif level == _OF_ATTACHMENT:
            _add(files, name, octets)
    return [file.unpacked(charset) for file in files]


def _add(files: list[File], name: int, octets: bytes) -> None:
    if name == _RENDERING:
        files.append(File())
    elif files and name == _TITLE:
        files[-1].title = octets
    elif files and name == _DATA:
        files[-1].content = octets
    elif files and name == _PROPERTIES:
        wanted = {_DATA_OBJECT, _FILE_NAME, _LONG_NAME, _MEDIA_TYPE, _CONTENT_ID}
        files[-1].properties |= {key: value for key, value in _properties(octets) if key in wanted}


def _properties(octets: bytes) -> Iterator[tuple[int, Any]]:
    """Each property with its value: octets, or text where it says that it is text."""
    reader = Reader(memoryview(octets))
    for _ in range(min(reader.number("I"), reader.left // 4)):
        kind, key = reader.number("H"), reader.number("H")
        if key >= _NAMED:
            _skip_name(reader)
        yield key, _value(reader, kind)


def _skip_name(reader: Reader) -> None:
    reader.take(16)
    if reader.number("I") == 0:
        reader.take(4)
    else:
        _padded(reader)


def _value(reader: Reader, kind: int) -> Any:
    base = kind & ~_SEVERAL
    if base in _FIXED:
        several = reader.number("I") if kind & _SEVERAL else 1
        size = _FIXED[base] * several
        if kind & _SEVERAL and base == 2:  # of several short numbers, all are padded together
            size = (2 * several + 3) // 4 * 4
        return reader.take(size)
    if base not in {_TEXT, _UNICODE, _BINARY, _OBJECT}:
        raise BrokenTnefError(f"a property of the unknown type {base:#06x}")
    values = [_padded(reader) for _ in range(min(reader.number("I"), reader.left // 4))]
    value = values[0] if values else b""
    return value.decode("utf-16-le", "replace") if base == _UNICODE else value


def _padded(reader: Reader) -> bytes:
    """A length, so many octets, and as many more as make it a multiple of four."""
    size = reader.number("I")
    value = reader.take(size)
    reader.take(min(-size % 4, reader.left))
    return value


def _charset(page: int) -> str:
    import codecs

    name = {20127: "ascii", 20866: "koi8-r", 65001: "utf-8"}.get(page) or f"cp{page}"
    name = f"iso8859-{page - 28590}" if 28591 <= page <= 28606 else name
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _text(value: Any, charset: str) -> str:
    text = value.decode(charset, "replace") if isinstance(value, bytes) else str(value)
    return text.partition("\0")[0].strip()


@hookimpl
def mailrules_unpackers() -> Iterable[Unpacker]:
    """The unpacker."""
    yield Unpacker(
        name="tnef",
        summary="The winmail.dat of Outlook and Exchange.",
        types=("application/ms-tnef", "application/vnd.ms-tnef"),
        names=("winmail.dat", "win.dat"),
        unpack=unpack_tnef,
    )
