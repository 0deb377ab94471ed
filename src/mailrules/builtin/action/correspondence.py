"""What every action that composes a mail has in common: to fill in, to be guarded, to describe, to show, to send."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from mailrules.api import Context, Data, Message, Options, Permanent, Template, Templates, Withheld
from mailrules.api.guard import loop_tokens, withheld
from mailrules.builtin.action.addresses import check_addresses, check_filled, mailboxes, one_line, sender_mailbox
from mailrules.builtin.action.headers import check_header_names

if TYPE_CHECKING:
    from email.headerregistry import Address as Mailbox

    from mailrules.builtin.action.outgoing import Letter

Sent = Annotated[
    bool | str | None,
    Meta(description="Put a copy into the folder of that name, or with `true` into `\\Sent`; as the account says."),
]
Priority = Literal["consumed", "input"]


class CorrespondenceOptions(Options, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What all of them take."""

    sender: Annotated[Template, Meta(description="Who it is from: an address, or 'Name <address>'; the account.")] = (
        field(default_factory=Template)
    )
    agent: Annotated[
        Template,
        Meta(description="Who writes for the company, where the account's policy names both; else data.agent."),
    ] = field(default_factory=Template)
    cc: Annotated[Templates, Meta(description="Who gets a copy.")] = field(default_factory=Templates)
    bcc: Annotated[Templates, Meta(description="Who gets a copy unseen by the others.")] = field(
        default_factory=Templates
    )
    headers: Annotated[dict[str, Template], Meta(description="Header fields to add.")] = field(default_factory=dict)
    sent: Sent = None

    def __post_init__(self) -> None:
        """What is written must be addresses; a header that the action writes itself is not written twice."""
        check_addresses_of(self, "from", "cc", "bcc")
        check_header_names(self.headers)


def check_addresses_of(options: CorrespondenceOptions, *keys: str) -> None:
    """Refuse constants that are no addresses.

    Raises:
        ValueError: which `check` shows at the option's place.
    """
    for key in keys:
        written = (options.sender,) if key == "from" else getattr(options, key).items
        for item in written:
            if key != "from" or item.source:
                check_addresses(key, item)


@dataclass(frozen=True, slots=True)
class Filling:
    """Fills templates in: for a description what later steps give stays as written, for a mail all must be there."""

    data: Data
    shown: bool
    priority: Priority | None = None
    """Whether data of earlier steps counts, and what wins; None where it does not."""

    def one(self, name: str, written: Template) -> str:
        """A field of one text."""
        texts = self._either(name, [self.text(written)])
        return texts[0] if texts else ""

    def many(self, name: str, written: Templates) -> list[str]:
        """Addresses, each text with those that are written and no more."""
        texts = [self.text(item) for item in written.items]
        for item, text in zip(written.items, texts, strict=True) if not self.shown else ():
            check_filled(item, text)
        return self._either(name, texts)

    def text(self, written: Template) -> str:
        """A text that no other step has a say in."""
        return written.shown(self.data) if self.shown else written.render(self.data)

    def _either(self, name: str, written: list[str]) -> list[str]:
        given = [text for text in written if text.strip()]
        consumed = _texts(self.data["data"].get(name)) if self.priority else []
        return consumed or given if self.priority == "consumed" else given or consumed

    def sender(self, options: CorrespondenceOptions) -> Mailbox:
        """Who the mail is from, named as the account's policy has it."""
        agent = self.one("agent", options.agent)
        agents = [agent] if agent else _texts(self.data["data"].get("agent"))
        account = self.data["account"]
        written = self.one("from", options.sender) if options.sender.source else account.get("address", "")
        return sender_mailbox(written, account, *agents[:1] or [""])

    def headers(self, options: CorrespondenceOptions) -> dict[str, str]:
        """Header fields of one's own."""
        return {name: self.text(written) for name, written in options.headers.items()}


def _texts(value: Any) -> list[str]:
    """What an earlier step gave for a field: one text or number, or several."""
    values = value if isinstance(value, list | tuple) else [value]
    texts = [str(each) for each in values if isinstance(each, str | int | float) and not isinstance(each, bool)]
    return [text for text in texts if text.strip()]


class Correspondence(ABC):
    """An action that composes one mail and sends it as the listener's account."""

    __slots__ = ("options",)
    word: ClassVar[str]
    """What a description begins with."""
    conveys: ClassVar[bool] = False
    """Whether the received message itself travels on: what keeps that back must be seen by a person."""

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The mail, filled in; *shown* for a description only.

        Raises:
            Permanent: it cannot be filled in.
            Withheld: there is nobody to write to.
        """

    def describe(self, message: Message, data: Data) -> str:
        """To whom, and the subject; and why it would be held back."""
        try:
            letter = self.letter(message, data, shown=True)
        except Withheld as error:
            return f"{self.word} (withheld: {error})"
        given = (*letter.to, *letter.cc, *letter.bcc)
        addresses = _addresses(given)
        refused = withheld(message, addresses, data["account"])
        to = ", ".join(addresses or map(one_line, given)) or "nobody"
        return f"{self.word} to {to}: {one_line(letter.subject)!r}" + (f" (withheld: {refused})" if refused else "")

    def preview(self, message: Message, data: Data, key: str) -> bytes:
        """The very mail that would leave: see `mailrules.api.Action`."""
        letter = self.letter(message, data)
        self._guard(message, data, letter.recipients())
        return letter.compose(key, _moment(data)).as_bytes()

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Send it; its Message-ID, recipients and the server's words become `data.sent`."""
        letter = self.letter(message, data)
        recipients = letter.recipients()
        self._guard(message, data, recipients)
        mail = letter.compose(context.idempotency_key, _moment(data))
        with kept_back(conveys=self.conveys):
            said = context.send(mail, recipients=recipients, sent=self.options.sent)
        return {"sent": {"to": recipients, "message_id": str(mail["Message-ID"]), "answer": said}}

    def _guard(self, message: Message, data: Data, recipients: list[str]) -> None:
        guard(message, data, recipients, conveys=self.conveys)


def guard(message: Message, data: Data, recipients: list[str], *, conveys: bool) -> None:
    """Go no further where nothing may go out.

    Raises:
        Withheld: nobody misses what is not sent.
        Permanent: the message itself was to travel on, and would be lost: a person looks.
    """
    with kept_back(conveys=conveys):
        if reason := withheld(message, recipients, data["account"]):
            raise Withheld(reason)


@contextmanager
def kept_back(*, conveys: bool) -> Iterator[None]:
    """What is withheld within is `Permanent` where the message itself was to travel on: see `guard`."""
    try:
        yield
    except Withheld as error:
        if conveys:
            raise Permanent(f"not sent on: {error}") from error
        raise


def tokens(message: Message, data: Data) -> list[str]:
    """The loop tokens of a mail that goes out because of *message*."""
    address = data["account"].get("address", "")
    return loop_tokens(message, address) if address else []


def _moment(data: Data) -> datetime:
    moment: datetime = data.get("now") or datetime.now(UTC)
    return moment


def _addresses(values: tuple[str, ...]) -> list[str]:
    """What can be read as addresses: a description may hold names that are not filled in."""
    try:
        return [mailbox.addr_spec for mailbox in mailboxes(values)]
    except Permanent:
        return []
