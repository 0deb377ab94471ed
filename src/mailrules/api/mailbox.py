"""Which addresses are one mailbox, however they are written: what guards and caps compare."""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(.*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def canonical(address: str) -> str:
    """One spelling for one mailbox: in small letters, unquoted, its domain as the wire has it.

    A mail is read with `jo@münchen.example` and `"jo"@acme.example`, and sent to `jo@xn--mnchen-3ya.example` and
    `jo@acme.example` (RFC 5891; RFC 5322, section 3.4.1). Never raises: what is no address stays as it is.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    if quoted := _QUOTED.fullmatch(local):
        local = _ESCAPED.sub(r"\1", quoted[1])
    return f"{local}{at}{_wired(domain.rstrip('.'))}"


def correspondent(address: str) -> str:
    """The same without the detail of `jo+detail@acme.example` (RFC 5233): one person, however many names they use."""
    local, at, domain = canonical(address).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def _wired(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return domain
