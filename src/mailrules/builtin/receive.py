"""How to reach a mailbox: every receiving protocol that ships."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.api import ReceiveProtocol, hookimpl
from mailrules.builtin.eml import EML
from mailrules.builtin.imap import IMAP
from mailrules.builtin.maildir import MAILDIR
from mailrules.builtin.mbox import MBOX
from mailrules.builtin.pop3 import POP3


@hookimpl
def mailrules_protocols() -> Iterable[ReceiveProtocol]:
    """Servers first, then files."""
    yield from (IMAP, POP3, MAILDIR, MBOX, EML)
