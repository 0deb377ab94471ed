"""The action `acknowledge`: an automatic receipt for what begins a conversation."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from mailrules.api import ActionType, Data, HtmlTemplate, Message, Template, Withheld
from mailrules.builtin.action.conversation import answer_subject, answered, answering, written
from mailrules.builtin.action.correspondence import Correspondence, CorrespondenceOptions, Filling, tokens
from mailrules.builtin.action.outgoing import Letter


class AcknowledgeOptions(CorrespondenceOptions, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What the receipt says."""

    text: Annotated[Template, Meta(description="The text.")]
    html: Annotated[HtmlTemplate, Meta(description="The text as HTML; what is filled in is escaped.")] = field(
        default_factory=HtmlTemplate
    )
    subject: Annotated[Template, Meta(description="Another subject than 'Re: ' and that of the message.")] = field(
        default_factory=Template
    )
    once: Annotated[
        Literal["thread", "message"],
        Meta(description="A receipt for the message that begins a conversation, or for each message."),
    ] = "thread"


class AcknowledgeAction(Correspondence):
    """Tells who wrote that it has come."""

    __slots__ = ()
    word = "acknowledge"
    options: AcknowledgeOptions

    def letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The receipt.

        Raises:
            Withheld: the message goes on with a conversation, which had its receipt when it began.
        """
        options, fill = self.options, Filling(data, shown)
        if options.once == "thread" and message.references:
            raise Withheld(
                "it goes on with a conversation (In-Reply-To, References): the first message has its receipt"
            )
        return Letter(
            sender=fill.sender(options),
            to=[written(each) for each in answered(message)],
            cc=fill.many("cc", options.cc),
            bcc=fill.many("bcc", options.bcc),
            subject=fill.text(options.subject) or answer_subject(message.subject),
            text=fill.text(options.text),
            html=fill.text(options.html),
            headers=fill.headers(options),
            thread=answering(message),
            submitted="auto-replied",
            tokens=tokens(message, data),
        )


ACKNOWLEDGE = ActionType(
    name="acknowledge",
    summary="Send a receipt to who wrote, once a conversation.",
    options=AcknowledgeOptions,
    build=AcknowledgeAction,
    sends=True,
    results=lambda _options: ("sent",),
)
