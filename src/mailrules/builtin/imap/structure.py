"""BODYSTRUCTURE (RFC 9051, section 7.5.2), read without recursion and within limits, whatever the server sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

DEEPEST = 20
"""Levels of parts within parts; what is deeper is fetched whole."""
MOST = 100
"""Parts of one message; what has more is fetched whole."""
LONGEST = 1 << 18
"""Octets of what is told of one message; of more, which a small message can bring about, it is fetched whole."""

_TOKEN = re.compile(rb'[ \r\n]*+(?:([()])|"((?:[^"\\]|\\.)*+)"|~?(\{)\d++\+?\}\r\n|([^\s()"{]++))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LEVELS = 4 * DEEPEST
"""Of parentheses: a part, its parameters, the envelope of a message in it with its lists of addresses."""

Value: TypeAlias = Any
"""Octets, None for NIL, or a list of these."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no parts, as the server tells of it."""

    type: str
    octets: int
    container: str = ""
    """The type of the multipart around it; empty for the message itself."""
    disposition: str = ""
    named: bool = False


def read_structure(response: Sequence[bytes]) -> tuple[int, Sequence[Part]] | None:
    """The UID and the parts of a message in one FETCH response; None where that is not clear, or not told."""
    if sum(map(len, response)) > LONGEST:
        return None
    items = _items(response)
    told = dict(zip(map(_upper, items[::2]), items[1::2], strict=False))
    uid, structure = told.get(b"UID"), told.get(b"BODYSTRUCTURE")
    if not isinstance(uid, bytes) or not uid.isdigit() or not structure:
        return None
    parts: list[Part] = []
    try:
        _add(structure, "", 0, parts)
    except (TypeError, ValueError, IndexError, AttributeError):
        return None
    return (int(uid), parts) if len(parts) <= MOST else None


def _items(response: Sequence[bytes]) -> list[Value]:
    """What stands between the outermost parentheses; nothing when that never ends, or is too deep."""
    stack: list[list[Value]] = []
    for value in _tokens(response):
        if value == "(":
            stack.append([])
            if len(stack) > _LEVELS:
                return []
        elif value == ")":
            done = stack.pop() if stack else []
            if not stack:
                return done
            stack[-1].append(done)
        elif stack:
            stack[-1].append(value)
    return []


def _tokens(response: Sequence[bytes]) -> Iterator[Value]:
    """Parentheses as text, all else as octets; NIL is None."""
    for at in range(0, len(response), 2):
        for bracket, quoted, literal, atom in _TOKEN.findall(response[at]):
            if bracket:
                yield bracket.decode()
            elif literal:
                yield response[at + 1]
            elif atom:
                yield None if atom in {b"NIL", b"nil"} else atom
            else:
                yield _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted


def _upper(value: Value) -> bytes:
    return value.upper() if isinstance(value, bytes) else b""


def _add(told: list[Value], container: str, depth: int, parts: list[Part]) -> None:
    if depth > DEEPEST:
        raise ValueError("too deep")
    if not isinstance(told[0], list):
        parts.append(_leaf(told, container))
        return
    count = next((at for at, value in enumerate(told) if not isinstance(value, list)), len(told))
    for each in told[:count]:
        _add(each, f"multipart/{_word(told[count])}", depth + 1, parts)


def _leaf(told: list[Value], container: str) -> Part:
    parameters = dict(_parameters(told[2]))
    disposition, more = _disposition(told[7:])
    named = any(name.startswith((b"NAME", b"FILENAME")) for name in (*parameters, *more))
    return Part(f"{_word(told[0])}/{_word(told[1])}", int(told[6]), container, disposition, named)


def _disposition(extension: Sequence[Value]) -> tuple[str, dict[bytes, bytes]]:
    """The first list of a word and its parameters: no other item after the size of a part has that shape."""
    for value in extension:
        if isinstance(value, list) and len(value) == 2:
            word, parameters = value
            if isinstance(word, bytes) and not isinstance(parameters, bytes):
                return _word(word), dict(_parameters(parameters))
    return "", {}


def _parameters(told: Value) -> Iterator[tuple[bytes, bytes]]:
    pairs = told or []
    return ((name.upper(), value or b"") for name, value in zip(pairs[::2], pairs[1::2], strict=True))


def _word(value: bytes) -> str:
    return value.decode("ascii").lower()
