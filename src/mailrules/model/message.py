"""What a received message offers to rules, templates and actions.

`Message` is a protocol: `mailrules.core.parse` makes the values, everything else reads them through these names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, Protocol, TypeVar

from mailrules.model.bounce import Bounce
from mailrules.model.unpack import Unpacker

T_co = TypeVar("T_co", covariant=True)


class Extent(Enum):
    """How much of a message has been loaded."""

    HEADER = "header"
    """The header block alone: whatever the body would tell is unknown."""
    STRUCTURE = "structure"
    """Which parts there are, with their header blocks, and none of their contents."""
    TEXT = "text"
    """The same with the parts that are the text; what else is in the message is unknown."""
    WHOLE = "whole"
    """Everything that the server has."""
    CUT = "cut"
    """The body is there up to a limit: what is found counts, what is not found is unknown."""

    @property
    def partial(self) -> bool:
        """Whether the server has more that can be asked for."""
        return self in (Extent.HEADER, Extent.STRUCTURE, Extent.TEXT)


class NotLoadedError(Exception):
    """Something of a message was asked for that is not loaded."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header: a display name and an addr-spec (RFC 5322, section 3.4).

    Either may be empty: a header may hold a name alone, and text that is no address at all.
    """

    name: str
    address: str

    @property
    def localpart(self) -> str:
        """What stands before the last `@`, sub-address included."""
        return self.address.rpartition("@")[0] or self.address

    @property
    def domain(self) -> str:
        """What stands after the last `@`, lower-cased; empty without one."""
        _, at, domain = self.address.rpartition("@")
        return domain.lower() if at else ""

    @property
    def detail(self) -> str:
        """The sub-address of `user+detail@domain` (RFC 5233); empty without one."""
        return self.localpart.partition("+")[2]

    def __str__(self) -> str:
        """Both together, as a header shows them."""
        return f"{self.name} <{self.address}>" if self.name and self.address else self.name or self.address


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong with a message that was read all the same."""

    word: str
    """A stable word, `bad-base64`."""
    detail: str = ""
    """Where and what, for a person."""


@dataclass(frozen=True, slots=True)
class Fact(Generic[T_co]):
    """What a message is, beyond one header, with the evidence it rests on."""

    value: T_co
    evidence: str
    known: bool = True
    """False when only the part that is not loaded could tell."""


class Attachment(Protocol):
    """A leaf part of the message that is not its text."""

    @property
    def name(self) -> str:
        """The file name as the sender gave it, decoded, path separators and all; empty without one."""

    @property
    def type(self) -> str:
        """The media type, lower-cased, `application/pdf`."""

    @property
    def kind(self) -> str:
        """`file`, `inline`, `message`, `calendar`, `signature` or `tnef`."""

    @property
    def size(self) -> int:
        """Octets after decoding."""

    @property
    def content_id(self) -> str:
        """The Content-ID without its angle brackets (RFC 2392); empty without one."""

    @property
    def origin(self) -> str:
        """The attachment it was unpacked from, and by what; empty for a part of the message itself."""

    def content(self) -> bytes:
        """The decoded octets; damaged encodings give what could be read, and a defect on the message."""

    def pieces(self) -> Iterator[bytes]:
        """The same in pieces, of which a big one takes less memory."""


