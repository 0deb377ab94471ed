"""Answers and forwards in their conversation: subjects, identifiers, who is answered, what is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailrules.api import Address, Message, Permanent, Withheld
from mailrules.api.mailbox import canonical
from mailrules.builtin.action.addresses import clean, mailboxes
from mailrules.builtin.action.outgoing import Thread

_ANSWERED = r"re|aw|antw|sv|vs|odp|r|rif|ref|res|resp|回复|回覆|答复|答覆|返信|답장|回信|atb|yan|ynt"
_FORWARDED = r"fwd?|fw|wg|tr|rv|enc|vb|vl|doorst|pd|i|fs|转发|轉寄|転送|전달|ilt|továbbítás"
_PREFIX = re.compile(rf"\s*(?:{_ANSWERED}|{_FORWARDED})\s*(?:[\[(]\d{{1,3}}[\])])?\s*[:：]\s*", re.IGNORECASE)  # noqa: RUF001 - the colon of East Asian mail programs
_ANSWER = re.compile(rf"\s*(?:{_ANSWERED})\s*(?:[\[(]\d{{1,3}}[\])])?\s*[:：]\s*", re.IGNORECASE)  # noqa: RUF001 - as above
_IDENTIFIER = re.compile(r"<[!-;=?-~]{1,250}>")
MOST_REFERENCES = 20
"""Identifiers that are carried on: the first, which names the conversation, and the latest."""
MOST_ANSWERED = 25
"""Addresses of one message that are answered: a stranger could name everybody whom we should write to."""
MOST_QUOTED = 100_000
"""Characters of a message that are quoted."""


def answer_subject(subject: str) -> str:
    """`Re: ` and the subject, without what marks it as an answer already, in whatever language (RFC 5322, 3.6.5)."""
    return f"Re: {_without(_ANSWER, subject)}".rstrip()


def forward_subject(subject: str) -> str:
    """`Fwd: ` and the subject, without what marks it as answered or forwarded already."""
    return f"Fwd: {_without(_PREFIX, subject)}".rstrip()


def _without(prefix: re.Pattern[str], subject: str) -> str:
    at = 0
    while found := prefix.match(subject, at):
        at = found.end()
    return subject[at:].strip()


def answering(message: Message) -> Thread:
    """The identifiers of an answer (RFC 5322, section 3.6.4); none where the message has none to be answered by."""
    own = _IDENTIFIER.fullmatch(message.message_id)
    return Thread(in_reply_to=own[0] if own else "", references=passed_references(message))


def passed_references(message: Message) -> list[str]:
    """The conversation up to and with *message*, oldest first."""
    found = [*message.references, message.message_id]
    kept = list(dict.fromkeys(each for each in found if _IDENTIFIER.fullmatch(each)))
    return kept if len(kept) <= MOST_REFERENCES else [kept[0], *kept[1 - MOST_REFERENCES :]]


def answered(message: Message) -> list[Address]:
    """Whom an answer goes to: Reply-To, else From (RFC 5322, section 3.6.2).

    Raises:
        Withheld: there is no address that mail can be sent to, or there are more than anybody means.
    """
    found = [each for each in message.addresses("Reply-To") if _writable(each)]
    found = found or [each for each in message.addresses("From")[:1] if _writable(each)]
    if not found:
        raise Withheld("nobody can be answered: neither Reply-To nor From has an address to send to")
    return _few(found, "Reply-To")


def _writable(address: Address) -> bool:
    try:
        return "@" in address.address and len(mailboxes([address.address])) == 1
    except Permanent:
        return False


def others(message: Message, without: Iterable[str]) -> list[Address]:
    """Who else an answer to all goes to: To and Cc, each once, but for those *without*.

    Raises:
        Withheld: they are more than anybody means.
    """
    seen, found = {canonical(address) for address in without}, []
    for each in (*message.addresses("To"), *message.addresses("Cc")):
        if _writable(each) and canonical(each.address) not in seen:
            seen.add(canonical(each.address))
            found.append(each)
    return _few(found, "To and Cc")


def _few(found: list[Address], where: str) -> list[Address]:
    """*found*, each once, if a mail that goes out by itself may go to so many."""
    first = dict[str, Address]()
    for each in found:
        first.setdefault(canonical(each.address), each)
    if len(first) > MOST_ANSWERED:
        raise Withheld(
            f"{where} of the message names {len(first)} addresses: no more than {MOST_ANSWERED} are answered"
        )
    return list(first.values())


def written(address: Address) -> str:
    """An address as a header has it, so that the name cannot become another."""
    name = re.sub(r'[\\"\r\n]', " ", clean(address.name)).strip()
    return f'"{name}" <{address.address}>' if name else address.address


def quoted(text: str) -> str:
    """*text* with `> ` before each line, so long as it is not longer than anybody reads."""
    lines = text[:MOST_QUOTED].rstrip().splitlines()
    lines += ["[...]"] if len(text) > MOST_QUOTED else []
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)
