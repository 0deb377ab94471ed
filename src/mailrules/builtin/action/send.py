"""The action `send`: mail somebody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Message, Options, Permanent, Template, Templates, misfit
from mailrules.builtin.action.outgoing import Letter, mailboxes, one_line
from mailrules.builtin.action.parts import chosen_attachments, patterns_of

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN_ADDRESS = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
"""What nearly all are, and nobody need take apart."""
_OURS = re.compile(
    r"(?i)from|to|cc|bcc|subject|date|message-id|auto-submitted|mime-version|content-.*|return-path|received|sender"
)
"""Header fields that have a place of their own, or that are not the sender's to write."""


class SendOptions(Options, frozen=True, rename={"sender": "from"}):
    """What to send, and to whom."""

    sender: Annotated[Template, Meta(description="Who it is from: an address, or 'Name <address>'.")]
    to: Annotated[Templates, Meta(description="Who gets it.")] = field(default_factory=Templates)
    cc: Annotated[Templates, Meta(description="Who gets a copy.")] = field(default_factory=Templates)
    bcc: Annotated[Templates, Meta(description="Who gets a copy unseen by the others.")] = field(
        default_factory=Templates
    )
    subject: Annotated[Template, Meta(description="The subject.")] = field(default_factory=Template)
    text: Annotated[Template, Meta(description="The text.")] = field(default_factory=Template)
    html: Annotated[Template, Meta(description="The text as HTML; put values into it with `| e`.")] = field(
        default_factory=Template
    )
    headers: Annotated[dict[str, Template], Meta(description="Header fields to add.")] = field(default_factory=dict)
    attachments: Annotated[
        str | list[str] | None,
        Meta(
            description="Attachments of the received message to pass on, by name: '*.pdf', or a list of such patterns."
        ),
    ] = None
    priority: Annotated[
        Literal["consumed", "input"],
        Meta(
            description="What wins, field by field: data of earlier steps (consumed), or what is written here (input)."
        ),
    ] = "consumed"

    def __post_init__(self) -> None:
        """What is written must be addresses; a header that this action writes itself is not written twice."""
        for key in ("from", "to", "cc", "bcc"):
            written = (self.sender,) if key == "from" else getattr(self, key).items
            for item in written:
                _check_address(key, item)
        for name in self.headers:
            if not _FIELD_NAME.fullmatch(name) or _OURS.fullmatch(name):
                raise ValueError(f"`headers` cannot set {name!r}")


def _check_address(key: str, written: Template) -> None:
    if not written.constant or _PLAIN_ADDRESS.fullmatch(written.source):
        return
    try:
        found = mailboxes([written.source])
    except Permanent as error:
        raise misfit(key, str(error)) from error
    if not written.source.strip() and key != "from":
        return
    if (key == "from" and len(found) != 1) or not all(each.domain for each in found):
        raise misfit(key, f"not an address to send {key}: {written.source!r}")


@dataclass(frozen=True, slots=True)
class SendAction:
    """Sends one mail as the listener's account."""

    options: SendOptions

    def describe(self, message: Message, data: Data) -> str:
        """To whom, and the subject; and why it would be refused."""
        letter = self._letter(message, data, shown=True)
        to = ", ".join(one_line(value) for value in (*letter.to, *letter.cc, *letter.bcc))
        refused = _loop(message, letter)
        return f"send to {to or 'nobody'}: {one_line(letter.subject)!r}" + (f" (refused: {refused})" if refused else "")

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Send it; its Message-ID, recipients and the server's words become `data.sent`."""
        letter = self._letter(message, data)
        recipients = letter.recipients()
        refused = _loop(message, letter)
        if refused:
            raise Permanent(f"not sent: {refused}")
        mail = letter.compose(context.idempotency_key, data.get("now") or datetime.now(UTC))
        said = context.send(mail, recipients=recipients)
        return {"sent": {"to": recipients, "message_id": str(mail["Message-ID"]), "answer": said}}

    def _letter(self, message: Message, data: Data, *, shown: bool = False) -> Letter:
        """The mail with each field from where it comes first and is not empty."""
        options = self.options

        def one(name: str, written: Template) -> str:
            texts = self._either(data, name, [written.shown(data) if shown else written.render(data)])
            return texts[0] if texts else ""

        def many(name: str, written: Templates) -> list[str]:
            texts = [item.shown(data) for item in written.items] if shown else written.render(data)
            return self._either(data, name, texts)

        return Letter(
            sender=one("from", options.sender),
            to=many("to", options.to),
            cc=many("cc", options.cc),
            bcc=many("bcc", options.bcc),
            subject=one("subject", options.subject),
            text=one("text", options.text),
            html=one("html", options.html),
            headers={name: text.shown(data) if shown else text.render(data) for name, text in options.headers.items()},
            attachments=list(chosen_attachments(message, patterns_of(options.attachments)))
            if options.attachments
            else (),
        )

    def _either(self, data: Data, name: str, written: list[str]) -> list[str]:
        consumed = _texts(data["data"].get(name))
        given = [text for text in written if text.strip()]
        return consumed or given if self.options.priority == "consumed" else given or consumed


def _texts(value: Any) -> list[str]:
    """What an earlier step gave for a field: one text, or several."""
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in values if isinstance(text, str) and text.strip()]


def _loop(message: Message, letter: Letter) -> str:
    """Why this would answer a program: mail that no person wrote must not get mail back (RFC 3834, section 2)."""
    kind = message.kind.value
    if kind == "person":
        return ""
    origin = {
        address.address.lower()
        for header in ("From", "Reply-To", "Sender", "Return-Path")
        for address in message.addresses(header)
        if address.address
    }
    back = [m.addr_spec for m in _readable((*letter.to, *letter.cc, *letter.bcc)) if m.addr_spec.lower() in origin]
    return f"{back[0]} sent this message, and it is of the kind '{kind}', not from a person" if back else ""


def _readable(values: tuple[str, ...]) -> list[Any]:
    try:
        return mailboxes(values)
    except Permanent:
        return []


SEND = ActionType(
    name="send",
    summary="Mail somebody.",
    options=SendOptions,
    build=SendAction,
    sends=True,
    needs_body=lambda options: bool(options.attachments),
)
