"""What a program outside is told about a message, and what it tells us."""

from __future__ import annotations

from typing import Any

import msgspec

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


def strict_json(text: bytes) -> Any:
    """The value of *text* as RFC 8259 has it: nothing that our own JSON could not hold.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
