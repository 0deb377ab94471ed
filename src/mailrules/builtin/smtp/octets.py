"""A mail and its addresses as they go over an SMTP line."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

from mailrules.api import Permanent

_ADDRESSES = ("From", "Sender", "Reply-To", "To", "Cc")


def octets(mail: EmailMessage | bytes, *, utf8: bool, eight_bit: bool) -> bytes:
    """*mail* with CRLF, and with 7-bit parts unless the server takes 8-bit ones.

    What comes as octets keeps every one of them but its line ends (RFC 5322, section 2.3): signatures stay good.
    """
    if isinstance(mail, bytes):
        content = mail
    else:
        policy: Any = mail.policy
        content = mail.as_bytes(
            policy=policy.clone(linesep="\r\n", utf8=utf8, cte_type="8bit" if eight_bit else "7bit")
        )
    content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def dotted(content: bytes) -> bytes:
    """With leading dots doubled, and the end of the message (RFC 5321, section 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"


def international(mail: EmailMessage | bytes) -> bool:
    """Whether an address in its header can only be written in UTF-8 (RFC 6531): its local part is not ASCII."""
    if isinstance(mail, bytes):
        return False
    values = [value for name in _ADDRESSES for value in mail.get_all(name, [])]
    return not all(each.username.isascii() for value in values for each in getattr(value, "addresses", ()))


def ascii_domain(address: str) -> str:
    """An envelope address with its domain in ASCII (RFC 5891), so that SMTPUTF8 is needed for local parts only.

    Raises:
        Permanent: no address.
    """
    local, at, domain = address.rpartition("@")
    try:
        made = f"{local}{at}{_encoded(domain)}" if not domain.isascii() else address
    except UnicodeError as error:
        raise Permanent(f"{address!r} is no mail address") from error
    if re.search(r"[\x00-\x20\x7f<>]", made):
        raise Permanent(f"{address!r} is no mail address")
    return made


def _encoded(domain: str) -> str:
    import idna

    return idna.encode(domain, uts46=True).decode()
