"""What the tests of conditions read of one message, each thing at most once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from mailrules.core.address import addresses
from mailrules.core.further import further
from mailrules.core.unpacking import CLOSED
from mailrules.model.condition import Test
from mailrules.model.message import Address, Extent, Fact, Message, NotLoadedError

ADDRESS_HEADERS: dict[str, tuple[str, ...]] = {
    "from": ("from",),
    "to": ("to",),
    "cc": ("cc",),
    "bcc": ("bcc",),
    "sender": ("sender",),
    "reply_to": ("reply-to",),
    "recipient": ("to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to", "x-delivered-to"),
    "any_address": ("from", "sender", "reply-to", "to", "cc", "bcc"),
}
"""The headers behind each address field."""

BODY_FIELDS = frozenset({"body", "attachment", "reply_text", "quoted_text"})
"""The fields of which the header block tells nothing."""

ADDRESS_OPERATORS = frozenset({"domain", "localpart", "detail"})
"""The operators that look at mailboxes, on any header."""


class Text:
    """One value of a textual field: the texts it may be read as and, of an address field, the mailbox it is.

    A mailbox reads as its address, its display name, and both together.
    """

    __slots__ = ("_folded", "address", "texts")

    def __init__(self, texts: tuple[str, ...], address: Address | None = None) -> None:
        self.texts = texts
        self.address = address
        self._folded: tuple[str, ...] | None = None

    @classmethod
    def of(cls, address: Address) -> Text:
        """The value that a mailbox is."""
        return cls((address.address, address.name, str(address)), address)

    @property
    def folded(self) -> tuple[str, ...]:
        """The texts with case folded away."""
        if self._folded is None:
            self._folded = tuple([text.casefold() for text in self.texts])
        return self._folded

    def __str__(self) -> str:
        """As a trace shows it."""
        return self.texts[-1]


class Returned(NamedTuple):
    """One recipient of a delivery report, with what was sent; empty words where the report says nothing."""

    recipient: str
    status: str
    action: str
    diagnostic: str
    message_id: str
    subject: str


class Reading(NamedTuple):
    """The values of a field. Unless *certain*, there may be more of them than can be seen, for *reason*."""

    values: Sequence[Any] = ()
    """`Text`, datetime, number of octets, attachment, `Returned`, or the mapping of authentication results."""
    certain: bool = True
    reason: str = ""
    present: bool = False
    """Whether the field is there at all."""
    number: int = 0
    """How many there are: mailboxes, occurrences, parts."""
    more: Extent | None = None
    """What must be loaded to be certain; None when nothing that is not loaded would tell."""


class View:
    """A message as conditions see it at one moment, remembering what was read for one test for the next."""

    __slots__ = ("_readings", "message", "now", "timezone")

    def __init__(self, message: Message, now: datetime, timezone: str = "UTC") -> None:
        self.message = message
        self.now = now
        self.timezone = timezone
        self._readings: dict[Any, Reading] = {}

    def reading(self, test: Test) -> Reading:
        """The values that *test* is about."""
        key: Any = test.field
        if key == "header" or test.occurrence is not None:
            key = (key, test.names, test.occurrence, addressed(test))
        found = self._readings.get(key)
        if found is None:
            found = self._readings[key] = self._read(test)
        return found

    def _read(self, test: Test) -> Reading:
        if test.field in ADDRESS_HEADERS:
            return self._headers(ADDRESS_HEADERS[test.field], test.occurrence, addressed=True)
        if test.field == "header":
            return self._headers(test.names, test.occurrence, addressed=addressed(test))
        if test.field == "subject":
            return self._headers(("subject",), test.occurrence, addressed=False)
        if test.field in BODY_FIELDS and self.message.extent is Extent.HEADER:
            return Reading(certain=False, reason=f"{test.field} not loaded", more=further(test.field, Extent.HEADER))
        try:
            reading = _READERS[test.field](self.message)
        except NotLoadedError:
            reading = Reading(certain=False, reason=f"{test.field} not loaded")
        return reading if reading.certain else reading._replace(more=further(test.field, self.message.extent))

    def _headers(self, names: tuple[str, ...], occurrence: int | None, *, addressed: bool) -> Reading:
        values: list[Text] = []
        mailboxes: list[Text] = []
        for name in names:
            texts = self.message.header(name)
            if occurrence is not None:
                texts = _chosen(texts, occurrence)
            if texts:
                values += [Text((text,)) for text in texts]
            if addressed and texts:
                mailboxes += [Text.of(address) for address in self._mailboxes(name, texts, occurrence)]
        return Reading((*mailboxes, *values), present=bool(values), number=len(mailboxes) if addressed else len(values))

    def _mailboxes(self, name: str, texts: Sequence[str], occurrence: int | None) -> Sequence[Address]:
        if occurrence is None or len(self.message.header(name)) == 1:
            return self.message.addresses(name)
        return [address for text in texts for address in addresses(text, str)]


def addressed(test: Test) -> bool:
    """Whether *test* looks at mailboxes."""
    return test.field in ADDRESS_HEADERS or any(operator.name in ADDRESS_OPERATORS for operator in test.operators)


def _chosen(texts: tuple[str, ...], occurrence: int) -> tuple[str, ...]:
    at = occurrence - 1 if occurrence > 0 else len(texts) + occurrence
    return texts[at : at + 1] if 0 <= at < len(texts) else ()


def _body(message: Message) -> Reading:
    return _prose(message, message.text)


def _reply_text(message: Message) -> Reading:
    return _prose(message, message.reply_text)


def _quoted_text(message: Message) -> Reading:
    return _prose(message, message.quoted_text)


def _bounce(message: Message) -> Reading:
    try:
        said = message.bounce
    except NotLoadedError:
        return Reading(certain=False, reason="only the body tells")
    sent = (said.message_id, said.subject)
    found = [Returned(each.address, each.status, each.action, each.diagnostic, *sent) for each in said.recipients]
    if not found and any(sent):
        found = [Returned("", "", "", "", *sent)]
    reason = "" if message.extent is Extent.WHOLE else "the body is cut off"
    return Reading(found, certain=not reason, reason=reason, present=bool(found), number=len(said.recipients))


def _prose(message: Message, text: str) -> Reading:
    reason = _doubt(message)
    present = bool(text.strip())
    return Reading((Text((text,)),), certain=not reason, reason=reason, present=present, number=int(present))


def _doubt(message: Message) -> str:
    if message.extent is Extent.CUT:
        return "the body is cut off"
    return "part of the text cannot be decoded" if message.undecodable else ""


def _attachments(message: Message) -> Reading:
    found = message.attachments
    reason = "the body is cut off" if message.extent is Extent.CUT else ""
    if not reason and any(defect.word == CLOSED for defect in message.defects):
        reason = "an attachment cannot be unpacked"
    return Reading(found, certain=not reason, reason=reason, present=bool(found), number=len(found))


def _size(message: Message) -> Reading:
    size = message.size
    if size is None and message.extent is Extent.WHOLE:
        size = len(message.raw)
    if size is None:
        return Reading(certain=False, reason="the server did not say the size")
    return Reading((size,), present=True, number=1)


def _date(message: Message) -> Reading:
    if not message.header("date"):
        return Reading()
    date = message.date
    if date is None:
        return Reading(certain=False, reason="the Date header cannot be read", present=True, number=1)
    return Reading((date,), present=True, number=1)


def _received(message: Message) -> Reading:
    if message.received is None:
        return Reading(certain=False, reason="the server did not say when it came")
    return Reading((message.received,), present=True, number=1)


def _fact(fact: Fact[Any]) -> Reading:
    if not fact.known:
        return Reading(certain=False, reason=fact.evidence or "only the body tells")
    value = fact.value
    if isinstance(value, Address):
        there = bool(value.address or value.name)
        return Reading((Text.of(value),) if there else (), present=there, number=int(there))
    return Reading((Text((value,)) if isinstance(value, str) else value,), present=bool(value), number=int(bool(value)))


def _loaded(field: str) -> Callable[[Message], Reading]:
    def read(message: Message) -> Reading:
        return _fact(getattr(message, field))

    return read


_READERS: dict[str, Callable[[Message], Reading]] = {
    "body": _body,
    "reply_text": _reply_text,
    "quoted_text": _quoted_text,
    "bounce": _bounce,
    "calendar": _loaded("calendar"),
    "claimed_sender": _loaded("claimed_sender"),
    "attachment": _attachments,
    "size": _size,
    "date": _date,
    "received": _received,
    "kind": _loaded("kind"),
    "original_sender": _loaded("original_sender_fact"),
    "auth": _loaded("authentication"),
}


def seen(reading: Reading, limit: int = 200) -> str:
    """The values in a line for a trace, shortened to *limit* characters."""
    text = " | ".join(dict.fromkeys(_shown(value) for value in reading.values))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, dict):
        return ", ".join(f"{name}={word}" for name, word in value.items())
    if isinstance(value, Returned):
        return " ".join(" ".join(each[:200].split()) for each in value if each)
    if isinstance(value, Text | int | float):
        return " ".join(str(value)[:500].split())
    try:
        size = f", {value.size} octets"
    except NotLoadedError:
        size = ""
    return f"{value.name or '(no name)'} ({value.type}, {value.kind}{size})"


def fields() -> Iterator[str]:
    """Every field that a test may name."""
    yield from (*ADDRESS_HEADERS, "header", "subject", *_READERS)
