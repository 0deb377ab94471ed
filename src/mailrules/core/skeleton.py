"""A message from its header block and some of its parts: what it tells, the whole message would tell too."""

from __future__ import annotations

from mailrules.core.parse import ParsedMessage
from mailrules.model.mailbox import Head, Parts
from mailrules.model.message import Extent, Message, Trust


def assembled(head: Head, parts: Parts, header: Message, *, text: bool, trust: Trust) -> Message | None:
    """The message as far as *parts* go, with the *text* or without; None when only the whole message is sure to tell.

    *header* is the message by its header block alone.

    Where our own scanner sees the very parts that the server has told of, each as long as it should be without what is
    left out of it, that was left out of the inside of a part, and it sees the same in the whole message. For that the
    server must only have seen every delimiter that we would see; it may see more.
    """
    whole = len(head.header) + len(parts.body) + sum(leaf.cut for leaf in parts.leaves)
    if whole != head.size:
        return None
    if not parts.leaves:
        return _parsed(head, parts.body, Extent.WHOLE, trust, header)
    missing = frozenset(number for number, leaf in enumerate(parts.leaves) if leaf.cut)
    message = _parsed(head, parts.body, Extent.TEXT if text else Extent.STRUCTURE, trust, header, missing)
    return message if _agree(message, parts) else None


def leaf(head: Head, header: Message, *, text: bool, trust: Trust) -> Message | None:
    """The message whose header block alone tells its structure, as it holds no parts.

    None for a multipart, and where the *text* is wanted and it is one.
    """
    written = header["Content-Type"].lstrip().lower()
    if written.startswith("multipart/") or (text and (not written or written.startswith("text/"))):
        return None
    message = _parsed(head, b"", Extent.STRUCTURE, trust, header, frozenset({0}))
    return None if message.root.is_multipart() or (text and message.root.type.startswith("text/")) else message


def _parsed(
    head: Head, body: bytes, extent: Extent, trust: Trust, header: Message, missing: frozenset[int] = frozenset()
) -> ParsedMessage:
    message = ParsedMessage(
        head.header + body,
        extent,
        size=head.size,
        received=head.received,
        flags=head.flags,
        trust=trust,
        missing=missing,
    )
    message.know_header(header)
    return message


def _agree(message: ParsedMessage, parts: Parts) -> bool:
    told = [(leaf.type, leaf.octets - leaf.cut) for leaf in parts.leaves]
    found = [(part.type, part.octets) for part in message.leaves]
    return message.root.octets == len(parts.body) and found == told and not message.parted_badly()
