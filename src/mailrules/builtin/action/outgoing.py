"""Mail that goes out, put together so that nothing from a received mail becomes a header or a recipient of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError, InvalidHeaderDefect, NonASCIILocalPartDefect
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from mailrules.api import Attachment, Permanent

if TYPE_CHECKING:
    from email.headerregistry import Address as Mailbox
    from email.headerregistry import HeaderRegistry

_FATAL = (InvalidHeaderDefect, NonASCIILocalPartDefect)
"""What makes a text no address; obsolete forms are read (RFC 5322, section 4.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, filled in but not yet trusted."""

    sender: str
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[tuple[str, Attachment]] = ()
    """File names and what they hold."""

    def recipients(self) -> list[str]:
        """Every address it goes to, each once.

        Raises:
            Permanent: one cannot be an address, or there is none.
        """
        found = [m.addr_spec for values in (self.to, self.cc, self.bcc) for m in mailboxes(values)]
        if not found:
            raise Permanent("nobody to send to")
        return list(dict.fromkeys(found))

    def compose(self, key: str, moment: datetime) -> EmailMessage:
        """The mail, marked as sent by a program (RFC 3834, section 5), its Message-ID the same for the same *key*.

        Raises:
            Permanent: an address cannot be one.
        """
        from email.policy import SMTP

        sender = mailboxes([self.sender])
        if len(sender) != 1:
            raise Permanent(f"`from` is one address, not {len(sender)}")
        mail = EmailMessage(SMTP.clone(cte_type="7bit"))  # what any server can take: CRLF, and no octet above 127
        mail["From"] = sender
        for name, values in (("To", self.to), ("Cc", self.cc), ("Bcc", self.bcc)):
            if values:
                mail[name] = mailboxes(values)
        mail["Subject"] = one_line(self.subject)
        mail["Date"] = format_datetime(moment)
        mail["Message-ID"] = message_id(key, sender[0].domain)
        mail["Auto-Submitted"] = "auto-generated"
        for name, value in self.headers.items():
            mail[name] = one_line(value)
        self._fill(mail)
        return mail

    def _fill(self, mail: EmailMessage) -> None:
        text, html = clean(self.text), clean(self.html)
        if text or not html:
            mail.set_content(text)
        if html:
            (mail.add_alternative if text else mail.set_content)(html, subtype="html")
        for name, attachment in self.attachments:
            main, _, sub = attachment.type.partition("/")
            if main in {"message", "multipart"} or not sub:
                main, sub = "application", "octet-stream"
            mail.add_attachment(attachment.content(), maintype=main, subtype=sub, filename=name)


def mailboxes(values: Iterable[str]) -> list[Mailbox]:
    """Addresses from texts that may each hold several, with display names.

    Read strictly: what could be taken for another recipient is refused, not guessed at.

    Raises:
        Permanent: one of them cannot be an address.
    """
    return [mailbox for value in values if value.strip() for mailbox in _mailboxes(one_line(value))]


def _mailboxes(value: str) -> list[Mailbox]:
    from email.headerregistry import Address as Mailbox

    try:
        header: Any = _registry()("to", value)
        if any(isinstance(defect, _FATAL) for defect in header.defects):
            raise Permanent(f"not an address to send to: {value[:200]!r}")
        return [
            Mailbox(display_name=found.display_name, username=found.username, domain=_ascii(found.domain))
            for found in header.addresses
        ]
    except (ValueError, IndexError, HeaderParseError) as error:
        raise Permanent(f"not an address to send to: {value[:200]!r}") from error


@cache
def _registry() -> HeaderRegistry:
    from email.headerregistry import HeaderRegistry

    return HeaderRegistry()


def _ascii(domain: str) -> str:
    """A domain as the wire wants it (RFC 3490)."""
    return domain if domain.startswith("[") else domain.encode("idna").decode()


def message_id(key: str, domain: str) -> str:
    """The Message-ID of what *key* sends: a second try is the same message to every server on the way."""
    return f"<{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.mailrules@{domain}>"


def one_line(text: str) -> str:
    """*text* as it may stand in a header: no line break or other control character is left to start another."""
    return " ".join("".join(char if char.isprintable() else " " for char in clean(text)).split())


def clean(text: str) -> str:
    """*text* without what no charset can carry."""
    return text.encode(errors="replace").decode().replace("\0", "")
