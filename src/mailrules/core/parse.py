"""A message from its octets: total (nothing raises), lazy (everything at most once), with its defects on record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from mailrules.core import address, body, quotation
from mailrules.core.defects import Defects
from mailrules.core.encoded_word import decode_words, decoded, one_line, raw_text
from mailrules.core.fact import bounce, kind, origin
from mailrules.core.fact.authentication import authentication
from mailrules.core.fingerprint import fingerprint
from mailrules.core.header import LONGEST, Extents, Fields, split
from mailrules.core.lazy import lazy
from mailrules.core.mime import PIECE, Part, leaves
from mailrules.core.parameter import structured
from mailrules.core.unpacking import opened
from mailrules.model.bounce import Bounce
from mailrules.model.mailbox import Octets
from mailrules.model.message import Address, Attachment, Defect, Extent, Fact, Message, NotLoadedError, Trust

__all__ = ["ParsedMessage", "fingerprint", "parse"]

T = TypeVar("T")
_NOBODY = Address("", "")
_TRUST = Trust()
_IDENTIFIER = re.compile(r"<[^<>]{1,998}>")
_ONCE = ("from", "to", "cc", "subject", "date", "message-id", "content-type")


def parse(
    raw: Octets,
    *,
    extent: Extent = Extent.WHOLE,
    size: int | None = None,
    received: datetime | None = None,
    flags: frozenset[str] = frozenset(),
    trust: Trust = _TRUST,
    missing: Collection[int] = (),
) -> Message:
    """The message in *raw*: any octets at all. With `Extent.HEADER` these are a header block.

    Nothing is read before it is asked for. *size*, *received* and *flags* are the server's word; *trust* is the
    account's, for the facts. *missing* are the leaf parts, numbered from 0, whose contents are not in *raw*.
    """
    return ParsedMessage(raw, extent, size=size, received=received, flags=flags, trust=trust, missing=missing)


class ParsedMessage:
    """A `mailrules.model.message.Message`; the protocol says what each attribute is."""

    def __init__(
        self,
        raw: Octets,
        extent: Extent,
        *,
        size: int | None,
        received: datetime | None,
        flags: frozenset[str],
        trust: Trust,
        missing: Collection[int],
    ) -> None:
        self._raw = raw
        self.extent = extent
        self.size = len(raw) if size is None and extent is Extent.WHOLE else size
        self.received = received
        self.flags = flags
        self._trust = trust
        self._missing = missing
        self._defects = Defects()
        self._structure = Defects()
        self._headers: dict[str, tuple[str, ...]] = {}
        self._addresses: dict[str, tuple[Address, ...]] = {}

    @property
    def raw(self) -> bytes:
        """What was parsed, octet for octet; of a big message read from the disk each time."""
        return self._raw if isinstance(self._raw, bytes) else self._raw[:]

    def pieces(self) -> Iterator[bytes]:
        """`raw` in pieces, so that a big message need not be in memory whole."""
        return (self._raw[at : at + PIECE] for at in range(0, len(self._raw), PIECE))

    @lazy
    def _octets(self) -> Octets:
        """`raw` with line feeds: a message of lone carriage returns gets them."""
        return self._raw if self._raw.find(b"\n") >= 0 else self.raw.replace(b"\r", b"\n")

    @lazy
    def _extents(self) -> Extents:
        extents = split(self._octets, 0, len(self._octets))
        for word in extents.oddities:
            self._defects.add(word)
        if extents.end - extents.start > LONGEST:
            self._defects.add("header-too-long", f"{extents.end - extents.start} octets")
        return extents

    @lazy
    def header_block(self) -> bytes:
        """The header fields as received, each with its line end."""
        extents = self._extents
        return self._raw[extents.start : extents.end]

    @lazy
    def _fields(self) -> Fields:
        extents = self._extents
        return Fields(self._octets[extents.start : extents.end])

    @lazy
    def _charset(self) -> str:
        """Where raw octets of the header are looked for: the charset of the body."""
        return structured(self._fields.first("content-type")).word("charset")

    def know_header(self, read: Message) -> None:
        """Take over what was *read* of the same header block, so that it need not be read a second time."""
        if isinstance(read, ParsedMessage) and read.header_block == self.header_block and b"\n" in read.header_block:
            self._fields, self._headers, self._addresses, found = read.header_read
            self._defects.extend(found)

    @property
    def header_read(self) -> tuple[Fields, dict[str, tuple[str, ...]], dict[str, tuple[Address, ...]], Defects]:
        """What has been read of the header block so far: fields, values, addresses, and what was wrong with them."""
        return self._fields, self._headers, self._addresses, self._defects

    def header(self, name: str) -> tuple[str, ...]:
        """Every occurrence of a header, unfolded and decoded, top to bottom."""
        key = name.lower()
        found = self._headers.get(key)
        if found is None:
            found = self._headers[key] = tuple([self._text(value) for value in self._fields.values(key)])
        return found

    def _text(self, value: bytes) -> str:
        return decoded(self._raw_text(value), self._defects)

    def _raw_text(self, value: bytes) -> str:
        if value.isascii():
            return value.decode("ascii")
        return raw_text(value, self._charset, self._defects)

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The mailboxes in every occurrence of an address header."""
        key = name.lower()
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = self._read_addresses(key)
        return found

    def _read_addresses(self, name: str) -> tuple[Address, ...]:
        found: list[Address] = []
        for value in self._fields.values(name):
            if len(value) > address.LONGEST:
                self._defects.add("header-too-long", f"{name}: {len(value)} octets")
                value = value[: address.LONGEST]  # noqa: PLW2901 - the value as far as it is read
            text = one_line(self._raw_text(value), self._defects)
            found += address.addresses(text, self._decode)
        return tuple(found)

    def _decode(self, phrase: str) -> str:
        return one_line(decode_words(phrase, self._defects), self._defects)

    def header_names(self) -> tuple[str, ...]:
        """The name of each header field, as written, top to bottom."""
        return self._names

    @lazy
    def _names(self) -> tuple[str, ...]:
        return self._fields.names()

    def __getitem__(self, name: str) -> str:
        found = self.header(name)
        return found[0] if found else ""

    @lazy
    def subject(self) -> str:
        """The decoded Subject; empty without one."""
        return self["Subject"]

    @lazy
    def author(self) -> Address:
        """The first mailbox of From; both parts empty without one."""
        found = self.addresses("From")
        return found[0] if found else _NOBODY

    @lazy
    def date(self) -> datetime | None:
        """The Date header, aware; None when missing or unreadable."""
        value = self["Date"]
        found = _date(value) if value else None
        if value and found is None:
            self._defects.add("bad-date", value[:60])
        return found

    @lazy
    def message_id(self) -> str:
        """The Message-ID with its angle brackets; empty without one."""
        value = self["Message-ID"]
        found = _IDENTIFIER.search(value)
        return found[0] if found else value

    @lazy
    def references(self) -> tuple[str, ...]:
        """The identifiers of References, or of In-Reply-To without them."""
        for name in ("References", "In-Reply-To"):
            found = [identifier for value in self.header(name) for identifier in _IDENTIFIER.findall(value)]
            if found:
                return tuple(found)
        return ()

    @lazy
    def root(self) -> Part:
        """The message as a part, which holds all others."""
        span = (self._extents.body, len(self._octets))
        return Part(self._octets, self._fields, span=span, defects=self._defects)

    @lazy
    def leaves(self) -> Sequence[Part]:
        """The parts that hold no parts, in order."""
        if self.extent is Extent.HEADER:
            raise NotLoadedError("only the header block of this message is loaded")
        parts = leaves(self.root, self._structure)
        for number, part in enumerate(parts) if self._missing else ():
            part.loaded = number not in self._missing
        self._defects.extend(self._structure)
        return parts

    def parted_badly(self) -> bool:
        """Whether its parts were found by guessing, or not at all."""
        self.leaves  # noqa: B018 - finds them
        return any(defect.word.startswith("boundary-") for defect in self._defects.all())

    @lazy
    def _body(self) -> body.Body:
        return body.sort(self.leaves)

    @lazy
    def _reading(self) -> tuple[str, Defects]:
        """The text, and what was wrong with it."""
        damage = Defects()
        text = body.read(self._body, damage)
        self._defects.extend(damage)
        return text, damage

    @lazy
    def text(self) -> str:
        """The body as a person reads it."""
        return self._reading[0]

    @lazy
    def html(self) -> str:
        """The first HTML part, decoded; empty without one."""
        return self._body.html[0].text(self._defects) if self._body.html else ""

    @lazy
    def undecodable(self) -> bool:
        """Whether part of the text could not be decoded."""
        return body.hides(self._reading[1]) or body.hides(self._structure)

    @lazy
    def attachments(self) -> Sequence[Attachment]:
        """The leaf parts that are not the text, in order; what is in a container stands behind it."""
        attached = self._body.attachments
        return opened(attached, self._trust.unpackers, self._defects) if self._trust.unpackers else attached

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What has been found wrong by what was computed so far; of the header block, all."""
        self._survey  # noqa: B018 - looks once through the lines that nothing else looks at
        return self._defects.all()

    @lazy
    def _survey(self) -> None:
        for line in self._fields.strays():
            self._defects.add("bad-header-line", line[:60].decode("latin-1"))
        names = [name.lower() for name in self.header_names()]
        for name in _ONCE:
            if names.count(name) > 1:
                self._defects.add("duplicate-header", name)

    def _fact(self, read: Callable[[Message], Fact[T]]) -> Fact[T]:
        """What can be told of what is loaded: where a content is missing, what the header block tells."""
        try:
            return read(self)
        except NotLoadedError:
            header = self.raw[: self._extents.body]
            return read(parse(header, extent=Extent.HEADER, size=self.size, trust=self._trust))

    @lazy
    def kind(self) -> Fact[str]:
        """What sort of message it is."""
        return self._fact(lambda message: kind.kind(message, self._trust))

    @lazy
    def bounce(self) -> Bounce:
        """What a delivery report says of its recipients; empty for other mail."""
        if self.kind.value not in bounce.KINDS:
            return Bounce(evidence=f"it is no delivery report: {self.kind.evidence}")
        return bounce.read(self)

    @lazy
    def calendar(self) -> Fact[str]:
        """What an invitation asks for."""
        return self._fact(kind.calendar)

    @lazy
    def original_sender_fact(self) -> Fact[Address]:
        """`original_sender` with its evidence."""
        return self._fact(lambda message: origin.original_sender(message, self._trust))

    @lazy
    def original_sender(self) -> Address:
        """Who wrote it first, of forwarded mail; else the author."""
        if self.extent.partial and not self.original_sender_fact.known:
            raise NotLoadedError("who wrote it first stands in the body, which is not loaded")
        return self.original_sender_fact.value

    @lazy
    def claimed_sender(self) -> Fact[Address]:
        """Whom it names as the first author without being believed."""
        return self._fact(lambda message: origin.claimed_sender(message, self._trust))

    @lazy
    def _quotation(self) -> quotation.Quotation:
        return quotation.split(self.text)

    @lazy
    def reply_text(self) -> str:
        """The text without what it quotes and without the signature."""
        return self._quotation.reply

    @lazy
    def reply_text_fact(self) -> Fact[str]:
        """`reply_text` with the lines that end it."""
        return Fact(self._quotation.reply, self._quotation.evidence)

    @lazy
    def quoted_text(self) -> str:
        """What the text quotes or forwards."""
        return self._quotation.quoted

    @lazy
    def signature(self) -> str:
        """The signature with the line that parts it."""
        return self._quotation.signature

    @lazy
    def authentication(self) -> Fact[dict[str, str]]:
        """By the trusted server's Authentication-Results."""
        return authentication(self, self._trust)


def _date(value: str) -> datetime | None:
    """RFC 5322 and its usual damage, or ISO 8601; UTC where no zone is given."""
    from email.utils import parsedate_tz

    try:
        parts = parsedate_tz(value)
        if parts is None:
            found = datetime.fromisoformat(value.strip())
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        year, month, day, hour, minute, second = parts[:6]
        zone = timedelta(seconds=parts[9] or 0)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(zone))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _zone(offset: timedelta) -> timezone:
    """A zone that no clock keeps (a day or more) is none."""
    return timezone(offset) if offset and abs(offset) < timedelta(days=1) else UTC
