"""What is known of a message beyond its headers, each fact with the evidence it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailrules.model.message import Fact, Message

MANY = 10
"""Recipients of a delivery report that are shown."""


def fact_lines(message: Message) -> Iterator[tuple[str, str]]:
    """A name and a value for each fact that says something, for people."""
    yield "kind", _with_evidence(message.kind)
    yield from _bounce(message)
    if message.calendar.value:
        yield "calendar", _with_evidence(message.calendar)
    if message.original_sender != message.author:
        yield "original sender", _with_evidence(message.original_sender_fact)
    if message.claimed_sender.value.address:
        yield "claimed sender", _with_evidence(message.claimed_sender)
    if message.quoted_text or message.signature:
        yield "own words", f"{len(message.reply_text):,} characters ({message.reply_text_fact.evidence})"
    if message.authentication.known:
        said = ", ".join(f"{name}={word}" for name, word in message.authentication.value.items()) or "none"
        yield "authentication", f"{said} ({message.authentication.evidence})"


def _with_evidence(fact: Fact[Any]) -> str:
    return f"{fact.value} ({fact.evidence})"


def _bounce(message: Message) -> Iterator[tuple[str, str]]:
    """The recipients, and what was sent."""
    said = message.bounce
    for each in said.recipients[:MANY]:
        yield "recipient", " ".join(word for word in (each.address, each.action, each.status, each.diagnostic) if word)
    if len(said.recipients) > MANY:
        yield "recipient", f"and {len(said.recipients) - MANY} more"
    if said.message_id or said.subject:
        yield "what was sent", " ".join(word for word in (said.message_id, said.subject) if word)
    if said.recipients or said.message_id:
        yield "known by", said.evidence


def facts_json(message: Message) -> dict[str, Any]:
    """For programs: every fact with its evidence."""
    bounce = message.bounce
    facts: dict[str, Fact[Any]] = {
        "kind": message.kind,
        "calendar": message.calendar,
        "original_sender": message.original_sender_fact,
        "claimed_sender": message.claimed_sender,
        "reply_text": message.reply_text_fact,
        "authentication": message.authentication,
    }
    told = {name: {"value": _plain(fact.value), "evidence": fact.evidence} for name, fact in facts.items()}
    recipients = [
        {"address": each.address, "action": each.action, "status": each.status, "diagnostic": each.diagnostic}
        for each in bounce.recipients
    ]
    sent = {"message_id": bounce.message_id, "subject": bounce.subject}
    return told | {"bounce": {"value": {"recipients": recipients, **sent}, "evidence": bounce.evidence}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | dict) else str(value)
