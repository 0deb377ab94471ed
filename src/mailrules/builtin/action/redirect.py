"""The action `redirect`: send a message on as it is, to others (RFC 5322, section 3.6.6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from mailrules.api import ActionType, Context, Data, Message, Options, Permanent, Templates
from mailrules.api.guard import LOOP_FIELD, loop_token, withheld
from mailrules.builtin.action.addresses import check_addresses, check_filled, mailboxes, one_line, sender_mailbox
from mailrules.builtin.action.correspondence import guard, kept_back
from mailrules.builtin.action.outgoing import LetterPolicy, message_id

MOST_HOPS = 50
"""Received fields after which mail goes round in circles (RFC 5321, section 6.3)."""


class RedirectOptions(Options, frozen=True):
    """Whom to send it on to."""

    to: Annotated[Templates, Meta(description="Who gets it.")]

    shorthand: ClassVar[str] = "to"

    def __post_init__(self) -> None:
        """What is written must be addresses."""
        for item in self.to.items:
            check_addresses("to", item)


class RedirectAction:
    """Sends the message on, octet for octet, under Resent fields: its signatures stay good."""

    __slots__ = ("options",)

    def __init__(self, options: RedirectOptions) -> None:
        self.options = options

    def describe(self, message: Message, data: Data) -> str:
        """To whom; and why it would not go."""
        to = [item.shown(data) for item in self.options.to.items]
        try:
            recipients = [mailbox.addr_spec for mailbox in mailboxes(to)]
        except Permanent:
            recipients = []
        refused = _circles(message) or withheld(message, recipients, data["account"])
        named = ", ".join(one_line(each) for each in to) or "nobody"
        return f"redirect to {named}" + (f" (not sent on: {refused})" if refused else "")

    def preview(self, message: Message, data: Data, key: str) -> bytes:
        """The very mail that would leave: see `mailrules.api.Action`."""
        return self._mail(message, data, key)[0]

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Send it on; recipients and the server's words become `data.sent`."""
        mail, recipients, resent_id = self._mail(message, data, context.idempotency_key)
        with kept_back(conveys=True):
            said = context.send(mail, recipients=recipients)
        return {"sent": {"to": recipients, "message_id": resent_id, "answer": said}}

    def _mail(self, message: Message, data: Data, key: str) -> tuple[bytes, list[str], str]:
        texts = [item.render(data) for item in self.options.to.items]
        for item, text in zip(self.options.to.items, texts, strict=True):
            check_filled(item, text)
        to = mailboxes(texts)
        recipients = list(dict.fromkeys(mailbox.addr_spec for mailbox in to))
        if not recipients:
            raise Permanent("nobody to send to")
        if reason := _circles(message):
            raise Permanent(f"not sent on: {reason}")
        guard(message, data, recipients, conveys=True)
        account = data["account"]
        sender = sender_mailbox(account.get("address", ""), account, "")
        resent_id, block = message_id(key, sender.domain), EmailMessage(LetterPolicy(linesep="\r\n", cte_type="7bit"))
        block[LOOP_FIELD] = loop_token(sender.addr_spec)
        block["Resent-From"] = str(sender)
        block["Resent-To"] = ", ".join(map(str, to))
        block["Resent-Date"] = format_datetime(data.get("now") or datetime.now(UTC))
        block["Resent-Message-ID"] = resent_id
        return block.as_bytes().removesuffix(b"\r\n") + _untouched(message.raw), recipients, resent_id


def _untouched(raw: bytes) -> bytes:
    """The message without the line that mbox files put above it, which is none of its fields."""
    return raw.partition(b"\n")[2] if raw.startswith(b"From ") else raw


def _circles(message: Message) -> str:
    hops = len(message.header("Received"))
    return f"it has come through {hops} servers: it goes round in circles" if hops > MOST_HOPS else ""


REDIRECT = ActionType(
    name="redirect",
    summary="Send the message on as it is, to others.",
    options=RedirectOptions,
    build=RedirectAction,
    sends=True,
    needs_body=lambda _options: True,
    results=lambda _options: ("sent",),
)
