"""How to reach a mailbox: every receiving protocol that ships."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.api import ReceiveProtocol, hookimpl
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.local.eml import EML
from mailrules.builtin.local.maildir import MAILDIR
from mailrules.builtin.local.mbox import MBOX
from mailrules.builtin.pop3.protocol import POP3


@hookimpl
def mailrules_protocols() -> Iterable[ReceiveProtocol]:
    """Servers first, then files."""
    yield from (IMAP, POP3, MAILDIR, MBOX, EML)
