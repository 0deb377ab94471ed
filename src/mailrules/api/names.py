"""The names that templates may use, and what is known of them before there is a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from mailrules.model.bounce import Bounce
from mailrules.model.message import Address, Fact, Message

BODY_ATTRIBUTES = frozenset(
    {"text", "html", "attachments", "reply_text", "reply_text_fact", "quoted_text", "signature", "raw", "undecodable"}
    | {"bounce", "calendar", "claimed_sender", "original_sender", "original_sender_fact"}
)
"""What of `message` in a template takes more than the header block."""

TEMPLATE_NAMES = frozenset({"message", "match", "data", "account", "listener", "now"})
LISTENER_KEYS = frozenset({"name", "folder", "rule"})
ACCOUNT_KEYS = frozenset({"name", "address", "company"})


class TemplateProblem(NamedTuple):
    """Why a text is no template that works."""

    line: int
    """Of the template, from 1."""
    sentence: str
    name: str = ""
    """The name that is not there; empty when something else is wrong."""
    known: Collection[str] = ()
    """The names that are."""
    hint: str = ""
    """What to do when none of them was meant."""


class Use(NamedTuple):
    """A name after a dot, as in `message.subject`."""

    line: int
    path: str
    """What stands before the dot."""
    name: str


def _public(kind: type[Any]) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if not name.startswith("_"))


_ADDRESS, _FACT = _public(Address), _public(Fact)
_SHAPES: Mapping[str, tuple[str, frozenset[str]]] = {
    "message": ("a message", _public(Message)),
    "message.author": ("an address", _ADDRESS),
    "message.original_sender": ("an address", _ADDRESS),
    "message.kind": ("a fact", _FACT),
    "message.authentication": ("a fact", _FACT),
    "message.original_sender_fact": ("a fact", _FACT),
    "message.claimed_sender": ("a fact", _FACT),
    "message.reply_text_fact": ("a fact", _FACT),
    "message.calendar": ("a fact", _FACT),
    "message.bounce": ("a delivery report", _public(Bounce)),
    "listener": ("the listener", LISTENER_KEYS),
    "account": ("the account", ACCOUNT_KEYS),
}
"""What is known of a name before there is a message, with the word for it."""
OF_MAPPINGS = _public(dict)


def of_message(name: str) -> bool:
    """Whether a message has it: who leaves `message.` out meant that."""
    return name in _SHAPES["message"][1]


def misnamed(use: Use) -> TemplateProblem | None:
    """What is wrong with a name that is never there, whatever the message."""
    what, known = _SHAPES.get(use.path, ("", frozenset()))
    if not known or use.name in known or ("." not in use.path and use.path != "message" and use.name in OF_MAPPINGS):
        return None
    hint = f"a header is message['{use.name}']" if use.path == "message" else ""
    return TemplateProblem(use.line, f"{what} has no '{use.name}'", use.name, known, hint)
