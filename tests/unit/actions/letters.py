"""Mails of a customer, and what leaves because of them."""

from __future__ import annotations

import email
import email.policy

from mailrules.builtin.action.acknowledge import ACKNOWLEDGE
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.action.send import SEND
from mailrules.testing.context import action_data

OURS = "support@desk.example"
ACTIONS = {
    "send": (SEND, {"from": OURS, "to": "{{ message.author.address }}"}),
    "reply": (REPLY, {"text": "Thank you."}),
    "acknowledge": (ACKNOWLEDGE, {"text": "We have it."}),
}
"""Each that goes back to who wrote."""


def raw_mail(*headers, text="Hello.\n", sender="Ada Field <ada@acme.example>"):
    fields = [f"From: {sender}", "Subject: Order 17", "Message-ID: <17@acme.example>", *headers]
    return "\n".join([*fields, "", text]).encode()


def sent(context):
    ((mail, recipients),) = context.send.sent
    octets = mail if isinstance(mail, bytes) else mail.as_bytes()
    return email.message_from_bytes(octets.replace(b"\r\n", b"\n"), policy=email.policy.default), recipients


def own(message, **account):
    data = action_data(message)
    return {**data, "account": {**data["account"], **account}}
