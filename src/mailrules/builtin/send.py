"""How to send: every sending protocol that ships."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.api import SendProtocol, hookimpl
from mailrules.builtin.local.outbox import OUTBOX
from mailrules.builtin.smtp.protocol import SMTP


@hookimpl
def mailrules_protocols() -> Iterable[SendProtocol]:
    """Servers first, then files."""
    yield from (SMTP, OUTBOX)
