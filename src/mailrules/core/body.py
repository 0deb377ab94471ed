"""Which leaf parts are the text that a person reads, and which are attachments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailrules.core import html
from mailrules.core.defects import Defects
from mailrules.core.mime import Part

LONGEST = 8_000_000
"""Characters of text that are read of one message."""
_HIDING = frozenset(
    [
        "undecodable-text",
        "unknown-charset",
        "too-many-guesses",
        "unknown-encoding",
        "bad-base64",
        "bad-uuencode",
        "text-too-long",
        "too-deep",
        "too-many-parts",
    ]
)


@dataclass(frozen=True, slots=True)
class Body:
    """The leaf parts of one message, sorted."""

    plain: Sequence[Part]
    html: Sequence[Part]
    attachments: Sequence[Part]


def sort(parts: Sequence[Part]) -> Body:
    """Text parts that are not attached are the body; all else is an attachment.

    A named text part is the body only where nothing else is yet: after a text it is a file that somebody added.
    """
    plain: list[Part] = []
    rich: list[Part] = []
    attached: list[Part] = []
    for part in parts:
        taken = plain or rich
        if (
            part.type not in ("text/plain", "text/html")
            or part.disposition.value == "attachment"
            or (taken and part.container != "multipart/alternative" and part.name)
        ):
            attached.append(part)
        else:
            (rich if part.type == "text/html" else plain).append(part)
    return Body(tuple(plain), tuple(rich), tuple(attached))


def read(body: Body, defects: Defects) -> str:
    """The plain parts joined; where they say nothing, the HTML parts as text."""
    text = _joined([part.text(defects) for part in body.plain], defects)
    if text.strip() or not body.html:
        return text
    return _joined([html.as_text(part.text(defects)) for part in body.html], defects)


def hides(damage: Defects) -> bool:
    """Whether, after this damage, what is not found in the text may be there all the same."""
    return any(defect.word in _HIDING for defect in damage.all())


def _joined(texts: list[str], defects: Defects) -> str:
    text = "\n".join(texts)
    if len(text) > LONGEST:
        defects.add("text-too-long", f"{len(text)} characters")
    return text[:LONGEST]
