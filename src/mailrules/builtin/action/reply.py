"""The action `reply`: answer who wrote."""

from __future__ import annotations

from html import escape
from typing import Annotated

from msgspec import Meta, field

from mailrules.api import ActionType, Data, HtmlTemplate, Message, Template
from mailrules.builtin.action.conversation import answer_subject, answered, answering, others, quoted, written
from mailrules.builtin.action.correspondence import Correspondence, CorrespondenceOptions, Filling, tokens
from mailrules.builtin.action.original import original_html
from mailrules.builtin.action.outgoing import Letter
from mailrules.builtin.action.parts import Attachments, asks_for_message, enclosures


class ReplyOptions(CorrespondenceOptions, frozen=True, kw_only=True, rename={"sender": "from"}):
    """What to answer."""

    text: Annotated[Template, Meta(description="The text.")] = field(default_factory=Template)
    html: Annotated[HtmlTemplate, Meta(description="The text as HTML; what is filled in is escaped.")] = field(
        default_factory=HtmlTemplate
    )
    subject: Annotated[Template, Meta(description="Another subject than 'Re: ' and that of the message.")] = field(
        default_factory=Template
    )
    to_all: Annotated[bool, Meta(description="Answer everybody in To and Cc, too.")] = False
    quote: Annotated[bool, Meta(description="Put what is answered under the text.")] = False
    attribution: Annotated[Template, Meta(description="The line above what is quoted.")] = field(
        default_factory=lambda: Template("{{ message.author }} wrote{{ message.date | date(' on %Y-%m-%d') }}:")
    )
    attachments: Attachments = None

    def __post_init__(self) -> None:
        """It must say something."""
        super().__post_init__()
        if not (self.text.source or self.html.source):
            raise ValueError("a reply needs `text` or `html`")


class ReplyAction(Correspondence):
    """Answers as the listener's account, in the conversation, marked as automatic."""

    __slots__ = ()
    word = "reply"
    options: ReplyOptions

    def letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The answer."""
        options, fill = self.options, Filling(data, shown)
        sender, to = fill.sender(options), answered(message)
        known = [sender.addr_spec, *data["account"].get("own", ()), *(each.address for each in to)]
        everybody = others(message, known) if options.to_all else []
        return Letter(
            sender=sender,
            to=[written(each) for each in to],
            cc=[*(written(each) for each in everybody), *fill.many("cc", options.cc)],
            bcc=fill.many("bcc", options.bcc),
            subject=fill.text(options.subject) or answer_subject(message.subject),
            text=self._text(message, fill),
            html=self._html(message, fill),
            headers=fill.headers(options),
            attachments=list(enclosures(options.attachments, message, data)),
            thread=answering(message),
            submitted="auto-replied",
            tokens=tokens(message, data),
        )

    def _text(self, message: Message, fill: Filling) -> str:
        text = fill.text(self.options.text)
        if not (text and self.options.quote):
            return text
        return f"{text.rstrip()}\n\n{fill.text(self.options.attribution)}\n{quoted(message.text)}\n"

    def _html(self, message: Message, fill: Filling) -> str:
        html = fill.text(self.options.html)
        if not (html and self.options.quote):
            return html
        attribution = escape(fill.text(self.options.attribution))
        return f'{html}\n<p>{attribution}</p>\n<blockquote type="cite">{original_html(message)}</blockquote>\n'


REPLY = ActionType(
    name="reply",
    summary="Answer who wrote, in the same conversation.",
    options=ReplyOptions,
    build=ReplyAction,
    sends=True,
    needs_body=lambda options: options.quote or asks_for_message(options.attachments),
    results=lambda _options: ("sent",),
)
