"""Who wrote it first, of forwarded and redirected mail; and who is only said to have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailrules.core.address import addresses
from mailrules.core.fact.authentication import unauthenticated
from mailrules.core.fact.inner import MESSAGES, fields
from mailrules.core.fact.labels import labelled
from mailrules.model.message import Address, Extent, Fact, Message, Trust

CLAIMS = ("X-Original-From", "X-Original-Sender", "X-Forwarded-From", "X-Forwarded-Sender")
"""Header fields that forwarders put the author of what they forward into."""
REPORTS = frozenset({"bounce", "delay", "receipt", "complaint"})
"""Kinds of mail that enclose a message without forwarding it."""
LINES = 2_000
"""Lines of a text that are looked at for what it forwards."""
_NEAR = 8
"""Lines among which the fields above a forwarded message stand."""
_NOBODY = Address("", "")


def original_sender(message: Message, trust: Trust) -> Fact[Address]:
    """Who wrote it first: the author, unless the author is a forwarder whose word counts.

    Anybody can write `X-Original-From` or attach a message, so without `trust.forwarders` nobody is believed. A
    redirected message (RFC 5322, section 3.6.6) keeps its From: whoever redirected it is only evidence. Anybody can
    write the forwarder's address, too: where the server tells that nobody vouches for it, it is not believed either.
    """
    author = message.author
    if doubt := _doubt(message, trust):
        resent = message["Resent-From"]
        redirected = f"; Resent-From: {resent} has redirected it" if resent else ""
        return Fact(author, f"From{redirected}{f'; {doubt}' if _listed(message, trust) else ''}")
    found = next(_in_header(message), None)
    if found:
        return Fact(found[0], f"{found[1]}, from the forwarder {author.address}")
    if message.extent is Extent.HEADER:
        return Fact(author, "a forwarded message may be in the body", known=False)
    found = next(_in_body(message), None)
    if found is None and message.extent is Extent.CUT:
        return Fact(author, "a forwarded message may be in what was cut off", known=False)
    if found is None:
        return Fact(author, "From: a forwarder, but nothing forwarded is in it")
    return Fact(found[0], f"{found[1]}, from the forwarder {author.address}")


def claimed_sender(message: Message, trust: Trust) -> Fact[Address]:
    """Whom it names as the first author without being believed; an empty address where it claims nothing, or is."""
    doubt = _doubt(message, trust)
    if not doubt:
        return Fact(_NOBODY, "its forwarder is believed")
    if message.kind.value in REPORTS:
        return Fact(_NOBODY, "what a report encloses is what it reports")
    for source in _sources(message):
        for address, where in source(message):
            if address.address.lower() != message.author.address.lower():
                return Fact(address, f"{where}; not believed: {doubt}")
    if message.extent is not Extent.WHOLE:
        return Fact(_NOBODY, "a forwarded message may be in the body", known=False)
    return Fact(_NOBODY, "it claims no other author")


def _listed(message: Message, trust: Trust) -> bool:
    author = message.author
    return author.address.lower() in trust.forwarders or author.domain in trust.forwarders


def _doubt(message: Message, trust: Trust) -> str:
    """Why the author's word about another does not count; empty where it does."""
    if not _listed(message, trust):
        return f"{message.author.address or 'nobody'} is none of trust.forwarders"
    if message.authentication.known and (said := unauthenticated(message)):
        return f"{message.author.address} is not authenticated ({said})"
    return ""


def _sources(message: Message) -> list[Callable[[Message], Iterator[tuple[Address, str]]]]:
    return [_in_header] if message.extent is Extent.HEADER else [_in_header, _in_body]


def _in_header(message: Message) -> Iterator[tuple[Address, str]]:
    for name in CLAIMS:
        for address in message.addresses(name):
            if "@" in address.address:
                yield address, name


def _in_body(message: Message) -> Iterator[tuple[Address, str]]:
    """The senders of messages that are attached, then those of what the text forwards."""
    for attachment in message.attachments:
        if attachment.type in MESSAGES:
            author = fields(attachment.content()).author
            if "@" in author.address:
                yield author, f"From of the attached message {attachment.name}".rstrip()
    yield from forwarded(message.text)


def forwarded(text: str) -> Iterator[tuple[Address, str]]:
    """Who is named above each message that *text* forwards: `From:` and other fields near it, in any usual language."""
    texts = text[:400_000].split("\n", LINES)[:LINES]
    lines = [labelled(line) for line in texts]
    for number, (role, value) in enumerate(lines):
        if role != "from" or not (_among_fields(lines, number) or _below_a_rule(texts, number)):
            continue
        address = next((each for each in addresses(_plain(value), str) if "@" in each.address), None)
        if address is not None:
            yield address, f"From in line {number + 1} of the text, which forwards it"


def _among_fields(lines: list[tuple[str, str]], number: int) -> bool:
    near = lines[max(0, number - 3) : number + _NEAR]
    return any(role and role != "from" for role, _ in near)


def _below_a_rule(texts: list[str], number: int) -> bool:
    """Whether it stands alone at the top, or right below a line that parts."""
    above = next((line.strip() for line in reversed(texts[max(0, number - 3) : number]) if line.strip()), "")
    return above.startswith(("--", "__", "==")) if above else number <= 3


def _plain(value: str) -> str:
    """As some programs write it: `Jo [mailto:jo@acme.example]`, `"Jo" <jo@acme.example<mailto:jo@acme.example>>`."""
    value = value.replace("<mailto:", "<").replace("[mailto:", "<").replace("]", ">")
    head, mark, tail = value.partition("<")
    return f"{head}<{tail.partition('<')[0].partition('>')[0]}>" if mark else value
