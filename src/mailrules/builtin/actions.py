"""What a transition can do: every action that ships."""

from __future__ import annotations

from collections.abc import Iterable

from mailrules.api import ActionType, hookimpl
from mailrules.builtin.action.acknowledge import ACKNOWLEDGE
from mailrules.builtin.action.append import APPEND
from mailrules.builtin.action.command import COMMAND
from mailrules.builtin.action.extract import EXTRACT
from mailrules.builtin.action.flow import FLOW
from mailrules.builtin.action.forward import FORWARD
from mailrules.builtin.action.log import LOG
from mailrules.builtin.action.map import MAP
from mailrules.builtin.action.redirect import REDIRECT
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.action.save import SAVE
from mailrules.builtin.action.script import SCRIPT
from mailrules.builtin.action.send import SEND
from mailrules.builtin.action.webhook import WEBHOOK


@hookimpl
def mailrules_actions() -> Iterable[ActionType]:
    """In the order of the reference."""
    yield from (
        LOG,
        MAP,
        EXTRACT,
        SAVE,
        APPEND,
        SEND,
        REPLY,
        FORWARD,
        REDIRECT,
        ACKNOWLEDGE,
        WEBHOOK,
        COMMAND,
        SCRIPT,
        FLOW,
    )
