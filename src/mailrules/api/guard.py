"""Whether mail may go out because of a message: the guards of RFC 3834 that need no memory.

One function for all that asks: descriptions and previews before, the sending edge when it happens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from mailrules.api.mailbox import canonical
from mailrules.model.message import Message, NotLoadedError

LOOP_FIELD = "X-Loop-Token"
"""The header field by which a mailbox knows what it sent itself."""
MOST_TOKENS = 20
"""Loop tokens that are passed on: a chain of mailboxes longer than this is none that anybody set up."""

SILENT = frozenset({"auto-reply", "out-of-office", "bounce", "delay", "receipt", "complaint", "list", "bulk"})
"""Kinds of mail whose senders get nothing back (RFC 3834, section 2)."""
REPORTS = frozenset({"bounce", "delay"})
"""Kinds of mail that say that mail has not arrived."""
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NOBODY = re.compile(
    r"(?:.*[._+-])?(?:no|not|never|dont)[._-]?(?:reply|response)(?:[._+-].*)?|do[._-]?not[._-]?(?:reply|respond)"
    r"|nicht[._-]?antworten|keine[._-]?antwort|ne[._-]?pas[._-]?repondre|no[._-]?responder|non[._-]?rispondere"
    r"|mailer-daemon|mail-daemon|bounces?|(?:owner|bounces?)[-+].*|.*-(?:request|owner|bounces?)",
    re.IGNORECASE,
)
"""Local parts that take no answers, or are programs' own (RFC 3834, section 2; RFC 2142)."""
_SUPPRESSED = re.compile(r"\b(?:all|autoreply)\b", re.IGNORECASE)


def loop_token(address: str) -> str:
    """What mail sent by this mailbox carries; it tells nobody the address."""
    return hashlib.blake2b(address.lower().encode(), digest_size=16, person=b"mailrules-loop").hexdigest()


def loop_tokens(message: Message, address: str) -> list[str]:
    """What mail that goes out because of *message* carries: its own tokens, and that of the mailbox at *address*."""
    carried = [token for value in message.header(LOOP_FIELD) for token in _TOKEN.findall(value)]
    return list(dict.fromkeys([*carried[: MOST_TOKENS - 1], loop_token(address)]))


def comes_back(message: Message, account: Mapping[str, Any]) -> str:
    """Why *message* is the account's own mail coming back; empty when it is not."""
    address = account.get("address", "")
    if address and any(loop_token(address) in value for value in message.header(LOOP_FIELD)):
        return "it carries our own loop token: our own mail has come back"
    return ""


def withheld(message: Message, recipients: Iterable[str], account: Mapping[str, Any]) -> str:
    """Why nothing may go to *recipients* because of *message*; empty when it may.

    Whom the message names as its correspondents get nothing back where it comes from a program, a list or ourselves;
    anybody else may be told about any message, except the mailbox itself, and whom a delivery report says that mail
    does not reach: that would be the next report.

    Args:
        message: what came in.
        recipients: the addresses of the envelope.
        account: as templates see it: `address`, and `own`, the addresses of all accounts.
    """
    mailbox = canonical(account.get("address", ""))
    back, own = correspondents(message), {*map(canonical, account.get("own", ())), mailbox} - {""}
    reason, unreached = comes_back(message, account), _unreached(message)
    for recipient in recipients:
        if reason:
            break
        address = canonical(recipient)
        if address in back:
            reason = _unanswerable(message, address, own)
        elif address == mailbox:
            reason = f"{recipient} is this mailbox's own address"
        elif address in unreached:
            reason = f"this report says that {recipient} is not reached"
    return reason


def _unreached(message: Message) -> set[str]:
    """Whom a delivery report names, as far as it has been read."""
    if message.kind.value not in REPORTS:
        return set()
    with suppress(NotLoadedError):
        return {canonical(each.address) for each in message.bounce.recipients}
    return set()


def correspondents(message: Message) -> set[str]:
    """The addresses of those a message comes from, or wants to be answered to, as `canonical` writes them."""
    named = [each for name in ("From", "Reply-To", "Sender", "Return-Path") for each in message.addresses(name)]
    with suppress(NotLoadedError):  # what nobody has read, nobody answers to
        named.append(message.original_sender)
    return {canonical(each.address) for each in named if each.address}


def _unanswerable(message: Message, address: str, own: set[str]) -> str:
    """Why a correspondent gets no answer."""
    kind = message.kind
    if kind.value in SILENT:
        return f"{address} sent this message, and it is of the kind '{kind.value}' ({kind.evidence}), not from a person"
    submitted = message["Auto-Submitted"].partition(";")[0].strip()
    if submitted and submitted.lower() != "no":  # whatever else it is (RFC 3834, section 2)
        return f"it is an automatic answer itself (Auto-Submitted: {submitted})"
    if any(value.strip() == "<>" for value in message.header("Return-Path")):
        return "its return path is null: it wants no answer"
    if _SUPPRESSED.search(message["X-Auto-Response-Suppress"]):
        return f"its sender wants no automatic answers ({message['X-Auto-Response-Suppress']})"
    if address in own:
        return f"{address} is one of our own addresses"
    return f"{address} takes no answers" if _NOBODY.fullmatch(address.rpartition("@")[0]) else ""
