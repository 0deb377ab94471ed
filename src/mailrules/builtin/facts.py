"""What a program outside is told about a message: plain values, names first."""

from __future__ import annotations

from typing import Any

from mailrules.api import Data, Message


def message_facts(message: Message, data: Data) -> dict[str, Any]:
    """The header's facts and the rule's word, as JSON types; nothing that takes the body."""
    return {
        "id": message.message_id,
        "subject": message.subject,
        "from": message.author.address,
        "from_name": message.author.name,
        "to": [address.address for address in (*message.addresses("to"), *message.addresses("cc"))],
        "date": message.date.isoformat() if message.date else "",
        "account": data["account"]["name"],
        "listener": data["listener"]["name"],
        "rule": data["listener"]["rule"],
    }
