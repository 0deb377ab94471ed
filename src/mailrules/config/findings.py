"""Diagnostics as they are gathered: each joined with its line, secrets struck out, sorted at the end."""

from __future__ import annotations

from dataclasses import replace

from mailrules.api.options import SHORTEST_REDACTED
from mailrules.config.diagnostic import WARNINGS, Diagnostic
from mailrules.config.document import Place, Source
from mailrules.config.secrecy import strike_out, strike_out_line
from mailrules.model.span import Span


class Findings:
    """Collects what is wrong. Nothing is told twice; nothing secret is told at all."""

    def __init__(self) -> None:
        self._found: dict[tuple[Span, str, str], Diagnostic] = {}
        self._secrets: set[str] = set()
        self._places: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._sources: dict[str, Source] = {}
        self.errors = 0
        """How many errors there are so far; warnings apart."""
        self.files: set[str] = set()
        """Names of the files that were looked for, there or not."""

    def add(self, place: Place | Span, word: str, message: str, help: str = "") -> None:  # noqa: A002 - the field's name
        """Note one finding at its place."""
        span = place if isinstance(place, Span) else place.span
        source = place.source if isinstance(place, Place) else self._sources.get(span.file)
        line = source.line(span.line) if source else ""
        found = Diagnostic(span, word, message, help, "warning" if word in WARNINGS else "error", line)
        if self._found.setdefault((span, word, message), found) is found and found.severity == "error":
            self.errors += 1

    def knows(self, source: Source) -> None:
        """Take lines of that file from *source* where only a span is at hand."""
        self._sources[source.file] = source

    def secret(self, text: str, place: Place) -> None:
        """Never let *text* be shown at its *place*, nor anywhere else unless it is too short to be told from words."""
        span = place.span
        self._places.setdefault((span.file, span.line), []).append((span.column - 1, span.end_column - 1))
        lines = (line.strip() for line in text.splitlines())
        self._secrets.update(line for line in lines if len(line) >= SHORTEST_REDACTED)

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All of them by place, without secrets."""
        ordered = sorted(self._found.values(), key=lambda found: (found.span, found.word, found.message))
        return tuple(self._clean(found) for found in ordered)

    def _clean(self, found: Diagnostic) -> Diagnostic:
        begin = max(found.span.column - 1, 0)
        end = max(found.span.end_column - 1, begin)
        places = self._places.get((found.span.file, found.span.line), ())
        line, begin, end = strike_out_line(found.source, self._secrets, begin, end, places=places)
        return replace(
            found,
            message=strike_out(found.message, self._secrets),
            help=strike_out(found.help, self._secrets),
            source=line,
            underline=(begin, end),
        )
