"""The mailboxes of an address header (RFC 5322, sections 3.4 and 4.4), from whatever stands there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mailrules.model.message import Address

Decode = Callable[[str], str]
"""Turns a phrase with encoded words into what it says."""

LONGEST = 1 << 18
"""Octets of one address header that are read."""

_SIMPLE = re.compile(
    r"""\s*+(?:(?:"([^"\\]*+)"\s*+|([^"<>()@,;:\\\[\]]*+))<([^\s"<>()@,;:\\\[\]]++@[^\s"<>()@,;:\\\[\]]++)>
    |([^\s"<>()@,;:\\\[\]]++@[^\s"<>()@,;:\\\[\]]++))\s*+(?:,|\Z)""",
    re.VERBOSE,
)
"""One mailbox of a plain list: what nearly all headers hold."""
_TOKEN = re.compile(
    r"""(?P<word>=\?[^?\s]{1,60}\?[bBqQ]\?[^?<>]*+\?=)
    |(?P<quoted>"(?:[^"\\]|\\.)*+")
    |(?P<space>\s++)
    |(?P<literal>\[[^\]\[\s<>]*+\])
    |(?P<special>[<>(),;:@])
    |(?P<atom>[^\s"<>(),;:@\[\]\\]++)
    |(?P<junk>.)""",
    re.VERBOSE | re.DOTALL,
)
_UNQUOTED = re.compile(_TOKEN.pattern.replace('|(?P<quoted>"(?:[^"\\\\]|\\\\.)*+")', ""), re.VERBOSE | re.DOTALL)
_BALANCED = re.compile(r'(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*+")*+\Z', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def addresses(text: str, decode: Decode) -> list[Address]:
    """The mailboxes in *text*, which is unfolded but not yet RFC 2047-decoded: a decoded name may hold commas.

    Group members are included, group names and comments left out. Never raises; a text that is no address becomes a
    name alone.
    """
    found = []
    at, end = 0, len(text)
    while at < end:
        plain = _SIMPLE.match(text, at)
        if plain is None:
            return _general(text, decode)
        quoted, name, angled, bare = plain.groups()
        name = quoted if name is None else name.strip()
        found.append(Address(decode(name) if name and "=?" in name else name or "", angled or bare))
        at = plain.end()
    return found


@dataclass(slots=True)
class _Mailbox:
    """One mailbox while it is read."""

    phrase: list[tuple[str, str]] = field(default_factory=list)
    angle: list[tuple[str, str]] | None = None
    closed: bool = False
    at: bool = False
    """Whether an `@` stands in its phrase."""


def _general(text: str, decode: Decode) -> list[Address]:
    """The whole grammar and its abuses, in linear time."""
    tokens = [
        (str(found.lastgroup), found[0]) for found in (_TOKEN if _BALANCED.match(text) else _UNQUOTED).finditer(text)
    ]
    boxes = _mailboxes(_uncommented(tokens))
    read = (_read(box, decode) for box in boxes)
    return [address for address in read if address.name or address.address]


def _uncommented(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without comments, nested or not; a parenthesis that nothing closes comments nothing out."""
    kept: list[tuple[str, str]] = []
    opened: list[int] = []
    for kind, text in tokens:
        if text == "(" and kind == "special":
            opened.append(len(kept))
            kept.append(("space", " "))
        elif text == ")" and kind == "special":
            if opened:
                del kept[opened.pop() + 1 :]
        else:
            kept.append((kind, text))
    return kept


def _mailboxes(tokens: list[tuple[str, str]]) -> Iterator[_Mailbox]:
    box = _Mailbox()
    for kind, text in tokens:
        special = text if kind == "special" else ""
        inside = box.angle is not None and not box.closed
        if special == "<" and box.angle is not None:
            yield box
            box = _Mailbox(angle=[])
        elif special == "<":
            box.angle = []
        elif special == ">":
            box.closed = box.angle is not None
        elif (special and special in ",;" and not (inside and _routed(box))) or _encoded_comma(text, box):
            yield box
            box = _Mailbox()
        elif special == ":" and (not inside or _routed(box)):
            box = _Mailbox(box.phrase, [], at=box.at) if inside else _Mailbox()
        elif inside and box.angle is not None:
            box.angle.append((kind, text))
        else:
            box.phrase.append((kind, text))
            box.at = box.at or special == "@"
    yield box


def _routed(box: _Mailbox) -> bool:
    """Whether its angle brackets began with an obsolete route, `<@a,@b:c@d>` (RFC 5322, section 4.4)."""
    return bool(box.angle) and box.angle is not None and box.angle[0][1] in ("@", ",")


def _encoded_comma(text: str, box: _Mailbox) -> bool:
    """Whether a separator came out encoded, as some versions of Python's own email package write it."""
    if not text.lower().endswith("?q?=2c?="):
        return False
    return box.closed or box.at


def _read(box: _Mailbox, decode: Decode) -> Address:
    if box.angle is not None:
        inner = [text for kind, text in box.angle if kind not in ("space", "junk") and text not in ",;"]
        return Address(_phrase(box.phrase, decode), "".join(inner))
    words = _words(box.phrase)
    for position in range(len(words) - 1, -1, -1):
        if any(kind == "special" and text == "@" for kind, text in words[position]):
            address = "".join(text for kind, text in words[position] if kind != "junk")
            rest = [token for word in words[:position] for token in (*word, ("space", " "))]
            return Address(_phrase(rest, decode), address)
    return Address(_phrase(box.phrase, decode), "")


def _words(tokens: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Runs of tokens between spaces; spaces about an `@` do not part (RFC 5322, section 4.4)."""
    words: list[list[tuple[str, str]]] = [[]]
    glue = False
    for kind, text in tokens:
        if kind == "space":
            if words[-1] and not glue:
                words.append([])
            continue
        if text == "@" and kind == "special" and not words[-1] and len(words) > 1:
            words.pop()
        words[-1].append((kind, text))
        glue = text == "@" and kind == "special"
    return [word for word in words if word]


def _phrase(tokens: list[tuple[str, str]], decode: Decode) -> str:
    """A display name: quotes and their escapes resolved, encoded words decoded, one space where there was any."""
    parts = []
    for kind, text in tokens:
        if kind == "quoted":
            parts.append(_QUOTED_PAIR.sub(r"\1", text[1:-1]))
        elif kind == "space":
            parts.append(" ")
        elif kind != "junk":
            parts.append(text)
    name = " ".join("".join(parts).split())
    return decode(name) if "=?" in name else name
