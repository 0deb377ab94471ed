"""Fields of plain text: named groups of patterns, and lines of `key: value`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

_BEFORE = " \t>*\u2022-"
"""What may stand before a key: of a quotation, or of a list."""
_SEPARATOR = re.compile(r"[:=\t]")
LONGEST_KEY = 100
"""Characters of a key, what stands before it left out."""


@lru_cache(maxsize=1024)
def pattern(text: str) -> Any:
    """The RE2 pattern (linear time, whatever the text), with at least one named group.

    Raises:
        ValueError: it is none, or names nothing.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"not an RE2 pattern: {said}") from error
    if not compiled.groupindex:
        raise ValueError("the pattern has no named group: write (?P<name>...)")
    return compiled


def by_pattern(patterns: Sequence[str], text: str) -> Iterator[tuple[str, str]]:
    """What each pattern's named groups hold where it first matches."""
    for written in patterns:
        found = pattern(written).search(text)
        if found:
            yield from ((name, value) for name, value in found.groupdict().items() if value is not None)


def by_label(labels: Mapping[str, str], text: str) -> Iterator[tuple[str, str]]:
    """The values of the first lines that begin with each label, in any case and spacing."""
    wanted = {folded(label): name for name, label in labels.items()}
    for key, value in _pairs(text):
        if not wanted:
            return
        name = wanted.pop(folded(key), "") if value else ""
        if name:
            yield name, value


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of lines with a colon, an equals sign or a tab between; by hand, as a pattern may go back."""
    for line in text.split("\n"):
        bare = line.lstrip(_BEFORE)
        found = _SEPARATOR.search(bare, 0, LONGEST_KEY + 1)
        if found:
            value = bare[found.end() :].strip()
            again = found[0] == "\t" and value[:1] in (":", "=")
            yield bare[: found.start()], value[1:].lstrip() if again else value


def folded(label: str) -> str:
    """A label as it is compared: without case, without spaces around, without a colon at its end."""
    return " ".join(label.casefold().split()).rstrip(" :*")
