"""What a transition can do: every action that ships."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.api import ActionType, hookimpl
from mailrules.builtin.action_command import COMMAND
from mailrules.builtin.action_flow import FLOW
from mailrules.builtin.action_log import LOG
from mailrules.builtin.action_map import MAP
from mailrules.builtin.action_save import SAVE
from mailrules.builtin.action_send import SEND
from mailrules.builtin.action_webhook import WEBHOOK


@hookimpl
def mailrules_actions() -> Iterable[ActionType]:
    """In the order of the reference."""
    yield from (LOG, MAP, SAVE, SEND, WEBHOOK, COMMAND, FLOW)
