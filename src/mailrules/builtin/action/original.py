"""A received message inside of another: as HTML, and under the header block that forwards show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from mailrules.api import Message
from mailrules.builtin.action.addresses import one_line
from mailrules.builtin.action.conversation import MOST_QUOTED

_BODY = re.compile(r"<body\b[^>]{0,1000}>(.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_AROUND = re.compile(
    r"<!doctype[^>]{0,1000}>|</?(?:html|body)\b[^>]{0,1000}>|<head\b.*?(?:</head\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_ACTIVE = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
FORWARDED = "---------- Forwarded message ----------"
"""What mail programs know a forwarded message by."""


def original_html(message: Message) -> str:
    """The message's HTML to be put into another, else its text as HTML; never longer than `MOST_QUOTED` characters."""
    if not message.html or len(message.html) > MOST_QUOTED:
        text = message.text[:MOST_QUOTED] + ("\n[...]" if len(message.text) > MOST_QUOTED else "")
        return f'<div style="white-space: pre-wrap">{escape(text)}</div>'
    body = _BODY.search(message.html)
    return _ACTIVE.sub("", _AROUND.sub("", body[1] if body else message.html))


def forwarded_text(message: Message) -> str:
    """The message under its header block."""
    lines = [FORWARDED, *(f"{name}: {value}" for name, value in _shown(message)), "", message.text]
    return "\n".join(lines)


def forwarded_html(message: Message) -> str:
    """The same as HTML."""
    lines = [FORWARDED, *(f"{name}: {value}" for name, value in _shown(message))]
    return "<p>" + "<br>\n".join(escape(line) for line in lines) + f"</p>\n{original_html(message)}\n"


def _shown(message: Message) -> Iterator[tuple[str, str]]:
    for name in ("From", "Date", "Subject", "To", "Cc"):
        if value := one_line(message[name]):
            yield name, value
