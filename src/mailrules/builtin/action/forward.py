"""The action `forward`: pass a message on in a mail of one's own."""

from __future__ import annotations

from html import escape
from typing import Annotated, Literal

from msgspec import Meta, field

from mailrules.api import ActionType, Data, Message, Template, Templates
from mailrules.builtin.action.conversation import forward_subject, passed_references
from mailrules.builtin.action.correspondence import (
    Correspondence,
    CorrespondenceOptions,
    Filling,
    check_addresses_of,
    tokens,
)
from mailrules.builtin.action.original import forwarded_html, forwarded_text
from mailrules.builtin.action.outgoing import Letter, Thread
from mailrules.builtin.action.parts import Enclosure, chosen_attachments, passed_on, the_message


class ForwardOptions(CorrespondenceOptions, frozen=True, kw_only=True, rename={"sender": "from", "form": "as"}):
    """Whom to pass it on to, and how."""

    to: Annotated[Templates, Meta(description="Who gets it.")]
    subject: Annotated[Template, Meta(description="Another subject than 'Fwd: ' and that of the message.")] = field(
        default_factory=Template
    )
    text: Annotated[Template, Meta(description="A text above the message.")] = field(default_factory=Template)
    form: Annotated[
        Literal["inline", "attachment"],
        Meta(description="Its text under a header block, with its attachments; or the message itself, untouched."),
    ] = "inline"

    def __post_init__(self) -> None:
        """What is written must be addresses."""
        super().__post_init__()
        check_addresses_of(self, "to")


class ForwardAction(Correspondence):
    """Passes the message on as the listener's account."""

    __slots__ = ()
    word = "forward"
    conveys = True
    options: ForwardOptions

    def letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The mail that the message travels in."""
        options, fill = self.options, Filling(data, shown)
        text, inline = fill.text(options.text), options.form == "inline"
        above = f"{text.rstrip()}\n\n" if text.strip() else ""
        return Letter(
            sender=fill.sender(options),
            to=fill.many("to", options.to),
            cc=fill.many("cc", options.cc),
            bcc=fill.many("bcc", options.bcc),
            subject=fill.text(options.subject) or forward_subject(message.subject),
            text=above + forwarded_text(message) if inline else text,
            html=_html(text, message) if inline and message.html else "",
            headers=fill.headers(options),
            attachments=_attached(message, inline=inline),
            thread=Thread(references=passed_references(message)),
            tokens=tokens(message, data),
        )


def _html(text: str, message: Message) -> str:
    above = f'<div style="white-space: pre-wrap">{escape(text.rstrip())}</div>\n' if text.strip() else ""
    return above + forwarded_html(message)


def _attached(message: Message, *, inline: bool) -> list[Enclosure]:
    if not inline:
        return [the_message(message, "forwarded.eml")]
    return [passed_on(name, part) for name, part in chosen_attachments(message, ["*"]) if not part.origin]


FORWARD = ActionType(
    name="forward",
    summary="Pass the message on, inline with its attachments or as an attachment.",
    options=ForwardOptions,
    build=ForwardAction,
    sends=True,
    needs_body=lambda _options: True,
    results=lambda _options: ("sent",),
)
