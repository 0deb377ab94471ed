"""Header fields that an admin may add to a mail, and those that are not anybody's to write."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = re.compile(
    r"(?i)from|to|cc|bcc|subject|date|message-id|in-reply-to|references|auto-submitted|x-loop-token|mime-version"
    r"|content-.*|return-path|received|sender|resent-.*|dkim-signature|arc-.*|authentication-results"
)
"""Header fields that have a place of their own, or that are not the sender's to write."""


def check_header_names(names: Iterable[str]) -> None:
    """Refuse what is no field name (RFC 5322, section 3.6.8), and structural fields.

    Raises:
        ValueError: which `check` shows at the option's place.
    """
    for name in names:
        if not _FIELD_NAME.fullmatch(name) or _OURS.fullmatch(name):
            raise ValueError(f"`headers` cannot set {name!r}")
