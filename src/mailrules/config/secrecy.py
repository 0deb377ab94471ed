"""Lines of a file made fit to be shown: what is secret in them is struck out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

STRUCK_OUT = "***"

_KEYED = re.compile(
    r"""["']?[\w-]*(?:passw|passphrase|pwd|secret|token|api[_-]?key|credential|authorization|cookie)[\w-]*["']?\s*:\s+
        ("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,{}\[\]&*|>"'][^,}\]]*)""",
    re.VERBOSE | re.IGNORECASE,
)
"""A value after a key that sounds like a secret, even a misspelt one."""

_IN_ADDRESS = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
"""The password in `scheme://user:password@host`."""

_HARMLESS = re.compile(r"""["']?(?:env:|file:|keyring:|https?://|\*\*\*)""")
"""References to secrets, and addresses of servers that give tokens."""


def strike_out(text: str, secrets: Collection[str]) -> str:
    """*text* without what is secret in it."""
    return _replace(text, _merged(_secret_parts(text, secrets)))


def strike_out_line(
    text: str, secrets: Collection[str], begin: int, end: int, *, places: Iterable[tuple[int, int]] = ()
) -> tuple[str, int, int]:
    """The same for a line with a stretch to underline, which is moved along; in *places* secrets are known to stand."""
    parts = _merged(chain(_secret_parts(text, secrets), places))
    return _replace(text, parts), _moved(begin, parts, 0), _moved(end, parts, len(STRUCK_OUT))


def _secret_parts(text: str, secrets: Collection[str]) -> Iterator[tuple[int, int]]:
    for pattern in (_KEYED, _IN_ADDRESS):
        for found in pattern.finditer(text):
            if not _HARMLESS.match(found[1]):
                yield found.start(1), found.start(1) + len(found[1].rstrip())
    for secret in secrets:
        at = text.find(secret)
        while at >= 0:
            yield at, at + len(secret)
            at = text.find(secret, at + len(secret))


def _merged(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(parts):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _replace(text: str, parts: list[tuple[int, int]]) -> str:
    for begin, end in reversed(parts):
        text = text[:begin] + STRUCK_OUT + text[end:]
    return text


def _moved(at: int, parts: list[tuple[int, int]], inside: int) -> int:
    """Where a position of the line is once *parts* are replaced; within one, its first character or past its last."""
    shift = 0
    for begin, end in parts:
        if end <= at:
            shift += len(STRUCK_OUT) - (end - begin)
        elif begin < at:
            return begin + shift + inside
    return at + shift
