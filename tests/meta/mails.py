"""Mails for the conditions that a page shows, from the same mappings as in test cases."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

_HEADERS = {"from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "date": "Date", "reply_to": "Reply-To"}


def built(mail: Mapping[str, Any]) -> bytes:
    """The octets of *mail*."""
    made = EmailMessage(policy=SMTP)
    for key, name in _HEADERS.items():
        if key in mail:
            made[name] = mail[key]
    for name, value in mail.get("headers", {}).items():
        for one in value if isinstance(value, list) else [value]:
            made[name] = str(one)
    made.set_content(mail.get("text", "Hello.\n"))
    for attachment in mail.get("attachments", []):
        main, _, sub = attachment.get("type", "application/octet-stream").partition("/")
        made.add_attachment(
            attachment.get("text", "content").encode().ljust(attachment.get("size", 0), b"."),
            main,
            sub,
            filename=attachment.get("name"),
        )
    return made.as_bytes()
