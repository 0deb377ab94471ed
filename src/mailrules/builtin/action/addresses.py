"""Addresses out of texts, read strictly: nothing from a received mail becomes a recipient of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.errors import HeaderParseError, InvalidHeaderDefect
from functools import cache
from typing import TYPE_CHECKING, Any

from mailrules.api import Permanent, Template, misfit

if TYPE_CHECKING:
    from email.headerregistry import Address as Mailbox
    from email.headerregistry import HeaderRegistry

_PLAIN = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
"""What nearly all are, and nobody need take apart."""

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def mailboxes(values: Iterable[str]) -> list[Mailbox]:
    """Addresses from texts that may each hold several, with display names.

    What could be taken for another recipient is refused, not guessed at; obsolete forms are read (RFC 5322, section
    4.4), and local parts in other scripts (RFC 6532).

    Raises:
        Permanent: one of them cannot be an address.
    """
    return [mailbox for value in values if value.strip() for mailbox in _mailboxes(one_line(value))]


def _mailboxes(value: str) -> list[Mailbox]:
    from email.headerregistry import Address as Mailbox

    try:
        header: Any = _registry()("to", value)
        if any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects):
            raise Permanent(f"not an address to send to: {value[:200]!r}")
        return [
            Mailbox(display_name=found.display_name, username=found.username, domain=ascii_name(found.domain))
            for found in header.addresses
        ]
    except (ValueError, IndexError, HeaderParseError) as error:
        raise Permanent(f"not an address to send to: {value[:200]!r}") from error


@cache
def _registry() -> HeaderRegistry:
    from email.headerregistry import HeaderRegistry

    return HeaderRegistry()


def ascii_name(domain: str) -> str:
    """A domain as the wire wants it (RFC 5891).

    Raises:
        ValueError: it cannot be one.
    """
    if domain.isascii():
        return domain if domain.startswith("[") else domain.encode("idna").decode()
    import idna

    return idna.encode(domain, uts46=True).decode()


def check_addresses(key: str, written: Template) -> None:
    """Refuse an option whose constant text can never be an address to send to.

    Raises:
        ValueError: which `check` shows at the option's place.
    """
    if not written.constant or _PLAIN.fullmatch(written.source):
        return
    try:
        found = mailboxes([written.source])
    except Permanent as error:
        raise misfit(key, str(error)) from error
    if not written.source.strip() and key != "from":
        return
    if (key == "from" and len(found) != 1) or not all(each.domain for each in found):
        raise misfit(key, f"not an address to send {key}: {written.source!r}")


def check_filled(written: Template, text: str) -> None:
    """Refuse what a value has made more addresses of than are written: names are a stranger's to choose.

    `{{ message.author.name }} <desk@example.com>` is one address, whatever commas the name brings; an expression by
    itself, or a loop, may give any number.

    Raises:
        Permanent: there are more.
    """
    if written.constant or "{%" in written.source:
        return
    around = _EXPRESSION.sub("", written.source)
    if around.strip() and len(mailboxes([text])) > around.count(",") + 1:
        raise Permanent(f"a value in {written.source!r} would make more addresses of it: {one_line(text)[:200]!r}")


def sender_mailbox(written: str, account: Mapping[str, Any], agent: str) -> Mailbox:
    """Who a mail is from, in the name that the account's policy asks for where none is written.

    Raises:
        Permanent: it is not one address.
    """
    from email.headerregistry import Address as Mailbox

    found = mailboxes([written])
    if len(found) != 1:
        raise Permanent(f"`from` is one address, not {len(found)}")
    sender, name = found[0], from_name(account, agent)
    if sender.display_name or not name or sender.addr_spec.lower() != account.get("address", "").lower():
        return sender
    return Mailbox(display_name=one_line(name), username=sender.username, domain=sender.domain)


def from_name(account: Mapping[str, Any], agent: str) -> str:
    """`Jo from Example` or `Example`: what the account's `from: {policy: ...}` makes of its name and an agent's."""
    company: str = account.get("company", "")
    if account.get("naming") != "agent and company" or not agent.strip():
        return company
    return f"{agent.strip()} from {company}" if company else agent.strip()


def one_line(text: str) -> str:
    """*text* as it may stand in a header: no line break or other control character is left to start another."""
    return " ".join("".join(char if char.isprintable() else " " for char in clean(text)).split())


def clean(text: str) -> str:
    """*text* without what no charset can carry."""
    return text.encode(errors="replace").decode().replace("\0", "")
