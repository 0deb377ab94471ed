"""The parts of a message (RFC 2046), as ranges of its octets: nothing is copied or decoded before it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailrules.core import transfer
from mailrules.core.charset import to_text
from mailrules.core.defects import Defects
from mailrules.core.encoded_word import header_text
from mailrules.core.header import Fields, split
from mailrules.core.lazy import lazy
from mailrules.core.parameter import Structured, structured
from mailrules.model.mailbox import Octets
from mailrules.model.message import NotLoadedError

DEEPEST = 100
"""Levels of multiparts that are looked into."""
MOST = 20_000
"""Leaf parts that are kept."""
PIECE = 1 << 20
"""Octets of a part that are decoded at a time."""
LONGEST = 201
"""Octets of a boundary that is guessed."""

_TAIL = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\Z)")
_LIKELY = re.compile(rb"^--([^\s][^\r\n]*+)\r?\ncontent-[a-z-]++[ \t]*+:", re.IGNORECASE | re.MULTILINE)
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
_KINDS = {
    "message/rfc822": "message",
    "message/global": "message",
    "text/calendar": "calendar",
    "application/ics": "calendar",
    "application/pgp-signature": "signature",
    "application/pkcs7-signature": "signature",
    "application/x-pkcs7-signature": "signature",
    "application/ms-tnef": "tnef",
    "application/vnd.ms-tnef": "tnef",
}
_CR = 13
_LF = 10


def kind_of(media_type: str, name: str) -> str:
    """The kind of an attachment that its type (RFC 5545, 8551, 3156; MS-OXTNEF) or its name tells; empty for none."""
    return _KINDS.get(media_type) or ("tnef" if name.lower() == "winmail.dat" else "")


class Part:
    """One part: a leaf is an `Attachment`, or text of the message."""

    def __init__(
        self, octets: Octets, fields: Fields, *, span: tuple[int, int], defects: Defects, inside: Part | None = None
    ) -> None:
        self.fields = fields
        self._octets = octets
        self._body, self._end = span
        self._defects = defects
        self.depth: int = inside.depth + 1 if inside else 0
        self.origin: str = ""
        """A part of the message itself; what was unpacked says from where."""
        self.container: str = inside.type if inside else ""
        """The media type of the multipart around it; empty for the message itself."""
        self.loaded = True
        """Whether its content is there."""

    @lazy
    def content_type(self) -> Structured:
        """Content-Type as it stands; the type itself is `type`."""
        return structured(self.fields.first("content-type"))

    @lazy
    def type(self) -> str:
        """The media type, lower-cased; text/plain when it is missing or unreadable (RFC 2045, section 5.2).

        In a digest a message when it is missing (RFC 2046, section 5.1.5).
        """
        value = self.content_type.value
        if "/" in value:
            return value
        return "message/rfc822" if not value and self.container == "multipart/digest" else "text/plain"

    @lazy
    def disposition(self) -> Structured:
        """Content-Disposition (RFC 2183)."""
        return structured(self.fields.first("content-disposition"))

    @lazy
    def encoding(self) -> str:
        """Content-Transfer-Encoding, lower-cased; empty without one."""
        return transfer.encoding_of(self.fields.first("content-transfer-encoding"))

    @lazy
    def name(self) -> str:
        """The file name as the sender gave it, decoded: `filename`, else `name` of the Content-Type."""
        charset = self.content_type.word("charset")
        return self.disposition.text("filename", charset, self._defects) or self.content_type.text(
            "name", charset, self._defects
        )

    @lazy
    def kind(self) -> str:
        """`file`, `inline`, `message`, `calendar`, `signature` or `tnef`."""
        if kind := kind_of(self.type, self.name):
            return kind
        if self.disposition.value == "attachment":
            return "file"
        return "inline" if self.content_id or self.disposition.value == "inline" else "file"

    @lazy
    def size(self) -> int:
        """Octets after decoding; of clean encodings without decoding."""
        known = self._clean_size
        return len(self.content()) if known is None else known

    @lazy
    def _clean_size(self) -> int | None:
        """The size where it shows without decoding: of a clean encoding."""
        if self._end - self._body <= PIECE:
            return transfer.size(self._raw(), self.encoding)
        return transfer.size_of_pieces(self._slices(), self.encoding)

    @lazy
    def content_id(self) -> str:
        """The Content-ID without its angle brackets; empty without one."""
        return header_text(self.fields.first("content-id"), "", self._defects).strip().strip("<>")

    def content(self) -> bytes:
        """The decoded octets; what is damaged gives what could be read."""
        if self._in_pieces():
            return b"".join(transfer.decode_pieces(self._slices(), self.encoding))
        return transfer.decode(self._raw(), self.encoding, self._defects)

    def pieces(self) -> Iterator[bytes]:
        """`content` in pieces, so that a big one need not be in memory whole."""
        if self._in_pieces():
            yield from transfer.decode_pieces(self._slices(), self.encoding)
        else:
            yield self.content()

    def text(self, defects: Defects) -> str:
        """The content as text with bare line feeds, by its charset or the one that HTML declares."""
        octets = transfer.decode(self._raw(), self.encoding, defects)
        charset = self.content_type.word("charset")
        if not charset and self.type == "text/html":
            meta = _META.search(octets, 0, 2048)
            charset = meta[1].decode("ascii") if meta else ""
        text = to_text(octets, charset, defects, where=self.type)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    @property
    def octets(self) -> int:
        """How long it is as it is transferred, encoded; 0 when it is not loaded."""
        return self._end - self._body

    def is_multipart(self) -> bool:
        """Whether it says that it holds parts."""
        return self.type.startswith("multipart/")

    def read_as_text(self) -> None:
        """A multipart in which there are no parts is shown for what it holds."""
        self.type = "text/plain"

    def children(self) -> list[Part]:
        """The parts in a multipart; empty when no boundary parts it."""
        found = self._cut(self._octets, self._body, self._end)
        if not found and self.encoding in ("base64", "quoted-printable"):
            decoded = self.content()
            found = self._cut(decoded, 0, len(decoded))
        return found

    def blank(self) -> bool:
        """Whether there is nothing but white space in it."""
        return not self._octets[self._body : min(self._body + 200, self._end)].strip() and not self._raw().strip()

    def _raw(self) -> bytes:
        if not self.loaded:
            raise NotLoadedError(f"this part of the message is not loaded: {self.type}")
        return self._octets[self._body : self._end]

    def _in_pieces(self) -> bool:
        return self._end - self._body > PIECE and self._clean_size is not None

    def _slices(self) -> Iterator[bytes]:
        for at in range(self._body, self._end, PIECE):
            yield self._octets[at : min(at + PIECE, self._end)]

    def _cut(self, octets: Octets, start: int, end: int) -> list[Part]:
        boundary = self.content_type.parameters.get("boundary", b"").rstrip()
        spans, closed = _spans(octets, start, end, boundary) if boundary else ([], True)
        if not spans:
            likely = _likely(octets, start, end)
            if likely:
                self._defects.add("boundary-guessed", boundary[:70].decode("latin-1"))
                spans, closed = _spans(octets, start, end, likely)
        if not closed:
            self._defects.add("boundary-unclosed", boundary[:70].decode("latin-1"))
        return [self._child(octets, *span) for span in spans]

    def _child(self, octets: Octets, start: int, end: int) -> Part:
        extents = split(octets, start, end)
        fields = Fields(octets[extents.start : extents.end])
        return Part(octets, fields, span=(extents.body, end), defects=self._defects, inside=self)


def _likely(octets: Octets, start: int, end: int) -> bytes:
    """The boundary in the first line that looks like a delimiter, with a header of a part after it; empty if none."""
    candidates = (found[1].rstrip(b" \t") for found in _LIKELY.finditer(octets, start, end))
    return next((boundary for boundary in candidates if len(boundary) <= LONGEST), b"")


def _spans(octets: Octets, start: int, end: int, boundary: bytes) -> tuple[list[tuple[int, int]], bool]:
    """The ranges between the delimiter lines of *boundary* (RFC 2046, section 5.1.1), and whether a last one closes."""
    delimiter = b"--" + boundary
    spans: list[tuple[int, int]] = []
    begin = -1
    at = octets.find(delimiter, start, end)
    while at >= 0:
        past = at + len(delimiter)
        tail = _TAIL.match(octets, past, end) if at == start or octets[at - 1] == _LF else None
        if tail:
            if begin >= 0:
                spans.append((begin, max(begin, _before(octets, at))))
            if tail[1] or len(spans) > MOST:
                return spans, True
            begin = past = tail.end()
        at = octets.find(delimiter, past, end)
    if begin >= 0:
        spans.append((begin, end))
    return spans, begin < 0


def _before(octets: Octets, at: int) -> int:
    """Where the text before a delimiter ends: the line end in front of it belongs to the delimiter."""
    return at - 2 if at >= 2 and octets[at - 2] == _CR else at - 1


def leaves(root: Part, defects: Defects) -> list[Part]:
    """The leaf parts in order. What lies beyond a limit is recorded, and stays a leaf or is left out."""
    found: list[Part] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if not part.is_multipart():
            found.append(part)
        elif part.depth >= DEEPEST:
            defects.add("too-deep", f"more than {DEEPEST} levels")
            found.append(part)
        else:
            waiting += reversed(_inside(part, found, defects))
        if len(found) + len(waiting) > MOST:
            defects.add("too-many-parts", f"more than {MOST}")
            del waiting[: max(0, len(found) + len(waiting) - MOST)]
    return found[:MOST]


def _inside(part: Part, found: list[Part], defects: Defects) -> list[Part]:
    children = part.children()
    if not children and not part.blank():
        defects.add("boundary-missing", part.type)
        part.read_as_text()
        found.append(part)
    return children
