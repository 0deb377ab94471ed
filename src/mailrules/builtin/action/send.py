"""The action `send`: mail somebody."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from mailrules.api import ActionType, Data, HtmlTemplate, Message, Template, Templates
from mailrules.builtin.action.conversation import passed_references
from mailrules.builtin.action.correspondence import (
    Correspondence,
    CorrespondenceOptions,
    Filling,
    Priority,
    check_addresses_of,
    tokens,
)
from mailrules.builtin.action.outgoing import Letter, Thread
from mailrules.builtin.action.parts import Attachments, asks_for_message, enclosures


class SendOptions(CorrespondenceOptions, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What to send, and to whom."""

    sender: Annotated[Template, Meta(description="Who it is from: an address, or 'Name <address>'.")]
    to: Annotated[Templates, Meta(description="Who gets it.")] = field(default_factory=Templates)
    subject: Annotated[Template, Meta(description="The subject.")] = field(default_factory=Template)
    text: Annotated[Template, Meta(description="The text.")] = field(default_factory=Template)
    html: Annotated[HtmlTemplate, Meta(description="The text as HTML; what is filled in is escaped.")] = field(
        default_factory=HtmlTemplate
    )
    attachments: Attachments = None
    priority: Annotated[
        Priority,
        Meta(
            description="What wins, field by field: data of earlier steps (consumed), or what is written here (input)."
        ),
    ] = "consumed"

    def __post_init__(self) -> None:
        """Addresses, names of header fields, and that somebody is named as the sender."""
        super().__post_init__()
        check_addresses_of(self, "to")


class SendAction(Correspondence):
    """Sends one mail as the listener's account."""

    __slots__ = ()
    word = "send"
    options: SendOptions

    def letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The mail with each field from where it comes first and is not empty."""
        options, fill = self.options, Filling(data, shown, self.options.priority)
        return Letter(
            sender=fill.sender(options),
            to=fill.many("to", options.to),
            cc=fill.many("cc", options.cc),
            bcc=fill.many("bcc", options.bcc),
            subject=fill.one("subject", options.subject),
            text=fill.one("text", options.text),
            html=fill.one("html", options.html),
            headers=fill.headers(options),
            attachments=list(enclosures(options.attachments, message, data)),
            thread=Thread(references=passed_references(message)),
            tokens=tokens(message, data),
        )


SEND = ActionType(
    name="send",
    summary="Mail somebody.",
    options=SendOptions,
    build=SendAction,
    sends=True,
    needs_body=lambda options: asks_for_message(options.attachments),
    results=lambda _options: ("sent",),
)
