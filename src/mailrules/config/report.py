"""Diagnostics as text for people, as JSON for programs, and as annotations for GitHub."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from mailrules.config.diagnostic import Diagnostic

WIDEST = 120
"""Characters of a source line that are shown; of a longer one, those around what is meant."""

_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


def render(
    diagnostics: Sequence[Diagnostic],
    *,
    format: Literal["text", "json", "github"] = "text",  # noqa: A002 - as the command line calls it
    colour: bool = False,
    folder: str = "",
) -> str:
    """All of them as one text that ends in a newline; empty for none (JSON: an empty list).

    Args:
        diagnostics: in the order they are told.
        format: text with the source line and a caret; json, a list of objects; github, workflow commands.
        colour: whether text carries ANSI colours.
        folder: put before every file name, where the workspace is not the folder one stands in.
    """
    if format == "json":
        import json

        return json.dumps([_object(found, folder) for found in diagnostics], indent=2, ensure_ascii=False) + "\n"
    line = _annotation if format == "github" else _paragraph
    return "".join(line(found, folder=folder, colour=colour) for found in diagnostics)


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """How many there are: `2 errors, 1 warning`."""
    errors = sum(found.severity == "error" for found in diagnostics)
    counts = ((errors, "error"), (len(diagnostics) - errors, "warning"))
    return ", ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count) or "no findings"


def _file(found: Diagnostic, folder: str) -> str:
    return f"{folder.rstrip('/')}/{found.span.file}" if folder else found.span.file


def _object(found: Diagnostic, folder: str) -> dict[str, object]:
    span = asdict(found.span) | {"file": _file(found, folder)}
    return {**span, "severity": found.severity, "word": found.word, "message": found.message, "help": found.help}


def _paragraph(found: Diagnostic, *, folder: str, colour: bool) -> str:
    def painted(code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if colour and text else text

    span, kind = found.span, _RED if found.severity == "error" else _YELLOW
    place = f"{_file(found, folder)}:{span.line}:{span.column}" if span.line else _file(found, folder)
    lines = [f"{painted(_BOLD, place)}: {painted(kind, f'{found.severity}[{found.word}]')}: {found.message}"]
    if found.source.strip():
        shown, indent, carets = _excerpt(found)
        lines += [
            f"{painted(_BLUE, f'{span.line:>4} |')} {shown}",
            f"{painted(_BLUE, '     |')} {indent}{painted(kind, carets)}",
        ]
    lines += [f"  help: {line}" for line in found.help.splitlines()]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _excerpt(found: Diagnostic) -> tuple[str, str, str]:
    """The line as it can be shown, what puts the caret below its place, and the carets."""
    begin, end = found.underline
    first = 0 if len(found.source) <= WIDEST or begin < WIDEST // 2 else begin - WIDEST // 2
    text = "".join(
        character if character == "\t" or character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in found.source
    )
    shown = text[first : first + WIDEST]
    before = shown[: begin - first]
    indent = "".join("\t" if character == "\t" else " " * _width(character) for character in before)
    carets = "^" * max(sum(_width(character) for character in shown[begin - first : end - first]), 1)
    more = "..." if first else ""
    return more + shown + ("..." if len(text) > first + WIDEST else ""), " " * len(more) + indent, carets


def _width(character: str) -> int:
    """Columns of a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _annotation(found: Diagnostic, *, folder: str, colour: bool) -> str:
    """A GitHub workflow command; `colour` does not matter to it."""
    del colour
    span = found.span
    place = {"file": _file(found, folder), "line": span.line, "col": span.column, "endColumn": span.end_column}
    place |= {"title": f"{found.severity}[{found.word}]"}
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in place.items() if value)
    text = found.message + (f"\nhelp: {found.help}" if found.help else "")
    return f"::{found.severity} {properties}::{_escaped(text)}\n"


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
