"""Public test tools: the case runner, a pytest plugin, contract suites for what plugins give.

The pytest plugin collects `*.test.yaml` where `mailrules_cases = true` stands in pytest's configuration. The contract
suites need pytest, so nothing here is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailrules.testing.action_contract import ActionContract
    from mailrules.testing.cases import Outcome, Results, run_cases
    from mailrules.testing.context import action_data, message_of, recording_context
    from mailrules.testing.journal_contract import JournalContract
    from mailrules.testing.mailbox_contract import MailboxContract
    from mailrules.testing.unpacker_contract import UnpackerContract

__all__ = [
    "ActionContract",
    "JournalContract",
    "MailboxContract",
    "Outcome",
    "Results",
    "UnpackerContract",
    "action_data",
    "message_of",
    "recording_context",
    "run_cases",
]

_HOMES = {
    "ActionContract": "action_contract",
    "JournalContract": "journal_contract",
    "MailboxContract": "mailbox_contract",
    "Outcome": "cases",
    "Results": "cases",
    "UnpackerContract": "unpacker_contract",
    "action_data": "context",
    "message_of": "context",
    "recording_context": "context",
    "run_cases": "cases",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"mailrules.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mailrules.testing' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
