"""Asking, before the first pass over a mailbox that holds much already, whether that is meant."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from mailrules.cli.terminal import console, new_table, plural, safe, show
from mailrules.config.settings import Listener
from mailrules.engine.first_pass import Consent, Outlook
from mailrules.engine.standing import standing
from mailrules.engine.world import system_clock

if TYPE_CHECKING:
    from rich.table import Table


def ask(listeners: Iterable[Listener], consent: Consent) -> None:
    """On a terminal, show what each first pass would do and ask; without one nobody has agreed.

    A mailbox that cannot be read now is not asked about: its pass tells why.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    for listener in listeners:
        if standing(listener, consent.journal, system_clock()) is not None:
            continue
        try:
            found = consent.asked(listener)
        except Exception:  # noqa: S112 - the pass itself meets it again, and tells
            continue
        if found is not None and _confirmed(found):
            consent.agree(listener)


def _confirmed(found: Outlook) -> bool:
    out = console()
    out.print(safe(found.listener), style="bold")
    out.print(f"  the first pass over this mailbox: {found}")
    show(outlook_table(found))
    return click.confirm(f"Handle {plural(found.waiting, 'message')} of '{safe(found.listener)}'?")


def outlook_table(found: Outlook) -> Table:
    """How many messages by rule and code, the most first."""
    table = new_table("messages", "rule", "code")
    table.columns[0].justify = "right"
    for (rule, code), number in sorted(found.counted.items(), key=lambda item: -item[1]):
        table.add_row(f"{number:,}", safe(rule), f"{int(code)} {code.word}")
    if found.tried < found.waiting:
        table.add_row(f"{found.waiting - found.tried:,}", "(not tried)", "")
    return table