class Message(Protocol):
    """A parsed message. Every attribute is computed at most once, on first use, and none raises on any bytes.

    What depends on what is not loaded raises `NotLoadedError` while `extent` is `partial`.
    """

    @property
    def raw(self) -> bytes:
        """What was parsed, octet for octet, in memory whole."""

    def pieces(self) -> Iterator[bytes]:
        """The same in pieces, of which a big message takes less memory."""

    @property
    def extent(self) -> Extent:
        """How much of the message `raw` holds."""

    @property
    def header_block(self) -> bytes:
        """The header fields as received, without the empty line that ends them."""

    @property
    def size(self) -> int | None:
        """Octets of the whole message as the server counts them; None when it did not say."""

    @property
    def received(self) -> datetime | None:
        """When the server took the message in (IMAP INTERNALDATE, file time), aware; None when unknown."""

    @property
    def flags(self) -> frozenset[str]:
        r"""The flags on the server when it was read, `\Seen`."""

    def header(self, name: str) -> tuple[str, ...]:
        """Every occurrence of a header, unfolded and decoded (RFC 2047, raw 8-bit detected), top to bottom."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The mailboxes in every occurrence of an address header; group members included, comments left out."""

    def header_names(self) -> tuple[str, ...]:
        """The name of each header field, as written, top to bottom."""

    def __getitem__(self, name: str) -> str:
        """The first occurrence of a header, decoded; empty without one. Templates say `message['List-Id']`."""

    @property
    def subject(self) -> str:
        """The decoded Subject; empty without one."""

    @property
    def author(self) -> Address:
        """The first mailbox of From; both parts empty without one."""

    @property
    def date(self) -> datetime | None:
        """The Date header, aware (UTC where it has no zone); None when missing or unreadable."""

    @property
    def message_id(self) -> str:
        """The Message-ID with its angle brackets; empty without one."""

    @property
    def references(self) -> tuple[str, ...]:
        """The message identifiers of References, or of In-Reply-To without them, oldest first."""

    @property
    def text(self) -> str:
        """The body as a person reads it: text parts decoded; HTML as text when there is no plain part."""

    @property
    def html(self) -> str:
        """The first HTML part, decoded; empty without one."""

    @property
    def undecodable(self) -> bool:
        """Whether part of the text could not be decoded, so that what is not found in it is unknown."""

    @property
    def attachments(self) -> Sequence[Attachment]:
        """The leaf parts that are not the text, in order; what is in a container stands behind it."""

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What has been found wrong by what was computed so far."""

    @property
    def kind(self) -> Fact[str]:
        """What sort of mail it is.

        `person`, `auto-reply`, `out-of-office`, `bounce`, `delay`, `receipt`, `complaint`, `list`, `bulk`, `calendar`
        or `own`.
        """

    @property
    def bounce(self) -> Bounce:
        """What a bounce, a delay or a receipt of delivery says of its recipients; empty for other mail."""

    @property
    def calendar(self) -> Fact[str]:
        """What an invitation asks for, lower-cased: `request`, `reply`, `cancel` (RFC 5546); empty for other mail."""

    @property
    def original_sender(self) -> Address:
        """Who wrote it first, of forwarded and redirected mail; else the author."""

    @property
    def original_sender_fact(self) -> Fact[Address]:
        """`original_sender` with its evidence."""

    @property
    def claimed_sender(self) -> Fact[Address]:
        """Whom it names as the first author without being believed; an empty address where it names nobody."""

    @property
    def reply_text(self) -> str:
        """The text without what it quotes and without the signature."""

    @property
    def reply_text_fact(self) -> Fact[str]:
        """`reply_text` with the lines that end it."""

    @property
    def quoted_text(self) -> str:
        """What the text quotes or forwards, as it stands there; empty where it does not."""

    @property
    def signature(self) -> str:
        """The signature with the line that parts it; empty without one."""

    @property
    def authentication(self) -> Fact[dict[str, str]]:
        """By the trusted server's Authentication-Results (RFC 8601); empty when unknown.

        `spf`, `dkim` and `dmarc` are the results, `spf_domain`, `dkim_domain` and `dmarc_domain` whom they are about.
        """


AUTO_REPLY_SUBJECTS = (
    "automatic reply:*",
    "automatic response:*",
    "auto-reply:*",
    "autoreply:*",
    "auto response:*",
    "out of office:*",
    "out of office reply:*",
    "out of office autoreply:*",
    "automatische antwort:*",
    "abwesenheitsnotiz*",
    "abwesenheitsnachricht*",
    "réponse automatique*",
    "message d'absence*",
    "respuesta automática*",
    "fuera de la oficina:*",
    "risposta automatica*",
    "resposta automática*",
    "automatisch antwoord*",
    "autosvar*",
    "automaattinen vastaus*",
    "odpowiedź automatyczna*",
    "automatická odpověď*",
    "automatikus válasz*",
    "автоматический ответ*",
    "автоответ*",
    "自動応答*",
    "自动答复*",
    "自动回复*",
)
"""How subjects of automatic replies begin, in the languages of the usual mail servers."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What facts rest on besides the message: what an account says about its own surroundings, and the unpackers."""

    authserv_id: str = ""
    """The server name whose Authentication-Results count (RFC 8601, section 5)."""
    own_addresses: frozenset[str] = frozenset()
    """Addresses that are ours, lower-cased: mail from them is our own coming back."""
    own_tokens: frozenset[str] = frozenset()
    """Loop tokens of our mailboxes: mail that carries one is our own coming back."""
    forwarders: frozenset[str] = frozenset()
    """Addresses and domains whose word on the original sender is believed."""
    auto_reply_subjects: tuple[str, ...] = AUTO_REPLY_SUBJECTS
    """Shell patterns, ignoring case, of subjects that only programs write; they come after the headers."""
    unpackers: tuple[Unpacker, ...] = ()
    """What opens containers among the attachments."""
