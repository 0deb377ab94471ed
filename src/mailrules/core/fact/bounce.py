"""Delivery reports: who did not get which message, and why (RFC 3464, 3463), or as servers tell it without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from mailrules.core.address import addresses
from mailrules.core.fact.inner import enclosed, groups
from mailrules.model.bounce import Bounce, Bounced
from mailrules.model.message import Message

KINDS = frozenset({"bounce", "delay", "receipt"})
"""The kinds of mail that are, or may be, delivery reports."""
MOST = 100
"""Recipients that are told of."""
LINES = 300
"""Lines of a text that are looked at for recipients and reasons."""

STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}")
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<!\d)([45])\d\d[ -]")
_MAILBOX = re.compile(r"<?([^\s<>()\[\]:;,\"']{1,64}@[a-z0-9.-]{1,253}\.[a-z0-9-]{1,63})>?", re.IGNORECASE)
_IDENTIFIER = re.compile(r"^[ >]{0,4}message-id:\s{0,3}(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_SUBJECT = re.compile(r"^[ >]{0,4}subject:[ \t]{0,3}([^\n]{1,300})", re.IGNORECASE | re.MULTILINE)
_NEAR = 8
"""Lines after a recipient in which its reason stands."""


def read(message: Message) -> Bounce:
    """What *message*, a delivery report, says."""
    recipients, where = _recipients(message)
    identifier, subject, found = _sent(message)
    evidence = "; ".join(part for part in (where, found) if part)
    return Bounce(recipients, identifier, subject, evidence)


def actions(message: Message) -> set[str]:
    """What became of each recipient by the report's own word; empty where it has none."""
    return {bounced.action for bounced in reported(message) if bounced.action}


def reported(message: Message) -> Iterator[Bounced]:
    """The recipients in the parts that are delivery reports."""
    for attachment in message.attachments:
        if attachment.type in STATUS:
            yield from (_bounced(group) for group in groups(attachment.content()) if _names_somebody(group))


def _names_somebody(group: Message) -> bool:
    return bool(group["Final-Recipient"] or group["Original-Recipient"])


def _bounced(group: Message) -> Bounced:
    final, original = _address(group["Final-Recipient"]), _address(group["Original-Recipient"])
    address = final if "@" in final or not original else original
    status, action = _CODE.search(group["Status"]), group["Action"].partition(" ")[0].lower()
    return Bounced(address, action, status[1] if status else "", _words(group["Diagnostic-Code"]))


def _address(field: str) -> str:
    """The address behind its type: `rfc822; jo@acme.example`."""
    return field.rpartition(";")[2].strip().strip("<>")


def _words(diagnostic: str) -> str:
    """The other server's words behind their type: `smtp; 550 5.1.1 no such user`."""
    kind, semicolon, words = diagnostic.partition(";")
    return words.strip() if semicolon and _TYPE.fullmatch(kind.strip()) else diagnostic


def _recipients(message: Message) -> tuple[tuple[Bounced, ...], str]:
    found = tuple(islice(reported(message), MOST))
    if found:
        return found, "Final-Recipient in the part message/delivery-status"
    if message["X-Failed-Recipients"]:
        failed = [a.address for a in addresses(message["X-Failed-Recipients"][:5_000], str) if a.address]
        told = {bounced.address.lower(): bounced for bounced, _ in _told(message.text)}
        known = (told.get(each.lower()) or Bounced(each, "failed") for each in failed[:MOST])
        return tuple(known), "X-Failed-Recipients"
    in_text = list(islice(_told(message.text), MOST))
    lines = f"line {in_text[0][1]} of the text" if in_text else ""
    return tuple(bounced for bounced, _ in in_text), lines


def _told(text: str) -> Iterator[tuple[Bounced, int]]:
    """Recipients that a line begins or ends with, and that a reason with a status code stands beside or below."""
    lines = [line[:500] for line in text[:200_000].split("\n", LINES)[:LINES]]
    seen: set[str] = set()
    for number, line in enumerate(lines):
        bare = line.strip(" \t>*")
        last = len(bare) < 200 and bare.endswith((">", ">:"))
        named = _MAILBOX.match(bare) or (_MAILBOX.search(bare) if last else None)
        if named is None or named[1].lower() in seen:
            continue
        reason = _reason(lines[number : number + _NEAR])
        code, reply = _CODE.search(reason), _REPLY.search(reason)
        if code or reply:
            seen.add(named[1].lower())
            status = code[1] if code else f"{reply[1]}.0.0" if reply else ""
            action = "delayed" if status.startswith("4") else "failed"
            yield Bounced(named[1], action, status, reason[:300]), number + 1


def _reason(lines: list[str]) -> str:
    """The words from a recipient on, up to the end of the paragraph that has a code in it."""
    taken: list[str] = []
    for line in lines:
        bare = " ".join(line.split())
        if not bare and any(_CODE.search(each) or _REPLY.search(each) for each in taken):
            break
        if bare and not _MAILBOX.fullmatch(bare.rstrip(":")):
            taken.append(bare)
    return " ".join(taken)


def _sent(message: Message) -> tuple[str, str, str]:
    """Message-ID and subject of what was sent, and where they stand."""
    for attachment, header in enclosed(message):
        if header.message_id or header.subject:
            return header.message_id, header.subject, f"Message-ID and Subject in the part {attachment.type}"
    text = message.text[:200_000]
    identifier, subject = _IDENTIFIER.search(text), _SUBJECT.search(text)
    if identifier:
        line = text.count("\n", 0, identifier.start()) + 1
        return identifier[1], subject[1].strip() if subject else "", f"Message-ID in line {line} of the text"
    if message.references:
        return message.references[-1], "", "References"
    return "", "", ""
