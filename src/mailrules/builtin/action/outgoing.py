"""Mail that goes out, put together so that nothing from a received mail becomes a header of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Literal

from mailrules.api import Permanent
from mailrules.api.guard import LOOP_FIELD
from mailrules.builtin.action.addresses import clean, mailboxes, one_line
from mailrules.builtin.action.parts import Enclosure

if TYPE_CHECKING:
    from email.headerregistry import Address as Mailbox

_LISTED = frozenset({"references", "in-reply-to", LOOP_FIELD.lower()})
"""Fields whose words are never taken apart, however long: a line each, if need be."""
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,250}")
_LONGEST_LINE = 998
"""Octets (RFC 5322, section 2.1.1)."""


class LetterPolicy(EmailPolicy):
    """The standard library's, but for message identifiers: it would encode those that are longer than a line."""

    def fold(self, name: str, value: str) -> str:
        """One field as it is written."""
        return self._listed(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same in octets."""
        listed = self._listed(name, value)
        return listed.encode("ascii") if listed else super().fold_binary(name, value)

    def _listed(self, name: str, value: str) -> str:
        if name.lower() not in _LISTED or not value.isascii():
            return ""
        return f"{name}: " + f"{self.linesep} ".join(value.split()) + self.linesep


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The conversation that a mail belongs to (RFC 5322, section 3.6.4)."""

    in_reply_to: str = ""
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, filled in but not yet trusted."""

    sender: Mailbox
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Enclosure] = ()
    thread: Thread = Thread()
    submitted: Literal["auto-generated", "auto-replied"] = "auto-generated"
    """What the mail is to other programs (RFC 3834, section 5)."""
    tokens: Sequence[str] = ()
    """Loop tokens: of the mailboxes that it has come through."""

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
        """The mail, its Message-ID the same for the same *key*.

        Raises:
            Permanent: an address cannot be one.
        """
        # What any server can take: CRLF, and no octet above 127.
        mail = EmailMessage(LetterPolicy(linesep="\r\n", cte_type="7bit", raise_on_defect=False))
        mail["From"] = [self.sender]
        for name, values in (("To", self.to), ("Cc", self.cc), ("Bcc", self.bcc)):
            if values:
                mail[name] = mailboxes(values)
        mail["Subject"] = one_line(self.subject)
        mail["Date"] = format_datetime(moment)
        mail["Message-ID"] = message_id(key, self.sender.domain)
        for name, value in self._standing():
            mail[name] = value
        for name, value in self.headers.items():
            mail[name] = one_line(value)
        self._fill(mail)
        own = list(_own_parts(mail))
        for part in own[1:]:
            del part["MIME-Version"]  # of the whole alone (RFC 2045, section 4), whatever the library puts there
        for number, part in enumerate(part for part in own if part.get_content_maintype() == "multipart"):
            part.set_boundary(f"={_hash(key)}-{number}=")  # the same for the same key, too: what was shown is sent
        return mail

    def _standing(self) -> Iterable[tuple[str, str]]:
        """What ties it to what it answers, and keeps programs from answering it."""
        if self.thread.in_reply_to:
            yield "In-Reply-To", self.thread.in_reply_to
        if self.thread.references:
            yield "References", " ".join(self.thread.references)
        yield "Auto-Submitted", self.submitted
        if self.tokens:
            yield LOOP_FIELD, " ".join(self.tokens)

    def _fill(self, mail: EmailMessage) -> None:
        text, html = clean(self.text), clean(self.html)
        if text or not html:
            mail.set_content(text)
        if html:
            (mail.add_alternative if text else mail.set_content)(html, subtype="html")
        for enclosed in self.attachments:
            _enclose(mail, enclosed)


def _own_parts(mail: MIMEPart) -> Iterator[MIMEPart]:
    """The mail and its parts, but for what is in a message that is attached: that is somebody else's."""
    yield mail
    if mail.get_content_maintype() == "multipart":
        for part in mail.iter_parts():
            yield from _own_parts(part)


def _enclose(mail: EmailMessage, enclosed: Enclosure) -> None:
    """Attach it: a message as itself where it can be, all else as octets in base64."""
    if enclosed.type == "message/rfc822" and (made := _as_message(enclosed.content)) is not None:
        if mail.get_content_type() != "multipart/mixed":
            mail.make_mixed()
        made.add_header("Content-Disposition", "attachment", filename=enclosed.name)
        mail.attach(made)
        return
    main, _, sub = enclosed.type.partition("/")
    if main in {"message", "multipart"} or not sub:
        main, sub = "application", "octet-stream"
    more: dict[str, Any] = {}
    if _CONTENT_ID.fullmatch(enclosed.content_id):
        more = {"cid": f"<{enclosed.content_id}>", "disposition": "inline"}
    mail.add_attachment(enclosed.content, maintype=main, subtype=sub, filename=enclosed.name, **more)


def _as_message(raw: bytes) -> EmailMessage | None:
    """A part of type message/rfc822; None where that cannot be, and it goes as a file.

    No encoding is allowed on it (RFC 2046, section 5.2.1): in ASCII it goes octet for octet but for line ends, any
    other with its own parts encoded where the server asks for that.
    """
    lines = raw.splitlines()
    if b"\0" in raw or any(len(line) > _LONGEST_LINE for line in lines):
        return None
    part = EmailMessage(LetterPolicy())
    part["Content-Type"] = "message/rfc822"
    if raw.isascii():
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload("\r\n".join(line.decode("ascii") for line in lines) + "\r\n")
        return part
    try:
        part["Content-Transfer-Encoding"] = "8bit"
        part.set_payload([message_from_bytes(raw)])
        part.as_bytes(policy=LetterPolicy(cte_type="7bit"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # the standard library cannot write what it has read
    return part


def message_id(key: str, domain: str) -> str:
    """The Message-ID of what *key* sends: a second try is the same message to every server on the way."""
    return f"<{_hash(key)}.mailrules@{domain}>"


def _hash(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
