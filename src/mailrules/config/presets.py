"""What is known of the mail services that many use: `preset: gmail` fills what an account leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from mailrules.config.document import Node

Preset: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Options by `receive`, `send` or `auth`, and by plugin; the first of a key is taken where none is written."""

_OUTLOOK = "https://outlook.office.com"

PRESETS: Mapping[str, Preset] = {
    "gmail": {
        "receive": {"imap": {"host": "imap.gmail.com"}, "pop3": {"host": "pop.gmail.com"}},
        "send": {"smtp": {"host": "smtp.gmail.com", "security": "tls"}},
        "auth": {
            "oauth2": {
                "discovery_url": "https://accounts.google.com/.well-known/openid-configuration",
                "scopes": ["https://mail.google.com/"],
            }
        },
    },
    "outlook": {
        "receive": {"imap": {"host": "outlook.office365.com"}, "pop3": {"host": "outlook.office365.com"}},
        "send": {"smtp": {"host": "smtp.office365.com", "security": "starttls"}},
        "auth": {
            "oauth2": {
                "discovery_url": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
                "scopes": [f"{_OUTLOOK}/IMAP.AccessAsUser.All", f"{_OUTLOOK}/SMTP.Send"],
            }
        },
    },
    "yahoo": {
        "receive": {"imap": {"host": "imap.mail.yahoo.com"}, "pop3": {"host": "pop.mail.yahoo.com"}},
        "send": {"smtp": {"host": "smtp.mail.yahoo.com", "security": "tls"}},
        "auth": {
            "oauth2": {
                "discovery_url": "https://api.login.yahoo.com/.well-known/openid-configuration",
                "scopes": ["mail-w"],
            }
        },
    },
    "icloud": {
        "receive": {"imap": {"host": "imap.mail.me.com"}},
        "send": {"smtp": {"host": "smtp.mail.me.com", "security": "starttls"}},
    },
    "fastmail": {
        "receive": {"imap": {"host": "imap.fastmail.com"}, "pop3": {"host": "pop.fastmail.com"}},
        "send": {"smtp": {"host": "smtp.fastmail.com", "security": "tls"}},
    },
}
"""As the services document them: Gmail IMAP, POP and SMTP; Exchange Online by OAuth; Yahoo IMAP and SMTP; Apple 102525;
Fastmail server names and ports. Ports follow from the security."""


def choice(account: Node, key: str, preset: Preset) -> Node | None:
    """What is written under *key*, or the preset's first protocol; None for neither."""
    if key in account:
        return account[key]
    if key == "auth" or key not in preset:
        return None
    name, place = next(iter(preset[key])), account.mark[:2]
    return Node(account.source, {name: None}, (*place, {name: (*place, place)}), account.key)


def filled(raw: Node, known: Mapping[str, Any]) -> Node:
    """Options with what *known* adds to what is written; that stands where their name stands."""
    if not known or not (raw.value is None or isinstance(raw.value, dict)):
        return raw
    written = raw.value or {}
    place = raw.key or raw.mark[:2]
    marks = {
        name: (*place, (*place, [place] * len(value)) if isinstance(value, list) else place)
        for name, value in known.items()
    }
    if isinstance(raw.value, dict):
        marks |= raw.mark[2]
    return Node(raw.source, {**known, **written}, (*raw.mark[:2], marks), raw.key)


def fillable() -> Iterator[tuple[str, str]]:
    """(`receive.imap`, `host`): every option that some preset fills, so that it may be left out."""
    for preset in PRESETS.values():
        for key, plugins in preset.items():
            for name, options in plugins.items():
                yield from ((f"{key}.{name}", option) for option in options)
