"""The message that a test case writes, as the octets of a mail."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailrules.config.moments import zone
from mailrules.config.spec import AttachmentSpec, MailSpec

_ADDRESSES = {
    "author": "From",
    "to": "To",
    "cc": "Cc",
    "bcc": "Bcc",
    "sender": "Sender",
    "reply_to": "Reply-To",
}


def compose(mail: MailSpec, *, timezone: str = "UTC") -> bytes:
    """*mail* as a sender's program would write it; what it does not say is left out.

    Args:
        mail: as the case has it.
        timezone: where a date without an offset is read.

    Raises:
        ValueError: a header cannot hold what is asked of it, a line break, say.
    """
    made = EmailMessage(policy=SMTP)
    for attribute, name in _ADDRESSES.items():
        if value := getattr(mail, attribute):
            made[name] = value if isinstance(value, str) else ", ".join(value)
    if mail.subject:
        made["Subject"] = mail.subject
    if mail.date:
        made["Date"] = format_datetime(sent_at(mail.date, timezone))
    if mail.message_id:
        made["Message-ID"] = mail.message_id
    for name, values in mail.headers.items():
        for value in values if isinstance(values, list) else [values]:
            made[name] = str(value)
    _add_body(made, mail)
    return made.as_bytes()


def sent_at(date: str, timezone: str) -> datetime:
    """A checked date as an aware moment."""
    moment = datetime.fromisoformat(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone(timezone))


def _add_body(made: EmailMessage, mail: MailSpec) -> None:
    if mail.text or not mail.html:
        made.set_content(mail.text)
    if mail.html and mail.text:
        made.add_alternative(mail.html, subtype="html")
    elif mail.html:
        made.set_content(mail.html, subtype="html")
    for attachment in mail.attachments:
        _attach(made, attachment)


def _attach(made: EmailMessage, attachment: AttachmentSpec) -> None:
    main, _, sub = attachment.type.partition("/")
    content = attachment.content.encode() or b"\0" * attachment.size
    if main in ("message", "multipart"):
        raise ValueError(f"an attachment of type {attachment.type} cannot be written in a case: use eml:")
    made.add_attachment(
        content,
        maintype=main,
        subtype=sub or "octet-stream",
        filename=attachment.name or None,
        disposition=attachment.disposition,
    )
